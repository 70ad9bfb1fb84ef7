// A thread of the library: a worker with the module and the memory of the one that started it, and its own stack.
import { instantiate } from "./module.js";

// JavaScript functions exist in the worker that registered them. The library calls them there, unless a program declares one
// thread-safe; the call then fails.
const fail = () => -1;
const callbacks = { forward: fail, backward: fail, loss: fail, progress: fail, destroy() {} };

const port = globalThis.process?.versions?.node ? (await import("node:worker_threads")).parentPort : globalThis;
port.onmessage = async ({ data: { module, memory, stackEnd } }) => {
    try {
        const wasm = await instantiate(module, callbacks, memory);
        wasm.__stack_pointer.value = stackEnd;
        wasm.__wasm_init_tls(stackEnd);
        const index = wasm.add_worker();
        port.postMessage(undefined);
        wasm.run_worker(index); // does not return
    } catch (error) {
        port.postMessage(error.message);
    }
};
