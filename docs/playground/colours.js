// Colours of numbers: from the colour of label 0 through that of the paper to the colour of label 1. style.css defines them.

const STEPS = 256;
const STRENGTH = 0.62; // of the colours of labels on a surface, so that the samples on it are seen
let palette, paint;

function readColours() {
    const style = getComputedStyle(document.documentElement), context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgb = (name) => {
        context.fillStyle = style.getPropertyValue(name).trim();
        context.fillRect(0, 0, 1, 1);
        return context.getImageData(0, 0, 1, 1).data;
    };
    const [zero, middle, one] = ["--zero", "--middle", "--one"].map(rgb);
    palette = new Uint32Array(STEPS + 1);
    const bytes = new Uint8ClampedArray(palette.buffer);
    for (let i = 0; i <= STEPS; i++) {
        const part = 2 * i / STEPS - 1, end = part < 0 ? zero : one;
        for (let k = 0; k < 3; k++) bytes[4 * i + k] = middle[k] + (end[k] - middle[k]) * STRENGTH * Math.abs(part) ** 0.85;
        bytes[4 * i + 3] = 255;
    }
    paint = Object.fromEntries(["zero", "one", "ink", "faint", "line", "panel"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Colours of lines and texts, by their names in style.css. */
export function colours() {
    if (!paint) readColours();
    return paint;
}

/** Calls body now, and when the colours of the page change. */
export function withColours(body) {
    const change = () => {
        readColours();
        body();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", change);
    change();
}

/** Colours pixels by numbers: `low` has the colour of label 0, and `high` that of label 1. */
export function colour(pixels, values, low, high) {
    if (!palette) readColours();
    const factor = STEPS / (high - low);
    for (let i = 0; i < pixels.length; i++) pixels[i] = palette[Math.max(0, Math.min(STEPS, Math.round((values[i] - low) * factor)))];
}

/** Draws numbers [height][width], one a pixel. paint(pixels) colours them. */
export function drawPixels(canvas, width, height, paint) {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const image = new ImageData(width, height);
    paint(new Uint32Array(image.data.buffer));
    canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Sets the size of a canvas to that of its element, in pixels of the screen. Returns a context in units of CSS, and the size. */
export function prepared(canvas) {
    const ratio = Math.min(2, devicePixelRatio), width = canvas.clientWidth, height = canvas.clientHeight;
    const [x, y] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== x || canvas.height !== y) Object.assign(canvas, { width: x, height: y });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
}
