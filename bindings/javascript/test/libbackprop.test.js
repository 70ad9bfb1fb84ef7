import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { BackpropError, Network, Trainer, registerActivation, unregisterActivation, version, wasm } from "../libbackprop.js";

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
