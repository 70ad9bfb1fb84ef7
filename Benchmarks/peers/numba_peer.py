"""Numba: loops over the rows, as a Python programmer writes them for a small network."""
import numpy as np
from job import BETA1, BETA2, EPSILON

KINDS = {"logistic": 0, "tanh": 1, "relu": 2, "linear": 3, "softmax": 4}
MOST_WEIGHTS = 10_000


def variants(job):
    if not job.train or job.bn or job.hidden not in KINDS or sum(w.size for w, _ in job.layers) > MOST_WEIGHTS:
        return
    import numba

    compiled = numba.njit(fastmath=True)

    @compiled
    def forward_layer(x, w, b, z, kind):
        for o in range(z.size):
            z[o] = b[o]
        for i in range(x.size):
            for o in range(z.size):
                z[o] += x[i] * w[i, o]
        if kind == 0:
            for o in range(z.size):
                z[o] = np.float32(1) / (np.float32(1) + np.exp(-z[o]))
        elif kind == 1:
            for o in range(z.size):
                z[o] = np.tanh(z[o])
        elif kind == 2:
            for o in range(z.size):
                z[o] = max(z[o], np.float32(0))
        elif kind == 4:
            largest, total = z.max(), np.float32(0)
            for o in range(z.size):
                z[o] = np.exp(z[o] - largest)
                total += z[o]
            for o in range(z.size):
                z[o] /= total

    @compiled
    def forward(x, w, b, a, kinds):
        forward_layer(x, w[0], b[0], a[0], kinds[0])
        for k in range(1, len(w)):
            forward_layer(a[k - 1], w[k], b[k], a[k], kinds[k])

    @compiled
    def slopes(kind, a, d):
        if kind == 0:
            for o in range(a.size):
                d[o] *= a[o] * (np.float32(1) - a[o])
        elif kind == 1:
            for o in range(a.size):
                d[o] *= np.float32(1) - a[o] * a[o]
        elif kind == 2:
            for o in range(a.size):
                if a[o] <= 0:
                    d[o] = 0

    @compiled
    def back(w, d, below):
        for i in range(w.shape[0]):
            total = np.float32(0)
            for o in range(d.size):
                total += w[i, o] * d[o]
            below[i] = total

    @compiled
    def add_product(w, b, x, d, factor):
        for i in range(x.size):
            for o in range(d.size):
                w[i, o] += factor * x[i] * d[o]
        for o in range(d.size):
            b[o] += factor * d[o]

    @compiled
    def adam(p, g, m, v, rate, scale):
        p, g, m, v = p.reshape(-1), g.reshape(-1), m.reshape(-1), v.reshape(-1)
        for i in range(p.size):
            m[i] = np.float32(BETA1) * m[i] + np.float32(1 - BETA1) * g[i]
            v[i] = np.float32(BETA2) * v[i] + np.float32(1 - BETA2) * g[i] * g[i]
            p[i] -= rate * m[i] / (np.sqrt(v[i]) * scale + np.float32(EPSILON))

    @compiled
    def epoch(X, Y, w, b, gw, gb, mw, mb, vw, vb, a, d, kinds, batch, eta, t, is_adam):
        for first in range(0, X.shape[0], batch):
            for k in range(len(w)):
                gw[k][:] = 0
                gb[k][:] = 0
            for r in range(first, first + batch):
                forward(X[r], w, b, a, kinds)
                last = len(w) - 1
                for o in range(d[last].size):
                    d[last][o] = (a[last][o] - Y[r, o]) / np.float32(batch)
                for k in range(last, -1, -1):
                    slopes(kinds[k], a[k], d[k])
                    if k > 0:
                        back(w[k], d[k], d[k - 1])
                    below = X[r] if k == 0 else a[k - 1]
                    if batch == 1 and not is_adam:
                        add_product(w[k], b[k], below, d[k], -eta)
                    else:
                        add_product(gw[k], gb[k], below, d[k], np.float32(1))
            if is_adam:
                t += 1
                rate = np.float32(eta / (1 - BETA1 ** t))
                scale = np.float32(1 / np.sqrt(1 - BETA2 ** t))
                for k in range(len(w)):
                    adam(w[k], gw[k], mw[k], vw[k], rate, scale)
                    adam(b[k], gb[k], mb[k], vb[k], rate, scale)
            elif batch > 1:
                for k in range(len(w)):
                    w[k][:] -= eta * gw[k]
                    b[k][:] -= eta * gb[k]
        return t

    w, b = tuple(w.T.copy() for w, _ in job.layers), tuple(b.copy() for _, b in job.layers)
    zeros = [tuple(np.zeros_like(p) for p in group) for group in (w, b) * 3]
    a, d = (tuple(np.zeros(s, np.float32) for s in job.size[1:]) for _ in range(2))
    kinds = np.array([KINDS[job.act(k)] for k in range(len(w))])
    steps = [0]

    def run(n):
        for _ in range(n):
            steps[0] = epoch(job.x, job.y, w, b, *zeros, a, d, kinds, job.batch, np.float32(job.eta), steps[0], job.adam)

    def outputs(x):
        out = np.empty((len(x), job.size[-1]), np.float32)
        for r in range(len(x)):
            forward(x[r], w, b, a, kinds)
            out[r] = a[-1]
        return out
    yield "loops", run, outputs
