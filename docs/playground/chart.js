// Loss curves of all runs, with a logarithmic axis. A curve has at most MOST points: then every second one is dropped.
import { colours, prepared } from "./colours.js";

const MOST = 200;
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 10, 8, 22];

class Curve {
    points = []; // [epoch, training, validation]
    #stride = 1;
    #seen = 0;

    add(epoch, training, validation) {
        this.latest = [epoch, training, validation];
        if (this.#seen++ % this.#stride === 0) this.points.push(this.latest);
        if (this.points.length > MOST) {
            this.points = this.points.filter((_, i) => i % 2 === 0);
            this.#stride *= 2;
        }
    }
}

export class Chart {
    #canvas;
    #runs = [];

    constructor(canvas) { this.#canvas = canvas; }

    clear() { this.#runs = []; }

    /** losses: [epoch, training, validation] one after the other. An epoch that does not follow the last one begins a run. */
    add(losses) {
        for (let i = 0; i < losses.length; i += 3) {
            const [epoch, training, validation] = losses.subarray(i, i + 3);
            if (!(epoch > this.latest?.[0])) this.#runs.push(new Curve());
            this.#runs.at(-1).add(epoch, training, validation);
        }
    }

    /** [epoch, training, validation] of the last epoch. */
    get latest() { return this.#runs.at(-1)?.latest; }

    draw() {
        const { context, width, height } = prepared(this.#canvas), { ink, faint, line, zero, one } = colours();
        context.font = "11px system-ui, sans-serif";
        context.lineJoin = "round";
        const numbers = this.#runs.flatMap(({ points, latest }) => [...points, latest].flatMap(([, a, b]) => [a, b])).filter((x) => x > 0);
        if (numbers.length === 0) {
            context.fillStyle = faint;
            context.textAlign = "center";
            context.fillText("The curves begin with the first epoch.", width / 2, height / 2);
            return;
        }
        const high = Math.ceil(Math.log10(numbers.reduce((a, b) => Math.max(a, b))) * 2 + 0.1) / 2;
        const low = Math.max(high - 6, Math.min(high - 1, Math.floor(Math.log10(numbers.reduce((a, b) => Math.min(a, b))) * 2) / 2));
        const longest = Math.max(10, ...this.#runs.map(({ latest }) => latest[0]));
        const x = (epoch) => LEFT + (width - LEFT - RIGHT) * epoch / longest;
        const y = (loss) => TOP + (height - TOP - BOTTOM) * Math.min(1, (high - Math.log10(Math.max(loss, 1e-30))) / (high - low));

        context.fillStyle = faint;
        context.strokeStyle = line;
        context.lineWidth = 1;
        context.textAlign = "right";
        context.textBaseline = "middle";
        for (let power = Math.ceil(low); power <= high; power++) {
            const at = Math.round(y(10 ** power)) + 0.5;
            context.beginPath();
            context.moveTo(LEFT, at);
            context.lineTo(width - RIGHT, at);
            context.stroke();
            context.fillText(power < -3 ? `1e${power}` : String(Number((10 ** power).toPrecision(1))), LEFT - 6, at);
        }
        context.textBaseline = "alphabetic";
        context.textAlign = "left";
        context.fillText("0", LEFT, height - 6);
        context.textAlign = "right";
        context.fillText(`${longest.toLocaleString("en")} epochs`, width - RIGHT, height - 6);

        const curve = (points, column, colour, dash, lineWidth, alpha) => {
            context.strokeStyle = colour;
            context.setLineDash(dash);
            context.lineWidth = lineWidth;
            context.globalAlpha = alpha;
            context.beginPath();
            for (const point of points) if (Number.isFinite(point[column])) context.lineTo(x(point[0]), y(point[column]));
            context.stroke();
        };
        this.#runs.forEach(({ points, latest }, run) => {
            const all = [...points, latest];
            if (run < this.#runs.length - 1) return curve(all, Number.isNaN(latest[2]) ? 1 : 2, ink, [], 1, 0.3);
            curve(all, 1, one, [], 2, 1);
            curve(all, 2, zero, [5, 3], 2, 1);
        });
        context.setLineDash([]);
        context.globalAlpha = 1;
    }
}
