// The controls: their values as settings, and what belongs to each data set.
import { SETS } from "./data.js";
import { FORMULA, FormulaError, checkFinite, compile } from "./formula.js";

/** For the targets of a set: the losses, the last layer's size, and the settings that a set of this kind begins with. */
export const KINDS = {
    classes: { losses: { binary_cross_entropy: "cross-entropy", squared_error: "squared error (the notes)" }, inputs: 2, outputs: 1, units: [8, 4] },
    numbers: { losses: { squared_error: "squared error (the notes)", absolute_error: "absolute error", huber: "Huber" }, inputs: 2, outputs: 1, units: [8, 4] },
    digits: { losses: { cross_entropy: "cross-entropy", squared_error: "squared error (the notes)" }, inputs: 64, outputs: 10, units: [16] },
};
/** Of the output layer with squared error: labels are 0 and 1, as in the notes. */
const SQUARED_OUTPUT = { classes: "logistic", numbers: "identity", digits: "logistic" };

const MOST_LAYERS = 4, MOST_UNITS = 16;
const RATES = [1, 3]; // 1 and 3 of each power of ten

const query = (selector) => document.querySelector(selector);
const form = query("#settings");

/** The learning rate of a position of the slider: 0.0001, 0.0003, 0.001 ... */
export function rate() {
    const position = Number(query("#rate").value);
    return Number(`${RATES[Math.abs(position % 2)]}e${Math.floor(position / 2)}`);
}

export const setName = () => form.elements.set.value;
export const kind = () => SETS[setName()].kind;

/** The settings of a session; undefined if a control has a wrong value, which it then shows. */
export function settings() {
    const { activation, formula, loss, optimizer, batch, epochs, restarts, seed, batchnorm } = form.elements, name = kind();
    if (!checkFormula() || !form.reportValidity()) return undefined;
    const { inputs, outputs } = KINDS[name];
    return {
        kind: name, layers: [inputs, ...units(), outputs], activation: activation.value, formula: formula.value, loss: loss.value,
        output: loss.value === "squared_error" ? SQUARED_OUTPUT[name] : undefined, optimizer: optimizer.value,
        batchnorm: batchnorm.checked, batch: Number(batch.value), epochs: Number(epochs.value), restarts: Number(restarts.value),
        seed: Number(seed.value),
    };
}

/** Compiles the formula, if it is used, and shows its error beside it. */
export function checkFormula() {
    const { activation, formula } = form.elements, error = query("#formula-error");
    let message = "", compiled = true;
    if (activation.value === FORMULA) {
        try {
            compiled = compile(formula.value);
            checkFinite(compiled);
        } catch (thrown) {
            if (!(thrown instanceof FormulaError)) throw thrown;
            [message, compiled] = [thrown.message, undefined];
        }
    }
    if (error.textContent !== message) error.textContent = message;
    formula.setAttribute("aria-invalid", String(message !== ""));
    return compiled;
}

/** Shows the parts of the page that belong to the data set and the activation. */
export function showParts() {
    const shown = {
        [kind()]: true, plane: kind() !== "digits", drawn: setName() === "drawn", formula: form.elements.activation.value === FORMULA,
        shapes: kind() !== "digits" && setName() !== "drawn",
    };
    document.querySelectorAll("[data-for]").forEach((each) => { each.hidden = !shown[each.dataset.for]; });
}

let latestKind;

/** Offers the losses of the data set. A set of another kind begins with its own layers. changed(): see setUnits. */
export function begin(changed) {
    const { losses, units } = KINDS[kind()], select = form.elements.loss, before = select.value;
    if (kind() !== latestKind) setUnits(units, changed);
    latestKind = kind();
    select.replaceChildren(...Object.entries(losses).map(([value, text]) => new Option(text, value, false, value === before)));
}

// ---- Layers

const layers = query("#layers");

/** The numbers of units of the hidden layers. */
export const units = () => [...layers.querySelectorAll("input")].map((input) => Number(input.value));

/** Makes a field for each hidden layer. changed() is called when the user changes one. */
export function setUnits(sizes, changed) {
    const button = (text, label, enabled, next) => {
        const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, disabled: !enabled });
        made.setAttribute("aria-label", label);
        made.addEventListener("click", () => {
            setUnits(next(units()), changed);
            layers.querySelectorAll("button")[text === "+" ? 0 : 1].focus();
            changed();
        });
        return made;
    };
    layers.replaceChildren(
        ...sizes.map((size, i) => {
            const input = Object.assign(document.createElement("input"), { type: "number", min: 1, max: MOST_UNITS, value: size, required: true });
            input.setAttribute("aria-label", `Units of hidden layer ${i + 1}`);
            return input;
        }),
        button("+", "Add a hidden layer", sizes.length < MOST_LAYERS, (present) => [...present, present.at(-1) ?? 4]),
        button("−", "Remove a hidden layer", sizes.length > 0, (present) => present.slice(0, -1)),
    );
}
