// A pad to draw a digit. As the authors of the data did, it counts the black pixels of a bitmap of 32 x 32 in blocks of 4 x 4.
import { colours, prepared } from "./colours.js";

const SIDE = 32, BLOCK = 4, BRUSH = 1.5;

export class Pad {
    #canvas;
    #ink = new Uint8Array(SIDE * SIDE);
    #example; // pixels to show instead of the ink
    #changed;
    #pen = [SIDE / 2, SIDE / 2];
    #down = false;

    /** changed(pixels) is called with 64 numbers from 0 to 1 when the drawing changes. */
    constructor(canvas, changed) {
        this.#canvas = canvas;
        this.#changed = changed;
        let last;
        const at = ({ clientX, clientY }) => {
            const { left, top, width, height } = canvas.getBoundingClientRect();
            return [SIDE * (clientX - left) / width, SIDE * (clientY - top) / height];
        };
        canvas.addEventListener("pointerdown", (event) => {
            canvas.setPointerCapture(event.pointerId);
            last = at(event);
            this.#stroke(last, last);
        });
        canvas.addEventListener("pointermove", (event) => {
            if (!last) return;
            const next = at(event);
            this.#stroke(last, next);
            last = next;
        });
        for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = undefined; });
        canvas.addEventListener("keydown", (event) => this.#key(event));
        for (const change of ["focus", "blur"]) canvas.addEventListener(change, () => this.draw());
    }

    /** Arrows move the pen, the space bar lowers or lifts it, and Delete clears. */
    #key(event) {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key], from = this.#pen;
        if (step) this.#pen = from.map((x, i) => Math.max(0, Math.min(SIDE - 1, x + step[i])));
        else if (event.key === " ") this.#down = !this.#down;
        else if (event.key === "Delete" || event.key === "Backspace") return this.clear();
        else return;
        event.preventDefault();
        if (this.#down) this.#stroke(from, this.#pen);
        else this.draw();
    }

    #stroke(from, to) {
        this.#example = undefined;
        const length = Math.max(1, Math.hypot(to[0] - from[0], to[1] - from[1]) * 2);
        for (let i = 0; i <= length; i++) {
            const [x, y] = from.map((start, k) => start + (to[k] - start) * i / length);
            for (let row = Math.floor(y - BRUSH); row <= y + BRUSH; row++) {
                for (let column = Math.floor(x - BRUSH); column <= x + BRUSH; column++) {
                    const isInside = row >= 0 && column >= 0 && row < SIDE && column < SIDE;
                    if (isInside && Math.hypot(column + 0.5 - x, row + 0.5 - y) <= BRUSH) this.#ink[row * SIDE + column] = 1;
                }
            }
        }
        this.draw();
        this.#changed(this.pixels());
    }

    /** The blocks of the drawing, moved and scaled to fill the square as in the data. [8][8], from 0 to 1. */
    pixels() {
        if (this.#example) return this.#example;
        const box = this.#box(), pixels = new Float32Array((SIDE / BLOCK) ** 2);
        if (!box) return pixels;
        const { left, top, width, height } = box, size = Math.max(width, height);
        for (let i = 0; i < SIDE * SIDE; i++) {
            const row = Math.floor(i / SIDE), column = i % SIDE;
            const y = Math.floor(top + height / 2 + ((row + 0.5) / SIDE - 0.5) * size);
            const x = Math.floor(left + width / 2 + ((column + 0.5) / SIDE - 0.5) * size);
            const isInside = x >= 0 && y >= 0 && x < SIDE && y < SIDE;
            if (isInside) pixels[Math.floor(row / BLOCK) * SIDE / BLOCK + Math.floor(column / BLOCK)] += this.#ink[y * SIDE + x] / BLOCK ** 2;
        }
        return pixels;
    }

    #box() {
        let [left, right, top, bottom] = [SIDE, -1, SIDE, -1];
        this.#ink.forEach((ink, i) => {
            if (!ink) return;
            left = Math.min(left, i % SIDE);
            right = Math.max(right, i % SIDE);
            top = Math.min(top, Math.floor(i / SIDE));
            bottom = Math.max(bottom, Math.floor(i / SIDE));
        });
        return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
    }

    get isEmpty() { return !this.#example && !this.#box(); }

    clear() { this.show(undefined); }

    /** Shows pixels as those of `pixels()`; undefined for an empty pad. */
    show(pixels) {
        this.#example = pixels;
        this.#ink.fill(0);
        this.draw();
        this.#changed(this.pixels());
    }

    draw() {
        const { context, width } = prepared(this.#canvas), { ink, line } = colours(), cell = width / SIDE;
        context.fillStyle = line;
        for (let i = 1; i < SIDE / BLOCK; i++) {
            context.fillRect(i * BLOCK * cell, 0, 1, width);
            context.fillRect(0, i * BLOCK * cell, width, 1);
        }
        context.fillStyle = ink;
        this.#example?.forEach((value, i) => {
            context.globalAlpha = value;
            context.fillRect((i % 8) * BLOCK * cell, Math.floor(i / 8) * BLOCK * cell, BLOCK * cell, BLOCK * cell);
        });
        context.globalAlpha = 1;
        this.#ink.forEach((black, i) => {
            if (black) context.fillRect((i % SIDE) * cell, Math.floor(i / SIDE) * cell, cell + 0.5, cell + 0.5);
        });
        if (document.activeElement !== this.#canvas) return;
        context.strokeStyle = ink;
        context.lineWidth = this.#down ? 3 : 1;
        context.beginPath();
        context.arc((this.#pen[0] + 0.5) * cell, (this.#pen[1] + 0.5) * cell, 2.5 * cell, 0, 2 * Math.PI);
        context.stroke();
    }
}
