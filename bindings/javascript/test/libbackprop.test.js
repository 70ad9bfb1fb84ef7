import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import {
    BackpropError, Network, Trainer, activations, checkActivation, checkLoss, load, losses, optimizers, options, registerActivation,
    registerLoss, scalings, scores, unregisterActivation, unregisterLoss, version, wasm,
} from "../libbackprop.js";

const XOR = [0, 0, 0, 1, 1, 0, 1, 1], XOR_TARGETS = [0, 1, 1, 0];
const digits = () => {
    const rows = readFileSync(new URL("../../../Examples/data/digits.csv", import.meta.url), "utf8").trim().split("\n")
        .filter((line) => /^\d/.test(line)).map((line) => line.split(",").map(Number));
    const part = (held) => rows.filter((_, i) => (i % 5 === 4) === held);
    const table = (rows) => ({
        labels: rows.map((row) => row.at(-1)),
        inputs: Float32Array.from(rows.flatMap((row) => row.slice(0, 64).map((x) => x / 16))),
        targets: Float32Array.from(rows.flatMap((row) => Array.from({ length: 10 }, (_, k) => (row.at(-1) === k ? 1 : 0)))),
    });
    return [table(part(false)), table(part(true))];
};
const learnXor = (network) => {
    for (let step = 0; step < 4000; step++) network.train(XOR, XOR_TARGETS, 0.5);
    return Array.from(network.predict(XOR), Math.round);
};

test("the module has the version of the package", () => {
    assert.equal(version, JSON.parse(readFileSync(new URL("../package.json", import.meta.url))).version);
});

test("a network learns xor", () => {
    const network = new Network([2, 4, 1], { seed: 1 });
    assert.deepEqual(learnXor(network), XOR_TARGETS);
    network.free();
});

test("a network reads 95 % of the held-out digits", () => {
    const [train, held] = digits();
    const network = new Network([64, 32, 10], {
        activation: "tanh", loss: "cross_entropy", optimizer: "adam", batchnorm: true, seed: 1, options: { gradient_reduction: 1 },
    });
    const result = new Trainer({ epochs: 20, learning_rate: 0.01, seed: 1 }).fit(network, train.inputs, train.targets);
    assert.equal(result.end, "complete");
    assert.equal(result.epochs, 20);
    const outputs = network.predict(held.inputs);
    const right = held.labels.filter((label, i) => {
        const row = outputs.subarray(10 * i, 10 * i + 10);
        return row.indexOf(Math.max(...row)) === label;
    });
    assert.ok(right.length / held.labels.length >= 0.95, `${right.length} of ${held.labels.length}`);
});

test("the same seed gives the same bits", () => {
    const [a, b] = [1, 1].map((seed) => {
        const network = new Network([2, 4, 1], { seed });
        learnXor(network);
        return network.save();
    });
    assert.deepEqual(a, b);
    assert.notDeepEqual(new Network([2, 4, 1], { seed: 2n ** 64n - 1n }).save(), a);
});

test("a loaded network has the parameters and predictions of the saved one", () => {
    const network = new Network([2, 4, 1], { seed: 3, activation: "tanh" });
    learnXor(network);
    const loaded = Network.load(network.save());
    assert.deepEqual(loaded.layers, [2, 4, 1]);
    assert.deepEqual(loaded.parameters, network.parameters);
    assert.deepEqual(loaded.predict(XOR), network.predict(XOR));
    loaded.parameters = loaded.parameters.fill(0);
    assert.deepEqual(Array.from(loaded.predict(XOR)), [0.5, 0.5, 0.5, 0.5]);
});

test("a JavaScript function is an activation, with or without its derivative", () => {
    registerActivation("bump", (z) => Math.exp(-z * z), (z, a) => -2 * z * a);
    registerActivation("bump.differences", (z) => Math.exp(-z * z));
    const parameters = ["bump", "bump.differences"].map((name) => {
        const network = new Network([2, 4, 1], { seed: 1, activation: name });
        assert.deepEqual(learnXor(network), XOR_TARGETS);
        return new Network([2, 4, 1], { seed: 1, activation: name });
    }).map((network) => {
        network.train(XOR, XOR_TARGETS, 0.5);
        return network.parameters;
    });
    parameters[0].forEach((value, i) => assert.ok(Math.abs(value - parameters[1][i]) < 1e-4));
    unregisterActivation("bump");
    assert.throws(() => new Network([2, 4, 1], { activation: "bump" }), { code: "BP_ERROR_UNKNOWN_NAME" });
});

test("an error of an activation is thrown by the call, which changes nothing", () => {
    const error = new Error("not today");
    let calls = 0;
    for (const part of ["forward", "derivative"]) {
        const fail = () => { calls++; throw error; };
        registerActivation(part, part === "forward" ? fail : (z) => z, part === "forward" ? (z) => 1 : fail);
        const network = new Network([2, 4, 1], { seed: 1, activation: part });
        const before = network.save();
        assert.throws(() => network.train(XOR, XOR_TARGETS, 0.5), (thrown) => thrown === error);
        assert.throws(() => new Trainer({ epochs: 1 }).fit(network, XOR, XOR_TARGETS), (thrown) => thrown === error);
        assert.deepEqual(network.save(), before);
        unregisterActivation(part);
    }
    assert.equal(calls, 4);
});

test("an activation may call the library, whose memory may grow meanwhile", () => {
    const inner = new Network([1, 1000, 1000], { seed: 1 }), kept = [];
    registerActivation("nested", (z) => {
        kept.push(new Network([1, 1000, 1000], { seed: 1 }));
        return Math.tanh(z) + 0 * inner.predict([z])[0];
    });
    const network = new Network([2, 2, 1], { activation: "nested", seed: 1 });
    const plain = new Network([2, 2, 1], { activation: "tanh", seed: 1 });
    network.predict(XOR).forEach((value, i) => assert.ok(Math.abs(value - plain.predict(XOR)[i]) < 1e-6));
    kept.forEach((each) => each.free());
    unregisterActivation("nested");
});

test("a progress function sees each epoch, can end the fit, and its error is thrown", () => {
    const trainer = new Trainer({ epochs: 10, batch_size: 2 }), network = new Network([2, 4, 1], { seed: 1 });
    const epochs = [];
    const progress = (report) => {
        epochs.push(report.epoch);
        assert.equal(report.epochs, 10);
        assert.ok(Number.isFinite(report.validationLoss));
        network.predict(XOR);
        return report.epoch < 3;
    };
    const result = trainer.fit(network, XOR, XOR_TARGETS, { validation: [XOR, XOR_TARGETS], progress });
    assert.deepEqual(epochs, [1, 2, 3]);
    assert.equal(result.end, "stopped");
    const before = network.save(), error = new TypeError("progress");
    assert.throws(() => trainer.fit(network, XOR, XOR_TARGETS, { progress: () => { throw error; } }), (thrown) => thrown === error);
    assert.deepEqual(network.save(), before);
    assert.equal(trainer.fit(network, XOR, XOR_TARGETS).end, "complete");
});

test("wrong arguments are refused", () => {
    const network = new Network([2, 4, 1], { seed: 1 });
    assert.throws(() => network.train(XOR, [0, 1], 0.5), RangeError);
    assert.throws(() => network.predict([1, 2, 3]), RangeError);
    assert.throws(() => network.train([NaN, 0], [1], 0.5), { code: "BP_ERROR_NOT_FINITE" });
    assert.throws(() => network.train(XOR, XOR_TARGETS, -1), { code: "BP_ERROR_INVALID_VALUE" });
    assert.throws(() => new Network([2, 0, 1]), BackpropError);
    assert.throws(() => new Network([2 ** 31, 2 ** 31]), { code: "BP_ERROR_LIMIT" });
    assert.throws(() => new Network([2, 1], { loss: "unknown" }), { code: "BP_ERROR_UNKNOWN_NAME" });
    assert.throws(() => new Trainer({ unknown: 1 }), { code: "BP_ERROR_UNKNOWN_NAME" });
    assert.throws(() => Network.load(new Uint8Array(100)), BackpropError);
    assert.throws(() => Network.load(network.save().subarray(0, 300)), BackpropError);
});

test("a freed network is refused, and freeing twice has no effect", () => {
    const network = new Network([2, 4, 1]), other = new Network([2, 4, 1]);
    network.free();
    network.free();
    assert.throws(() => network.predict(XOR), { code: "BP_ERROR_INVALID_HANDLE" });
    assert.equal(other.predict(XOR).length, 4);
});

test("shared libraries and calls through libffi are unsupported", () => {
    const text = (value) => {
        const at = wasm.allocate(value.length + 1);
        new Uint8Array(wasm.memory.buffer).set(new TextEncoder().encode(`${value}\0`), at);
        return at;
    };
    const name = text("erf"), library = text("libm.so.6"), signature = text("d(d)");
    assert.equal(wasm.bp_plugin_load(library), -6);
    assert.equal(wasm.bp_activation_register_library(name, library, name, 0, signature, 0, 0), -6);
    assert.equal(wasm.bp_activation_register_foreign(name, 1, 0, signature, 0, 0), -6);
    [name, library, signature].forEach((at) => wasm.release(at));
});

test("the settings that a network was given are read back, also from its file and its clone", () => {
    const network = new Network([2, 4, 3, 1], { loss: "binary_cross_entropy", optimizer: "adam", activation: "relu", seed: 1 });
    network.setActivation(1, "gelu");
    network.setBatchnorm(1, true);
    network.setDropout(2, 0.25);
    network.setTrainable(2, false);
    network.setOption("beta1", 0.5);
    network.setMetadata("classes", "cat, dog");
    network.fitScaling("standard", "none", XOR, XOR_TARGETS);
    for (const each of [network, network.clone(), Network.load(network.save())]) {
        assert.deepEqual([1, 2, 3].map((layer) => each.getActivation(layer)), ["gelu", "relu", "logistic"]);
        assert.deepEqual([1, 2].map((layer) => each.getBatchnorm(layer)), [true, false]);
        assert.deepEqual([1, 2].map((layer) => each.getDropout(layer)), [0, 0.25]);
        assert.deepEqual([1, 2].map((layer) => each.getTrainable(layer)), [true, false]);
        assert.equal(each.getLoss(), "binary_cross_entropy");
        assert.equal(each.getOptimizer(), "adam");
        assert.equal(each.getOption("beta1"), 0.5);
        assert.deepEqual(each.metadataKeys, ["classes"]);
        assert.equal(each.getMetadata("classes"), "cat, dog");
        assert.deepEqual(each.getScaling(), { inputs: "standard", targets: "none" });
        assert.deepEqual(each.predict(XOR), network.predict(XOR));
    }
    network.removeMetadata("classes");
    assert.throws(() => network.getMetadata("classes"), { code: "BP_ERROR_UNKNOWN_NAME" });
    assert.deepEqual(network.metadataKeys, []);
});

test("a gradient that is applied makes the step of train", () => {
    const [a, b] = [1, 1].map((seed) => new Network([2, 4, 1], { seed, loss: "squared_error", output: "identity" }));
    const { loss, gradient } = a.gradient(XOR, XOR_TARGETS);
    a.applyGradient(gradient, 0.1);
    assert.ok(Math.abs(loss - b.train(XOR, XOR_TARGETS, 0.1)) < 1e-6);
    a.parameters.forEach((value, i) => assert.ok(Math.abs(value - b.parameters[i]) < 1e-6));
    assert.deepEqual([a.stepCount, b.stepCount], [1, 1]);
    a.initialize(1);
    assert.equal(a.stepCount, 0);
    assert.deepEqual(a.parameters, new Network([2, 4, 1], { seed: 1 }).parameters);
    assert.ok(a.checkGradient(XOR, XOR_TARGETS) < 1e-2);
});

test("a layer's outputs, row losses and scores are those of plain loops over the tensors", () => {
    const network = new Network([2, 3, 1], { activation: "tanh", output: "identity", loss: "squared_error", seed: 5 });
    assert.deepEqual(network.tensorNames, ["layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.2.bias"]);
    network.setTensor("layers.1.bias", [0.1, -0.2, 0.3]);
    const [w, b, v, c] = network.tensorNames.map((name) => network.getTensor(name));
    assert.deepEqual([w.rows, w.columns], [3, 2]);
    assert.deepEqual(b.values, Float32Array.of(0.1, -0.2, 0.3));
    const near = (actual, expected) => {
        assert.equal(actual.length, expected.length);
        expected.forEach((value, i) => assert.ok(Math.abs(value - actual[i]) < 1e-5, `${actual} ${expected}`));
    };
    const rows = [0, 1, 2, 3].map((row) => XOR.slice(2 * row, 2 * row + 2));
    const hidden = rows.map((x) => Array.from(b.values, (bias, m) => Math.tanh(bias + w.values[2 * m] * x[0] + w.values[2 * m + 1] * x[1])));
    const outputs = hidden.map((h) => c.values[0] + h.reduce((sum, value, m) => sum + value * v.values[m], 0));
    const errors = outputs.map((a, i) => a - XOR_TARGETS[i]);
    near(network.predictLayer(1, XOR), hidden.flat());
    near(network.predict(XOR), outputs);
    near(network.rowLosses(XOR, XOR_TARGETS), errors.map((e) => e * e / 2));
    near([network.evaluate(XOR, XOR_TARGETS)], [errors.reduce((sum, e) => sum + e * e / 2, 0)]);
    near([network.score(XOR, XOR_TARGETS)], [1 - errors.reduce((sum, e) => sum + e * e, 0) / 1]); // squared deviations of 0, 1, 1, 0: 1
    near([network.score(XOR, XOR_TARGETS, "mean_absolute_error")], [errors.reduce((sum, e) => sum + Math.abs(e), 0) / 4]);
    const other = new Network([2, 3, 1], { activation: "tanh", output: "identity" });
    other.loadWeights(network.save());
    assert.deepEqual(other.predict(XOR), network.predict(XOR));
});

test("folding batch normalization keeps the predictions", () => {
    const network = new Network([2, 4, 1], { seed: 1, batchnorm: true });
    learnXor(network);
    const before = network.predict(XOR), count = network.parameters.length;
    network.foldBatchnorm();
    network.predict(XOR).forEach((value, i) => assert.ok(Math.abs(value - before[i]) < 1e-4));
    assert.equal(network.parameters.length, count - 8);
});

test("a trainer's options are read back, and a row of weight 0 counts for nothing", () => {
    const trainer = new Trainer({ epochs: 5, batch_size: 0 });
    assert.equal(trainer.getOption("epochs"), 5);
    trainer.setRowWeights([1, 1, 1, 0]);
    const [a, b] = [1, 1].map((seed) => new Network([2, 4, 1], { seed }));
    trainer.fit(a, XOR, XOR_TARGETS);
    trainer.fit(b, XOR, [0, 1, 1, 0.7]);
    assert.deepEqual(a.parameters, b.parameters);
});

test("a fit that a time limit cuts, and that is resumed, has the bits of one fit", () => {
    const [whole, parts] = [1, 1].map((seed) => new Network([2, 4, 1], { seed }));
    const settings = { epochs: 3000, batch_size: 1, seed: 3, keep: 1 };
    new Trainer(settings).fit(whole, XOR, XOR_TARGETS);
    const trainer = new Trainer({ ...settings, time_limit: 0.0005 });
    let result = trainer.fit(parts, XOR, XOR_TARGETS);
    trainer.setOption("resume", 1);
    while (result.end === "time_limit") result = trainer.fit(parts, XOR, XOR_TARGETS);
    assert.equal(result.steps, 12000);
    assert.deepEqual(parts.parameters, whole.parameters);
});

test("names and options are those of the library", () => {
    const built = ["tanh", "softmax", "relu"];
    built.forEach((name) => assert.ok(activations().includes(name)));
    assert.ok(losses().includes("poisson") && optimizers().includes("adamw") && scalings().includes("min_max"));
    assert.deepEqual(scores(), ["accuracy", "r2", "mean_absolute_error"]);
    registerActivation("listed", (z) => z);
    assert.ok(activations().includes("listed"));
    unregisterActivation("listed");
    const all = options(), schedule = all.find(({ name }) => name === "schedule"), beta = all.find(({ name }) => name === "beta1");
    assert.equal(schedule.owner, "trainer");
    assert.equal(schedule.choices[3], "cosine");
    assert.deepEqual([beta.owner, beta.defaultValue, beta.minimum, beta.wholeNumbers, beta.choices], ["network", 0.9, 0, false, []]);
});

test("a check finds a wrong derivative of an activation", () => {
    registerActivation("right", (z) => z * z, (z) => 2 * z);
    registerActivation("wrong", (z) => z * z, (z) => 3 * z);
    assert.ok(checkActivation("right").worstError < 1e-2);
    const report = checkActivation("wrong");
    assert.ok(report.worstError > 0.1 && report.points > 100 && Number.isNaN(report.firstKink));
    ["right", "wrong"].forEach(unregisterActivation);
});

test("a JavaScript function is a loss, and its error is thrown", () => {
    const squared = [(a, y) => (a[0] - y[0]) ** 2 / 2, (a, y) => [a[0] - y[0]]];
    registerLoss("half.square", ...squared);
    registerLoss("wrong.gradient", squared[0], (a, y) => [2 * (a[0] - y[0])]);
    assert.ok(checkLoss("half.square", [0.3, 0.8], [0, 1], 2) < 1e-2);
    assert.ok(checkLoss("wrong.gradient", [0.3, 0.8], [0, 1], 2) > 0.1);
    const [a, b] = ["half.square", "squared_error"].map((loss) => new Network([2, 4, 1], { seed: 1, loss, output: "logistic" }));
    assert.deepEqual(learnXor(a), XOR_TARGETS);
    learnXor(b);
    a.parameters.forEach((value, i) => assert.ok(Math.abs(value - b.parameters[i]) < 1e-2));

    const error = new Error("no loss today");
    for (const functions of [[() => { throw error; }, squared[1]], [squared[0], () => { throw error; }]]) {
        registerLoss("failing", ...functions);
        a.setLoss("failing");
        const before = a.save();
        assert.throws(() => a.train(XOR, XOR_TARGETS, 0.5), (thrown) => thrown === error);
        assert.deepEqual(a.save(), before);
        unregisterLoss("failing");
    }
    registerLoss("long", squared[0], () => [1, 2]);
    a.setLoss("long");
    assert.throws(() => a.train(XOR, XOR_TARGETS, 0.5), RangeError);
    ["half.square", "wrong.gradient", "long"].forEach(unregisterLoss);
});

test("a loss may have targets of another size", () => {
    registerLoss("masked", (a, y) => y[1] * (a[0] - y[0]) ** 2, (a, y) => [2 * y[1] * (a[0] - y[0])], 2);
    const network = new Network([2, 4, 1], { seed: 1, loss: "masked" }), before = network.parameters;
    network.train([0, 1, 1, 1], [1, 0, 5, 0], 0.1);
    assert.deepEqual(network.parameters, before);
    network.train([0, 1, 1, 1], [1, 1, 5, 0], 0.1);
    assert.notDeepEqual(network.parameters, before);
    unregisterLoss("masked");
});

test("a number that is not whole is refused where a whole one is needed", () => {
    const network = new Network([2, 4, 1], { seed: 1 });
    for (const sizes of [[2.5, 1], [2, -1], [NaN, 1], ["two", 1], [2 ** 32, 1]]) assert.throws(() => new Network(sizes), RangeError);
    for (const layer of [1.5, -1, NaN, undefined, "1"]) {
        assert.throws(() => network.setBatchnorm(layer, true), RangeError);
        assert.throws(() => network.getActivation(layer), RangeError);
    }
    assert.throws(() => network.predictLayer(3, XOR), { code: "BP_ERROR_INVALID_VALUE" });
    assert.throws(() => network.predictLayer(0, XOR), { code: "BP_ERROR_INVALID_VALUE" });
    assert.throws(() => network.checkSettings([0, 1, 7]), { code: "BP_ERROR_INVALID_VALUE" });
    network.checkSettings([0, 1]);
});

test("everything works beyond 2 GiB of memory", () => {
    const blocks = [], high = 2 ** 31;
    let at = 0;
    while (at < high && (at = wasm.allocate(2 ** 28) >>> 0) !== 0) blocks.push(at);
    assert.ok(at >= high, "no memory beyond 2 GiB");
    const make = () => new Network([2, 300, 1], { seed: 1, activation: "high", optimizer: "adam" });
    const train = (network) => {
        new Trainer({ epochs: 3 }).fit(network, XOR, XOR_TARGETS, { progress: ({ loss }) => assert.ok(loss > 0) });
        network.train(XOR, XOR_TARGETS, 0.5);
        return [network.save(), network.predict(new Float32Array(20000)), network.parameters, network.getActivation(1)];
    };
    registerActivation("high", Math.tanh);
    const there = train(make());
    blocks.forEach((block) => wasm.release(block));
    assert.deepEqual(train(make()), there);
    assert.deepEqual(Network.load(there[0]).parameters, there[2]);
    unregisterActivation("high");
});

test("what is not an array of numbers is refused", () => {
    const network = new Network([2, 4, 1], { seed: 1 }), before = network.parameters;
    for (const inputs of [[[0, 1], [1, 0]], { length: 2 }, new Array(2), "0123", 5, null, undefined, ["0", "1"], [0n, 1n], [0, null]]) {
        assert.throws(() => network.predict(inputs), TypeError);
        assert.throws(() => network.train(inputs, [1], 0.5), TypeError);
        assert.throws(() => { network.parameters = inputs; }, TypeError);
    }
    assert.throws(() => network.train(XOR, [[0], [1], [1], [0]], 0.5), TypeError);
    for (const layers of [5, null, "21"]) assert.throws(() => new Network(layers), TypeError);
    assert.throws(() => checkLoss("squared_error", [1], [1], -1), RangeError);
    assert.deepEqual(network.parameters, before);
    assert.deepEqual(network.predict(Float64Array.from(XOR)), network.predict(XOR));
});

test("a setting that does not exist is refused", async () => {
    const network = new Network([2, 1]);
    assert.throws(() => new Network([2, 1], { activaton: "tanh" }), /activaton/);
    assert.throws(() => new Trainer().fit(network, XOR, XOR_TARGETS, { progres: () => true }), /progres/);
    await assert.rejects(load({ thread: 2 }), /thread/);
});

test("a model is also an ArrayBuffer, or any view of one", () => {
    const network = new Network([2, 4, 1], { seed: 1 }), file = network.save();
    const padded = new Uint8Array(file.length + 8);
    padded.set(file, 8);
    for (const form of [file.buffer, new DataView(file.buffer), padded.subarray(8)]) {
        assert.deepEqual(Network.load(form).save(), file);
        network.loadWeights(form);
    }
    for (const form of [Array.from(file), "file", 5, null]) assert.throws(() => Network.load(form), TypeError);
});

test("a seed that does not exist is refused", () => {
    for (const seed of [2n ** 64n, -1n, -1, 1.5, NaN, 2 ** 53, "7", null]) {
        if (seed !== null) assert.throws(() => new Network([2, 1], { seed }), RangeError);
        assert.throws(() => new Network([2, 1]).initialize(seed), RangeError);
    }
});

test("a text with a NUL is refused, not cut", () => {
    const network = new Network([2, 1]);
    assert.throws(() => network.setMetadata("k", "a\0b"), TypeError);
    assert.throws(() => network.setActivation(1, "tanh\0x"), TypeError);
    assert.deepEqual(network.metadataKeys, []);
});

test("what is not a function, or does not return a number, is refused", () => {
    for (const value of [5, null, "z", {}]) {
        assert.throws(() => registerActivation("none", value), TypeError);
        assert.throws(() => registerActivation("none", Math.tanh, value), TypeError);
        assert.throws(() => registerLoss("none", value, () => [0]), TypeError);
        assert.throws(() => new Trainer().fit(new Network([2, 1]), XOR, XOR_TARGETS, { progress: value || 1 }), TypeError);
    }
    assert.ok(!activations().includes("none") && !losses().includes("none"));
    for (const value of [null, true, "0.5", [1], undefined, Promise.resolve(1), 1n]) {
        registerActivation("other", () => value, () => 1);
        const network = new Network([2, 1], { output: "other" }), before = network.parameters;
        assert.throws(() => network.predict(XOR), TypeError);
        assert.throws(() => network.train(XOR, XOR_TARGETS, 0.5), TypeError);
        assert.deepEqual(network.parameters, before);
        unregisterActivation("other");
    }
});
