"""Used by the tests of conversions to other frameworks: trained networks to convert, and a comparison of outputs."""
import libbackprop as bp
import numpy as np

BUILT_IN = [name for name in bp.activation.names() if bp.activation.kind(name) == bp.activation.Kind.BUILT_IN]


def near(a, b):
    return a.shape == b.shape and (abs(a - b) <= 1e-5 * np.maximum(1, abs(b))).all()


def trained(activation, rng, batchnorm=(1,), dropout=(), output="identity"):
    """A network 4-6-5-3, trained some steps, and inputs of very different sizes. `batchnorm` and `dropout` name layers. Targets
    are scaled when the activation `output` of the last layer is the identity."""
    x = (rng.normal(size=(30, 4)) * [1, 5, 0.1, 20] + [0, 5, -2, 1000]).astype(np.float32)  # all programs get the same
    network = bp.Network([4, 6, 5, 3], seed=2)
    for layer, name in ((1, activation), (2, activation), (3, output)):
        network.set_activation(layer, name)
    for layer in batchnorm:
        network.set_batchnorm(layer)
    for layer in dropout:
        network.set_dropout(layer, 0.25)
    network.fit_scaling(x, rng.normal(size=(30, 3)) * 7 + 30 if output == "identity" else None)
    network.set_option("gradient_reduction", "mean")
    for _ in range(5):
        network.train_minibatch(x, rng.random((30, 3)), 0.01)
    return network, x
