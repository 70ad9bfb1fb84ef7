"""Draws the pictures of docs/gallery.md: one of each function of bp.plot.

    python gallery.py FOLDER

Needs NumPy, matplotlib, scikit-learn (for its data sets) and libbackprop.
"""
import io
import os
import sys

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits

import libbackprop as bp

plt.switch_backend("Agg")


def moons(rows, rng):
    """Two interleaved half circles: two features and a name for each row."""
    angle, second = rng.uniform(0, np.pi, rows), np.arange(rows) % 2
    x = np.stack([np.cos(angle) * (1 - 2 * second) + second, np.sin(angle) * (1 - 2 * second) + second / 2], axis=1)
    return x + 0.16 * rng.normal(size=x.shape), np.array(["upper", "lower"])[second]


def pictures():
    """The name and the axes of each picture."""
    pixels, digits = load_digits(return_X_y=True)
    held_out = np.arange(len(pixels)) % 5 == 4
    train, test = (pixels[~held_out], digits[~held_out]), (pixels[held_out], digits[held_out])
    network = bp.Network([64, 32, 10], activation="tanh", loss="cross_entropy", optimizer="adam", seed=1, weight_decay=1e-3,
                         gradient_reduction="mean")
    network.fit_scaling(train[0], input_scaling="min_max")
    history = network.fit(*train, epochs=60, validation=0.1, patience=10, learning_rate=0.003, schedule="cosine")
    yield "learning_curves", history.plot()
    yield "confusion_matrix", bp.plot.confusion_matrix(network, *test)
    yield "weight_images", bp.plot.weight_images(network)

    x, names = moons(300, np.random.default_rng(1))
    small = bp.Network([2, 8, 8, 2], activation="tanh", loss="cross_entropy", optimizer="adam", seed=1)
    small.fit(x, names, epochs=150, learning_rate=0.01)
    yield "decision_boundary", bp.plot.decision_boundary(small, x, names)
    yield "diagram", bp.plot.diagram(small)

    features, progression = load_diabetes(return_X_y=True)
    held_out = np.arange(len(features)) % 5 == 4
    regression = bp.Network([10, 16, 1], activation="relu", loss="huber", optimizer="adam", weight_decay=0.03,
                            gradient_reduction="mean", seed=1)
    regression.fit_scaling(features[~held_out], progression[~held_out])
    regression.fit(features[~held_out], progression[~held_out], epochs=40, validation=0.2, learning_rate=0.01)
    yield "predictions", bp.plot.predictions(regression, features[held_out], progression[held_out])
    yield "activation", bp.plot.activation("hard_swish")


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name, axes in pictures():
        figure = (axes[0] if isinstance(axes, tuple) else axes).figure
        path = os.path.join(folder, f"{name}.png")
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=80)
        Image.open(drawn).convert("RGB").quantize(48).save(path, optimize=True)
        plt.close(figure)
        print(f"{path}: {os.path.getsize(path) / 1000:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: gallery.py FOLDER")
    main(sys.argv[1])
