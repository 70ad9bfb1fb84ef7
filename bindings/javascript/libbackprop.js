// The library as WebAssembly, for browsers and Node.js. libbackprop.d.ts describes the interface.
export { checkActivation, checkLoss, registerActivation, registerLoss, unregisterActivation, unregisterLoss } from "./functions.js";
export { activations, losses, optimizers, options, scalings, scores, version } from "./names.js";
export { Network } from "./network.js";
export { Trainer } from "./trainer.js";
export { BackpropError, load, wasm } from "./wasm.js";
