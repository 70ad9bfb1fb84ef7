"""PyTorch."""
import numpy as np
from job import THREADS, BETA1, BETA2, EPSILON


def variants(job):
    import torch
    from torch import nn
    import torch.nn.functional as F
    torch.set_num_threads(THREADS)
    X, Y = torch.from_numpy(job.x), torch.from_numpy(job.y)

    def compile(function, **how):
        torch._dynamo.config.cache_size_limit = 256
        return torch.compile(function, dynamic=False, **how)

    def half_squares(outputs, targets):
        return 0.5 * ((outputs - targets) ** 2).sum(1).mean()

    class SoftsignOps(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z / (1 + z.abs())

        @staticmethod
        def backward(ctx, g):
            z, = ctx.saved_tensors
            return g / (1 + z.abs()) ** 2

    class SoftsignNumpy(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            z = z.numpy()
            return torch.from_numpy(z / (1 + np.abs(z)))

        @staticmethod
        def backward(ctx, g):
            z = ctx.saved_tensors[0].numpy()
            return torch.from_numpy(g.numpy() / np.square(1 + np.abs(z)))

    class SoftsignScalar(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z.clone().apply_(lambda v: v / (1 + abs(v)))

        @staticmethod
        def backward(ctx, g):
            z, = ctx.saved_tensors
            return g * z.clone().apply_(lambda v: 1 / (1 + abs(v)) ** 2)

    class Own(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, z):
            return self.function.apply(z)

    module = {"logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "linear": nn.Identity, "softmax": nn.Identity,
              "softsign_ops": lambda: Own(SoftsignOps), "softsign_numpy": lambda: Own(SoftsignNumpy),
              "softsign_scalar": lambda: Own(SoftsignScalar)}

    def build():
        parts = []
        for k, (w, b) in enumerate(job.layers):
            linear = nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.copy_(torch.from_numpy(b))
            parts.append(linear)
            if job.bn and k < len(job.layers) - 1:
                parts.append(nn.BatchNorm1d(w.shape[0]))
            parts.append(module[job.act(k)]())
            if job.dropout and k < len(job.layers) - 1:
                parts.append(nn.Dropout(job.dropout))
        return nn.Sequential(*parts)

    def outputs_of(model):
        def outputs(x):
            model.eval()
            with torch.inference_mode():
                out = model(torch.from_numpy(x))
                out = (torch.softmax(out, 1) if job.cross_entropy else out).numpy().copy()
            model.train()
            return out
        return outputs

    if not job.train:
        def calls(model, mode):
            def run(n):
                with mode():
                    for _ in range(n):
                        model(torch.from_numpy(job.next_rows()))
            return run

        model = build().eval()
        yield "eager", calls(model, torch.inference_mode), outputs_of(model)
        traced = torch.jit.optimize_for_inference(torch.jit.trace(model, X[:job.batch]))
        yield "jit-trace", calls(traced, torch.inference_mode), outputs_of(model)
        torch._dynamo.reset()
        compiled = compile(build().eval(), options={"freezing": True})
        yield "compile-frozen", calls(compiled, torch.no_grad), outputs_of(model)
        return

    def epochs(step):
        def run(n):
            for _ in range(n):
                for i in range(0, job.rows, job.batch):
                    step(X[i:i + job.batch], Y[i:i + job.batch])
        return run

    def with_optimizer(compiled, **how):
        model = build()
        if job.adam:
            loss = F.cross_entropy if job.cross_entropy else half_squares
            optimizer = torch.optim.Adam(model.parameters(), lr=job.eta, betas=(BETA1, BETA2), eps=EPSILON, **how)
        else:
            loss = nn.MSELoss()
            optimizer = torch.optim.SGD(model.parameters(), lr=job.mse_rate, **how)
        def loss_of_rows(x, y):
            return loss(model(x), y)
        call = compile(loss_of_rows) if compiled else loss_of_rows

        def step(x, y):
            optimizer.zero_grad()
            call(x, y).backward()
            optimizer.step()
        return epochs(step), outputs_of(model)

    if not job.adam:
        yield "eager-foreach", *with_optimizer(False, foreach=True)
    yield "eager-fused", *with_optimizer(False, fused=True)
    if job.hidden in ("softsign_numpy", "softsign_scalar"):
        return
    yield "compile-loss-fused", *with_optimizer(True, fused=True)

    if job.adam:
        return

    # The whole step as one compiled function of the parameters (and the running statistics).
    model = build()
    for m in model:
        if job.bn and isinstance(m, nn.BatchNorm1d):
            m.num_batches_tracked = None
    names, values = [k for k, _ in model.named_parameters()], [p.detach() for p in model.parameters()]
    kept, stats = [k for k, _ in model.named_buffers()], list(model.buffers())
    rate = job.mse_rate

    def loss_of(values, stats, x, y):
        stats = [s.clone() for s in stats]
        state = {**dict(zip(names, values)), **dict(zip(kept, stats))}
        return F.mse_loss(torch.func.functional_call(model, state, (x,)), y), stats

    def whole(values, stats, x, y):
        grads, new = torch.func.grad(loss_of, has_aux=True)(values, stats, x, y)
        for p, g in zip(values, grads):
            p.sub_(g, alpha=rate)
        for s, n in zip(stats, new):
            s.copy_(n)

    compiled = compile(whole)

    def step(x, y):
        with torch.no_grad():
            compiled(values, stats, x, y)
    yield "compile-step", epochs(step), outputs_of(model)
