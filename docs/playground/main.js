// The page: connects the controls, the worker and the drawings.
import { Chart } from "./chart.js";
import { Client } from "./client.js";
import { colours, prepared, withColours } from "./colours.js";
import { KINDS, begin, checkFormula, kind, rate, setName, settings, showParts } from "./controls.js";
import { SETS, divided, isHeld, loadDigits, oneHot, points } from "./data.js";
import { Diagram } from "./diagram.js";
import { FORMULA } from "./formula.js";
import { drawHistograms } from "./histogram.js";
import { Pad } from "./pad.js";
import { program } from "./program.js";
import { drawPoints, drawSurface, pointAt } from "./surface.js";

const query = (selector) => document.querySelector(selector), form = query("#settings");
const show = (selector, text) => { if (query(selector).textContent !== text) query(selector).textContent = text; };

/** Seconds of training between two pictures; milliseconds between pictures for users who prefer less motion. */
const SLICE = 0.012, CALM_SLICE = 0.2, CALM_INTERVAL = 500;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const client = new Client(), chart = new Chart(query("#curves"));
const diagram = new Diagram(query("#diagram"), (layer, unit) => {
    shown = { layer, unit };
    diagram.mark(shown);
    request(0);
});
const pad = new Pad(query("#pad"), (pixels) => {
    digit = pixels;
    request(0);
});

let used; // the settings of the session in the worker; undefined while it is made, when no state is asked for
let running = false;
let shown = { layer: 0, unit: 0 }; // the unit of the large surface
let drawn = [], samples = [], sampleSeed = 1, digits, digit = new Float32Array(64);
let frame; // the latest state
let waiting = false, asked; // whether the worker computes the next state; epochs of one more, if one was asked for meanwhile

// ---- The session

function report(text, isError = false) {
    show("#status", text);
    query("#status").classList.toggle("error", isError);
}

/** The samples of the data set, as rows [...inputs, target]. */
async function rows() {
    if (kind() === "digits") return digits = await loadDigits();
    const { count, noise } = form.elements;
    samples = setName() === "drawn" ? drawn : points(setName(), Number(count.value), Number(noise.value), sampleSeed);
    return samples;
}

let starts = 0;

/** Makes a new network by the controls. Training continues if it was on. */
async function start() {
    const mine = ++starts, next = settings(), before = used;
    if (!next) return pause();
    used = undefined;
    try {
        const data = divided(await rows(), next.kind === "digits" ? oneHot : undefined);
        if (mine !== starts) return;
        await client.request("start", { settings: next, data });
    } catch (error) {
        if (mine !== starts) return;
        used = before;
        pause();
        return report(error.message, true);
    }
    if (mine !== starts) return;
    used = { ...next, set: setName() };
    shown = { layer: next.layers.length - 1, unit: 0 };
    chart.clear();
    diagram.build(next.layers, next.kind);
    diagram.mark(shown);
    if (next.kind === "digits" && pad.isEmpty) showExample();
    report("");
    drawSamples();
    nameFile();
    request(0);
}

/** Asks for the state after some epochs: whole ones, or as many as fit into some seconds. The worker has one request at a time. */
async function request(epochs, seconds = 0) {
    if (!used || waiting) return asked = Math.max(asked ?? 0, epochs);
    waiting = true;
    asked = undefined;
    try {
        const mine = starts;
        const next = await client.request("frame", { epochs, seconds, rate: rate(), shown, digit: used.kind === "digits" ? digit : undefined });
        if (mine === starts) take(next);
    } catch (error) {
        pause();
        report(error.message, true);
    }
    waiting = false;
    if (asked !== undefined && !running) request(asked);
}

function take(next) {
    frame = next;
    chart.add(next.losses);
    if (next.error) {
        pause();
        report(`The training stopped: ${next.error}`, true);
    } else if (next.ended && running) {
        pause();
        report(used.restarts > 0 ? `Finished. Run ${next.run + 1} of ${used.restarts + 1} had the lowest loss.` : "Finished: all epochs are made.");
    }
    requestAnimationFrame(draw);
}

let lastPicture = 0, pictures = 0;

function loop(now) {
    if (!running) return;
    if (!waiting && (!calm.matches || now - lastPicture > CALM_INTERVAL)) {
        lastPicture = now;
        const epochs = Number(query("#speed").value);
        if (calm.matches) request(30 * epochs, CALM_SLICE);
        else request(epochs, SLICE);
    }
    requestAnimationFrame(loop);
}

async function run() {
    if (frame?.ended || !used) await start();
    if (!used) return;
    if (setName() === "drawn" && drawn.length === 0) return report("Draw points on the plane first.", true);
    running = true;
    show("#train", "Pause");
    report("");
    requestAnimationFrame(loop);
}

function pause() {
    running = false;
    show("#train", "Train");
    requestAnimationFrame(draw);
}

// ---- Drawings

/** Draws the latest state. While it trains, all but the large surface take turns, so that each frame has little work. */
function draw() {
    if (!frame || !used || frame.layers.join() !== used.layers.join()) return;
    const isDigits = used.kind === "digits", turn = running && !calm.matches ? pictures++ % 4 : undefined;
    const isTurn = (mine) => turn === undefined || turn === mine;
    if (isDigits) drawProbabilities(frame.outputs);
    else drawSurface(query("#image"), query("#line"), frame.surface, scale());
    if (isTurn(0) || isTurn(2)) diagram.draw(frame, isDigits ? digit : undefined, isTurn(0));
    if (isTurn(1)) chart.draw();
    if (isTurn(3)) {
        drawHistograms(query("#histograms"), frame.histograms);
        showFigures();
    }
}

function showFigures() {
    const latest = chart.latest, score = frame.validationScore ?? frame.score, isNumbers = used.kind === "numbers";
    const number = (x) => (x === undefined || Number.isNaN(x) ? "–" : x < 1e-3 ? x.toExponential(1) : x.toPrecision(3));
    show("#epoch", used.restarts > 0 ? `${frame.epoch} · run ${frame.run + 1}` : frame.epoch.toLocaleString("en"));
    show("#loss", number(latest?.[1]));
    show("#validation-loss", number(latest?.[2]));
    show("#score-name", isNumbers ? "r²" : "accuracy");
    show("#score", score === undefined ? "–" : isNumbers ? score.toFixed(3) : `${(100 * score).toFixed(1)} %`);
}

/** The numbers with the colours of the labels, and the number on the line. */
function scale() {
    if (shown.layer === used.layers.length - 1) return used.kind === "numbers" ? { low: -1, high: 1, level: 0 } : { low: 0, high: 1, level: 0.5 };
    const limit = frame.surface.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6);
    return { low: -limit, high: limit, level: 0 };
}

function drawSamples() {
    if (kind() === "digits") return;
    const names = kind() === "numbers" ? ["y < 0", "y > 0"] : ["y = 0", "y = 1"];
    show("#zero-name", names[0]);
    show("#one-name", names[1]);
    query("#surface").classList.toggle("drawing", setName() === "drawn");
    query("#points").tabIndex = setName() === "drawn" ? 0 : -1;
    query("#points").setAttribute("role", setName() === "drawn" ? "application" : "img");
    drawPoints(query("#points"), samples, kind(), setName() === "drawn" && document.activeElement === query("#points") ? cross : undefined);
}

function drawProbabilities(outputs) {
    const list = query("#probabilities");
    if (list.children.length === 0) {
        list.append(...Array.from({ length: 10 }, (_, digit) => {
            const item = document.createElement("li");
            item.innerHTML = `<span>${digit}</span><div class="track"><div></div></div><span></span>`;
            return item;
        }));
    }
    outputs.forEach((value, digit) => {
        const [, track, text] = list.children[digit].children, percent = `${Math.round(100 * value)} %`;
        track.firstChild.style.transform = `scaleX(${Math.max(0, Math.min(1, value))})`;
        if (text.textContent !== percent) text.textContent = percent;
    });
    show("#reading", pad.isEmpty ? "–" : String(outputs.indexOf(Math.max(...outputs))));
}

/** Draws the formula and its derivative, by differences. */
function drawFormula() {
    const compiled = checkFormula();
    if (form.elements.activation.value !== FORMULA || !compiled) return;
    const { context, width, height } = prepared(query("#formula-plot")), { one, zero, line } = colours();
    const xs = Array.from({ length: 161 }, (_, i) => (i - 80) / 20), values = xs.map(compiled.value);
    const slopes = xs.map((z) => (compiled.value(z + 1 / 256) - compiled.value(z - 1 / 256)) * 128);
    const high = Math.max(1, ...values.map(Math.abs)), y = (value) => height / 2 - (height / 2 - 4) * Math.max(-1, Math.min(1, value / high));
    context.strokeStyle = line;
    context.strokeRect(0, height / 2, width, 0);
    context.strokeRect(width / 2, 0, 0, height);
    for (const [curve, colour, dash] of [[slopes, zero, [4, 3]], [values, one, []]]) {
        context.strokeStyle = colour;
        context.setLineDash(dash);
        context.lineWidth = 2;
        context.beginPath();
        curve.forEach((value, i) => context.lineTo((i / 160) * width, y(value)));
        context.stroke();
    }
    context.setLineDash([]);
}

// ---- Points drawn by the user

let cross = [0, 0], isDrawing = false;

function addPoint([x, y]) {
    const close = drawn.some(([a, b]) => Math.hypot(a - x, b - y) < 0.035);
    if (!close && drawn.length < 1000) drawn.push([x, y, Number(form.elements.brush.value)]);
    drawSamples();
}

const pointsCanvas = query("#points");
pointsCanvas.addEventListener("pointerdown", (event) => {
    if (setName() !== "drawn") return;
    isDrawing = true;
    pointsCanvas.setPointerCapture(event.pointerId);
    addPoint(pointAt(pointsCanvas, event));
});
pointsCanvas.addEventListener("pointermove", (event) => { if (isDrawing) addPoint(pointAt(pointsCanvas, event)); });
for (const end of ["pointerup", "pointercancel"]) {
    pointsCanvas.addEventListener(end, () => {
        if (isDrawing) start();
        isDrawing = false;
    });
}
pointsCanvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] }[event.key];
    if (setName() !== "drawn" || (!step && event.key !== " ")) return;
    event.preventDefault();
    if (step) cross = cross.map((x, i) => Math.max(-1, Math.min(1, x + step[i])));
    else addPoint(cross);
    drawSamples();
    if (!step) start();
});
for (const change of ["focus", "blur"]) pointsCanvas.addEventListener(change, drawSamples);

// ---- Digits

/** Shows one of the digits that are not trained on. */
function showExample() {
    const held = digits.filter((_, i) => isHeld(i));
    pad.show(Float32Array.from(held[Math.floor(Math.random() * held.length)].slice(0, 64)));
}

// ---- Saving

const fileName = () => `${used?.set ?? setName()}.safetensors`;

function nameFile() {
    show("#file-name", fileName());
    show("#program", program(fileName(), used.kind === "digits" ? [...digit] : [0.5, -0.25], KINDS[used.kind].outputs, used.activation === FORMULA ? used.formula : undefined));
}

query("#save").addEventListener("click", async () => {
    try {
        const { file } = await client.request("save"), url = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
        Object.assign(document.createElement("a"), { href: url, download: fileName() }).click();
        setTimeout(() => URL.revokeObjectURL(url), 10000);
    } catch (error) {
        report(error.message, true);
    }
});
query("#copy").addEventListener("click", async () => {
    try {
        await navigator.clipboard.writeText(query("#program").textContent);
        report("The program was copied.");
    } catch {
        getSelection().selectAllChildren(query("#program"));
        report("The browser does not allow to copy. The program is selected.");
    }
});
query("#c-program").addEventListener("toggle", () => { if (used) nameFile(); });

// ---- Controls

query("#train").addEventListener("click", () => (running ? pause() : run()));
query("#step").addEventListener("click", () => {
    pause();
    request(1);
});
query("#again").addEventListener("click", start);
query("#resample").addEventListener("click", () => {
    sampleSeed++;
    start();
});
query("#clear-points").addEventListener("click", () => {
    drawn = [];
    pause();
    start();
});
query("#clear-pad").addEventListener("click", () => pad.clear());
query("#example").addEventListener("click", showExample);

function showRate() {
    show("#rate-value", String(rate()));
    query("#rate").setAttribute("aria-valuetext", String(rate()));
}
query("#rate").addEventListener("input", showRate);
form.elements.formula.addEventListener("input", drawFormula);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => {
    if (["rate", "brush"].includes(target.id || target.name)) return;
    if (target.name === "set") begin(start);
    showParts();
    drawFormula();
    start();
});

function makeSets() {
    query("#sets").append(...Object.entries(SETS).map(([name, { title }]) => {
        const label = document.createElement("label"), canvas = document.createElement("canvas"), input = document.createElement("input");
        Object.assign(input, { type: "radio", name: "set", value: name, checked: name === "moons" });
        canvas.dataset.set = name;
        canvas.setAttribute("aria-hidden", "true");
        label.append(input, canvas, title);
        return label;
    }));
}

/** The pictures of the data sets. */
function drawSets() {
    document.querySelectorAll("#sets canvas").forEach((canvas) => {
        const name = canvas.dataset.set;
        if (SETS[name].kind !== "digits" && name !== "drawn") return drawPoints(canvas, points(name, 60, 0.1, 1), SETS[name].kind);
        const { context, width } = prepared(canvas), { ink, one } = colours();
        context.fillStyle = name === "drawn" ? one : ink;
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.font = `600 ${width * 0.5}px ${getComputedStyle(document.querySelector("h1")).fontFamily}`;
        context.fillText(name === "drawn" ? "✎" : "3", width / 2, width * 0.54);
    });
}

function redraw() {
    drawSets();
    drawSamples();
    drawFormula();
    if (kind() === "digits") pad.draw();
    draw();
}

makeSets();
begin(start);
showRate();
showParts();
withColours(redraw);
addEventListener("resize", redraw);
start();
