"""The methods: a function run(job, clock, **setting) for each, and the settings to choose from.

run trains job.split's training rows from job.start, calls clock.tick after each epoch or evaluation, and returns the parameters
if it ends by itself.
"""
import dataclasses
import itertools
import warnings
from typing import Callable

import numpy as np

FOREVER = 10**9


@dataclasses.dataclass(frozen=True)
class Method:
    name: str
    label: str
    package: str
    run: Callable
    settings: Callable  # of a problem: keyword arguments with their values
    order: int = 2  # 1: first-order
    least_squares: bool = False  # whether it minimizes squared errors of classifications, with linear outputs

    def grid(self, problem):
        names, values = zip(*self.settings(problem).items())
        return [dict(zip(names, each)) for each in itertools.product(*values)]

    def loss(self, problem):
        return "squared" if self.least_squares else problem.loss


class Job:
    def __init__(self, problem, split, start, loss):
        self.sizes, self.start, self.loss = problem.sizes, start, loss
        self.x, self.y = split.train
        self.rows = len(self.x)

    def layers(self):
        from network import Network
        return Network(self.sizes).layers(np.float64(self.start))


# ---- libbackprop ----

OURS = {"squared": ("identity", "squared_error"), "logistic": ("logistic", "binary_cross_entropy"),
        "softmax": ("softmax", "cross_entropy")}


def backprop(optimizer):
    def run(job, clock, batch=0, rate=0.001, **options):
        import libbackprop as bp
        bp.set_thread_count(1)
        output, loss = OURS[job.loss]
        network = bp.Network(job.sizes, activation="tanh", output=output, loss=loss, optimizer=optimizer,
                             gradient_reduction="mean", **options)
        network.parameters = job.start
        # Epochs of a second-order optimizer without a lower loss: it has converged.
        patience = 0 if optimizer == "adam" else 30
        trainer = bp.Trainer(epochs=FOREVER, batch_size=batch, learning_rate=rate, patience=patience, seed=1)
        try:
            trainer.fit(network, np.float32(job.x), np.float32(job.y), progress=lambda now: clock.tick(lambda: network.parameters))
        except bp.Error as error:  # no longer finite
            if "finite" not in str(error):
                raise
        return network.parameters
    return run


# ---- scikit-learn ----

def sklearn(solver):
    def run(job, clock, batch=0, rate=0.001, weight_decay=0):
        from sklearn import neural_network
        base = neural_network.MLPRegressor if job.loss == "squared" else neural_network.MLPClassifier

        class Clocked(base):
            def parameters(self):
                return np.concatenate([a.ravel() for w, b in zip(self.coefs_, self.intercepts_) for a in (w.T, b)])

            def _update_no_improvement_count(self, *arguments):  # after each epoch
                clock.tick(self.parameters)

            def _loss_grad_lbfgs(self, *arguments):  # each evaluation
                found = super()._loss_grad_lbfgs(*arguments)
                clock.tick(self.parameters)
                return found

        size = batch or job.rows
        # alpha is divided by the rows of a minibatch.
        model = Clocked(hidden_layer_sizes=job.sizes[1:-1], activation="tanh", solver=solver, batch_size=size, learning_rate_init=rate,
                        alpha=weight_decay * size, tol=0, max_iter=FOREVER, max_fun=FOREVER, warm_start=True, random_state=1)
        y = job.y.argmax(1) if job.y.shape[1] > 1 else job.y[:, 0]
        warnings.simplefilter("ignore")  # one iteration does not converge
        first = base(hidden_layer_sizes=job.sizes[1:-1], max_iter=1).fit(job.x, y)  # sets what a warm start needs
        model.__dict__.update({k: v for k, v in vars(first).items() if k.endswith("_") or k.startswith("_")})
        model._optimizer = None
        model.coefs_ = [w.T.copy() for w, _ in job.layers()]
        model.intercepts_ = [b.copy() for _, b in job.layers()]
        clock.restart()
        while True:  # lbfgs ends by SciPy's ftol, which scikit-learn does not let us set: begin again
            model.fit(job.x, y)
            if model.n_iter_ <= 1:
                return model.parameters()
    return run


# ---- PyTorch ----

def torch(optimizer):
    def run(job, clock, batch=0, rate=1, weight_decay=0, **options):
        import torch
        torch.set_num_threads(1)
        functional = torch.nn.functional
        x, y = torch.from_numpy(job.x), torch.from_numpy(job.y)
        parameters = [torch.from_numpy(a.copy()).requires_grad_() for layer in job.layers() for a in layer]
        weights = parameters[::2]

        def loss(x, y):
            for k in range(0, len(parameters), 2):
                x = functional.linear(x, parameters[k], parameters[k + 1])
                if k + 2 < len(parameters):
                    x = torch.tanh(x)
            if job.loss == "squared":
                return 0.5 * functional.mse_loss(x, y, reduction="sum") / len(x)
            if job.loss == "logistic":
                return functional.binary_cross_entropy_with_logits(x, y)
            return functional.cross_entropy(x, y)

        def flat():
            return np.concatenate([p.detach().numpy().ravel() for p in parameters])

        if optimizer == "adam":
            groups = [dict(params=weights, weight_decay=weight_decay), dict(params=parameters[1::2])]
            adam, size = torch.optim.Adam(groups, lr=rate, fused=True), batch or job.rows
            random = torch.Generator().manual_seed(1)
            while True:
                for rows in torch.randperm(job.rows, generator=random).split(size) if batch else [slice(None)]:
                    adam.zero_grad()
                    loss(x[rows], y[rows]).backward()
                    adam.step()
                clock.tick(flat)
        lbfgs = torch.optim.LBFGS(parameters, lr=rate, max_iter=FOREVER, max_eval=FOREVER, tolerance_grad=0,
                                  tolerance_change=0, line_search_fn="strong_wolfe", **options)

        def closure():
            lbfgs.zero_grad()
            value = loss(x, y)
            if weight_decay:
                value = value + 0.5 * weight_decay * sum(w.square().sum() for w in weights)
            value.backward()
            clock.tick(flat)
            return value
        lbfgs.step(closure)
        return flat()
    return run


# ---- SciPy ----

def scipy_lm(job, clock, weight_decay=0, **options):
    from network import Network
    from scipy.optimize import least_squares
    network, latest = Network(job.sizes), {}
    is_weight = np.concatenate([np.full(a.size, a.ndim == 2) for layer in job.layers() for a in layer])
    root = (weight_decay * job.rows) ** 0.5 * is_weight  # the objective is half the sum of squares
    penalty = np.diag(root)[is_weight] if weight_decay else np.empty((0, len(root)))

    def residuals(p):
        clock.tick(lambda: p)
        latest["parameters"], latest["activations"] = p.copy(), network.activations(p, job.x)
        return np.concatenate([(latest["activations"][-1] - job.y).ravel(), penalty @ p])

    def jacobian(p):
        if not np.array_equal(p, latest["parameters"]):
            residuals(p)
        found = network.jacobian(p, latest["activations"])
        return np.concatenate([found.reshape(-1, len(p)), penalty])
    # MINPACK: no tolerance, so that it ends where rounding ends it.
    found = least_squares(residuals, np.float64(job.start), jacobian, method="lm", ftol=1e-15, xtol=1e-15, gtol=1e-15,
                          max_nfev=FOREVER, **options)
    return found.x


# ---- Settings ----

def decays(problem):
    return {} if problem.kind == "smooth" else {"weight_decay": [0, 1e-3, 1e-2]}


def adam(problem):
    return {"rate": [0.003, 0.01, 0.03, 0.1], "batch": [32, 0] if problem.kind == "smooth" else [32], **decays(problem)}


def adding(**values):
    return lambda problem: {**values, **decays(problem)}


METHODS = [
    Method("backprop_adam", "libbackprop adam", "libbackprop", backprop("adam"), adam, order=1),
    Method("backprop_lbfgs", "libbackprop lbfgs", "libbackprop", backprop("lbfgs"), adding(lbfgs_history=[10, 30])),
    Method("backprop_lm", "libbackprop levenberg_marquardt", "libbackprop", backprop("levenberg_marquardt"),
           adding(damping=[1e-3, 1])),
    Method("backprop_br", "libbackprop bayesian_regularization", "libbackprop", backprop("bayesian_regularization"),
           lambda problem: {"damping": [1e-3, 1]}, least_squares=True),
    Method("sklearn_adam", "scikit-learn adam", "sklearn", sklearn("adam"), adam, order=1),
    Method("sklearn_lbfgs", "scikit-learn lbfgs", "sklearn", sklearn("lbfgs"), adding(batch=[0])),
    Method("torch_adam", "PyTorch Adam", "torch", torch("adam"), adam, order=1),
    Method("torch_lbfgs", "PyTorch LBFGS", "torch", torch("lbfgs"), adding(history_size=[10, 100])),
    Method("scipy_lm", "SciPy least_squares lm", "scipy", scipy_lm, adding(x_scale=[1.0, "jac"]), least_squares=True),
]


def available():
    """The methods whose packages are installed, and the packages that are missing."""
    found, missing = [], []
    for method in METHODS:
        try:
            __import__(method.package)
            found.append(method)
        except ImportError as error:
            missing.append(f"{method.label}: {error}")
    return found, missing
