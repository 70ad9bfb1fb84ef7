// The names that the library knows: activations, losses, optimizers, scalings, scores and options.
import { list, struct, text, textAt, wasm } from "./wasm.js";

const names = (call) => list((index) => text((...out) => call(index, ...out)));

export const activations = () => names(wasm.bp_activation_name);
export const losses = () => names(wasm.bp_loss_name);
export const optimizers = () => names(wasm.bp_optimizer_name);
export const scalings = () => names(wasm.bp_scaling_name);
export const scores = () => names(wasm.bp_score_name);

const OWNERS = ["network", "trainer"];

export const options = () => list((index) => struct(56, (view) => {
    const textOf = (offset) => textAt(view.getUint32(offset, true));
    return {
        owner: OWNERS[view.getUint32(4, true)],
        name: textOf(8),
        meaning: textOf(12),
        defaultValue: view.getFloat64(16, true),
        minimum: view.getFloat64(24, true),
        maximum: view.getFloat64(32, true),
        wholeNumbers: view.getUint32(40, true) === 1,
        choices: view.getUint32(48, true) === 0 ? [] : textOf(48).split(" "),
    };
}, (out) => wasm.bp_option_info(index, out)));

export const version = textAt(wasm.bp_version_string());
