// The distributions of the weights, one layer below the other.
import { colours, prepared } from "./colours.js";

const [LABEL, LIMIT] = [18, 14];

/** histograms: for each layer { limit, counts }, see snapshot.js. */
export function drawHistograms(canvas, histograms) {
    canvas.style.height = `${72 * histograms.length}px`;
    const { context, width, height } = prepared(canvas), { faint, line, zero, one } = colours(), each = height / histograms.length;
    context.font = "11px system-ui, sans-serif";
    histograms.forEach(({ limit, counts }, i) => {
        const top = i * each, bottom = top + each - LIMIT, bar = width / counts.length, most = counts.reduce((a, b) => Math.max(a, b), 1);
        counts.forEach((count, bin) => {
            const high = (each - LABEL - LIMIT) * count / most, middle = (counts.length - 1) / 2;
            context.fillStyle = bin === middle ? faint : bin > middle ? one : zero;
            context.fillRect(bin * bar + 0.5, bottom - high, bar - 1, high);
        });
        context.fillStyle = line;
        context.fillRect(0, bottom, width, 1);
        context.fillStyle = faint;
        context.textAlign = "left";
        context.fillText(`layer ${i + 1}`, 0, top + 11);
        context.fillText((-limit).toFixed(2), 0, bottom + 11);
        context.textAlign = "center";
        context.fillText("0", width / 2, bottom + 11);
        context.textAlign = "right";
        context.fillText(limit.toFixed(2), width, bottom + 11);
    });
}
