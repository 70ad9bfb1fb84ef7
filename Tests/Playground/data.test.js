import assert from "node:assert/strict";
import test from "node:test";

import { SETS, divided, oneHot, points } from "../../docs/playground/data.js";
import { Random } from "../../docs/playground/random.js";

const shapes = Object.keys(SETS).filter((name) => !["drawn", "digits"].includes(name));

test("the points of each set lie in the square, half of them of each label", () => {
    for (const name of shapes) {
        for (const noise of [0, 1]) {
            const set = points(name, 1000, noise, 1);
            assert.equal(set.length, 1000);
            assert.ok(set.every(([x, y]) => Math.abs(x) <= 1 && Math.abs(y) <= 1), name);
            if (SETS[name].kind === "classes") assert.equal(set.filter(([, , target]) => target === 1).length, 500);
        }
    }
});

test("the same seed gives the same points, and another seed others", () => {
    for (const name of shapes) {
        assert.deepEqual(points(name, 50, 0.3, 7), points(name, 50, 0.3, 7));
        assert.notDeepEqual(points(name, 50, 0.3, 7), points(name, 50, 0.3, 8));
    }
});

test("without noise the sets have the shapes of their names", () => {
    const of = (name) => points(name, 500, 0, 3);
    assert.ok(of("xor").every(([x, y, target]) => (x * y < 0) === (target === 1)));
    assert.ok(of("circles").every(([x, y, target]) => (Math.hypot(x, y) < 0.5) === (target === 1)));
    assert.ok(of("plane").every(([x, y, target]) => Math.abs(target - (x + y) / 2) < 1e-12));
});

test("every fifth row is for validation", () => {
    const { training, validation } = divided([0, 1, 2, 3, 4, 5].map((x) => [x, -x, x % 2]));
    assert.deepEqual(Array.from(training[0]), [0, -0, 1, -1, 2, -2, 3, -3, 5, -5]);
    assert.deepEqual(Array.from(training[1]), [0, 1, 0, 1, 1]);
    assert.deepEqual(validation.map((x) => Array.from(x)), [[4, -4], [0]]);
    assert.equal(divided([[0, 0, 1]]).validation, undefined);
    assert.deepEqual(Array.from(divided([[0, 2]], oneHot).training[1]), [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
});

test("uniform numbers are uniform, and normal ones have mean 0 and variance 1", () => {
    const random = new Random(5), uniform = Array.from({ length: 1e5 }, () => random.uniform());
    const counts = Array(10).fill(0);
    uniform.forEach((x) => counts[Math.floor(10 * x)]++);
    assert.ok(counts.reduce((sum, count) => sum + (count - 1e4) ** 2 / 1e4, 0) < 27.9); // chi-square, 9 degrees, p = 0.001
    const normal = Array.from({ length: 1e5 }, () => random.normal()), mean = normal.reduce((a, b) => a + b) / 1e5;
    assert.ok(Math.abs(mean) < 0.012 && Math.abs(normal.reduce((sum, x) => sum + x * x, 0) / 1e5 - 1) < 0.015);
});
