// Requests to the worker, as promises.

export class Client {
    #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    #waiting = new Map();
    #next = 1;
    #ready;

    constructor() {
        this.#ready = new Promise((resolve, reject) => {
            this.#worker.addEventListener("message", ({ data: { ready, id, result, error } }) => {
                if (ready) return resolve();
                const request = this.#waiting.get(id);
                this.#waiting.delete(id);
                if (error === undefined) request.resolve(result);
                else request.reject(new Error(error));
            });
            this.#worker.addEventListener("error", ({ message }) => {
                const error = new Error(`The worker cannot run: ${message || "its files cannot be loaded"}`);
                reject(error);
                this.#waiting.forEach((request) => request.reject(error));
                this.#waiting.clear();
            });
        });
        this.#ready.catch(() => {}); // each request reports it
    }

    async request(name, values = {}) {
        await this.#ready;
        return new Promise((resolve, reject) => {
            const id = this.#next++;
            this.#waiting.set(id, { resolve, reject });
            this.#worker.postMessage({ id, request: name, ...values });
        });
    }
}
