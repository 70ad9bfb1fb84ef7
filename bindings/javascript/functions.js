// Activations and losses that are JavaScript functions, and the checks of their derivatives.
import { check, doubleAt, output, register, requireFunction, rowsOf, struct, unregister, wasm, whole, withMemory } from "./wasm.js";

/** Central differences, with the distance of bp_activation_register_scalar. */
function differences(forward) {
    return (z) => {
        const h = 2 ** Math.floor(Math.log2(Math.max(1, Math.abs(z)))) / 256;
        return (forward(z + h) - forward(z - h)) / (2 * h);
    };
}

/** Keeps JavaScript functions for as long as the library has them under a name. */
function registerFunctions(name, functions, call) {
    for (const [what, value] of Object.entries(functions)) requireFunction(value, what);
    const id = register(functions);
    try {
        withMemory((allocate) => check(call(allocate.text(name), id)));
    } catch (error) {
        unregister(id);
        throw error;
    }
}

export function registerActivation(name, forward, derivative = differences(forward)) {
    registerFunctions(name, { forward, derivative }, (text, id) => wasm.register_activation(text, id));
}
export function unregisterActivation(name) {
    withMemory((allocate) => check(wasm.bp_activation_unregister(allocate.text(name))));
}

export function checkActivation(name) {
    return struct(40, (view) => ({
        points: view.getUint32(4, true),
        kinks: view.getUint32(8, true),
        skipped: view.getUint32(12, true),
        worstError: view.getFloat64(16, true),
        worstZ: view.getFloat64(24, true),
        firstKink: view.getFloat64(32, true),
    }), (out, allocate) => wasm.bp_activation_check(allocate.text(name), allocate(8), out));
}

export function registerLoss(name, loss, gradient, targetColumns = 0) {
    registerFunctions(name, { loss, gradient }, (text, id) => wasm.register_loss(text, whole(targetColumns, "targetColumns"), id));
}
export function unregisterLoss(name) {
    withMemory((allocate) => check(wasm.bp_loss_unregister(allocate.text(name))));
}

export function checkLoss(name, outputs, targets, rows) {
    const columns = rowsOf(outputs, whole(rows, "rows"), "outputs");
    rowsOf(targets, rows, "targets");
    return output(8, doubleAt, (out, allocate) =>
        wasm.bp_loss_check(allocate.text(name), allocate.floats(outputs), allocate.floats(targets), rows, columns, out));
}
