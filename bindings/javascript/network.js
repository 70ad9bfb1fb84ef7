// Networks: creation, settings, steps, predictions, files.
import {
    Handle, bytes, bytesOf, check, doubleAt, floatAt, floats, list, output, requireArray, requireNone, rowsOf, seedOf, sizeAt, text, wasm,
    whole, withMemory,
} from "./wasm.js";

/** The activation of the last layer that suits a loss; "identity" for other losses. */
const OUTPUTS = { cross_entropy: "softmax", binary_cross_entropy: "logistic", poisson: "softplus" };

/** The handle of a network that exists, for the constructor. */
class Existing {
    constructor(handle) { this.handle = handle; }
}

function create(layers, seed) {
    requireArray(layers, "layers");
    const sizes = Uint32Array.from(layers, (size, i) => whole(size, `layers[${i}]`));
    return output(4, sizeAt, (out, allocate) =>
        wasm.bp_network_create(allocate.bytes(new Uint8Array(sizes.buffer)), sizes.length, seedOf(seed), out));
}

export class Network extends Handle {
    constructor(layers, settings = {}) {
        super(layers instanceof Existing ? layers.handle : create(layers, settings.seed ?? 0), (handle) => wasm.bp_network_free(handle));
        if (layers instanceof Existing) return;
        try {
            this.#apply(settings, layers.length - 1);
        } catch (error) {
            this.free();
            throw error;
        }
    }

    #apply({ seed, activation, output, loss, optimizer, batchnorm, dropout, options = {}, ...others }, last) {
        requireNone(others, "a network");
        for (let layer = 1; layer < last; layer++) {
            if (activation !== undefined) this.setActivation(layer, activation);
            if (batchnorm !== undefined) this.setBatchnorm(layer, batchnorm);
            if (dropout !== undefined) this.setDropout(layer, dropout);
        }
        if (loss !== undefined) this.setLoss(loss);
        output ??= loss && (OUTPUTS[loss] ?? "identity");
        if (output !== undefined) this.setActivation(last, output);
        if (optimizer !== undefined) this.setOptimizer(optimizer);
        for (const [name, value] of Object.entries(options)) this.setOption(name, value);
    }

    static load(file) {
        const model = bytesOf(file);
        return new Network(new Existing(output(4, sizeAt, (out, allocate) =>
            wasm.bp_network_load_memory(allocate.bytes(model), model.length, out))));
    }

    save() { return bytes((...out) => wasm.bp_network_save_memory(this.handle, ...out)); }
    clone() { return new Network(new Existing(output(4, sizeAt, (out) => wasm.bp_network_clone(this.handle, out)))); }
    initialize(seed) { check(wasm.bp_network_initialize(this.handle, seedOf(seed))); }

    get layers() {
        const count = output(4, sizeAt, (out) => wasm.bp_network_layer_count(this.handle, out));
        return Array.from({ length: count }, (_, layer) =>
            output(4, sizeAt, (out) => wasm.bp_network_layer_size(this.handle, layer, out)));
    }

    get stepCount() {
        return output(8, (at) => Number(new DataView(wasm.memory.buffer).getBigUint64(at, true)), (out) =>
            wasm.bp_network_step_count(this.handle, out));
    }

    // ---- Settings

    setActivation(layer, name) {
        withMemory((m) => check(wasm.bp_network_set_activation(this.handle, whole(layer, "layer"), m.text(name))));
    }
    getActivation(layer) { return text((...out) => wasm.bp_network_get_activation(this.handle, whole(layer, "layer"), ...out)); }
    setBatchnorm(layer, enabled) { check(wasm.bp_network_set_batchnorm(this.handle, whole(layer, "layer"), enabled ? 1 : 0)); }
    getBatchnorm(layer) {
        return output(4, sizeAt, (out) => wasm.bp_network_get_batchnorm(this.handle, whole(layer, "layer"), out)) === 1;
    }
    foldBatchnorm() { check(wasm.bp_network_fold_batchnorm(this.handle)); }
    setDropout(layer, rate) { check(wasm.bp_network_set_dropout(this.handle, whole(layer, "layer"), rate)); }
    getDropout(layer) { return output(8, doubleAt, (out) => wasm.bp_network_get_dropout(this.handle, whole(layer, "layer"), out)); }
    setTrainable(layer, trainable) { check(wasm.bp_network_set_trainable(this.handle, whole(layer, "layer"), trainable ? 1 : 0)); }
    getTrainable(layer) {
        return output(4, sizeAt, (out) => wasm.bp_network_get_trainable(this.handle, whole(layer, "layer"), out)) === 1;
    }
    setLoss(name) { withMemory((m) => check(wasm.bp_network_set_loss(this.handle, m.text(name)))); }
    getLoss() { return text((...out) => wasm.bp_network_get_loss(this.handle, ...out)); }
    setOptimizer(name) { withMemory((m) => check(wasm.bp_network_set_optimizer(this.handle, m.text(name)))); }
    getOptimizer() { return text((...out) => wasm.bp_network_get_optimizer(this.handle, ...out)); }
    setOption(name, value) { withMemory((m) => check(wasm.bp_network_set_option(this.handle, m.text(name), value))); }
    getOption(name) {
        return output(8, doubleAt, (out, allocate) => wasm.bp_network_get_option(this.handle, allocate.text(name), out));
    }

    fitScaling(inputScaling, targetScaling, inputs, targets) {
        withRows(this, inputs, targets, (x, y, rows, m) =>
            check(wasm.bp_network_fit_scaling(this.handle, m.text(inputScaling), m.text(targetScaling), x, y, rows)));
    }
    getScaling() {
        const [inputs, targets] = [0, 1].map((side) => text((...out) => wasm.bp_network_get_scaling(this.handle, side, ...out)));
        return { inputs, targets };
    }

    checkSettings(targets = []) {
        const rows = rowsOf(targets, columnsOf(this).targets, "targets");
        withMemory((m) => check(wasm.bp_network_check_settings(this.handle, rows && m.floats(targets, "targets"), rows)));
    }

    // ---- Training

    train(inputs, targets, learningRate) {
        return withRows(this, inputs, targets, (x, y, rows) =>
            output(4, floatAt, (out) => wasm.bp_network_train_minibatch(this.handle, x, y, rows, learningRate, out)));
    }

    gradient(inputs, targets) {
        const count = this.#parameterCount;
        return withRows(this, inputs, targets, (x, y, rows, allocate) => {
            const loss = allocate(4);
            const gradient = floats(count, (out) => wasm.bp_network_gradient(this.handle, x, y, rows, out, count, loss));
            return { loss: floatAt(loss), gradient };
        });
    }

    applyGradient(gradient, learningRate) {
        withMemory((m) => check(wasm.bp_network_apply_gradient(this.handle, m.floats(gradient, "gradient"), gradient.length, learningRate)));
    }

    checkGradient(inputs, targets) {
        return withRows(this, inputs, targets, (x, y, rows) =>
            output(8, doubleAt, (out) => wasm.bp_network_check_gradient(this.handle, x, y, rows, out)));
    }

    // ---- Predictions

    predict(inputs) { return this.predictLayer(undefined, inputs); }

    predictLayer(layer, inputs) {
        const { layers } = this, rows = rowsOf(inputs, layers[0], "inputs"), size = layers[whole(layer ?? layers.length - 1, "layer")];
        return floats(rows * (size ?? 0), (out, allocate) => layer === undefined
            ? wasm.bp_network_predict(this.handle, allocate.floats(inputs, "inputs"), rows, out)
            : wasm.bp_network_predict_layer(this.handle, layer, allocate.floats(inputs, "inputs"), rows, out));
    }

    evaluate(inputs, targets) {
        return withRows(this, inputs, targets, (x, y, rows) =>
            output(4, floatAt, (out) => wasm.bp_network_evaluate(this.handle, x, y, rows, out)));
    }

    rowLosses(inputs, targets) {
        return withRows(this, inputs, targets, (x, y, rows) =>
            floats(rows, (out) => wasm.bp_network_row_losses(this.handle, x, y, rows, out)));
    }

    score(inputs, targets, measure = this.getLoss().endsWith("cross_entropy") ? "accuracy" : "r2") {
        return withRows(this, inputs, targets, (x, y, rows, allocate) =>
            output(8, doubleAt, (out) => wasm.bp_network_score(this.handle, allocate.text(measure), x, y, rows, out)));
    }

    // ---- Parameters and metadata

    get #parameterCount() { return output(4, sizeAt, (out) => wasm.bp_network_parameter_count(this.handle, out)); }

    get parameters() {
        const count = this.#parameterCount;
        return floats(count, (out) => wasm.bp_network_get_parameters(this.handle, out, count));
    }
    set parameters(values) {
        withMemory((m) => check(wasm.bp_network_set_parameters(this.handle, m.floats(values, "parameters"), values.length)));
    }

    get tensorNames() { return list((index) => text((...out) => wasm.bp_network_tensor_name(this.handle, index, ...out))); }
    getTensor(name) {
        return withMemory((allocate) => {
            const at = allocate.text(name), shape = allocate(8);
            check(wasm.bp_network_tensor_shape(this.handle, at, shape, shape + 4));
            const rows = sizeAt(shape), columns = sizeAt(shape + 4), count = rows * columns;
            return { rows, columns, values: floats(count, (out) => wasm.bp_network_get_tensor(this.handle, at, out, count)) };
        });
    }
    setTensor(name, values) {
        withMemory((m) => check(wasm.bp_network_set_tensor(this.handle, m.text(name), m.floats(values), values.length)));
    }

    loadWeights(file) {
        const weights = bytesOf(file);
        withMemory((m) => check(wasm.bp_network_load_weights_memory(this.handle, m.bytes(weights), weights.length)));
    }

    get metadataKeys() { return list((index) => text((...out) => wasm.bp_network_metadata_key(this.handle, index, ...out))); }
    getMetadata(key) {
        return text((buffer, capacity, needed, allocate) =>
            wasm.bp_network_get_metadata(this.handle, allocate.text(key), buffer, capacity, needed));
    }
    setMetadata(key, value) {
        withMemory((m) => check(wasm.bp_network_set_metadata(this.handle, m.text(key), m.text(value))));
    }
    removeMetadata(key) { withMemory((m) => check(wasm.bp_network_remove_metadata(this.handle, m.text(key)))); }
}

function columnsOf(network) {
    const targets = output(4, sizeAt, (out) => wasm.bp_network_target_columns(network.handle, out));
    return { inputs: network.layers[0], targets };
}

/** Calls body(inputs, targets, rows, allocate) with the arrays in the memory of WebAssembly. */
export function withRows(network, inputs, targets, body) {
    const columns = columnsOf(network), rows = rowsOf(inputs, columns.inputs, "inputs");
    if (rowsOf(targets, columns.targets, "targets") !== rows) throw new RangeError("inputs and targets have different numbers of rows");
    return withMemory((allocate) => body(allocate.floats(inputs, "inputs"), allocate.floats(targets, "targets"), rows, allocate));
}
