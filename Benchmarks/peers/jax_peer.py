"""JAX."""
import numpy as np
from job import BETA1, BETA2, EPSILON


def variants(job):
    import jax
    import jax.numpy as jnp
    from functools import partial

    @jax.custom_vjp
    def own(z):
        return z / (1 + jnp.abs(z))
    own.defvjp(lambda z: (own(z), z), lambda z, g: (g / (1 + jnp.abs(z)) ** 2,))
    act = {"logistic": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu, "linear": lambda z: z,
           "softmax": lambda z: z, "softsign_ops": own}
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
        zeros = [[np.zeros_like(p) for p in layer] for layer in params] if job.adam else ()
        moments = [[tuple(layer) for layer in zeros] for _ in range(2)]
        return jax.device_put((params, stats, *moments, np.float32(0), jax.random.PRNGKey(0)))

    def forward(params, stats, x, key=None):
        """With a key: in training."""
        new, training = [], key is not None
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
            if training and job.dropout and k < len(params) - 1:
                key, now = jax.random.split(key)
                x = x * jax.random.bernoulli(now, 1 - job.dropout, x.shape) / (1 - job.dropout)
        return x, new

    def loss(params, stats, x, y, key):
        out, stats = forward(params, stats, x, key)
        if job.cross_entropy:
            return -(y * jax.nn.log_softmax(out)).sum(1).mean(), stats
        return (0.5 * ((out - y) ** 2).sum(1).mean() if job.adam else jnp.mean((out - y) ** 2)), stats

    def step(state, xy):
        params, stats, m, v, t, key = state
        key, now = jax.random.split(key) if job.dropout else (key, key)
        grads, stats = jax.grad(loss, has_aux=True)(params, stats, *xy, now)
        if job.adam:
            t = t + 1
            m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, grads)
            v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, grads)
            rate, scale = job.eta / (1 - BETA1 ** t), 1 / jnp.sqrt(1 - BETA2 ** t)
            params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * scale + EPSILON), params, m, v)
        else:
            params = jax.tree.map(lambda p, g: p - job.mse_rate * g, params, grads)
        return (params, stats, m, v, t, key), None

    def infer_rows(state, x):
        out = forward(*state[:2], x)[0]
        return jax.nn.softmax(out) if job.cross_entropy else out
    infer = jax.jit(infer_rows)
    if not job.train:
        state = start()

        def run(n):
            for _ in range(n):
                np.asarray(infer(state, job.next_rows()))
        yield "jit", run, lambda x: np.asarray(infer(state, x))
        return

    def variant(run_from):
        box = [start()]

        def run(n):
            box[0] = jax.block_until_ready(run_from(box[0], n))
        return run, lambda x: np.asarray(infer(box[0], x))

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
