"""The network in NumPy, in double precision: it measures the errors of all methods, and gives SciPy a Jacobian."""
import numpy as np


class Network:
    def __init__(self, sizes):
        self.sizes = sizes

    def layers(self, parameters):
        """(weights [outputs × inputs], biases [outputs]) of each layer."""
        at, found = 0, []
        for i, o in zip(self.sizes, self.sizes[1:]):
            found.append((parameters[at:at + i * o].reshape(o, i), parameters[at + i * o:at + i * o + o]))
            at += i * o + o
        return found

    def activations(self, parameters, x):
        """Of each layer, inputs first; the last layer is linear."""
        found = [x]
        layers = self.layers(np.asarray(parameters, np.float64))
        for k, (w, b) in enumerate(layers):
            z = found[-1] @ w.T + b
            found.append(np.tanh(z) if k < len(layers) - 1 else z)
        return found

    def jacobian(self, parameters, activations):
        """The derivatives of the outputs, [rows × outputs × parameters]."""
        layers, rows = self.layers(parameters), len(activations[0])
        delta = np.broadcast_to(np.eye(self.sizes[-1]), (rows, self.sizes[-1], self.sizes[-1]))
        parts = []
        for k in reversed(range(len(layers))):
            below = activations[k]
            parts += [delta, (delta[..., None] * below[:, None, None, :]).reshape(rows, self.sizes[-1], -1)]
            if k > 0:
                delta = delta @ layers[k][0] * (1 - below**2)[:, None, :]
        return np.concatenate(parts[::-1], 2)

    def loss(self, parameters, x, y, loss):
        """The mean over the rows; for a regression, of the squared error."""
        with np.errstate(all="ignore"):
            z = self.activations(parameters, x)[-1]
            if loss == "squared":
                value = np.square(z - y).sum(1).mean()
            elif loss == "logistic":
                value = (np.logaddexp(0, z) - z * y).mean()
            else:
                value = (np.logaddexp.reduce(z, 1) - (z * y).sum(1)).mean()
        return float(value) if np.isfinite(value) else np.inf

    def wrong(self, parameters, x, y, loss):
        """The part of the rows whose class is not the one predicted: the largest of several outputs, or by the half of one."""
        z = self.activations(parameters, x)[-1]
        if y.shape[1] > 1:
            return float(np.mean(z.argmax(1) != y.argmax(1)))
        return float(np.mean((z > (0.5 if loss == "squared" else 0)) != (y > 0.5)))
