// The data sets. Points lie in [-1, 1] x [-1, 1], and targets are 0 or 1, or for the plane from -1 to 1.
import { Random } from "./random.js";

/** One point [x, y, target] from a generator. `one` is true for every second point. */
const SHAPES = {
    moons(random, one) {
        const angle = Math.PI * random.uniform(), side = one ? -1 : 1;
        return [0.62 * Math.cos(angle) - 0.29 * side, side * (0.68 * Math.sin(angle) - 0.19), one];
    },
    spirals(random, one) {
        const radius = 0.08 + 0.87 * Math.sqrt(random.uniform()), angle = 1.5 * 2 * Math.PI * radius + (one ? Math.PI : 0);
        return [radius * Math.sin(angle), radius * Math.cos(angle), one];
    },
    circles(random, one) {
        const radius = one ? 0.4 * Math.sqrt(random.uniform()) : 0.65 + 0.25 * random.uniform(), angle = 2 * Math.PI * random.uniform();
        return [radius * Math.cos(angle), radius * Math.sin(angle), one];
    },
    xor(random, one) {
        const [x, y] = [0, 0].map(() => 0.06 + 0.86 * random.uniform()), left = random.uniform() < 0.5 ? -1 : 1;
        return [left * x, (one ? -left : left) * y, one];
    },
    gaussians(random, one) {
        const middle = one ? 0.42 : -0.42;
        return [middle + 0.2 * random.normal(), middle + 0.2 * random.normal(), one];
    },
    plane(random) {
        const [x, y] = [0, 0].map(() => 2 * random.uniform() - 1);
        return [x, y, (x + y) / 2];
    },
};

/** kind: what the targets are, which decides the losses and the last layer. */
export const SETS = {
    moons: { title: "Two moons", kind: "classes" },
    spirals: { title: "Spirals", kind: "classes" },
    circles: { title: "Circles", kind: "classes" },
    xor: { title: "XOR", kind: "classes" },
    gaussians: { title: "Gaussians", kind: "classes" },
    plane: { title: "Plane", kind: "numbers" },
    drawn: { title: "Draw your own", kind: "classes" },
    digits: { title: "Digits", kind: "digits" },
};

/** Points [x, y, target] of a set. noise, from 0 to 1, moves the points, and of the plane the targets. */
export function points(name, count, noise, seed) {
    const random = new Random(seed);
    return Array.from({ length: count }, (_, i) => {
        const [x, y, target] = SHAPES[name](random, i % 2 === 1), move = () => 0.3 * noise * random.normal();
        return name === "plane" ? [x, y, target + move()] : [inside(x + move()), inside(y + move()), Number(target)];
    });
}
const inside = (x) => Math.max(-1, Math.min(1, x));

/** Every fifth row is for validation, as the examples of the library divide the digits. */
export const isHeld = (row) => row % 5 === 4;

/** The arrays for training and validation: { training: [inputs, targets], validation }. rows: [...inputs, target]. */
export function divided(rows, targetsOf = (target) => [target]) {
    const part = (held) => {
        const chosen = rows.filter((_, i) => isHeld(i) === held);
        return [Float32Array.from(chosen.flatMap((row) => row.slice(0, -1))), Float32Array.from(chosen.flatMap((row) => targetsOf(row.at(-1))))];
    };
    const validation = part(true);
    return { training: part(false), validation: validation[1].length > 0 ? validation : undefined };
}

let digits;

/** The digits of digits.csv: rows of 64 pixels from 0 to 1, then the digit. */
export function loadDigits() {
    digits ??= fetch(new URL("digits.csv", import.meta.url)).then(async (response) => {
        if (!response.ok) throw new Error(`digits.csv cannot be loaded: ${response.status} ${response.statusText}`);
        return (await response.text()).trim().split("\n").map((line) => line.split(",").map((x, i) => (i < 64 ? x / 16 : Number(x))));
    });
    digits.catch(() => { digits = undefined; });
    return digits;
}

export const oneHot = (digit) => Array.from({ length: 10 }, (_, k) => (k === digit ? 1 : 0));
