import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";

import { BackpropError, Network, Trainer, activations, load, registerActivation, registerLoss, wasm } from "../libbackprop.js";

// A step makes 100 * 80 * 64 * 3 multiplications and more; from 400,000 on, threads share it.
const ROWS = 64, INPUTS = 100, OUTPUTS = 4;
const inputs = Float32Array.from({ length: ROWS * INPUTS }, (_, i) => (i * 7919 % 1024) / 512 - 1);
const targets = Float32Array.from({ length: ROWS * OUTPUTS }, (_, i) => (i * 31 % 64) / 64);

const create = (settings) => new Network([INPUTS, 80, OUTPUTS], { activation: "tanh", optimizer: "adam", seed: 1, ...settings });
function train(settings, steps = 20) {
    const network = create(settings);
    for (let step = 0; step < steps; step++) network.train(inputs, targets, 0.01);
    const file = network.save();
    network.free();
    return file;
}
/** Fits whose restarts run on several threads, which allocate memory at the same time. */
function fit() {
    const network = create({ batchnorm: true });
    const { loss } = new Trainer({ epochs: 3, batch_size: 16, restarts: 6, learning_rate: 0.01, seed: 1 }).fit(network, inputs, targets);
    assert.ok(Number.isFinite(loss));
    return network.save();
}
const alone = [train(), train({ batchnorm: true, dropout: 0.2 }), fit()];

for (const threads of [2, 4]) {
    test(`${threads} threads give the bits of the module without threads`, async () => {
        assert.equal(await load({ threads }), threads);
        assert.deepEqual([train(), train({ batchnorm: true, dropout: 0.2 }), fit()], alone);
    });
}

test("a thread count below, at or above the number of threads does not change the bits", async () => {
    await load({ threads: 3 });
    for (const count of [1, 2, 3, 8, 256, 0]) {
        assert.equal(wasm.bp_set_thread_count(count), 0);
        assert.deepEqual(train(), alone[0]);
    }
    assert.notEqual(wasm.bp_set_thread_count(257), 0);
});

test("50 networks in turn have the same bits", async () => {
    await load({ threads: 2 });
    const first = train({}, 2);
    for (let i = 0; i < 50; i++) assert.deepEqual(train({}, 2), first);
});

test("the library is closed and opened again, without what was made before", async () => {
    registerActivation("twice", (z) => 2 * z, () => 2);
    for (const threads of [2, 1, 3, 3]) {
        const before = create();
        assert.equal(await load({ threads }), threads);
        const after = create(); // its handle may be the same number
        assert.throws(() => before.train(inputs, targets, 0.01), (error) => error.code === "BP_ERROR_INVALID_HANDLE");
        before.free(); // not the network after it
        assert.equal(after.stepCount, 0);
        assert.ok(!activations().includes("twice"));
        assert.deepEqual(train(), alone[0]);
    }
});

test("a JavaScript activation runs on the calling thread, and its error ends the call", async () => {
    const bump = (z) => Math.exp(-z * z), slope = (z, a) => -2 * z * a;
    await load();
    registerActivation("bump", bump, slope);
    const expected = train({ activation: "bump" }, 3);
    await load({ threads: 2 });
    let left = Infinity;
    registerActivation("bump", (z) => {
        if (--left < 0) throw new TypeError("no more");
        return bump(z);
    }, slope);
    assert.deepEqual(train({ activation: "bump" }, 3), expected);
    const network = create({ activation: "bump" }), before = network.save();
    left = 1000;
    assert.throws(() => network.train(inputs, targets, 0.01), { name: "TypeError", message: "no more" });
    assert.deepEqual(network.save(), before);
    left = Infinity;
    network.train(inputs, targets, 0.01);
    assert.deepEqual(train(), alone[0]);
});

test("a JavaScript loss and a progress function run on the calling thread", async () => {
    const difference = (a, y) => a.map((value, i) => value - y[i]);
    const results = [];
    for (const threads of [1, 2]) {
        await load({ threads });
        registerLoss("half", (a, y) => difference(a, y).reduce((sum, d) => sum + d * d / 2, 0), difference);
        const network = create({ loss: "half" }), reports = [];
        new Trainer({ epochs: 3, restarts: 3, seed: 1 }).fit(network, inputs, targets, {
            progress: ({ restart, epoch, loss }) => { reports.push(restart, epoch, loss); },
        });
        results.push([reports, network.save(), train({ loss: "half" }, 3)]);
    }
    assert.equal(results[0][0].length, 27);
    assert.deepEqual(results[1], results[0]);
});

test("a JavaScript activation that is declared thread-safe fails on another thread, and the call changes nothing", async () => {
    await load({ threads: 2 });
    registerActivation("bump", (z) => Math.exp(-z * z));
    const name = new TextEncoder().encode("bump\0"), at = wasm.allocate(name.length);
    new Uint8Array(wasm.memory.buffer, at).set(name);
    assert.equal(wasm.bp_activation_set_thread_safe(at, 1), 0);
    wasm.release(at);
    const network = create({ activation: "bump" });
    let before, error;
    while (!error) { // until the other thread takes part, which it does before long
        before = network.save();
        try {
            network.train(inputs, targets, 0.01);
        } catch (thrown) {
            error = thrown;
        }
    }
    assert.ok(error instanceof BackpropError && error.code === "BP_ERROR_CALLBACK", error);
    assert.deepEqual(network.save(), before);
});

test("of two loads at the same time, one remains", async () => {
    const counts = await Promise.all([load({ threads: 2 }), load({ threads: 3 })]);
    assert.deepEqual(counts, [2, 3]);
    assert.deepEqual(train(), alone[0]);
});

test("a wrong number of threads is refused, and the library stays loaded", async () => {
    const network = create();
    for (const threads of [-1, 1.5, 257, NaN, "2", null]) await assert.rejects(load({ threads }), RangeError);
    assert.equal(network.stepCount, 0);
});

test("0 threads are as many as processors", async () => {
    const threads = await load({ threads: 0 });
    assert.ok(threads >= 1 && threads <= 256);
    assert.deepEqual(train(), alone[0]);
});

/** Runs body while a property of an object has another value. */
async function replaced(object, name, value, body) {
    const before = object[name];
    object[name] = value;
    try {
        await body();
    } finally {
        object[name] = before;
    }
}

test("a system that refuses large memories gives a smaller one", async () => {
    const { Memory } = WebAssembly;
    const maxima = [];
    const limited = (most) => function (limits) {
        maxima.push(limits.maximum);
        if (limits.maximum > most) throw new RangeError("too large");
        return new Memory(limits);
    };
    await replaced(WebAssembly, "Memory", limited(16384), async () => assert.equal(await load({ threads: 2 }), 2));
    assert.deepEqual(maxima, [65536, 32768, 16384]);
    assert.deepEqual(train(), alone[0]);
    const network = create();
    await replaced(WebAssembly, "Memory", limited(0), () => assert.rejects(load({ threads: 2 }), RangeError));
    assert.equal(network.stepCount, 0);
});

test("a page that is not cross-origin isolated gets one thread", async () => {
    await replaced(globalThis, "crossOriginIsolated", false, async () => assert.equal(await load({ threads: 4 }), 1));
    assert.deepEqual(train(), alone[0]);
    await load();
});

test("a program ends although its threads wait", () => {
    const program = `import { load } from ${JSON.stringify(new URL("../libbackprop.js", import.meta.url))}; console.log(await load({ threads: 3 }));`;
    assert.equal(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }), "3\n");
});
