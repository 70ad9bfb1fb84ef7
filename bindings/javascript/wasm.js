// Runs the library's callbacks, copies arguments to its memory, and makes errors of its statuses.
import { start } from "./module.js";

// ---- Callbacks

/** JavaScript functions by number: those of an activation or a loss, or a progress function. */
const functions = new Map();
let nextFunction = 1;

export function register(value) {
    functions.set(nextFunction, value);
    return nextFunction++;
}
export const unregister = (id) => functions.delete(id);

/** The error that a callback threw, for the call that it ended. */
let thrown;

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
        storeFloats(a, floatsAt(z, rows * columns).map((value) => numberOf(forward(value), "an activation")));
        return 0;
    }),
    backward: (z, a, da, dz, rows, columns, id) => guard(() => {
        const { derivative } = functions.get(id), outputs = floatsAt(a, rows * columns), gradients = floatsAt(da, rows * columns);
        storeFloats(dz, floatsAt(z, rows * columns).map((value, i) =>
            gradients[i] * numberOf(derivative(value, outputs[i]), "the derivative of an activation")));
        return 0;
    }),
    loss: (outputs, targets, losses, gradients, rows, columns, targetColumns, id) => guard(() => {
        const { loss, gradient } = functions.get(id);
        const a = floatsAt(outputs, rows * columns), y = floatsAt(targets, rows * targetColumns);
        for (let row = 0; row < rows; row++) {
            const arguments_ = [a.slice(row * columns, (row + 1) * columns), y.slice(row * targetColumns, (row + 1) * targetColumns)];
            const value = numberOf(loss(...arguments_), "a loss"), derivatives = gradients && gradient(...arguments_);
            memory().setFloat64((losses >>> 0) + 8 * row, value, true);
            if (!gradients) continue;
            requireNumbers(derivatives, "the gradient of a loss");
            if (derivatives.length !== columns) {
                throw new RangeError(`the gradient of a loss has ${derivatives.length} numbers for ${columns} outputs`);
            }
            storeFloats((gradients >>> 0) + 4 * row * columns, derivatives);
        }
        return 0;
    }),
    progress: (report, id) => guard(() => {
        const view = memory(report);
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
    destroy: unregister,
};

// ---- The module

/** The functions of backprop.h, allocate, release and memory. Handles are numbers, uint64_t is a BigInt. Pointers are signed numbers:
 * `pointer >>> 0` is the address, also beyond 2 GiB. */
export let wasm;
let stop = () => {}; // ends the threads of the module

/** Loads the library anew. What was made before belongs to the earlier module, and cannot be used any more. */
export async function load({ threads = 1, ...others } = {}) {
    requireNone(others, "load");
    const next = await start(threads, callbacks);
    stop();
    ({ wasm, stop } = next);
    functions.clear();
    return next.threads;
}
await load();

// ---- Memory

const memory = (at = 0, size = undefined) => new DataView(wasm.memory.buffer, at >>> 0, size);
export const sizeAt = (at) => memory(at).getUint32(0, true);
export const doubleAt = (at) => memory(at).getFloat64(0, true);
export const floatAt = (at) => memory(at).getFloat32(0, true);
export const floatsAt = (at, count) => new Float32Array(wasm.memory.buffer, at >>> 0, count).slice();
const storeFloats = (at, values) => new Float32Array(wasm.memory.buffer, at >>> 0, values.length).set(values);

/** The text at an address, up to its NUL. */
export function textAt(at) {
    const bytes = new Uint8Array(wasm.memory.buffer, at >>> 0);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
}

/** Calls body with a function that allocates memory, which is freed afterwards. */
export function withMemory(body) {
    const blocks = [];
    const allocate = (size) => {
        const at = wasm.allocate(Math.max(size, 1)) >>> 0;
        if (at === 0) throw new BackpropError("BP_ERROR_OUT_OF_MEMORY", "out of memory");
        blocks.push(at);
        return at;
    };
    allocate.bytes = (bytes) => {
        const at = allocate(bytes.length);
        new Uint8Array(wasm.memory.buffer, at).set(bytes);
        return at;
    };
    allocate.text = (value) => {
        if (`${value}`.includes("\0")) throw new TypeError(`a text of the library cannot contain U+0000: ${shown(`${value}`)}`);
        return allocate.bytes(new TextEncoder().encode(`${value}\0`));
    };
    allocate.floats = (values, name = "the array") => {
        requireNumbers(values, name);
        const at = allocate(4 * values.length);
        storeFloats(at, values);
        return at;
    };
    try {
        return body(allocate);
    } finally {
        blocks.forEach((at) => wasm.release(at));
    }
}

// ---- Calls

export class BackpropError extends Error {
    constructor(code, message) {
        super(message);
        this.name = "BackpropError";
        this.code = code;
    }
}

/** Throws the error of a failed call, or the one that a callback threw. */
export function check(status) {
    const callback = thrown;
    thrown = undefined;
    if (callback) throw callback.error;
    if (status < 0) throw new BackpropError(textAt(wasm.bp_status_name(status)), textAt(wasm.bp_last_error_message()));
    return status;
}

/** Makes a call whose last parameter returns a value of `size` bytes. */
export function output(size, read, call) {
    return withMemory((allocate) => {
        const at = allocate(size);
        check(call(at, allocate));
        return read(at);
    });
}

/** Makes a call that fills an array of floats. */
export const floats = (count, call) => output(4 * count, (at) => floatsAt(at, count), call);

/** Makes a call that fills a struct that begins with its size. */
export function struct(size, read, call) {
    return output(size, (at) => read(memory(at, size)), (at, allocate) => {
        memory(at).setUint32(0, size, true);
        return call(at, allocate);
    });
}

const BUFFER_TOO_SMALL = -7;

/** Makes a call that fills a buffer: first without a buffer, which returns the size. */
export function bytes(call) {
    return withMemory((allocate) => {
        const needed = allocate(4), status = call(0, 0, needed, allocate);
        if (status !== BUFFER_TOO_SMALL) check(status);
        const size = sizeAt(needed), at = allocate(size);
        check(call(at, size, needed, allocate));
        return new Uint8Array(wasm.memory.buffer, at, size).slice();
    });
}
export const text = (call) => new TextDecoder().decode(bytes(call).subarray(0, -1));

/** Makes calls with the indices 0, 1, 2 ... until BP_ERROR_UNKNOWN_NAME, and returns what they return. */
export function list(call) {
    const items = [];
    try {
        for (;;) items.push(call(items.length));
    } catch (error) {
        if (error.code !== "BP_ERROR_UNKNOWN_NAME") throw error;
        return items;
    }
}

// ---- Arguments

const shown = (value) => typeof value === "string" ? JSON.stringify(value) : typeof value === "bigint" ? `${value}n` : String(value);

/** A whole number that WebAssembly would otherwise truncate. */
export function whole(value, name) {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
    throw new RangeError(`${name} is ${shown(value)}, which is not a whole number from 0 to 4294967295`);
}

/** A seed as WebAssembly takes it. */
export function seedOf(seed) {
    if (typeof seed === "bigint" ? seed >= 0n && seed < 2n ** 64n : Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
    throw new RangeError(`seed is ${shown(seed)}, which is neither a whole number from 0 to 2^53 - 1 nor a BigInt from 0 to 2^64 - 1`);
}

/** What a function of the host returned. */
function numberOf(value, what) {
    if (typeof value === "number") return value;
    throw new TypeError(`${what} returned ${shown(value)}, which is not a number`);
}

export function requireFunction(value, name) {
    if (typeof value !== "function") throw new TypeError(`${name} is ${shown(value)}, which is not a function`);
    return value;
}

export function requireArray(values, name) {
    if (typeof values !== "object" || !Number.isInteger(values?.length)) throw new TypeError(`${name} is not an array of numbers`);
}

function requireNumbers(values, name) {
    requireArray(values, name);
    if (ArrayBuffer.isView(values)) return;
    for (let i = 0; i < values.length; i++) {
        if (typeof values[i] !== "number") throw new TypeError(`${name}: number ${i} is ${shown(values[i])}, which is not a number`);
    }
}

/** Refuses properties that a function does not know. `others`: those that it has not taken. */
export function requireNone(others, what) {
    const [name] = Object.keys(others);
    if (name !== undefined) throw new TypeError(`${what} has no setting ${shown(name)}`);
}

/** The bytes of a file. */
export function bytesOf(file) {
    if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
    if (file instanceof ArrayBuffer) return new Uint8Array(file);
    throw new TypeError("a file is an ArrayBuffer, or a view of one such as Uint8Array");
}

/** The number of rows of a matrix. */
export function rowsOf(values, columns, name) {
    requireArray(values, name);
    const rows = values.length / columns;
    if (Number.isInteger(rows)) return rows;
    throw new RangeError(`${name} has ${values.length} numbers, which is no multiple of ${columns}`);
}

// ---- Handles

const registry = new FinalizationRegistry((free) => free());

/** An object with a handle of the library. */
export class Handle {
    #handle;
    #module = wasm;
    #free;

    constructor(handle, free) {
        const module = wasm;
        this.#handle = handle;
        this.#free = () => { if (module === wasm) free(handle); };
        registry.register(this, this.#free, this);
    }

    /** After free() or load(), a number that the library refuses. */
    get handle() { return this.#module === wasm ? this.#handle : 1; }

    free() {
        registry.unregister(this);
        this.#free();
    }
}
