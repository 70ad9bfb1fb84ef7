// Whole trainings: epochs of shuffled minibatches.
import { withRows } from "./network.js";
import {
    Handle, check, doubleAt, output, register, requireFunction, requireNone, sizeAt, struct, unregister, wasm, withMemory,
} from "./wasm.js";

const ENDS = ["none", "complete", "patience", "target_loss", "time_limit", "stopped", "cancelled"];

export class Trainer extends Handle {
    constructor(options = {}) {
        super(output(4, sizeAt, (out) => wasm.bp_trainer_create(out)), (handle) => wasm.bp_trainer_free(handle));
        try {
            for (const [name, value] of Object.entries(options)) this.setOption(name, value);
        } catch (error) {
            this.free();
            throw error;
        }
    }

    setOption(name, value) { withMemory((m) => check(wasm.bp_trainer_set_option(this.handle, m.text(name), value))); }
    getOption(name) {
        return output(8, doubleAt, (out, allocate) => wasm.bp_trainer_get_option(this.handle, allocate.text(name), out));
    }
    setRowWeights(weights) {
        withMemory((m) => check(wasm.bp_trainer_set_row_weights(this.handle, m.floats(weights, "weights"), weights.length)));
    }

    fit(network, inputs, targets, { validation, progress, ...others } = {}) {
        requireNone(others, "a fit");
        const id = progress ? register(requireFunction(progress, "progress")) : 0;
        const fit = (x, y, rows, vx = 0, vy = 0, validationRows = 0) => {
            check(wasm.set_progress(this.handle, id));
            check(wasm.bp_trainer_fit(this.handle, network.handle, x, y, rows, vx, vy, validationRows, 0));
        };
        try {
            withRows(network, inputs, targets, (x, y, rows) => validation
                ? withRows(network, ...validation, (vx, vy, validationRows) => fit(x, y, rows, vx, vy, validationRows))
                : fit(x, y, rows));
        } finally {
            unregister(id);
            wasm.set_progress(this.handle, 0);
        }
        return this.#result();
    }

    #result() {
        return struct(48, (view) => ({
            end: ENDS[view.getInt32(4, true)],
            epochs: Number(view.getBigUint64(8, true)),
            steps: Number(view.getBigUint64(16, true)),
            bestEpoch: Number(view.getBigUint64(24, true)),
            loss: view.getFloat64(32, true),
            restart: view.getUint32(40, true),
        }), (out) => wasm.bp_trainer_get_result(this.handle, out));
    }
}
