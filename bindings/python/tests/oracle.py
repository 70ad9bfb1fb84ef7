"""The formulas of the notes in float64 NumPy: the expected results of the library."""
import numpy as np

logistic = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731

# name: (a = f(z), dz from z, a, da)
ACTIVATIONS = {
    "identity": (lambda z: z, lambda z, a, da: da),
    "sign": (np.sign, lambda z, a, da: da),
    "logistic": (logistic, lambda z, a, da: da * a * (1 - a)),
    "tanh": (np.tanh, lambda z, a, da: da * (1 - a * a)),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a, da: da * (z > 0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z, a, da: da * np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
            lambda z, a, da: da * np.where(z > 0, 1, np.exp(np.minimum(z, 0)))),
    "softplus": (lambda z: np.log1p(np.exp(z)), lambda z, a, da: da * logistic(z)),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z, a, da: da / (1 + np.abs(z)) ** 2),
    "silu": (lambda z: z * logistic(z), lambda z, a, da: da * (logistic(z) + z * logistic(z) * (1 - logistic(z)))),
    "softmax": (lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
                lambda z, a, da: a * (da - (da * a).sum(axis=1, keepdims=True))),
}

# name: (loss of all rows, its gradient with respect to a)
LOSSES = {
    "squared_error": (lambda a, y: ((a - y) ** 2).sum() / 2, lambda a, y: a - y),
    "binary_cross_entropy": (lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(),
                             lambda a, y: (a - y) / (a * (1 - a))),
    "cross_entropy": (lambda a, y: -(y * np.log(a)).sum(), lambda a, y: -y / a),
}


class Oracle:
    """A network as float64 arrays. `layers` is a list of dicts with the keys weight, bias and, with batch normalization,
    gamma and beta. `statistics` has the running mean and variance by layer number."""

    def __init__(self, sizes, activations, loss="squared_error", batchnorm=(), mean_reduction=False, epsilon=1e-5,
                 momentum=0.1):
        self.loss, self.mean_reduction, self.epsilon, self.momentum = loss, mean_reduction, epsilon, momentum
        self.layers = []
        for number, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), start=1):
            layer = {"weight": np.zeros((outputs, inputs)), "bias": np.zeros(outputs)}
            if number in batchnorm:
                layer.update(gamma=np.ones(outputs), beta=np.zeros(outputs))
            self.layers.append(layer)
        self.activations = activations
        self.statistics = {number: (np.zeros(sizes[number]), np.ones(sizes[number])) for number in batchnorm}

    def _parts(self):
        return [(layer, key) for layer in self.layers for key in ("weight", "bias", "gamma", "beta") if key in layer]

    @property
    def parameters(self):
        return np.concatenate([layer[key].ravel() for layer, key in self._parts()])

    @parameters.setter
    def parameters(self, flat):
        flat = np.asarray(flat, float)
        for layer, key in self._parts():
            layer[key] = flat[:layer[key].size].reshape(layer[key].shape).copy()
            flat = flat[layer[key].size:]
        assert flat.size == 0

    def backpropagate(self, x, d, training=True):
        """Returns (outputs, flat gradient, input gradients) of any loss whose gradient with respect to the outputs is d."""
        _, gradient, _ = self.loss_and_gradient(x, np.zeros_like(d), training, output_gradients=np.asarray(d, float))
        return self.outputs, gradient, self.input_gradients

    def loss_and_gradient(self, x, y, training=True, fresh_gamma=0.0, output_gradients=None):
        """Returns (loss, flat gradient, updated statistics). `fresh_gamma`: the learning rate of the update of gamma that
        precedes the gradient of the weights (notes, section 5)."""
        h, tape, statistics = np.asarray(x, float), [], dict(self.statistics)
        for number, (layer, name) in enumerate(zip(self.layers, self.activations), start=1):
            z = h @ layer["weight"].T + layer["bias"]
            mean = variance = None
            z_hat = z
            if "gamma" in layer:
                running_mean, running_variance = self.statistics[number]
                m, rows = self.momentum, len(z)
                if training and rows > 1:
                    mean, variance = z.mean(axis=0), z.var(axis=0)
                    statistics[number] = ((1 - m) * running_mean + m * mean,
                                          (1 - m) * running_variance + m * variance * rows / (rows - 1))
                else:
                    mean, variance = running_mean, running_variance
                    if training:
                        d = z[0] - mean
                        statistics[number] = (mean + m * d, (1 - m) * (variance + m * d * d))
                z_hat = layer["gamma"] * (z - mean) / np.sqrt(variance + self.epsilon) + layer["beta"]
            a = ACTIVATIONS[name][0](z_hat)
            tape.append((h, z, z_hat, a, mean, variance))
            h = a
        scale = 1 / len(h) if self.mean_reduction else 1
        y = np.asarray(y, float)
        loss = LOSSES[self.loss][0](h, y) * scale
        da = LOSSES[self.loss][1](h, y) * scale if output_gradients is None else output_gradients
        self.outputs = h
        gradients = []
        for number in range(len(self.layers), 0, -1):
            layer, (h, z, z_hat, a, mean, variance) = self.layers[number - 1], tape[number - 1]
            dz = ACTIVATIONS[self.activations[number - 1]][1](z_hat, a, da)
            norm = []
            if "gamma" in layer:
                deviation = np.sqrt(variance + self.epsilon)
                z_tilde = (z - mean) / deviation
                norm = [(dz * z_tilde).sum(axis=0), dz.sum(axis=0)]
                d_tilde = dz * (layer["gamma"] - fresh_gamma * norm[0])
                if training and len(z) > 1:
                    dz = (d_tilde - d_tilde.mean(axis=0) - z_tilde * (d_tilde * z_tilde).mean(axis=0)) / deviation
                else:
                    dz = d_tilde / deviation
            gradients.insert(0, [dz.T @ h, dz.sum(axis=0), *norm])
            da = dz @ layer["weight"]
        self.input_gradients = da
        return loss, np.concatenate([g.ravel() for layer in gradients for g in layer]), statistics
