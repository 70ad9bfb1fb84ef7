// Formulas of one variable z, such as z / (1 + exp(-z)): as a function, and as an expression in C.
//
//     sum     = product (("+" | "-") product)*
//     product = factor (("*" | "/") factor)*
//     factor  = "-" factor | power
//     power   = atom ["^" factor]
//     atom    = number | "z" | "pi" | "e" | name "(" sum ("," sum)* ")" | "(" sum ")"

/** The name under which a network and its file know the formula. */
export const FORMULA = "formula";

/** The functions: JavaScript, the name in C, the number of arguments. */
const FUNCTIONS = {
    __proto__: null, // so that no other name is one
    abs: [Math.abs, "fabs", 1], atan: [Math.atan, "atan", 1], cos: [Math.cos, "cos", 1], cosh: [Math.cosh, "cosh", 1],
    exp: [Math.exp, "exp", 1], log: [Math.log, "log", 1], max: [Math.max, "fmax", 2], min: [Math.min, "fmin", 2],
    sin: [Math.sin, "sin", 1], sinh: [Math.sinh, "sinh", 1], sqrt: [Math.sqrt, "sqrt", 1], tan: [Math.tan, "tan", 1],
    tanh: [Math.tanh, "tanh", 1],
};
const LONGEST = 200;

export class FormulaError extends Error {}

/** Returns { value(z), c }; throws a FormulaError that says what is wrong and where. */
export function compile(text) {
    if (text.length > LONGEST) throw new FormulaError(`A formula has at most ${LONGEST} characters.`);
    const tokens = tokensOf(text);
    let next = 0;
    const fail = (message) => {
        const token = tokens[next];
        throw new FormulaError(token ? `${message} at character ${token.at + 1}, "${token.text}".` : `${message} at the end.`);
    };
    const accept = (...texts) => texts.includes(tokens[next]?.text) && tokens[next++].text;
    const expect = (character) => accept(character) || fail(`"${character}" is missing`);

    function sum() {
        let left = product(), operator;
        while ((operator = accept("+", "-"))) left = operation(operator, left, product());
        return left;
    }
    function product() {
        let left = factor(), operator;
        while ((operator = accept("*", "/"))) left = operation(operator, left, factor());
        return left;
    }
    function factor() {
        if (!accept("-")) return power();
        const { value, c } = factor();
        return { value: (z) => -value(z), c: `(-${c})` };
    }
    function power() {
        const base = atom();
        return accept("^") ? operation("^", base, factor()) : base;
    }
    function atom() {
        const token = tokens[next];
        if (accept("(")) {
            const inside = sum();
            expect(")");
            return inside;
        }
        if (token?.kind === "number") {
            next++;
            return constant(Number(token.text));
        }
        if (token?.kind !== "name") return fail("A number, z or a function is missing");
        if (FUNCTIONS[token.text]) return call(token.text);
        const named = { __proto__: null, z: { value: (z) => z, c: "z" }, pi: constant(Math.PI), e: constant(Math.E) }[token.text];
        if (!named) fail("Unknown name");
        next++;
        return named;
    }
    function call(name) {
        const [value, c, count] = FUNCTIONS[name], values = [];
        next++;
        expect("(");
        do values.push(sum()); while (accept(","));
        if (values.length !== count) fail(`${name} has ${count} argument${count > 1 ? "s" : ""}; it was given ${values.length},`);
        expect(")");
        const [a, b] = values.map((each) => each.value);
        return { value: count === 1 ? (z) => value(a(z)) : (z) => value(a(z), b(z)), c: `${c}(${values.map((each) => each.c).join(", ")})` };
    }

    const formula = sum();
    if (next < tokens.length) fail("An operator is missing");
    return formula;
}

function tokensOf(text) {
    const pattern = /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_]\w*)|(?<sign>[-+*/^(),]))|\s*$/y, tokens = [];
    while (pattern.lastIndex < text.length) {
        const from = pattern.lastIndex, { groups } = pattern.exec(text) ?? {};
        if (!groups) {
            const at = from + text.slice(from).search(/\S/);
            throw new FormulaError(`"${text[at]}" at character ${at + 1} is not a part of a formula.`);
        }
        const kind = Object.keys(groups).find((each) => groups[each]);
        if (kind) tokens.push({ kind, text: groups[kind], at: pattern.lastIndex - groups[kind].length });
    }
    return tokens;
}

function constant(number) {
    const digits = String(number);
    return { value: () => number, c: /^\d+$/.test(digits) ? `${digits}.0` : digits };
}

function operation(operator, { value: a, c: left }, { value: b, c: right }) {
    const value = {
        "+": (z) => a(z) + b(z), "-": (z) => a(z) - b(z), "*": (z) => a(z) * b(z), "/": (z) => a(z) / b(z), "^": (z) => a(z) ** b(z),
    }[operator];
    return { value, c: operator === "^" ? `pow(${left}, ${right})` : `(${left} ${operator} ${right})` };
}

/** Throws if the formula is not a finite number somewhere from -8 to 8, where weighted sums usually are. */
export function checkFinite({ value }) {
    for (let z = -8; z <= 8; z += 0.125) {
        if (!Number.isFinite(value(z))) throw new FormulaError(`The formula is ${value(z)} at z = ${z}. It must be a finite number.`);
    }
}
