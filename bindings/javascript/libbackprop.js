// The library as WebAssembly, for browsers and Node.js. libbackprop.d.ts describes the interface.

/** The error that a callback threw, for the call that it ended. */
let thrown;

// ---- The module

/** JavaScript functions by number: { forward, derivative } of an activation, or a progress function. */
const functions = new Map();
let nextFunction = 1;

function register(value) {
    functions.set(nextFunction, value);
    return nextFunction++;
}

/** Runs a callback. Its error ends the call of the library, which `check` then throws. */
function guard(body) {
    try {
        return body();
    } catch (error) {
        thrown = { error };
        return -1;
    }
}

// The arrays are copied: a function may call the library, whose memory then may grow and move.
const callbacks = {
    forward: (z, a, rows, columns, id) => guard(() => {
        const { forward } = functions.get(id);
        store(a, floatsAt(z, rows * columns).map((value) => forward(value)));
        return 0;
    }),
    backward: (z, a, da, dz, rows, columns, id) => guard(() => {
        const { derivative } = functions.get(id), outputs = floatsAt(a, rows * columns), gradients = floatsAt(da, rows * columns);
        store(dz, floatsAt(z, rows * columns).map((value, i) => gradients[i] * derivative(value, outputs[i])));
        return 0;
    }),
    progress: (report, id) => guard(() => {
        const view = new DataView(wasm.memory.buffer, report);
        return functions.get(id)({
            restart: view.getUint32(4, true),
            epoch: Number(view.getBigUint64(8, true)),
            epochs: Number(view.getBigUint64(16, true)),
            step: Number(view.getBigUint64(24, true)),
            steps: Number(view.getBigUint64(32, true)),
            loss: view.getFloat64(40, true),
            validationLoss: view.getFloat64(48, true),
            learningRate: view.getFloat64(56, true),
            epochEnded: view.getUint32(64, true) === 1,
        }) === false ? 1 : 0;
    }),
    destroy: (id) => functions.delete(id),
};

const BAD_FILE = 8; // of WASI
const system = {
    clock_time_get(clock, precision, time) {
        const now = clock === 0 ? Date.now() : performance.now();
        new DataView(wasm.memory.buffer).setBigUint64(time, BigInt(Math.round(now * 1e6)), true);
        return 0;
    },
    random_get(at, count) {
        crypto.getRandomValues(new Uint8Array(wasm.memory.buffer, at, count));
        return 0;
    },
    environ_sizes_get(count, size) {
        new DataView(wasm.memory.buffer).setUint32(count, 0, true);
        new DataView(wasm.memory.buffer).setUint32(size, 0, true);
        return 0;
    },
    environ_get: () => 0,
};

async function load() {
    const url = new URL("backprop.wasm", import.meta.url);
    let module;
    if (url.protocol === "file:" && globalThis.process?.versions?.node) {
        const { readFile } = await import("node:fs/promises");
        module = await WebAssembly.compile(await readFile(url));
    } else {
        module = await WebAssembly.compileStreaming(fetch(url));
    }
    // The other functions of WASI are for files. Here no file is open.
    const wasi = Object.fromEntries(WebAssembly.Module.imports(module)
        .filter(({ module }) => module === "wasi_snapshot_preview1")
        .map(({ name }) => [name, system[name] ?? (() => BAD_FILE)]));
    const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi, callbacks });
    return exports;
}

/** The functions of backprop.h, allocate, release and memory. Pointers and handles are numbers, uint64_t is a BigInt. */
export const wasm = await load();
wasm._initialize();

// ---- Memory

const floatsAt = (at, count) => new Float32Array(wasm.memory.buffer, at, count).slice();
const store = (at, values) => new Float32Array(wasm.memory.buffer, at, values.length).set(values);
function text(at) {
    const bytes = new Uint8Array(wasm.memory.buffer, at);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
}

/** Calls body with a function that allocates memory, which is freed afterwards. */
function withMemory(body) {
    const blocks = [];
    const allocate = (size) => {
        const at = wasm.allocate(Math.max(size, 1));
        if (at === 0) throw new BackpropError("BP_ERROR_OUT_OF_MEMORY", "out of memory");
        blocks.push(at);
        return at;
    };
    allocate.copy = (bytes) => {
        const at = allocate(bytes.length);
        new Uint8Array(wasm.memory.buffer, at).set(bytes);
        return at;
    };
    allocate.text = (value) => allocate.copy(new TextEncoder().encode(`${value}\0`));
    allocate.floats = (values) => {
        const at = allocate(4 * values.length);
        store(at, values);
        return at;
    };
    try {
        return body(allocate);
    } finally {
        blocks.forEach((at) => wasm.release(at));
    }
}

const sizeAt = (at) => new DataView(wasm.memory.buffer).getUint32(at, true);
const doubleAt = (at) => new DataView(wasm.memory.buffer).getFloat64(at, true);

// ---- Errors

export class BackpropError extends Error {
    constructor(code, message) {
        super(message);
        this.name = "BackpropError";
        this.code = code;
    }
}

function check(status) {
    const callback = thrown;
    thrown = undefined;
    if (callback) throw callback.error;
    if (status < 0) throw new BackpropError(text(wasm.bp_status_name(status)), text(wasm.bp_last_error_message()));
    return status;
}

// ---- Objects

const forgotten = new FinalizationRegistry((free) => free());

/** An object with a handle of the library. */
class Handle {
    #handle;
    #free;

    constructor(handle, free) {
        this.#handle = handle;
        this.#free = () => free(handle);
        forgotten.register(this, this.#free, this);
    }

    /** After free(), a number that the library refuses. */
    get handle() { return this.#handle; }

    free() {
        forgotten.unregister(this);
        this.#free();
    }
}

/** Calls a function whose last parameter returns a value of `size` bytes. */
function output(size, read, call) {
    return withMemory((allocate) => {
        const at = allocate(size);
        check(call(at, allocate));
        return read(at);
    });
}

function rowsOf(values, columns, name) {
    const rows = values.length / columns;
    if (Number.isInteger(rows)) return rows;
    throw new RangeError(`${name} has ${values.length} numbers, which is no multiple of ${columns}`);
}

const OUTPUTS = { cross_entropy: "softmax", binary_cross_entropy: "logistic", poisson: "softplus" };

export class Network extends Handle {
    constructor(layers, settings = {}) {
        const { seed = 0, activation, loss, optimizer, batchnorm, dropout } = settings;
        super(Array.isArray(layers) ? create(layers, BigInt(seed)) : layers.loaded, (handle) => wasm.bp_network_free(handle));
        if (!Array.isArray(layers)) return;
        try {
            const last = layers.length - 1;
            for (let layer = 1; layer < last; layer++) {
                if (activation !== undefined) this.setActivation(layer, activation);
                if (batchnorm !== undefined) this.setBatchnorm(layer, batchnorm);
                if (dropout !== undefined) this.setDropout(layer, dropout);
            }
            if (loss !== undefined) this.setLoss(loss);
            const output = settings.output ?? (loss === undefined ? undefined : OUTPUTS[loss] ?? "identity");
            if (output !== undefined) this.setActivation(last, output);
            if (optimizer !== undefined) this.setOptimizer(optimizer);
            for (const [name, value] of Object.entries(settings.options ?? {})) this.setOption(name, value);
        } catch (error) {
            this.free();
            throw error;
        }
    }

    static load(bytes) {
        return new Network({ loaded: output(4, sizeAt, (out, allocate) =>
            wasm.bp_network_load_memory(allocate.copy(bytes), bytes.length, out)) });
    }

    save() {
        return withMemory((allocate) => {
            const needed = allocate(4);
            wasm.bp_network_save_memory(this.handle, 0, 0, needed);
            const count = sizeAt(needed), bytes = allocate(count);
            check(wasm.bp_network_save_memory(this.handle, bytes, count, needed));
            return new Uint8Array(wasm.memory.buffer, bytes, count).slice();
        });
    }

    get layers() {
        const count = output(4, sizeAt, (out) => wasm.bp_network_layer_count(this.handle, out));
        return Array.from({ length: count }, (_, layer) =>
            output(4, sizeAt, (out) => wasm.bp_network_layer_size(this.handle, layer, out)));
    }

    setActivation(layer, name) { withMemory((m) => check(wasm.bp_network_set_activation(this.handle, layer, m.text(name)))); }
    setBatchnorm(layer, enabled) { check(wasm.bp_network_set_batchnorm(this.handle, layer, enabled ? 1 : 0)); }
    setDropout(layer, rate) { check(wasm.bp_network_set_dropout(this.handle, layer, rate)); }
    setLoss(name) { withMemory((m) => check(wasm.bp_network_set_loss(this.handle, m.text(name)))); }
    setOptimizer(name) { withMemory((m) => check(wasm.bp_network_set_optimizer(this.handle, m.text(name)))); }
    setOption(name, value) { withMemory((m) => check(wasm.bp_network_set_option(this.handle, m.text(name), value))); }
    getOption(name) {
        return output(8, doubleAt, (out, allocate) => wasm.bp_network_get_option(this.handle, allocate.text(name), out));
    }

    get #columns() {
        const { layers } = this;
        return { inputs: layers[0], outputs: layers.at(-1), targets: output(4, sizeAt, (out) =>
            wasm.bp_network_target_columns(this.handle, out)) };
    }

    /** Calls body(inputs, targets, rows) with the arrays in the memory of WebAssembly. */
    rows(inputs, targets, body) {
        const columns = this.#columns, rows = rowsOf(inputs, columns.inputs, "inputs");
        if (rowsOf(targets, columns.targets, "targets") !== rows) throw new RangeError("inputs and targets have different numbers of rows");
        return withMemory((allocate) => body(allocate.floats(inputs), allocate.floats(targets), rows, allocate));
    }

    train(inputs, targets, learningRate) {
        return this.rows(inputs, targets, (x, y, rows, allocate) => {
            const loss = allocate(4);
            check(wasm.bp_network_train_minibatch(this.handle, x, y, rows, learningRate, loss));
            return floatsAt(loss, 1)[0];
        });
    }

    evaluate(inputs, targets) {
        return this.rows(inputs, targets, (x, y, rows, allocate) => {
            const loss = allocate(4);
            check(wasm.bp_network_evaluate(this.handle, x, y, rows, loss));
            return floatsAt(loss, 1)[0];
        });
    }

    predict(inputs) {
        const columns = this.#columns, rows = rowsOf(inputs, columns.inputs, "inputs");
        return withMemory((allocate) => {
            const outputs = allocate(4 * rows * columns.outputs);
            check(wasm.bp_network_predict(this.handle, allocate.floats(inputs), rows, outputs));
            return floatsAt(outputs, rows * columns.outputs);
        });
    }

    get #parameterCount() { return output(4, sizeAt, (out) => wasm.bp_network_parameter_count(this.handle, out)); }

    get parameters() {
        const count = this.#parameterCount;
        return withMemory((allocate) => {
            const values = allocate(4 * count);
            check(wasm.bp_network_get_parameters(this.handle, values, count));
            return floatsAt(values, count);
        });
    }

    set parameters(values) {
        withMemory((m) => check(wasm.bp_network_set_parameters(this.handle, m.floats(values), values.length)));
    }
}

function create(layers, seed) {
    return output(4, sizeAt, (out, allocate) => {
        const sizes = allocate.copy(new Uint8Array(Uint32Array.from(layers).buffer));
        return wasm.bp_network_create(sizes, layers.length, BigInt.asUintN(64, seed), out);
    });
}

const ENDS = ["none", "complete", "patience", "target_loss", "time_limit", "stopped", "cancelled"];

export class Trainer extends Handle {
    constructor(options = {}) {
        super(output(4, sizeAt, (out) => wasm.bp_trainer_create(out)), (handle) => wasm.bp_trainer_free(handle));
        for (const [name, value] of Object.entries(options)) this.setOption(name, value);
    }

    setOption(name, value) { withMemory((m) => check(wasm.bp_trainer_set_option(this.handle, m.text(name), value))); }

    fit(network, inputs, targets, { validation, progress } = {}) {
        const id = progress ? register(progress) : 0;
        const fit = (x, y, rows, vx = 0, vy = 0, validationRows = 0) => {
            check(wasm.set_progress(this.handle, id));
            check(wasm.bp_trainer_fit(this.handle, network.handle, x, y, rows, vx, vy, validationRows, 0));
        };
        try {
            network.rows(inputs, targets, (x, y, rows) => validation
                ? network.rows(...validation, (vx, vy, validationRows) => fit(x, y, rows, vx, vy, validationRows))
                : fit(x, y, rows));
        } finally {
            functions.delete(id);
            wasm.set_progress(this.handle, 0);
        }
        return this.#result();
    }

    #result() {
        return withMemory((allocate) => {
            const at = allocate(48);
            new DataView(wasm.memory.buffer).setUint32(at, 48, true);
            check(wasm.bp_trainer_get_result(this.handle, at));
            const view = new DataView(wasm.memory.buffer, at);
            return {
                end: ENDS[view.getInt32(4, true)],
                epochs: Number(view.getBigUint64(8, true)),
                steps: Number(view.getBigUint64(16, true)),
                bestEpoch: Number(view.getBigUint64(24, true)),
                loss: view.getFloat64(32, true),
                restart: view.getUint32(40, true),
            };
        });
    }
}

// ---- Activations

/** Central differences, with the distance of bp_activation_register_scalar. */
function differences(forward) {
    return (z) => {
        const h = 2 ** Math.floor(Math.log2(Math.max(1, Math.abs(z)))) / 256;
        return (forward(z + h) - forward(z - h)) / (2 * h);
    };
}

export function registerActivation(name, forward, derivative = differences(forward)) {
    const id = register({ forward, derivative });
    try {
        withMemory((allocate) => check(wasm.register_activation(allocate.text(name), id)));
    } catch (error) {
        functions.delete(id);
        throw error;
    }
}

export function unregisterActivation(name) {
    withMemory((allocate) => check(wasm.bp_activation_unregister(allocate.text(name))));
}

export const version = text(wasm.bp_version_string());
