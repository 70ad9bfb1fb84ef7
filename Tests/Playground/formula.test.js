import assert from "node:assert/strict";
import test from "node:test";

import { FormulaError, checkFinite, compile } from "../../docs/playground/formula.js";

test("a formula has the value of the same JavaScript", () => {
    const formulas = {
        "z": (z) => z,
        "2 * z + 1": (z) => 2 * z + 1,
        "z - 1 - 2": (z) => z - 1 - 2,
        "8 / z / 2": (z) => 8 / z / 2,
        "-z^2": (z) => -(z ** 2),
        "2^3^2 * z": (z) => 512 * z,
        "z ^ -2": (z) => z ** -2,
        "1 / (1 + exp(-z))": (z) => 1 / (1 + Math.exp(-z)),
        "max(0.1*z, z) + min(1, abs(z))": (z) => Math.max(0.1 * z, z) + Math.min(1, Math.abs(z)),
        "sin(pi * z) * cos(z) + tan(z) + atan(z)": (z) => Math.sin(Math.PI * z) * Math.cos(z) + Math.tan(z) + Math.atan(z),
        "sinh(z) + cosh(z) + tanh(z)": (z) => Math.sinh(z) + Math.cosh(z) + Math.tanh(z),
        "log(sqrt(z^2 + 1)) + e": (z) => Math.log(Math.sqrt(z * z + 1)) + Math.E,
        "1.5e-3*z + .5 + 2.": (z) => 1.5e-3 * z + 0.5 + 2,
        "--z": (z) => z,
        " z\t*  z ": (z) => z * z,
    };
    for (const [text, expected] of Object.entries(formulas)) {
        for (const z of [-2.5, -1, 0.25, 3]) {
            const [a, b] = [compile(text).value(z), expected(z)];
            assert.ok(Object.is(a, b) || Math.abs(a - b) <= 1e-12 * Math.abs(b), `${text} at ${z}: ${a}, not ${b}`);
        }
    }
});

test("a wrong formula is refused with the place of the fault", () => {
    const messages = {
        "": /missing at the end/,
        "z +": /missing at the end/,
        "z + * 2": /missing at character 5, "\*"/,
        "(z": /"\)" is missing at the end/,
        "z)": /An operator is missing at character 2/,
        "2z": /An operator is missing at character 2, "z"/,
        "foo(z)": /Unknown name at character 1, "foo"/,
        "Math.exp(z)": /"\." at character 5 is not a part/,
        "z; alert(1)": /";" at character 2/,
        "constructor": /Unknown name/,
        "__proto__": /Unknown name/,
        "exp": /"\(" is missing at the end/,
        "exp()": /missing at character 5/,
        "exp(z, z)": /exp has 1 argument; it was given 2/,
        "max(z)": /max has 2 arguments; it was given 1/,
        "1..2": /An operator is missing/,
        "z\u00d72": /"\u00d7" at character 2/,
    };
    for (const [text, message] of Object.entries(messages)) {
        assert.throws(() => compile(text), (error) => error instanceof FormulaError && message.test(error.message), text);
    }
    assert.throws(() => compile("z+".repeat(200) + "z"), /at most 200 characters/);
    assert.throws(() => compile("(".repeat(150)), FormulaError);
});

test("a formula that is not finite is refused with the number where it is not", () => {
    assert.throws(() => checkFinite(compile("1 / z")), /Infinity at z = 0/);
    assert.throws(() => checkFinite(compile("sqrt(z)")), /NaN at z = -8/);
    assert.throws(() => checkFinite(compile("exp(exp(z))")), /Infinity at z = /);
    checkFinite(compile("z / (1 + abs(z))"));
});
