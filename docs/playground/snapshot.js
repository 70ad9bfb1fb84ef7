// The state of a network as the page shows it. The work for a snapshot does not depend on the number of samples or epochs.

/** Points of a side: of the large surface, of a unit's picture, of a digit. */
export const SURFACE = 48, PICTURE = 20, DIGIT = 8;
/** The plane is shown from -EXTENT to EXTENT. */
export const EXTENT = 1.1;
export const BINS = 41;

/** Points of a grid, row by row from the top left, as inputs. */
function grid(side) {
    const points = new Float32Array(2 * side * side), place = (i) => EXTENT * (2 * (i + 0.5) / side - 1);
    for (let i = 0; i < side * side; i++) points.set([place(i % side), -place(Math.floor(i / side))], 2 * i);
    return points;
}
const surfaceGrid = grid(SURFACE), pictureGrid = grid(PICTURE);

/** Columns become rows: values of [rows][columns] as one picture for each column. */
function transposed(values, columns) {
    const rows = values.length / columns, result = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) result[(i % columns) * rows + Math.floor(i / columns)] = values[i];
    return result;
}

/** The number of weights in each of BINS bins from -limit to limit, where limit is the largest absolute weight. */
function histogram(values) {
    const limit = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6), counts = new Uint32Array(BINS);
    for (const value of values) counts[Math.min(BINS - 1, Math.floor((value / limit + 1) / 2 * BINS))]++;
    return { limit, counts };
}

const weightsOf = (network, layers) => layers.slice(1).map((_, i) => network.getTensor(`layers.${i + 1}.weight`).values);

/**
 * pictures: for each layer from 1 on, its units' pictures one after the other. shown: the unit of the large surface.
 * digit: 64 pixels, or undefined for networks of the plane.
 */
export function snapshot(network, shown, digit) {
    const { layers } = network, weights = weightsOf(network, layers), histograms = weights.map(histogram);
    const last = layers.length - 1;
    if (digit) {
        const outputs = layers.map((_, layer) => layer && network.predictLayer(layer, digit));
        return { layers, weights, histograms, pictures: [weights[0], ...outputs.slice(2)], outputs: outputs[last] };
    }
    const pictures = layers.slice(1).map((size, i) => transposed(network.predictLayer(i + 1, pictureGrid), size));
    const layer = Math.min(shown.layer, last), size = layers[layer], unit = Math.min(shown.unit, size - 1);
    const values = network.predictLayer(layer, surfaceGrid);
    return { layers, weights, histograms, pictures, surface: values.filter((_, i) => i % size === unit) };
}
