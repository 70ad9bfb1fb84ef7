"""libbackprop from Python: with an activation computed by NumPy, and its fit beside a loop in Python."""
import numpy as np
from job import THREADS


def variants(job):
    if job.hidden != "softsign_numpy" and not job.adam:
        return
    import libbackprop as bp
    bp.set_thread_count(THREADS)
    if not job.adam:
        bp.activation.register_vector(job.hidden, lambda z: z / (1 + np.abs(z)), lambda z, a, da: da / np.square(1 + np.abs(z)))

    def network():
        made = bp.Network(job.size)
        for k in range(len(job.layers)):
            made.set_activation(k + 1, "identity" if job.act(k) == "linear" else job.act(k))
        made.parameters = np.concatenate([a.ravel() for layer in job.layers for a in layer])
        for k in range(1, len(job.layers)):
            if job.bn:
                made.set_batchnorm(k)
            if job.dropout:
                made.set_dropout(k, job.dropout)
        if job.adam:
            made.set_loss("cross_entropy" if job.cross_entropy else "squared_error")
            made.set_optimizer("adam")
            made.set_option("gradient_reduction", 1)
        return made

    looped, rate = network(), job.eta if job.adam else job.eta / job.batch

    def loop(n):
        for _ in range(n):
            for i in job.batches():
                looped.train_minibatch(job.x[i:i + job.batch], job.y[i:i + job.batch], rate)

    yield "train_minibatch" if job.adam else "register_vector", loop, looped.predict
    if job.adam:
        fitted = network()

        def fit(n):
            bp.Trainer(epochs=n, batch_size=job.batch, learning_rate=job.eta, drop_last=1).fit(fitted, job.x, job.y)
        yield "fit", fit, fitted.predict
