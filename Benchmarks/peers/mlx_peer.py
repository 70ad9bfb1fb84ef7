"""MLX on the CPU."""
import numpy as np
from job import BETA1, BETA2, EPSILON


def variants(job):
    import mlx.core as mx
    import mlx.nn as nn
    import mlx.optimizers as optim
    mx.set_default_device(mx.cpu)
    act = {"logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
    if not job.train or job.hidden not in act or job.bn and not job.adam:
        return

    def build():
        parts, last = [], len(job.layers) - 1
        for k, (w, b) in enumerate(job.layers):
            linear = nn.Linear(w.shape[1], w.shape[0])
            linear.weight, linear.bias = mx.array(w), mx.array(b)
            parts.append(linear)
            if job.bn and k < last:
                parts.append(nn.BatchNorm(w.shape[0]))
            if job.act(k) in act:
                parts.append(act[job.act(k)]())
            if job.dropout and k < last:
                parts.append(nn.Dropout(job.dropout))
        return nn.Sequential(*parts)

    def loss_of(model):
        def loss(x, y):
            out = model(x)
            if job.cross_entropy:
                return -(y * (out - mx.logsumexp(out, axis=1, keepdims=True))).sum(1).mean()
            return 0.5 * mx.square(out - y).sum(1).mean()
        return loss

    X, Y = ([mx.array(a[i:i + job.batch]) for i in job.batches()] for a in (job.x, job.y))

    def variant(compiled):
        model = build()
        optimizer = optim.Adam(job.eta, [BETA1, BETA2], EPSILON, bias_correction=True) if job.adam else optim.SGD(job.eta)
        gradient = nn.value_and_grad(model, loss_of(model))
        state = [model.state, optimizer.state, mx.random.state]

        def step(x, y):
            loss, gradients = gradient(x, y)
            optimizer.update(model, gradients)
            return loss

        call = mx.compile(step, inputs=state, outputs=state) if compiled else step

        def run(n):
            for _ in range(n):
                for x, y in zip(X, Y):
                    mx.eval(call(x, y), state)

        def outputs(x):
            model.eval()
            out = model(mx.array(x))
            out = np.array(mx.softmax(out, axis=1) if job.cross_entropy else out)
            model.train()
            return out
        return run, outputs

    yield "eager", *variant(False)
    yield "compile", *variant(True)
