// The network: a picture for each unit, and a line for each weight.
import { colour, colours, drawPixels, prepared } from "./colours.js";
import { DIGIT, EXTENT, PICTURE } from "./snapshot.js";

/** Units of a layer that are one below the other; more make a second column. */
const COLUMN = 8;
/** The largest weights that are drawn, so that the work for a picture is bounded. */
const MOST_LINKS = 200;

const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
};

/** x and y over the plane, one after the other. */
const inputs = Float32Array.from({ length: 2 * PICTURE ** 2 }, (_, i) => {
    const place = (k) => EXTENT * (2 * (k + 0.5) / PICTURE - 1);
    return i < PICTURE ** 2 ? place(i % PICTURE) : -place(Math.floor(i / PICTURE) - PICTURE);
});

const largest = (values, least) => values.reduce((limit, value) => Math.max(limit, Math.abs(value)), least);

export class Diagram {
    #root;
    #links = element("canvas", { className: "links" });
    #pictures = element("canvas", { className: "pictures" });
    #pixels = element("canvas"); // of a layer's pictures, one below the other
    #layers = []; // for each layer, its units: { button, left, top, width, height }
    #choose;
    #latest; // arguments of the latest drawing

    /** choose(layer, unit) is called when a unit is chosen. */
    constructor(root, choose) {
        this.#root = root;
        this.#choose = choose;
        for (const canvas of [this.#links, this.#pictures]) canvas.setAttribute("aria-hidden", "true");
        new ResizeObserver(() => {
            this.#measure();
            if (this.#latest) this.draw(...this.#latest);
        }).observe(root);
    }

    /** Makes the units of a network. */
    build(layers, kind) {
        const digits = kind === "digits";
        this.#root.classList.toggle("digits", digits);
        const columns = layers.map((size, layer) => {
            const units = Array.from({ length: layer === 0 && digits ? 1 : size }, (_, unit) => this.#unit(layer, unit, layers, digits));
            const name = layer === 0 ? "x" : layer === layers.length - 1 ? "ŷ" : `layer ${layer}`;
            const column = element("div", { className: "column" }, ...units.map(({ button }) => button));
            column.classList.toggle("wide", units.length > COLUMN);
            return { units, node: element("div", { className: "layer" }, column, element("span", { className: "name", textContent: name })) };
        });
        this.#latest = undefined;
        this.#layers = columns.map(({ units }) => units);
        this.#root.replaceChildren(this.#links, this.#pictures, ...columns.map(({ node }) => node));
        this.#measure();
    }

    #unit(layer, unit, layers, digits) {
        const last = layer === layers.length - 1, fixed = layer === 0 || digits;
        const label = layer === 0 ? (digits ? "Inputs: the digit" : `Input ${"xy"[unit]}`)
            : last ? (digits ? `Output ${unit}` : "Output") : `Layer ${layer}, unit ${unit + 1}`;
        const button = element(fixed ? "div" : "button", { className: "unit", title: label });
        if (last && digits) button.append(element("span", { textContent: unit }));
        button.setAttribute("aria-label", label);
        if (fixed) {
            button.setAttribute("role", "img");
        } else {
            button.type = "button";
            button.addEventListener("click", () => this.#choose(layer, unit));
        }
        return { button };
    }

    /** Marks the unit of the large surface. */
    mark({ layer, unit }) {
        this.#layers.forEach((units, l) => units.forEach(({ button }, u) => {
            if (button.localName === "button") button.setAttribute("aria-pressed", String(l === layer && u === unit));
        }));
    }

    #measure() {
        const size = (width) => { this.#links.style.width = this.#pictures.style.width = width; };
        size("100%");
        const from = this.#root.getBoundingClientRect();
        for (const unit of this.#layers.flat()) {
            const { left, top, width, height } = unit.button.getBoundingClientRect();
            Object.assign(unit, { left: left - from.left + this.#root.scrollLeft, top: top - from.top, width, height });
        }
        size(`${this.#root.scrollWidth}px`);
    }

    /** state: see snapshot.js. digit: its 64 pixels, or undefined. withLinks: whether to draw the lines, too. */
    draw(state, digit, withLinks = true) {
        this.#latest = [state, digit];
        if (withLinks) this.#drawLinks(state, digit);
        const { context } = prepared(this.#pictures);
        context.imageSmoothingEnabled = !digit;
        [digit ?? inputs, ...state.pictures].forEach((values, layer) => {
            const units = this.#layers[layer], pixels = values.length / units.length, side = Math.sqrt(pixels);
            drawPixels(this.#pixels, side, side * units.length, (all) => units.forEach((_, unit) => {
                const [start, end] = [unit * pixels, (unit + 1) * pixels], picture = values.subarray(start, end);
                const limit = largest(picture, pixels === 1 || layer === 0 ? 1 : 1e-6);
                colour(all.subarray(start, end), picture, -limit, limit);
            }));
            units.forEach(({ left, top, width, height }, unit) =>
                context.drawImage(this.#pixels, 0, unit * side, side, side, left + 1, top + 1, width - 2, height - 2));
        });
    }

    /** Lines of positive weights have the colour of label 1, those of negative ones that of label 0; the width is the size. */
    #drawLinks({ weights, layers }, digit) {
        const { context } = prepared(this.#links), { zero, one, line } = colours(), links = [];
        weights.forEach((values, i) => {
            const from = this.#layers[i], to = this.#layers[i + 1], limit = largest(values, 1e-6), isDigit = digit && i === 0;
            to.forEach((end, unit) => from.forEach((start, input) =>
                links.push({ start, end, weight: isDigit ? undefined : values[unit * layers[i] + input] / limit })));
        });
        const strength = ({ weight }) => (weight === undefined ? 1 : Math.abs(weight));
        if (links.length > MOST_LINKS) links.sort((a, b) => strength(b) - strength(a)).length = MOST_LINKS;
        for (const { start, end, weight } of links) {
            const [x0, y0, x1, y1] = [start.left + start.width, start.top + start.height / 2, end.left, end.top + end.height / 2];
            context.strokeStyle = weight === undefined ? line : weight > 0 ? one : zero;
            context.globalAlpha = weight === undefined ? 1 : 0.15 + 0.75 * Math.abs(weight);
            context.lineWidth = weight === undefined ? 1 : 0.4 + 3 * Math.abs(weight);
            context.beginPath();
            context.moveTo(x0, y0);
            context.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
            context.stroke();
        }
        context.globalAlpha = 1;
    }
}
