"""Quantile bands: a regression that says how uncertain it is.

    python quantile_bands.py [PICTURE.png]

Three networks learn the quantiles 0.05, 0.5 and 0.95 of noisy data, whose noise grows with x. Between the outer two lie 90 % of
new data, where the noise is small and where it is large. Needs NumPy and libbackprop, and matplotlib for the picture.
"""
import sys

import numpy as np

import libbackprop as bp

QUANTILES = (0.05, 0.5, 0.95)


def data(rows, seed):
    """x from 0 to 1, and a sine with normal noise of standard deviation 0.05 to 0.5."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(rows, 1))
    return x, np.sin(6 * x) + (0.05 + 0.45 * x) * rng.normal(size=(rows, 1))


def learned(quantile, x, y):
    network = bp.Network([1, 24, 24, 1], seed=1)
    for layer, activation in enumerate(["tanh", "tanh", "identity"], start=1):
        network.set_activation(layer, activation)
    network.set_loss("quantile")
    network.set_option("quantile", quantile)
    network.set_option("gradient_reduction", "mean")
    network.set_optimizer("adam")
    network.fit_scaling(x, y)
    bp.Trainer(epochs=150, batch_size=64, learning_rate=0.01, schedule="cosine", seed=1).fit(network, x, y)
    return network


def draw(path, networks, x, y):
    import matplotlib

    matplotlib.use("Agg")  # draws to files, without a display
    import matplotlib.pyplot as plt

    line = np.linspace(0, 1, 200)[:, None]
    low, middle, high = (network.predict(line)[:, 0] for network in networks)
    figure, axes = plt.subplots(figsize=(9, 5.5))
    axes.scatter(x, y, s=4, alpha=0.4, label="new data")
    axes.fill_between(line[:, 0], low, high, alpha=0.25, label="90 % band")
    axes.plot(line, middle, label="median")
    axes.set(xlabel="x", ylabel="y", title="Quantiles 0.05, 0.5 and 0.95")
    axes.legend()
    figure.savefig(path, dpi=110, bbox_inches="tight")
    print(f"drew {path}")


def main(picture=None):
    networks = [learned(quantile, *data(3000, seed=1)) for quantile in QUANTILES]
    x, y = data(3000, seed=2)
    low, _, high = (network.predict(x) for network in networks)
    inside = (low < y) & (y < high)
    parts = [inside[(x >= start) & (x < start + 0.25)].mean() for start in (0, 0.25, 0.5, 0.75)]
    print(f"new data within the band: {inside.mean():.3f}; by quarters of x: {', '.join(f'{part:.3f}' for part in parts)}")
    if picture:
        draw(picture, networks, x, y)
    return 0 if all(0.84 < part < 0.96 for part in parts) else 1


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit("usage: quantile_bands.py [PICTURE.png]")
    sys.exit(main(*sys.argv[1:]))
