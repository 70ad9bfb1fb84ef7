"""An ensemble of small networks: its spread is large where the data determine little.

    python ensemble.py

100 networks from different initial weights learn a sine from noisy data, which have a gap. One call trains all of them, each with
its own learning rate. Between the data the networks agree; in the gap and beyond the data they do not. Needs NumPy and libbackprop.
"""
import sys

import numpy as np

import libbackprop as bp

RATES = 0.001, 0.003, 0.01, 0.03


def data(rows, seed):
    """x from 0 to 1 without 0.4 to 0.6, and a sine with noise."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(0, 0.8, (rows, 1))
    x[x > 0.4] += 0.2
    return x, np.sin(12 * x) + 0.1 * draw.normal(size=x.shape)


def main():
    x, y = data(300, seed=1)
    networks = [bp.Network([1, 16, 16, 1], activation="tanh", output="identity", optimizer="adam",
                           gradient_reduction="mean", seed=seed) for seed in range(100)]
    for network in networks:
        network.fit_scaling(x, y)
    rates = np.tile(RATES, 25)
    trainer = bp.Trainer(epochs=200, batch_size=32, schedule="cosine", seed=1)
    losses = np.array([result.loss for result in trainer.fit_ensemble(networks, x, y, learning_rates=rates)])
    for rate in RATES:
        print(f"learning rate {rate}: median loss {np.median(losses[rates == rate]):.4f}")

    best = [networks[index] for index in np.argsort(losses)[:40]]
    line = np.array([[0.2], [0.5], [0.8], [1.2]])
    predictions = np.array([network.predict(line)[:, 0] for network in best])
    spread = predictions.std(axis=0)
    for point, mean, deviation in zip(line[:, 0], predictions.mean(axis=0), spread):
        print(f"x = {point}: {mean:.2f} ± {deviation:.2f}, the sine is {np.sin(12 * point):.2f}")
    return 0 if min(spread[1], spread[3]) > 3 * max(spread[0], spread[2]) else 1


if __name__ == "__main__":
    sys.exit(main())
