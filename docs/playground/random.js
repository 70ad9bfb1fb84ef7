/** A generator of numbers: the same seed gives the same numbers. (Marsaglia, Xorshift RNGs, 2003.) */
export class Random {
    #state;

    constructor(seed) {
        this.#state = ((seed + 1) * 2654435761) >>> 0 || 1;
        for (let i = 0; i < 8; i++) this.uniform();
    }

    /** From 0 to 1. */
    uniform() {
        let x = this.#state;
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        this.#state = x >>> 0;
        return this.#state / 2 ** 32;
    }

    /** Mean 0, standard deviation 1 (Box and Muller 1958). */
    normal() { return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform()); }
}
