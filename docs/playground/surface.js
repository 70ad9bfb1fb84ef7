// The plane: a unit's output as colours, the line where the prediction changes sides, and the samples.
import { colour, colours, drawPixels, prepared } from "./colours.js";
import { isHeld } from "./data.js";
import { EXTENT, SURFACE } from "./snapshot.js";

/** values: [SURFACE][SURFACE]. low, high: the numbers with the colours of the labels. level: the number on the line. */
export function drawSurface(image, line, values, { low, high, level }) {
    drawPixels(image, SURFACE, SURFACE, (pixels) => colour(pixels, values, low, high));
    const { context, width } = prepared(line), cell = width / SURFACE;
    context.strokeStyle = colours().ink;
    context.lineWidth = 1.5;
    context.lineCap = "round";
    context.beginPath();
    for (const [x0, y0, x1, y1] of contour(values, level)) {
        context.moveTo(cell * (x0 + 0.5), cell * (y0 + 0.5));
        context.lineTo(cell * (x1 + 0.5), cell * (y1 + 0.5));
    }
    context.stroke();
}

/** Segments [x0, y0, x1, y1] of the contour in units of grid points, cell by cell (marching squares). */
function* contour(values, level) {
    for (let row = 0; row + 1 < SURFACE; row++) {
        for (let column = 0; column + 1 < SURFACE; column++) {
            const at = row * SURFACE + column, corners = [values[at], values[at + 1], values[at + SURFACE + 1], values[at + SURFACE]];
            if (corners.every((value) => value > level) || corners.every((value) => value <= level)) continue;
            const crossings = [];
            for (let side = 0; side < 4; side++) {
                const a = corners[side], b = corners[(side + 1) % 4];
                if (a > level === b > level) continue;
                const part = (level - a) / (b - a);
                crossings.push([[part, 0], [1, part], [1 - part, 1], [0, 1 - part]][side]);
            }
            for (let i = 0; i + 1 < crossings.length; i += 2) {
                yield [column + crossings[i][0], row + crossings[i][1], column + crossings[i + 1][0], row + crossings[i + 1][1]];
            }
        }
    }
}

/** Samples of label 0 are squares, those of label 1 circles; those for validation are hollow. */
export function drawPoints(canvas, points, kind, cursor) {
    const { context, width } = prepared(canvas), { zero, one, panel, ink } = colours();
    const place = (x) => (x / EXTENT + 1) / 2 * width, radius = width > 300 ? 3.6 : 2.8;
    context.lineWidth = 1.4;
    points.forEach(([x, y, target], i) => {
        const isOne = target > (kind === "numbers" ? 0 : 0.5), fill = isOne ? one : zero;
        context.beginPath();
        if (isOne) context.arc(place(x), place(-y), radius, 0, 2 * Math.PI);
        else context.rect(place(x) - 0.88 * radius, place(-y) - 0.88 * radius, 1.76 * radius, 1.76 * radius);
        context.fillStyle = isHeld(i) ? panel : fill;
        context.strokeStyle = isHeld(i) ? fill : panel;
        context.fill();
        context.stroke();
    });
    if (!cursor) return;
    context.strokeStyle = ink;
    context.beginPath();
    context.arc(place(cursor[0]), place(-cursor[1]), 8, 0, 2 * Math.PI);
    context.moveTo(place(cursor[0]) - 12, place(-cursor[1]));
    context.lineTo(place(cursor[0]) + 12, place(-cursor[1]));
    context.moveTo(place(cursor[0]), place(-cursor[1]) - 12);
    context.lineTo(place(cursor[0]), place(-cursor[1]) + 12);
    context.stroke();
}

/** The point of the plane under a pointer. */
export function pointAt(canvas, { clientX, clientY }) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const place = (part) => Math.max(-1, Math.min(1, EXTENT * (2 * part - 1)));
    return [place((clientX - left) / width), -place((clientY - top) / height)];
}
