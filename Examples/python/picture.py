"""Draws FOLDER/digits.png: the learning curves, the confusion matrix and the mistakes of the network of the C program.

    python picture.py DATA.csv FOLDER

FOLDER contains the files of Examples/c/digits.c. Needs NumPy, matplotlib and libbackprop.
"""
import os
import sys

import matplotlib

matplotlib.use("Agg")  # draws to files, without a display
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter

import libbackprop as bp
from digits import held_out  # also registers scaled_tanh

INK, FAINT, BLUE, ORANGE, RED = "#22262b", "#8a9199", "#2f6fb3", "#e0862e", "#c8322f"


def label(axes, epoch, values, text, color, offset):
    """Draws a curve with a label at its end instead of a legend."""
    axes.plot(epoch, values, color=color, lw=2, solid_capstyle="round", clip_on=False)
    axes.annotate(text, (epoch[-1], values[-1]), (7, offset), textcoords="offset points", color=color, va="center",
                  annotation_clip=False)


def learning(accuracy, loss, history):
    epoch, training, heldout = history["epoch"], history["train_accuracy"], history["heldout_accuracy"]
    label(accuracy, epoch, training, f"training\n{training[-1]:.1%}", BLUE, 0)
    label(accuracy, epoch, heldout, f"held out\n{heldout[-1]:.1%}", ORANGE, -8)
    accuracy.set(ylim=(min(0.9, heldout.min()), 1), ylabel="accuracy", xticklabels=[])
    accuracy.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    accuracy.set_title("Learning", loc="left", pad=12)
    label(loss, epoch, history["loss"], f"loss\n{history['loss'][-1]:.4f}", FAINT, 0)
    loss.set(yscale="log", xlabel="epoch", ylabel="loss")
    for axes in (accuracy, loss):
        axes.set_xlim(0, epoch[-1])
        axes.grid(axis="y", color="#e6e8ea", lw=0.8)
        axes.tick_params(length=0, which="both")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)


def confusion(axes, digits, predicted):
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (digits, predicted), 1)
    wrong = counts - np.diag(np.diag(counts))
    # Correct predictions and mistakes differ in magnitude, so that each has its own colour scale.
    axes.imshow(np.where(np.eye(10, dtype=bool), counts, np.nan), cmap="Blues", vmin=-0.6 * counts.max(),
                vmax=1.3 * counts.max())
    axes.imshow(np.where(wrong > 0, wrong, np.nan), cmap="Reds", vmin=-1, vmax=max(6, wrong.max()))
    for row, column in zip(*np.nonzero(counts)):
        dark = row == column
        axes.text(column, row, counts[row, column], ha="center", va="center", color="white" if dark else INK,
                  fontsize=9)
    axes.set(xticks=range(10), yticks=range(10), xlabel="predicted digit", ylabel="digit")
    axes.set_xticks(np.arange(-0.5, 10), minor=True)
    axes.set_yticks(np.arange(-0.5, 10), minor=True)
    axes.grid(which="minor", color="#e6e8ea", lw=0.8)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(f"{len(digits)} held-out images, {wrong.sum()} mistakes", loc="left", pad=12)


def strip(figure, grid, pixels, digits, predictions):
    """Images in rows: first the mistakes, then correct predictions."""
    predicted = predictions.argmax(axis=1)
    mistakes = np.flatnonzero(predicted != digits)
    shown = np.concatenate([mistakes, np.flatnonzero(predicted == digits)])[:grid.nrows * grid.ncols]
    for cell, image in zip(grid, shown):
        wrong = predicted[image] != digits[image]
        axes = figure.add_subplot(cell)
        axes.imshow(pixels[image].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=RED if wrong else "#cfd4d9", linewidth=2 if wrong else 0.8)
        text = f"{predicted[image]}, not {digits[image]}" if wrong else str(predicted[image])
        axes.set_title(text, fontsize=10, color=RED if wrong else INK, pad=4, fontweight="bold" if wrong else "normal")


def main(data, folder):
    pixels, digits = held_out(data)
    history = np.atleast_1d(np.genfromtxt(os.path.join(folder, "history.csv"), delimiter=",", names=True))
    with bp.load(os.path.join(folder, "digits.safetensors")) as network:
        predictions = network.predict(pixels)
        layers = "-".join(map(str, network.layers))

    plt.rcParams.update({"font.size": 10.5, "axes.titlesize": 12.5, "axes.titleweight": "bold", "text.color": INK,
                         "axes.labelcolor": INK, "axes.edgecolor": FAINT, "xtick.color": INK, "ytick.color": INK})
    figure = plt.figure(figsize=(12, 8.6), facecolor="white")
    figure.text(0.07, 0.945, "A network that classifies digits", fontsize=19, fontweight="bold")
    figure.text(0.07, 0.912, f"{layers} units, scaled tanh with batch normalization, softmax. "
                             "Trained by a C program, loaded and drawn by Python.", color=FAINT, fontsize=11.5)
    left = figure.add_gridspec(2, 1, left=0.07, right=0.50, top=0.845, bottom=0.375, height_ratios=[1.5, 1], hspace=0.1)
    learning(figure.add_subplot(left[0]), figure.add_subplot(left[1]), history)
    right = figure.add_gridspec(1, 1, left=0.62, right=0.97, top=0.845, bottom=0.375)
    confusion(figure.add_subplot(right[0]), digits, predictions.argmax(axis=1))
    figure.text(0.07, 0.285, "Mistakes first, then correct predictions", fontsize=12.5, fontweight="bold")
    lower = figure.add_gridspec(2, 14, left=0.07, right=0.97, top=0.245, bottom=0.015, hspace=0.3, wspace=0.22)
    strip(figure, lower, pixels, digits, predictions)
    path = os.path.join(folder, "digits.png")
    figure.savefig(path, dpi=110)
    print(f"drew {path}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: picture.py DATA.csv FOLDER")
    main(*sys.argv[1:])
