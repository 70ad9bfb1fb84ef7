// One training: the network, its runs (restarts), and the trainer that continues in slices.
import { Network, Trainer, registerActivation, unregisterActivation } from "./library/libbackprop.js";
import { FORMULA, compile } from "./formula.js";

const KEEP_LATEST = 1, MEAN = 1;

export class Session {
    /** Losses of the epochs since they were last taken: [epoch, training, validation] ... */
    #losses = [];
    #trainer;
    #best;

    /** settings: see controls.js. data: see `divided` in data.js. */
    constructor(settings, data) {
        this.settings = settings;
        this.data = data;
        this.run = 0;
        this.ended = false;
        if (settings.activation === FORMULA) useFormula(settings.formula);
        const { activation, output, loss, optimizer, batchnorm, seed } = settings, options = { gradient_reduction: MEAN };
        this.network = new Network(settings.layers, { activation, output, loss, optimizer, batchnorm, seed, options });
        this.network.checkSettings(data.training[1]);
        this.#begin();
    }

    #begin() {
        const { batch, seed } = this.settings;
        this.epoch = 0;
        this.#trainer?.free();
        this.#trainer = new Trainer({ batch_size: batch, seed: seed + this.run, keep: KEEP_LATEST });
    }

    /** Trains for some epochs, but no longer than some seconds, unless they are 0. */
    train(epochs, seconds, rate) {
        if (this.ended) return;
        const limit = this.settings.epochs, progress = ({ epochEnded, epoch, loss, validationLoss }) => {
            if (epochEnded) this.#losses.push(epoch, loss, validationLoss);
        };
        const options = { epochs: Math.min(this.epoch + epochs, limit), time_limit: seconds, learning_rate: rate };
        for (const [name, value] of Object.entries(options)) this.#trainer.setOption(name, value);
        const { training: [inputs, targets], validation } = this.data;
        const result = this.#trainer.fit(this.network, inputs, targets, { validation, progress });
        this.#trainer.setOption("resume", 1);
        this.epoch = result.epochs;
        if (this.epoch >= limit) this.#endRun();
    }

    /** Keeps the best network, and begins the next run from other weights. */
    #endRun() {
        const loss = this.network.evaluate(...(this.data.validation ?? this.data.training));
        if (!this.#best || loss < this.#best.loss) this.#best = { loss, run: this.run, file: this.network.save() };
        if (this.run < this.settings.restarts) {
            this.run++;
            this.network.initialize(this.settings.seed + this.run);
            this.#begin();
        } else {
            this.run = this.#best.run;
            this.network.free();
            this.network = Network.load(this.#best.file);
            this.ended = true;
        }
    }

    takeLosses() { return Float64Array.from(this.#losses.splice(0)); }

    free() {
        this.network.free();
        this.#trainer.free();
    }
}

function useFormula(text) {
    try {
        unregisterActivation(FORMULA);
    } catch { /* it is the first one */ }
    registerActivation(FORMULA, compile(text).value);
}
