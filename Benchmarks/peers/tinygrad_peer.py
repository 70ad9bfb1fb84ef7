"""tinygrad on the CPU."""
from job import BETA1, BETA2, EPSILON


def variants(job):
    from tinygrad import Context, Tensor, TinyJit, nn
    act = {"logistic": Tensor.sigmoid, "tanh": Tensor.tanh, "relu": Tensor.relu, "linear": lambda z: z, "softmax": lambda z: z}
    if not job.train or job.bn or job.hidden not in act:
        return
    X, Y = ([Tensor(a[i:i + job.batch]).contiguous().realize() for i in job.batches()] for a in (job.x, job.y))
    params = [(Tensor(w.copy()).contiguous().realize(), Tensor(b.copy()).contiguous().realize()) for w, b in job.layers]
    flat = [p for layer in params for p in layer]
    optimizer = nn.optim.Adam(flat, job.eta, BETA1, BETA2, EPSILON) if job.adam else nn.optim.SGD(flat, job.eta)

    def forward(x):
        for k, (w, b) in enumerate(params):
            x = act[job.act(k)](x @ w.T + b)
        return x

    @TinyJit
    def step(x, y):
        optimizer.zero_grad()
        out = forward(x)
        if job.cross_entropy:
            loss = -(y * out.log_softmax()).sum(1).mean()
        else:
            loss = 0.5 * (out - y).square().sum(1).mean()
        loss.backward()
        return loss.realize(*optimizer.schedule_step())

    def run(n):
        with Context(TRAINING=1):
            for _ in range(n):
                for x, y in zip(X, Y):
                    step(x, y)
            flat[0].numpy()

    def outputs(x):
        out = forward(Tensor(x))
        return (out.softmax() if job.cross_entropy else out).numpy()
    yield "jit", run, outputs
