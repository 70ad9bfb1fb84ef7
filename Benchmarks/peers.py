"""The Python libraries, and libbackprop from Python, as workers of bench.py (protocol: worker.h).

    python3 peers.py PEER THREADS

Each peer is a function from a Job to its variants: (name, run, outputs), where
run(n) trains n epochs (or, for an inference job, answers n calls) and
outputs() gives the network's outputs for all rows.  Every variant starts from
the job's weights and does plain SGD on the mean squared error; the quickest
one is kept and the others' rates are reported beside it.
"""
import json
import os
import resource
import statistics
import sys
import time
import warnings

import numpy as np

THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 1


class Job:
    def __init__(self, words):
        self.name, self.kind = words[0], words[1]
        self.batch, self.eta = int(words[2]), float(words[4])
        self.hidden, self.output, self.bn = words[5], words[6], words[7] == "1"
        self.rows, data, self.size = int(words[8]), words[9], [int(w) for w in words[10:]]
        self.x = np.fromfile(data + "_x.f32", np.float32).reshape(self.rows, self.size[0])
        self.y = np.fromfile(data + "_y.f32", np.float32).reshape(self.rows, self.size[-1])
        flat, at, self.layers = np.fromfile(data + "_w.f32", np.float32), 0, []
        for i, o in zip(self.size, self.size[1:]):
            self.layers.append((flat[at:at + i * o].reshape(o, i), flat[at + i * o:at + i * o + o]))
            at += i * o + o
        # A mean over batch *and* outputs has 2 / outputs the gradient of "half the sum".
        self.mse_rate = self.eta * self.size[-1] / 2
        self.train = self.kind == "train"
        self.at = 0

    def next_rows(self):
        """The next batch of an inference job (a view)."""
        self.at = 0 if self.at + 2 * self.batch > self.rows else self.at + self.batch
        return self.x[self.at:self.at + self.batch]

    def act(self, layer):
        return self.hidden if layer < len(self.layers) - 1 else self.output


# ---- libbackprop, with an activation computed by NumPy ------------------------

def backprop_python_peer(job):
    if job.hidden != "softsign_numpy":
        return
    import ctypes
    import libbackprop as bp
    ctypes.CDLL(bp.library_path()).bp_set_thread_count(ctypes.c_size_t(THREADS))
    bp.activation.register_vector(job.hidden, lambda z: z / (1 + np.abs(z)), lambda z, a, da: da / np.square(1 + np.abs(z)))
    network = bp.Network(job.size)
    for k in range(len(job.layers)):
        network.set_activation(k + 1, job.act(k))
    network.parameters = np.concatenate([a.ravel() for layer in job.layers for a in layer])

    def run(n):
        for _ in range(n):
            for i in range(0, job.rows, job.batch):
                network.train_minibatch(job.x[i:i + job.batch], job.y[i:i + job.batch], job.eta / job.batch)

    yield "register_vector", run, lambda: network.predict(job.x)


# ---- NumPy: the network written by hand -------------------------------------

def numpy_peer(job):
    if job.bn or "_" in job.hidden:
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

    yield "numpy", run, lambda: forward(job.x)[-1]


# ---- scikit-learn ------------------------------------------------------------

def sklearn_peer(job):
    """MLPRegressor: its output is always linear, with half the squared error, so the loss
    is not comparable, and the rate is set low enough for it not to diverge."""
    from sklearn.neural_network import MLPRegressor
    if job.bn or job.hidden not in ("logistic", "tanh", "relu"):
        return
    y = job.y[:, 0] if job.y.shape[1] == 1 else job.y
    m = MLPRegressor(hidden_layer_sizes=job.size[1:-1], activation=job.hidden, solver="sgd", alpha=0,
                     batch_size=min(job.batch, job.rows), learning_rate_init=1e-4, momentum=0,
                     nesterovs_momentum=False, shuffle=False, tol=0, n_iter_no_change=10 ** 9, max_iter=1, warm_start=True)
    m.fit(job.x, y)
    m.coefs_ = [w.T.copy() for w, _ in job.layers]
    m.intercepts_ = [b.copy() for _, b in job.layers]

    def run(n):
        if job.train:
            m.max_iter = n
            m.fit(job.x, y)
        else:
            for _ in range(n):
                m.predict(job.next_rows())

    yield "MLPRegressor", run, lambda: m.predict(job.x).reshape(job.rows, -1)


# ---- PyTorch -----------------------------------------------------------------

def torch_peer(job):
    import torch
    from torch import nn
    import torch.nn.functional as F
    torch.set_num_threads(THREADS)
    torch._dynamo.config.cache_size_limit = 256
    X, Y = torch.from_numpy(job.x), torch.from_numpy(job.y)

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

    module = {"logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "linear": nn.Identity,
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
        return nn.Sequential(*parts)

    def outputs(model):
        model.eval()
        with torch.inference_mode():
            out = model(X).numpy().copy()
        model.train()
        return out

    if not job.train:
        def calls(model, mode):
            def run(n):
                with mode():
                    for _ in range(n):
                        model(torch.from_numpy(job.next_rows()))
            return run

        model = build().eval()
        yield "eager", calls(model, torch.inference_mode), lambda: outputs(model)
        traced = torch.jit.optimize_for_inference(torch.jit.trace(model, X[:job.batch]))
        yield "jit-trace", calls(traced, torch.inference_mode), lambda: outputs(model)
        torch._dynamo.reset()
        compiled = torch.compile(build().eval(), dynamic=False, options={"freezing": True})
        yield "compile-frozen", calls(compiled, torch.no_grad), lambda: outputs(model)
        return

    def epochs(step):
        def run(n):
            for _ in range(n):
                for i in range(0, job.rows, job.batch):
                    step(X[i:i + job.batch], Y[i:i + job.batch])
        return run

    def with_optimizer(compiled, **how):
        model = build()
        loss = nn.MSELoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=job.mse_rate, **how)
        call = torch.compile(model, dynamic=False) if compiled else model

        def step(x, y):
            optimizer.zero_grad()
            loss(call(x), y).backward()
            optimizer.step()
        return epochs(step), lambda: outputs(model)

    yield "eager-foreach", *with_optimizer(False, foreach=True)
    yield "eager-fused", *with_optimizer(False, fused=True)
    if job.hidden in ("softsign_numpy", "softsign_scalar"):
        return
    yield "compile-model-fused", *with_optimizer(True, fused=True)

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

    compiled = torch.compile(whole, dynamic=False)

    def step(x, y):
        with torch.no_grad():
            compiled(values, stats, x, y)
    yield "compile-step", epochs(step), lambda: outputs(model)


# ---- JAX ---------------------------------------------------------------------

def jax_peer(job):
    import jax
    import jax.numpy as jnp
    from functools import partial

    @jax.custom_vjp
    def own(z):
        return z / (1 + jnp.abs(z))
    own.defvjp(lambda z: (own(z), z), lambda z, g: (g / (1 + jnp.abs(z)) ** 2,))
    act = {"logistic": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu, "linear": lambda z: z,
           "softsign_ops": own}
    if job.hidden not in act:
        return

    def start():
        """Parameters (with batch norm: and the layer's gamma, beta) and running statistics."""
        params, stats = [], []
        for k, (w, b) in enumerate(job.layers):
            bn = job.bn and k < len(job.layers) - 1
            one, zero = np.ones_like(b), np.zeros_like(b)
            params.append((w.T.copy(), b, one, zero) if bn else (w.T.copy(), b))
            stats.append((zero, one) if bn else ())
        return jax.device_put((params, stats))

    def forward(params, stats, x, training):
        new = []
        for k, p in enumerate(params):
            z = x @ p[0] + p[1]
            if len(p) == 4:
                if training:
                    n, mean, var = z.shape[0], z.mean(0), z.var(0)
                    new.append((0.9 * stats[k][0] + 0.1 * mean, 0.9 * stats[k][1] + 0.1 * var * (n / (n - 1))))
                else:
                    mean, var = stats[k]
                z = (z - mean) * jax.lax.rsqrt(var + 1e-5) * p[2] + p[3]
            else:
                new.append(())
            x = act[job.act(k)](z)
        return x, new

    def loss(params, stats, x, y):
        out, stats = forward(params, stats, x, True)
        return jnp.mean((out - y) ** 2), stats

    def step(state, xy):
        params, stats = state
        grads, stats = jax.grad(loss, has_aux=True)(params, stats, *xy)
        return (jax.tree.map(lambda p, g: p - job.mse_rate * g, params, grads), stats), None

    infer = jax.jit(lambda state, x: forward(*state, x, False)[0])
    if not job.train:
        state = start()

        def run(n):
            for _ in range(n):
                np.asarray(infer(state, job.next_rows()))
        yield "jit", run, lambda: np.asarray(infer(state, job.x))
        return

    def variant(run_from):
        box = [start()]

        def run(n):
            box[0] = jax.block_until_ready(run_from(box[0], n))
        return run, lambda: np.asarray(infer(box[0], job.x))

    whole = job.rows // job.batch * job.batch
    X, Y = (jax.device_put(a[:whole].reshape(-1, job.batch, a.shape[1])) for a in (job.x, job.y))

    @partial(jax.jit, donate_argnums=0)
    def epochs(state, n):
        return jax.lax.fori_loop(0, n, lambda _, s: jax.lax.scan(step, s, (X, Y))[0], state)
    yield "jit-scan", *variant(epochs)

    one = jax.jit(lambda s, x, y: step(s, (x, y))[0], donate_argnums=0)

    def loop(state, n):
        for _ in range(n):
            for i in range(0, whole, job.batch):
                state = one(state, job.x[i:i + job.batch], job.y[i:i + job.batch])
        return state
    yield "jit-step", *variant(loop)


# ---- ONNX Runtime (inference) ------------------------------------------------

def onnxruntime_peer(job):
    if job.train:
        return
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    op = {"logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
    nodes, consts, name = [], [], "x"
    for k, (w, b) in enumerate(job.layers):
        consts += [numpy_helper.from_array(w, f"w{k}"), numpy_helper.from_array(b, f"b{k}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        nodes.append(helper.make_node(op[job.act(k)], [f"z{k}"], [f"a{k}"]))
        name = f"a{k}"
    graph = helper.make_graph(
        nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", job.size[0]])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", job.size[-1]])], consts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(n):
        for _ in range(n):
            session.run(None, {"x": job.next_rows()})
    yield "run", run, lambda: session.run(None, {"x": job.x})[0]


# ---- the protocol ------------------------------------------------------------

def measure(job, run, seconds):
    """(count, wall seconds, processor seconds, median microseconds of a call)"""
    before, start, count, n, calls = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter(), 0, 1, []
    if job.train:
        while True:
            t = time.perf_counter()
            run(n)
            count += n * job.rows
            now = time.perf_counter()
            if now - start >= seconds:
                break
            if now - t < 0.02:
                n *= 2
    else:
        t = time.perf_counter_ns()
        end = t + int(1e9 * seconds)
        while t < end:
            run(1)
            now = time.perf_counter_ns()
            calls.append(now - t)
            t = now
        count = len(calls) * job.batch
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return count, wall, cpu, statistics.median(calls) / 1e3 if calls else 0


def worker(peer):
    answer = os.fdopen(os.dup(1), "w", 1)  # what the libraries print goes to stderr
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    job = best = None
    for line in sys.stdin:
        words = line.split()
        if words[0] == "prep":
            job, variants, best = Job(words[1:]), [], None
            made = globals()[peer + "_peer"](job)
            while True:
                try:
                    name, run, outputs = next(made)
                    if job.train:
                        run(1)
                    loss = float(0.5 * np.square(np.asarray(outputs(), np.float64) - job.y).sum() / job.rows)
                    measure(job, run, 0.05)
                    variants.append([0, name, run, loss])
                except StopIteration:
                    break
                except Exception as error:  # this variant does not work here
                    print(peer, job.name, repr(error)[:300], file=sys.stderr)
                    if made.gi_frame is None:
                        break
            for _ in range(3 if len(variants) > 1 else 0):  # which is the quickest?
                for v in variants:
                    count, wall, cpu, _ = measure(job, v[2], 0.2)
                    v[0] = max(v[0], count / (cpu if THREADS == 1 else wall))
            best = max(variants, default=None, key=lambda v: v[0])
            others = json.dumps({v[1]: {"samples_per_s": float(f"{v[0]:.4g}"), "loss": float(f"{v[3]:.6g}")} for v in variants})
            answer.write(f"ok {best[3]:.9g} {best[1]} {others}\n" if best else "skip not provided\n")
        elif words[0] == "run":
            answer.write("%d %.9g %.9g %.6g\n" % measure(job, best[2], float(words[1])))


if __name__ == "__main__":
    worker(sys.argv[1])
