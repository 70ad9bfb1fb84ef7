"""NumPy: the network written by hand."""
import numpy as np


def variants(job):
    if job.bn or job.adam or "_" in job.hidden:
        return
    f = {"logistic": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0),
         "linear": lambda z: z}
    d = {"logistic": lambda a: a * (1 - a), "tanh": lambda a: 1 - a * a, "relu": lambda a: a > 0,
         "linear": lambda a: np.float32(1)}
    params = [(w.T.copy(), b.copy()) for w, b in job.layers]
    n_layers = len(params)

    def forward(x):
        a = [x]
        for k, (w, b) in enumerate(params):
            a.append(f[job.act(k)](a[-1] @ w + b))
        return a

    def run(n):
        rate = np.float32(job.eta / job.batch)
        for _ in range(n):
            if not job.train:
                forward(job.next_rows())
                continue
            for i in range(0, job.rows, job.batch):
                a = forward(job.x[i:i + job.batch])
                g = (a[-1] - job.y[i:i + job.batch]) * d[job.output](a[-1])
                for k in range(n_layers - 1, -1, -1):
                    w, b = params[k]
                    back = (g @ w.T) * d[job.act(k - 1)](a[k]) if k else None
                    w -= rate * (a[k].T @ g)
                    b -= rate * g.sum(0)
                    g = back

    yield "numpy", run, lambda x: forward(x)[-1]
