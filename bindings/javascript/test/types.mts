// Compiled by tsc against libbackprop.d.ts, never run.
import { BackpropError, Network, Trainer, load, options, registerActivation, registerLoss, version } from "libbackprop";

registerActivation("bump", (z) => Math.exp(-z * z), (z, a) => -2 * z * a);
registerLoss("half", (a, y) => (a[0] - y[0]) ** 2 / 2, (a, y) => [a[0] - y[0]]);

const network = new Network([2, 8, 1], { activation: "bump", optimizer: "adam", seed: 1n, options: { beta1: 0.8 } });
const trainer = new Trainer({ epochs: 10 });
const { end, loss } = trainer.fit(network, [0, 1], Float32Array.of(1), { progress: ({ epoch }) => epoch < 3 });
const outputs: Float32Array = network.predict([0, 1]);
const text: string = end === "stopped" ? `${version} ${loss} ${outputs.length}` : options()[0].name;
network.parameters = [1, 2, 3];
const threads: number = await load({ threads: 0 }) + await load();
const file: Uint8Array = Network.load(network.save()).save();
try {
    network.setActivation(1, text);
} catch (error) {
    if (error instanceof BackpropError) console.log(error.code, file.length, threads);
}

// @ts-expect-error a layer is a number
network.setBatchnorm("1", true);
// @ts-expect-error the sizes of the layers are needed
new Network();
// @ts-expect-error an unknown setting
new Network([2, 1], { activaton: "tanh" });
// @ts-expect-error a loss needs its gradient
registerLoss("half", () => 0);
// @ts-expect-error a number of threads is a number
await load({ threads: "2" });
// @ts-expect-error the handle cannot be set
network.handle = 1;
