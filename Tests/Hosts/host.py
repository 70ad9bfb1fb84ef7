"""The run of host.c with the same numbers, in Python: host.py OUT FIRST|fit|stream LAST [MODEL]"""
import sys

import numpy as np

import libbackprop as bp

INPUTS, OUTPUTS, ROWS = 6, 4, 60


def random_bits():
    state = 2026
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state >> 8


def make_data():
    bits = random_bits()
    inputs, targets = np.zeros((ROWS, INPUTS), np.float32), np.zeros((ROWS, OUTPUTS), np.float32)
    for row in range(ROWS):
        for i in range(INPUTS):
            inputs[row, i] = np.float32(next(bits) - 8388608) / np.float32(8388608)
        targets[row, (next(bits) >> 16) % OUTPUTS] = 1
    return inputs, targets


ONE = np.float32(1)  # with Python numbers, the arithmetic would be in double precision


def squash_derivative(z, a):
    d = ONE + abs(np.float32(z))
    return ONE / (d * d)


@bp.activation.scalar(derivative=squash_derivative)
def squash(z):
    z = np.float32(z)
    return z / (ONE + abs(z))


def new_network():
    names = ["tanh", "relu", squash, "gelu", "softplus", "elu", "silu", "leaky_relu", "logistic", "softsign", "softmax"]
    network = bp.Network([INPUTS, 20, 17, 9, 16, 33, 12, 8, 15, 24, 10, OUTPUTS], seed=7)
    for layer, name in enumerate(names, start=1):
        network.set_activation(layer, name)
        network.set_batchnorm(layer, layer % 2 == 1)
    network.set_loss("cross_entropy")
    network.set_option("gradient_reduction", 1)
    return network


def train(network, inputs, targets, step):
    single = step % 3 == 2
    rows = 1 if single else 5 + step % 9
    first = step * 11 % (ROWS - rows + 1)
    if single:
        network.train_step(inputs[first], targets[first], 0.0625)
    else:
        network.train_minibatch(inputs[first:first + rows], targets[first:first + rows], 0.25)


def fit(network, inputs, targets, kind, last):
    trainer = bp.Trainer(epochs=20, batch_size=7, learning_rate=0.0625, schedule="cosine", seed=11,
                         validation_fraction=0.25, steps_per_epoch=9, keep="latest", on_divergence=1, resume=True,
                         progress_interval=1)
    weights = np.arange(ROWS) % 4 / 2
    if kind == "stream":
        batches = [(inputs[rows], targets[rows], weights[rows]) for rows in (slice(0, 17), slice(17, 60))]
        result = trainer.fit_stream(network, batches, validation=(inputs[:20], targets[:20]),
                                    progress=lambda progress: progress.step == last)
    else:
        result = trainer.fit(network, inputs, targets, sample_weight=weights, progress=lambda progress: progress.step == last)
    assert result.stopped


def main(out, first, last, model=None):
    inputs, targets = make_data()
    network = bp.load(model) if model else new_network()
    if first in ("fit", "stream"):
        for layer in range(1, 11):
            network.set_dropout(layer, 0.125)
        if not model:
            network.set_optimizer("adam")
        fit(network, inputs, targets, first, int(last))
    else:
        for step in range(int(first), int(last)):
            train(network, inputs, targets, step)
    network.save(out + ".safetensors")
    network.parameters.tofile(out + ".parameters")
    network.predict(inputs).tofile(out + ".predictions")


main(*sys.argv[1:])
