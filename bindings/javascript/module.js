// Loads the library: compiles and instantiates a module, with the functions of WASI that it imports, and starts its threads.
const inNode = Boolean(globalThis.process?.versions?.node);

async function compile(url) {
    if (url.protocol === "file:" && inNode) {
        const { readFile } = await import("node:fs/promises");
        return WebAssembly.compile(await readFile(url));
    }
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} cannot be loaded: ${response.status} ${response.statusText}`);
    // Streaming needs a server that sends the type application/wasm.
    return response.headers.get("Content-Type") === "application/wasm"
        ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

const BAD_FILE = 8; // of WASI

/** Returns the exports of a module. One with threads imports its memory. */
export async function instantiate(module, callbacks, memory) {
    let exports;
    const view = () => new DataView(exports.memory.buffer);
    const system = {
        clock_time_get(clock, precision, time) {
            const now = clock === 0 ? Date.now() : performance.now();
            view().setBigUint64(time >>> 0, BigInt(Math.round(now * 1e6)), true);
            return 0;
        },
        random_get(at, count) { // not into a shared memory, which browsers refuse
            new Uint8Array(exports.memory.buffer, at >>> 0, count).set(crypto.getRandomValues(new Uint8Array(count)));
            return 0;
        },
        environ_sizes_get(count, size) {
            view().setUint32(count >>> 0, 0, true);
            view().setUint32(size >>> 0, 0, true);
            return 0;
        },
        environ_get: () => 0,
    };
    // The other functions of WASI are for files. Here no file is open.
    const wasi = Object.fromEntries(WebAssembly.Module.imports(module)
        .filter(({ module }) => module === "wasi_snapshot_preview1")
        .map(({ name }) => [name, system[name] ?? (() => BAD_FILE)]));
    ({ exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi, callbacks, env: { memory } }));
    return exports;
}

// ---- Threads

const STACK = 1 << 20; // bytes, as in posix/threads.c

/** The number of threads that can be had: 1 without shared memories, which a page has only if it is cross-origin isolated. */
async function threadsFor(requested) {
    if (!Number.isInteger(requested) || requested < 0 || requested > 256) {
        throw new RangeError(`threads is ${requested}, which is not a whole number from 0 to 256`);
    }
    if (globalThis.crossOriginIsolated === false || typeof SharedArrayBuffer === "undefined") return 1;
    return requested || (inNode ? (await import("node:os")).availableParallelism() : navigator.hardwareConcurrency);
}

/** A memory of 8 MiB that grows; scripts/cross.sh has the same limits. Phones refuse a large maximum. */
function sharedMemory() {
    for (let maximum = 65536; ; maximum /= 2) {
        try {
            return new WebAssembly.Memory({ initial: 128, maximum, shared: true });
        } catch (error) {
            if (maximum <= 4096) throw error;
        }
    }
}

/** Waits until the worker is a thread of the library, whose calls can use it. */
function addThread(worker, module, wasm) {
    const stack = wasm.allocate(STACK + wasm.__tls_size.value) >>> 0; // a multiple of 16; thread-local variables are behind the stack
    if (stack === 0) throw new RangeError("out of memory");
    return new Promise((resolve, reject) => {
        const receive = (error) => (error ? reject(new Error(`a thread cannot be started: ${error}`)) : resolve());
        if (inNode) worker.on("message", receive).on("error", receive);
        else Object.assign(worker, { onmessage: ({ data }) => receive(data), onerror: ({ message }) => receive(message ?? "no thread.js") });
        worker.postMessage({ module, memory: wasm.memory, stackEnd: stack + STACK });
    });
}

/** Loads the library. Returns its exports, the number of its threads, and a function that ends them. */
export async function start(requested, callbacks) {
    const threads = await threadsFor(requested), shared = threads > 1;
    const module = await compile(shared ? new URL("backprop-threads.wasm", import.meta.url) : new URL("backprop.wasm", import.meta.url));
    const wasm = await instantiate(module, callbacks, shared ? sharedMemory() : undefined);
    wasm._initialize();
    const NodeWorker = inNode && (await import("node:worker_threads")).Worker;
    const workers = [], stop = () => workers.forEach((worker) => worker.terminate());
    try {
        while (workers.length < threads - 1) {
            workers.push(inNode
                ? new NodeWorker(new URL("./thread.js", import.meta.url), { execArgv: [] }) // those of the program are not for it
                : new Worker(new URL("./thread.js", import.meta.url), { type: "module" }));
        }
        await Promise.all(workers.map((worker) => addThread(worker, module, wasm)));
    } catch (error) {
        stop();
        throw error;
    }
    workers.forEach((worker) => worker.unref?.()); // Node.js ends although they wait
    return { threads, wasm, stop };
}
