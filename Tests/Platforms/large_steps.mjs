// The steps of large_steps.c in WebAssembly. Usage: node large_steps.mjs FILE THREADS
import { writeFileSync } from "node:fs";
import { argv } from "node:process";
import { Network, load } from "../../bindings/javascript/libbackprop.js";

const INPUTS = 100, HIDDEN = 90, OUTPUTS = 10, ROWS = 130, STEPS = 30, threads = Number(argv[3]);
if (await load({ threads }) !== threads) throw new Error(`no ${threads} threads`);
const inputs = Float32Array.from({ length: ROWS * INPUTS }, (_, i) => (i * 7919 % 1024) / 512 - 1);
const targets = Float32Array.from({ length: ROWS * OUTPUTS }, (_, i) => Math.floor(i / OUTPUTS) * 7 % OUTPUTS === i % OUTPUTS ? 1 : 0);
const network = new Network([INPUTS, HIDDEN, HIDDEN, OUTPUTS], {
    activation: "tanh", batchnorm: true, dropout: 0.1, loss: "cross_entropy", optimizer: "adam", seed: 5,
});
for (let step = 0; step < STEPS; step++) network.train(inputs, targets, 0.0009765625);
writeFileSync(argv[2], network.save());
