"""What a "prep" line of the protocol asks a Python worker for (worker.h)."""
import sys

import numpy as np

THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Adam


class Job:
    def __init__(self, words):
        self.name, self.kind = words[0], words[1]
        self.batch, self.eta = int(words[2]), float(words[4])
        self.hidden, self.output, self.bn = words[5], words[6], words[7] == "1"
        self.loss, self.adam, self.dropout = words[8], words[9] == "adam", float(words[10])
        self.rows, data, self.size = int(words[11]), words[12], [int(w) for w in words[13:]]
        self.all_x = np.fromfile(data + "_x.f32", np.float32).reshape(-1, self.size[0])
        self.all_y = np.fromfile(data + "_y.f32", np.float32).reshape(-1, self.size[-1])
        self.x, self.y = self.all_x[:self.rows], self.all_y[:self.rows]
        flat, at, self.layers = np.fromfile(data + "_w.f32", np.float32), 0, []
        for i, o in zip(self.size, self.size[1:]):
            self.layers.append((flat[at:at + i * o].reshape(o, i), flat[at + i * o:at + i * o + o]))
            at += i * o + o
        # A mean over batch *and* outputs has 2 / outputs the gradient of "half the sum".
        self.mse_rate = self.eta * self.size[-1] / 2
        self.train = self.kind == "train"
        self.cross_entropy = self.loss == "cross_entropy"
        self.at = 0

    def next_rows(self):
        """The next batch of an inference job (a view)."""
        self.at = 0 if self.at + 2 * self.batch > self.rows else self.at + self.batch
        return self.x[self.at:self.at + self.batch]

    def batches(self):
        """The first rows of the minibatches."""
        return range(0, self.rows, self.batch)

    def act(self, layer):
        return self.hidden if layer < len(self.layers) - 1 else self.output

    def loss_of(self, outputs):
        """The mean loss of the rows trained on."""
        outputs = np.asarray(outputs, np.float64)
        if self.cross_entropy:
            return float(-np.log((outputs * self.y).sum(1)).mean())
        return float(0.5 * np.square(outputs - self.y).sum() / self.rows)

    def accuracy_of(self, outputs):
        """The part of the rows after those trained on that are classified right."""
        return float((np.asarray(outputs).argmax(1) == self.all_y[self.rows:].argmax(1)).mean())
