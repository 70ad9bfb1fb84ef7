"""Inverse design: finds the throw that lands at a wanted place, by the input gradients of a learned simulator.

    python inverse_design.py

A network learns the flight of a ball with air resistance: angle and speed -> distance and height of the peak. Then the weights
stay, and gradient descent changes the inputs until the outputs are the wanted ones. The simulator checks the results. Needs
NumPy and libbackprop.
"""
import sys

import numpy as np

import libbackprop as bp

LOWEST, HIGHEST = np.array([0.3, 10.0]), np.array([1.3, 50.0])  # radians, m/s


def fly(throws, drag=0.005, step=0.01):
    """Distance and peak in metres for throws (angle, speed). The deceleration is drag v^2 (semi-implicit Euler method)."""
    angle, speed = throws.T
    velocity, place = np.array([np.cos(angle), np.sin(angle)]) * speed, np.zeros((2, len(throws)))
    peak, is_flying = np.zeros(len(throws)), np.ones(len(throws), bool)
    while is_flying.any():
        deceleration = drag * velocity * np.hypot(*velocity)
        deceleration[1] += 9.81
        velocity -= is_flying * step * deceleration
        place += is_flying * step * velocity
        peak = np.maximum(peak, place[1])
        is_flying &= place[1] > 0
    return np.stack([place[0], peak], axis=1)


def learned_simulator(rng):
    throws = rng.uniform(LOWEST, HIGHEST, (4000, 2))
    network = bp.Network([2, 32, 32, 2], seed=1)
    network.set_activation(1, "tanh")
    network.set_activation(2, "tanh")
    network.set_activation(3, "identity")
    network.fit_scaling(throws, fly(throws))
    network.set_option("gradient_reduction", "mean")
    network.set_optimizer("adam")
    result = bp.Trainer(epochs=150, batch_size=64, learning_rate=0.003, schedule="cosine", validation_fraction=0.1).fit(
        network, throws, fly(throws))
    print(f"learned simulator: validation loss {result.loss:.2e}")
    return network


def design(network, wanted, steps=500):
    """Throws whose predicted results are the wanted ones [rows x 2]: gradient descent (Adam) from the middle of the inputs."""
    span = HIGHEST - LOWEST
    throws, mean, square = np.tile(LOWEST + span / 2, (len(wanted), 1)), 0.0, 0.0
    for step in range(1, steps + 1):
        error = (network.predict(throws) - wanted) / wanted**2  # the gradient of half the squared relative error
        gradient = network.input_gradients(throws, error) * span
        mean, square = 0.9 * mean + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
        move = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-12)
        throws = np.clip(throws - 0.05 * (1 - step / steps) * move * span, LOWEST, HIGHEST)
    return throws


def main():
    rng = np.random.default_rng(1)
    network = learned_simulator(rng)
    wanted = fly(rng.uniform(LOWEST + 0.1, HIGHEST - 0.1, (8, 2)))  # results that some throw has
    found = design(network, wanted)
    reached = fly(found)
    for throw, want, reach in zip(found, wanted, reached):
        print(f"wanted {want[0]:6.1f} m far, {want[1]:5.1f} m high; {np.degrees(throw[0]):4.1f} degrees, {throw[1]:4.1f} m/s "
              f"reach {reach[0]:6.1f} m and {reach[1]:5.1f} m")
    worst = np.abs(reached / wanted - 1).max()
    print(f"largest error: {worst:.2%}")
    return 0 if worst < 0.03 else 1


if __name__ == "__main__":
    sys.exit(main())
