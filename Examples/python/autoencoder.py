"""An autoencoder: compresses images of digits to two numbers, and draws them.

    python autoencoder.py DATA.csv [PICTURE.png]

A network of 64-48-2-48-64 units learns to output its inputs. Its layer 2 then is a map of the digits. The error on held-out
images is compared with that of a principal component analysis with two components, which is the best linear map. Needs NumPy
and libbackprop, and matplotlib for the picture.
"""
import sys

import numpy as np

import libbackprop as bp

LATENT = 2


def images(path):
    """Pixels from 0 to 1, and digits: of the training images, and of the held-out ones, every fifth line."""
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
    is_held_out = np.arange(len(rows)) % 5 == 4
    return [(part[:, :64] / 16, part[:, 64].astype(int)) for part in (rows[~is_held_out], rows[is_held_out])]


def autoencoder(pixels):
    network = bp.Network([64, 48, LATENT, 48, 64], seed=1)
    for layer, activation in enumerate(["tanh", "identity", "tanh", "logistic"], start=1):
        network.set_activation(layer, activation)
    network.set_option("gradient_reduction", "mean")
    network.set_optimizer("adam")
    trainer = bp.Trainer(epochs=200, batch_size=32, learning_rate=0.003, schedule="cosine", seed=1)
    trainer.fit(network, pixels, pixels)
    return network


def principal_components(pixels, others):
    """Reconstructions of other pixels from their first principal components."""
    mean = pixels.mean(axis=0)
    directions = np.linalg.svd(pixels - mean, full_matrices=False)[2][:LATENT]
    return mean + (others - mean) @ directions.T @ directions


def draw(path, network, pixels, digits):
    import matplotlib

    matplotlib.use("Agg")  # draws to files, without a display
    import matplotlib.pyplot as plt

    figure, (points, rows) = plt.subplots(1, 2, figsize=(13, 6.5), width_ratios=[1.6, 1])
    latent = network.predict_layer(2, pixels)
    scatter = points.scatter(*latent.T, c=digits, cmap="tab10", vmin=-0.5, vmax=9.5, s=18)
    figure.colorbar(scatter, ax=points, ticks=range(10), label="digit")
    points.set(title=f"The latent layer, {len(pixels)} held-out images", xlabel="unit 1", ylabel="unit 2")
    shown = [int(np.argmax(digits == digit)) for digit in range(10)]
    tiles = np.stack([pixels[shown], network.predict(pixels[shown])], axis=1).reshape(5, 4, 8, 8)
    tiles = np.pad(tiles, ((0, 0), (0, 0), (1, 1), (1, 1)))
    rows.imshow(tiles.transpose(0, 2, 1, 3).reshape(50, 40), cmap="gray_r", vmin=0, vmax=1)
    rows.set(title="Images and their reconstructions", xticks=[], yticks=[])
    figure.savefig(path, dpi=110, bbox_inches="tight")
    print(f"drew {path}")


def main(data, picture=None):
    (training, _), (pixels, digits) = images(data)
    network = autoencoder(training)
    error = np.mean((network.predict(pixels) - pixels) ** 2)
    linear = np.mean((principal_components(training, pixels) - pixels) ** 2)
    print(f"mean squared error on held-out images: autoencoder {error:.4f}, {LATENT} principal components {linear:.4f}")
    if picture:
        draw(picture, network, pixels, digits)
    return 0 if error < 0.75 * linear else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: autoencoder.py DATA.csv [PICTURE.png]")
    sys.exit(main(*sys.argv[1:]))
