"""Estimators for scikit-learn: `BackpropClassifier` and `BackpropRegressor`.

They take the place of `MLPClassifier` and `MLPRegressor`. Parameters of the same name have the same meaning. `from_sklearn`
and `to_sklearn` convert fitted estimators. This module needs the extra "sklearn".

>>> from sklearn.datasets import load_digits
>>> from sklearn.model_selection import train_test_split
>>> from libbackprop.sklearn import BackpropClassifier
>>> x, y = load_digits(return_X_y=True)
>>> x, x_test, y, y_test = train_test_split(x / 16, y, random_state=0)
>>> classifier = BackpropClassifier(hidden_layer_sizes=(64,), max_iter=50, tol=0, learning_rate_init=0.003, random_state=0)
>>> classifier.fit(x, y).score(x_test, y_test) > 0.95
True
"""
from __future__ import annotations

import copy
import math
import numbers
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import activation as activations
from ._arguments import Array, floats
from ._call import texts_of
from ._extras import required
from ._layers import Stack
from ._library import library
from ._untyped import Untyped
from .errors import UnknownNameError
from .network import Network
from .option import options
from .trainer import Progress, Trainer

_base: Any = required("sklearn.base", "sklearn")
_exceptions: Any = required("sklearn.exceptions", "sklearn")
_metrics: Any = required("sklearn.metrics", "sklearn")
_multiclass: Any = required("sklearn.utils.multiclass", "sklearn")
_neural: Any = required("sklearn.neural_network", "sklearn")
_preprocessing: Any = required("sklearn.preprocessing", "sklearn")
_selection: Any = required("sklearn.model_selection", "sklearn")
_utils: Any = required("sklearn.utils", "sklearn")
_validation: Any = required("sklearn.utils.validation", "sklearn")

if TYPE_CHECKING:
    class _Estimator(Untyped):
        def __sklearn_tags__(self) -> Any: ...

    class _ClassifierMixin(Untyped): ...

    class _RegressorMixin(Untyped): ...
else:
    _Estimator, _ClassifierMixin, _RegressorMixin = _base.BaseEstimator, _base.ClassifierMixin, _base.RegressorMixin

__all__ = ["BackpropClassifier", "BackpropRegressor", "from_sklearn", "to_sklearn"]

_Self = TypeVar("_Self", bound="_Backprop")
_ClassWeight = Union[Mapping[Any, float], str, None]
_SIZES = "an integer or a sequence of integers, each 1 or more"
_SECOND_ORDER = ("lbfgs", "levenberg_marquardt", "bayesian_regularization")


class _Backprop(_Estimator):
    """The common part of the two estimators."""

    network_: Network
    n_iter_: int
    t_: int
    loss_: float
    best_loss_: Optional[float]
    loss_curve_: list[float]
    validation_scores_: Optional[list[float]]
    best_validation_score_: Optional[float]

    # The parameters, which the constructors of the subclasses store
    hidden_layer_sizes: Union[int, Sequence[int]]
    activation: Union[str, activations.Activation]
    solver: str
    alpha: float
    batch_size: Union[int, str]
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: Union[int, float]
    batchnorm: bool
    dropout: float
    scaling: str
    initialization: str

    # Fitted attributes, as those of MLPClassifier

    @property
    def coefs_(self) -> list[Array]:
        """The weights, one array of shape (inputs, outputs) for each layer."""
        return [self._network.tensors[f"layers.{layer}.weight"].T for layer in range(1, self.n_layers_)]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases, one array of shape (outputs,) for each layer."""
        return [self._network.tensors[f"layers.{layer}.bias"] for layer in range(1, self.n_layers_)]

    @property
    def n_layers_(self) -> int:
        """The number of layers, with the inputs."""
        return len(self._network.layers)

    @property
    def n_outputs_(self) -> int:
        """The number of outputs of the network: 1 for two classes."""
        return self._network.layers[-1]

    @property
    def out_activation_(self) -> str:
        """The activation of the last layer."""
        return self._network.activations[-1]

    @property
    def _network(self) -> Network:
        _validation.check_is_fitted(self, "network_")
        return self.network_

    # What the subclasses define

    def _output(self) -> tuple[str, str]:
        """The activation of the last layer and the loss."""
        raise NotImplementedError

    def _encoded(self, y: NDArray[Any]) -> Array:
        """Validated targets as those of the network, shape (rows, outputs)."""
        raise NotImplementedError

    def _decoded(self, outputs: Array) -> NDArray[Any]:
        """Predictions from the outputs of the network."""
        raise NotImplementedError

    def _validation_score(self, y: NDArray[Any], predictions: NDArray[Any], sample_weight: Optional[Array]) -> float:
        raise NotImplementedError

    # Parameters

    def _store(self, parameters: dict[str, Any]) -> None:
        """Stores the parameters of a constructor, from its locals()."""
        for name, value in parameters.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def _check_parameters(self) -> None:
        """Checks what the library does not check itself. ValueError or TypeError that names the parameter."""
        solvers = ["adam", "sgd", *(name for name in texts_of(library.bp_optimizer_name) if name not in ("adam", "sgd"))]
        if self.solver not in solvers:
            raise ValueError(f"solver: expected one of {', '.join(map(repr, solvers))}, got {self.solver!r}")
        initializations = next(each.choices for each in options() if each.name == "initialization")
        for name, choices in (("learning_rate", ("constant", "invscaling", "adaptive")), ("initialization", initializations),
                              ("scaling", ("none", *texts_of(library.bp_scaling_name)))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: expected one of {', '.join(map(repr, dict.fromkeys(choices)))}, "
                                 f"got {getattr(self, name)!r}")
        real, integral = numbers.Real, numbers.Integral
        for name, kind, least in (("alpha", real, 0), ("learning_rate_init", real, 0), ("power_t", real, 0), ("tol", real, 0),
                                  ("max_iter", integral, 1), ("n_iter_no_change", real, 1), ("dropout", real, 0)):
            _utils.check_scalar(getattr(self, name), name, kind, min_val=least)
        if self.batch_size != "auto":
            _utils.check_scalar(self.batch_size, "batch_size", integral, min_val=1)
        _utils.check_scalar(self.validation_fraction, "validation_fraction", real, min_val=0, max_val=1,
                            include_boundaries="left")
        try:
            activations.kind(self.activation)
        except UnknownNameError as error:
            raise UnknownNameError(f"activation: {error}. Worker processes register the Python functions of a custom activation "
                                   "if its Activation object is passed, and do not know its name alone", error.status) from None

    def _hidden(self) -> list[int]:
        sizes: Any = self.hidden_layer_sizes
        if isinstance(sizes, numbers.Integral):
            sizes = [sizes]
        try:
            sizes = list(sizes)
        except TypeError:
            raise TypeError(f"hidden_layer_sizes: expected {_SIZES}, got {sizes!r}") from None
        if not all(isinstance(size, numbers.Integral) and int(size) > 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes: expected {_SIZES}, got {self.hidden_layer_sizes!r}")
        return [int(size) for size in sizes]

    def _optimizer(self) -> str:
        if self.solver != "sgd":
            return self.solver
        return "sgd" if self.momentum == 0 else "nesterov" if self.nesterovs_momentum else "momentum"

    def _new_network(self, inputs: int, outputs: int) -> Network:
        last, loss = self._output()
        hidden = self._hidden()
        network = Network([inputs, *hidden, outputs])
        for layer in range(1, len(hidden) + 1):
            network.set_activation(layer, self.activation)
        network.set_activation(len(hidden) + 1, last)
        network.set_loss(loss)
        network.set_option("gradient_reduction", "mean")
        network.set_option("initialization", self.initialization)
        if self.initialization == "glorot":
            self._initialize_as_mlp(network)
        else:
            network.initialize(self._random_state.randint(1 << 31))
        return network

    def _initialize_as_mlp(self, network: Network) -> None:
        """Draws the weights and biases that MLPClassifier and MLPRegressor draw from the same random state."""
        factor = 2 if activations.name_of(self.activation) == b"logistic" else 6
        for layer, (fan_in, fan_out) in enumerate(zip(network.layers, network.layers[1:]), 1):
            bound = math.sqrt(factor / (fan_in + fan_out))
            weight = self._random_state.uniform(-bound, bound, (fan_in, fan_out))
            _set_layer(network, layer, weight, self._random_state.uniform(-bound, bound, fan_out))

    def _configure(self, network: Network, weight_decay: float) -> None:
        """Sets what can differ from one fit of the same network to the next."""
        for layer in range(1, len(network.layers) - 1):
            network.set_activation(layer, self.activation)
            network.set_batchnorm(layer, self.batchnorm)
            network.set_dropout(layer, self.dropout)
        optimizer = self._optimizer()
        if network.optimizer != optimizer:
            network.set_optimizer(optimizer)
        settings = {"weight_decay": weight_decay, "epsilon": self.epsilon, "beta1": self.beta_1, "beta2": self.beta_2}
        if optimizer in ("momentum", "nesterov"):
            settings["momentum"] = self.momentum
        for option, value in settings.items():
            network.set_option(option, value)

    # Training

    def _starts(self, incremental: bool) -> bool:
        """Whether a call of fit or partial_fit starts with a new network."""
        return not hasattr(self, "network_") or not (self.warm_start or incremental)

    def _start(self, inputs: int, outputs: int) -> None:
        self._random_state = _utils.check_random_state(self.random_state)
        self.network_ = self._new_network(inputs, outputs)
        self.t_, self.loss_curve_ = 0, []
        self._no_improvement = 0  # number of consecutive epochs
        self._least_loss, self._best_score = math.inf, -math.inf
        self._scores: list[float] = []

    def _rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        x, y = _validation.validate_data(self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=np.float32, order="C",
                                         y_numeric=_base.is_regressor(self), reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = _validation.column_or_1d(y, warn=True)
        return x.toarray() if hasattr(x, "toarray") else x, y

    def _fit(self, x: Array, y: NDArray[Any], weights: Optional[Array], *, incremental: bool) -> None:
        """Trains on validated rows. `y` are the targets of the caller."""
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if incremental and self.scaling != "none":
            raise ValueError("partial_fit does not support scaling: scale the rows before the call")
        targets = self._encoded(y)
        if self._starts(incremental):
            self._start(x.shape[1], targets.shape[1])
            if self.scaling != "none":
                self.network_.fit_scaling(x, targets, input_scaling=self.scaling)
        elif not incremental:
            needed = (x.shape[1], *self._hidden(), targets.shape[1])
            if self.network_.layers != needed:
                raise ValueError(f"warm_start: the network has layers {self.network_.layers}, parameters and data need {needed}")
            self.network_.set_optimizer(self._optimizer())  # resets its state
        if not (incremental and hasattr(self, "_rate")):
            self._rate = float(self.learning_rate_init)  # of "invscaling" and "adaptive"
        held_out = None
        if self.early_stopping:
            stratify = y if _base.is_classifier(self) and y.ndim == 1 else None
            kept, others = _selection.train_test_split(np.arange(len(x)), test_size=self.validation_fraction, stratify=stratify,
                                                       random_state=self._random_state)
            if len(others) < 2:
                raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
            held_out = x[others], y[others], None if weights is None else weights[others]
            x, targets, weights = x[kept], targets[kept], None if weights is None else weights[kept]
        if weights is not None:
            used = weights > 0  # rows of weight 0 have no effect on batch sizes and normalization
            if not used.any():
                raise ValueError("sample_weight: all weights of the training rows are zero")
            x, targets, weights = x[used], targets[used], weights[used]
        rows = len(x)
        batch = self._batch_size(rows)
        if batch == rows <= 200 and not self.batchnorm and not self.dropout:
            x, targets, weights = _merged(x, targets, weights)
            batch = len(x)
        average = 1.0
        if weights is not None:
            average = float(weights.mean(dtype=float))
            weights = (weights / average).astype(np.float32)
        decay = 0 if self.solver == "bayesian_regularization" else self.alpha / (batch * average)
        self._configure(self.network_, decay)
        self._run(x, targets, weights, batch, rows, decay, held_out, incremental)

    def _batch_size(self, rows: int) -> int:
        if self.solver in _SECOND_ORDER:
            return rows
        if self.batch_size == "auto":
            return min(200, rows)
        size = int(self.batch_size)
        if size > rows:
            warnings.warn(f"batch_size={size} is larger than the number of rows, {rows}, which is used instead", stacklevel=5)
        return min(size, rows)

    def _next_rate(self) -> float:
        return self._rate if self.solver == "sgd" and self.learning_rate != "constant" else float(self.learning_rate_init)

    def _run(self, x: Array, targets: Array, weights: Optional[Array], batch: int, rows: int, decay: float,
             held_out: Any, incremental: bool) -> None:
        """Trains network_ until the rule of MLPClassifier ends it: one fit for each learning rate."""
        network = self.network_
        epochs = 1 if incremental else int(self.max_iter)
        columns = targets.shape[1] if _base.is_regressor(self) else 1  # the losses of MLPRegressor are means over outputs
        decayed = _weights_of(network) if decay else None
        best: Optional[Network] = None
        ended = False

        def epoch_ended(loss: float) -> None:
            nonlocal best, ended
            self.n_iter_ += 1
            self.t_ += rows
            self.loss_ = loss / columns
            if decayed is not None:
                self.loss_ += decay / 2 * float(np.square(network.parameters[decayed]).sum(dtype=float))
            self.loss_curve_.append(self.loss_)
            if self.verbose:
                print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
            if held_out is None:
                improved = self.loss_ <= self._least_loss - self.tol
                self._least_loss = min(self._least_loss, self.loss_)
            else:
                score = self._validation_score(held_out[1], self._decoded(network.predict(held_out[0])), held_out[2])
                if self.verbose:
                    print(f"Validation score: {score:f}")
                self._scores.append(score)
                improved = score >= self._best_score + self.tol
                if score > self._best_score:
                    self._best_score, best = score, network.clone()
            if self.learning_rate == "invscaling":
                self._rate = float(self.learning_rate_init) / (self.t_ + 1) ** self.power_t
            self._no_improvement = 0 if improved else self._no_improvement + 1
            if self._no_improvement > self.n_iter_no_change:
                ended = not (self.solver == "sgd" and self.learning_rate == "adaptive" and self._rate > 1e-6)
                if not ended:
                    self._rate /= 5
                    self._no_improvement = 0

        self.n_iter_ = 0
        while not ended and self.n_iter_ < epochs:
            rate = self._next_rate()

            def progress(report: Progress, rate: float = rate) -> bool:
                if report.epoch_ended:
                    epoch_ended(report.loss)
                return ended or self._next_rate() != rate

            trainer = Trainer(epochs=epochs - self.n_iter_, batch_size=batch, learning_rate=rate, keep="latest",
                              seed=self._random_state.randint(1 << 31))
            if self.shuffle or self.solver in _SECOND_ORDER:
                trainer.fit(network, x, targets, sample_weight=weights, progress=progress)
            else:
                trainer.fit_stream(network, [(x, targets) if weights is None else (x, targets, weights)], progress=progress)
        if best is not None:
            self.network_ = best
        self.best_loss_ = None if self.early_stopping else self._least_loss
        self.validation_scores_ = self._scores if self.early_stopping else None
        self.best_validation_score_ = self._best_score if self.early_stopping else None
        if not ended and not incremental:
            warnings.warn(f"Maximum iterations ({epochs}) reached and the optimization hasn't converged yet.",
                          _exceptions.ConvergenceWarning, stacklevel=5)

    # Use

    def _outputs(self, X: Any) -> Array:
        """The outputs of the network for rows of the caller, float32, shape (rows, outputs)."""
        network = self._network
        x = _validation.validate_data(self, X, accept_sparse=["csr", "csc"], dtype=np.float32, order="C", reset=False)
        return network.predict(x.toarray() if hasattr(x, "toarray") else x)

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict classes or numbers.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, features)
            The rows.

        Returns
        -------
        numpy.ndarray
            The predictions, of shape (rows,) or (rows, outputs).
        """
        return self._decoded(self._outputs(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class BackpropClassifier(_ClassifierMixin, _Backprop):
    """A classifier: a multilayer network, trained by backpropagation.

    Parameters of the same name have the same meaning and default as in `sklearn.neural_network.MLPClassifier`. Its parameter
    `max_fun` does not exist here.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        The sizes of the hidden layers.
    activation : str or libbackprop.activation.Activation
        The activation of the hidden layers: a name of `libbackprop.activation.names()`, or a custom activation. Worker
        processes register the Activation of a Python function. They do not know the name alone.
    solver : str
        "adam"; "sgd" with `momentum`; or another name of `libbackprop.optimizer_names()`. "lbfgs", "levenberg_marquardt" and
        "bayesian_regularization" ignore `batch_size`, `learning_rate_init` and `shuffle`: an epoch is an iteration on all rows.
    alpha : float
        The strength of the L2 regularization, which is divided by the number of rows of a minibatch. Solver
        "bayesian_regularization" estimates it instead.
    batch_size : int or "auto"
        The rows of a minibatch. "auto" is min(200, rows).
    learning_rate : str
        "constant"; or with solver "sgd", "invscaling" or "adaptive". Other solvers ignore it. When the rate falls, the momentum
        of earlier steps falls, too, as in PyTorch.
    learning_rate_init : float
        The (first) learning rate.
    power_t : float
        The exponent of "invscaling". Otherwise ignored.
    max_iter : int
        The largest number of epochs.
    shuffle : bool
        Whether each epoch has another order of the rows.
    random_state : int, numpy.random.RandomState or None
        Seeds weights, row order and validation split.
    tol : float
        The training ends when loss or validation score did not improve by this much in more than `n_iter_no_change`
        consecutive epochs.
    verbose : bool
        Whether to print the loss of each epoch.
    warm_start : bool
        Whether `fit` continues with the network of the previous call.
    momentum, nesterovs_momentum : float, bool
        The momentum of solver "sgd", and whether it is Nesterov's. Other solvers of this estimator ignore
        `nesterovs_momentum`; "momentum" and "nesterov" use `momentum`.
    early_stopping, validation_fraction : bool, float
        Whether this part of the rows is held out, and the network with the best score for them is kept.
    beta_1, beta_2, epsilon : float
        Constants of "adam" and "adamw". Other solvers ignore them.
    n_iter_no_change : int
        See `tol`.
    class_weight : dict, "balanced" or None
        Weights of the classes, which multiply `sample_weight`. Not for multi-label targets; "balanced" not in `partial_fit`.
    batchnorm : bool
        Whether the hidden layers have batch normalization.
    dropout : float
        The probability that a training step drops a unit of a hidden layer.
    scaling : str
        "none"; or how the network scales its inputs: "standard", "min_max", "symmetric", or "auto", which is "standard".
    initialization : str
        The rule for the random weights. "glorot": the weights and biases that MLPClassifier draws from the same `random_state`.
        "automatic", "he" or "lecun": the weights of this option of `libbackprop.Network`; biases are 0.

    Attributes
    ----------
    network_ : libbackprop.Network
        The network. Its `classes` are the `classes_`, except for several labels. A file that `network_.save` writes can be
        used from C and Swift.
    classes_ : numpy.ndarray
        The classes.
    loss_curve_ : list of float
        The mean loss of each epoch, with the L2 term of the weights after the epoch.
    loss_, best_loss_, n_iter_, t_, validation_scores_, best_validation_score_, coefs_, intercepts_, n_layers_, n_outputs_, \
out_activation_, n_features_in_, feature_names_in_
        As in `MLPClassifier`. Arrays are float32.

    Examples
    --------
    >>> from libbackprop.sklearn import BackpropClassifier
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]
    >>> classifier = BackpropClassifier((8,), "tanh", learning_rate_init=0.05, max_iter=500, random_state=1).fit(x, y)
    >>> classifier.predict(x).tolist()
    ['no', 'yes', 'yes', 'no']
    >>> classifier.predict_proba(x).shape
    (4, 2)
    """

    classes_: NDArray[Any]
    class_weight: _ClassWeight

    def __init__(self, hidden_layer_sizes: Union[int, Sequence[int]] = (100,),
                 activation: Union[str, activations.Activation] = "relu", *, solver: str = "adam", alpha: float = 0.0001,
                 batch_size: Union[int, str] = "auto", learning_rate: str = "constant", learning_rate_init: float = 0.001,
                 power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True, random_state: Any = None, tol: float = 1e-4,
                 verbose: bool = False, warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True,
                 early_stopping: bool = False, validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-8, n_iter_no_change: Union[int, float] = 10, class_weight: _ClassWeight = None,
                 batchnorm: bool = False, dropout: float = 0.0, scaling: str = "none",
                 initialization: str = "glorot") -> None:
        self._store(locals())

    def fit(self: _Classifier, X: Any, y: Any, sample_weight: Optional[ArrayLike] = None) -> _Classifier:
        """Train the network.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, features)
            The rows. They are converted to a dense float32 array.
        y : array-like of shape (rows,) or (rows, labels)
            The class of each row, or for several labels 0 or 1 for each.
        sample_weight : array-like of shape (rows,), optional
            The weight of each row, 0 or more.

        Returns
        -------
        BackpropClassifier
            This estimator.
        """
        return self._learn(X, y, sample_weight, None, incremental=False)

    def partial_fit(self: _Classifier, X: Any, y: Any, sample_weight: Optional[ArrayLike] = None,
                    classes: Optional[ArrayLike] = None) -> _Classifier:
        """Train one epoch on rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, features)
            The rows.
        y : array-like of shape (rows,) or (rows, labels)
            As in `fit`.
        sample_weight : array-like of shape (rows,), optional
            As in `fit`.
        classes : array-like, optional
            All classes. The first call needs them.

        Returns
        -------
        BackpropClassifier
            This estimator.
        """
        return self._learn(X, y, sample_weight, classes, incremental=True)

    def _learn(self: _Classifier, X: Any, y: Any, sample_weight: Optional[ArrayLike], classes: Optional[ArrayLike], *,
               incremental: bool) -> _Classifier:
        self._check_parameters()
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(f"partial_fit does not support class_weight={self.class_weight!r}: compute the weights of all rows "
                             "with sklearn.utils.compute_class_weight, and pass them as a dict")
        starts = self._starts(incremental)
        if incremental and starts and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        x, y = self._rows(X, y, reset=starts)
        _multiclass.check_classification_targets(y)
        if starts:
            labels = y if classes is None or y.ndim == 2 else np.unique(np.asarray(classes))
            self._label_binarizer = _preprocessing.LabelBinarizer().fit(labels)
            self.classes_ = self._label_binarizer.classes_
        elif classes is not None and not np.array_equal(self.classes_, np.unique(np.asarray(classes))):
            raise ValueError(f"classes={classes!r} is not the same as on last call to partial_fit, was: {self.classes_}")
        found = _multiclass.unique_labels(y)
        unknown = np.setdiff1d(found, self.classes_)
        if len(unknown):
            raise ValueError(f"y has classes {unknown}, which are not in classes_: {self.classes_}")
        if not incremental and len(found) < len(self.classes_):
            raise ValueError(f"warm_start needs the classes of the previous call to fit, {self.classes_}; y has {found}")
        self._fit(x, y, self._row_weights(y, sample_weight), incremental=incremental)
        return self

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if isinstance(self.class_weight, Mapping):
            for label, weight in self.class_weight.items():
                if not isinstance(weight, numbers.Real) or not 0 <= float(weight) <= np.finfo(np.float32).max:
                    raise ValueError(f"class_weight: expected finite numbers, 0 or more, got {weight!r} for class {label!r}")
        elif self.class_weight is not None and not (isinstance(self.class_weight, str) and self.class_weight == "balanced"):
            raise ValueError(f"class_weight: expected a dict, 'balanced' or None, got {self.class_weight!r}")

    def _row_weights(self, y: NDArray[Any], sample_weight: Optional[ArrayLike]) -> Optional[Array]:
        weights = _checked_weights(sample_weight, y)
        if self.class_weight is None:
            return weights
        if y.ndim == 2:
            raise ValueError("class_weight has no meaning for multi-label targets: use sample_weight")
        by_class: Array = _utils.compute_sample_weight(self.class_weight, y).astype(np.float32)
        return by_class if weights is None else weights * by_class

    def _output(self) -> tuple[str, str]:
        several = len(self.classes_) > 2 and self._label_binarizer.y_type_ == "multiclass"
        return ("softmax", "cross_entropy") if several else ("logistic", "binary_cross_entropy")

    def _encoded(self, y: NDArray[Any]) -> Array:
        encoded: Array = self._label_binarizer.transform(y).astype(np.float32)
        return encoded

    def _new_network(self, inputs: int, outputs: int) -> Network:
        network = super()._new_network(inputs, outputs)
        if self._label_binarizer.y_type_ in ("binary", "multiclass") and len(self.classes_) == max(2, outputs):
            try:
                network.classes = self.classes_.tolist()
            except TypeError:
                pass  # labels of scikit-learn that a network does not have, such as None
        return network

    def _decoded(self, outputs: Array) -> NDArray[Any]:
        predictions: NDArray[Any] = self._label_binarizer.inverse_transform(outputs)
        return predictions

    def _validation_score(self, y: NDArray[Any], predictions: NDArray[Any], sample_weight: Optional[Array]) -> float:
        return float(_metrics.accuracy_score(y, predictions, sample_weight=sample_weight))

    def predict_proba(self, X: Any) -> Array:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, features)
            The rows.

        Returns
        -------
        numpy.ndarray
            float32, shape (rows, classes), in the order of `classes_`; for several labels, the probability of each label.
        """
        outputs = self._outputs(X)
        if outputs.shape[1] > 1:
            return outputs
        return np.ones_like(outputs) if len(self.classes_) == 1 else np.hstack([1 - outputs, outputs])

    def predict_log_proba(self, X: Any) -> Array:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, features)
            The rows.

        Returns
        -------
        numpy.ndarray
            The logarithms of `predict_proba`.
        """
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class BackpropRegressor(_RegressorMixin, _Backprop):
    """A regressor: a multilayer network, trained by backpropagation.

    Parameters of the same name have the same meaning and default as in `sklearn.neural_network.MLPRegressor`. Its parameter
    `max_fun` does not exist here. Parameters and attributes that are not listed are those of `BackpropClassifier`.

    Parameters
    ----------
    loss : str
        "squared_error", "absolute_error", "huber", "log_cosh", "quantile", or "poisson" for counts. With "poisson", the
        activation of the outputs is "softplus"; in MLPRegressor it is the exponential function.
    quantile : float
        The quantile of the targets that loss "quantile" estimates. Other losses ignore it.
    scaling : str
        "none"; or how the network scales its inputs: "standard", "min_max", "symmetric", or "auto", which is "standard". It
        then also scales its targets to mean 0 and deviation 1, and losses are those of scaled targets.

    Examples
    --------
    >>> import numpy as np
    >>> from libbackprop.sklearn import BackpropRegressor
    >>> x = np.linspace(0, 6, 100).reshape(-1, 1)
    >>> regressor = BackpropRegressor(hidden_layer_sizes=(32,), activation="tanh", scaling="standard", max_iter=500,
    ...                               learning_rate_init=0.01, tol=0, n_iter_no_change=500, random_state=0)
    >>> regressor.fit(x, np.sin(x[:, 0])).score(x, np.sin(x[:, 0])) > 0.99
    True
    """

    loss: str
    quantile: float

    def __init__(self, loss: str = "squared_error", hidden_layer_sizes: Union[int, Sequence[int]] = (100,),
                 activation: Union[str, activations.Activation] = "relu", *, solver: str = "adam", alpha: float = 0.0001,
                 batch_size: Union[int, str] = "auto", learning_rate: str = "constant", learning_rate_init: float = 0.001,
                 power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True, random_state: Any = None, tol: float = 1e-4,
                 verbose: bool = False, warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True,
                 early_stopping: bool = False, validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-8, n_iter_no_change: Union[int, float] = 10, quantile: float = 0.5,
                 batchnorm: bool = False, dropout: float = 0.0, scaling: str = "none",
                 initialization: str = "glorot") -> None:
        self._store(locals())

    def fit(self: _Regressor, X: Any, y: Any, sample_weight: Optional[ArrayLike] = None) -> _Regressor:
        """Train the network.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, features)
            The rows. They are converted to a dense float32 array.
        y : array-like of shape (rows,) or (rows, outputs)
            The targets.
        sample_weight : array-like of shape (rows,), optional
            The weight of each row, 0 or more.

        Returns
        -------
        BackpropRegressor
            This estimator.
        """
        return self._learn(X, y, sample_weight, incremental=False)

    def partial_fit(self: _Regressor, X: Any, y: Any, sample_weight: Optional[ArrayLike] = None) -> _Regressor:
        """Train one epoch on rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, features)
            The rows.
        y : array-like of shape (rows,) or (rows, outputs)
            The targets.
        sample_weight : array-like of shape (rows,), optional
            The weight of each row, 0 or more.

        Returns
        -------
        BackpropRegressor
            This estimator.
        """
        return self._learn(X, y, sample_weight, incremental=True)

    def _learn(self: _Regressor, X: Any, y: Any, sample_weight: Optional[ArrayLike], *, incremental: bool) -> _Regressor:
        self._check_parameters()
        if self.loss not in _REGRESSION_LOSSES:
            raise ValueError(f"loss: expected one of {', '.join(map(repr, _REGRESSION_LOSSES))}, got {self.loss!r}")
        x, y = self._rows(X, y, reset=self._starts(incremental))
        self._fit(x, y, _checked_weights(sample_weight, y), incremental=incremental)
        return self

    def _configure(self, network: Network, weight_decay: float) -> None:
        super()._configure(network, weight_decay)
        network.set_option("quantile", self.quantile)

    def _output(self) -> tuple[str, str]:
        return "softplus" if self.loss == "poisson" else "identity", self.loss

    def _encoded(self, y: NDArray[Any]) -> Array:
        return floats(y.reshape(len(y), -1), "y")

    def _decoded(self, outputs: Array) -> NDArray[Any]:
        predictions = outputs.astype(np.float64)  # as the predictions of other regressors
        return predictions[:, 0] if outputs.shape[1] == 1 else predictions

    def _validation_score(self, y: NDArray[Any], predictions: NDArray[Any], sample_weight: Optional[Array]) -> float:
        return float(_metrics.r2_score(y, predictions, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


_Classifier = TypeVar("_Classifier", bound=BackpropClassifier)
_Regressor = TypeVar("_Regressor", bound=BackpropRegressor)


def _checked_weights(sample_weight: Optional[ArrayLike], y: NDArray[Any]) -> Optional[Array]:
    if sample_weight is None:
        return None
    weights: Array = _utils.check_array(sample_weight, ensure_2d=False, dtype=np.float32, input_name="sample_weight")
    if weights.shape != (len(y),):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(len(y),)}!")
    if (weights < 0).any():
        raise ValueError("Negative values in data passed to `sample_weight`")
    return weights


def _set_layer(network: Network, layer: int, weight: NDArray[Any], bias: NDArray[Any]) -> None:
    """Sets the parameters of a layer. Their shapes are those of scikit-learn, (inputs, outputs) and (outputs,)."""
    network.tensors[f"layers.{layer}.weight"] = weight.T
    network.tensors[f"layers.{layer}.bias"] = bias


def _weights_of(network: Network) -> NDArray[np.bool_]:
    """Which of the parameters are weights, and not biases or parameters of batch normalization."""
    counts = [(units * inputs, 3 * units if normalized else units) for inputs, units, normalized in
              zip(network.layers, network.layers[1:], network.batchnorm)]
    return np.repeat(np.tile([True, False], len(counts)), np.ravel(counts))


def _merged(x: Array, targets: Array, weights: Optional[Array]) -> tuple[Array, Array, Optional[Array]]:
    """Equal rows as one row with the sum of their weights, sorted. A row of weight k then trains as k copies, bit for bit."""
    rows, places = np.unique(np.hstack([x, targets]), axis=0, return_inverse=True)
    if weights is None and len(rows) == len(x):
        return x, targets, None
    sums = np.bincount(places.ravel(), weights).astype(np.float32)
    return np.ascontiguousarray(rows[:, :x.shape[1]]), np.ascontiguousarray(rows[:, x.shape[1]:]), sums


# Conversions


def from_sklearn(mlp: Any) -> Union[BackpropClassifier, BackpropRegressor]:
    """Convert a fitted MLP of scikit-learn.

    The state of its optimizer is not converted.

    Parameters
    ----------
    mlp : sklearn.neural_network.MLPClassifier or MLPRegressor
        A fitted estimator.

    Returns
    -------
    BackpropClassifier or BackpropRegressor
        A fitted estimator with the same parameters, which predicts the same. ValueError for a regressor of loss "poisson":
        its exponential function is not among the activations.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from libbackprop.sklearn import from_sklearn
    >>> x, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((8,), solver="lbfgs", max_iter=2000, random_state=0).fit(x, y)
    >>> bool(abs(from_sklearn(mlp).predict_proba(x) - mlp.predict_proba(x)).max() < 1e-5)
    True
    """
    if not isinstance(mlp, (_neural.MLPClassifier, _neural.MLPRegressor)):
        raise TypeError(f"mlp: expected an MLPClassifier or MLPRegressor, got {type(mlp).__name__}")
    _validation.check_is_fitted(mlp)
    if mlp.out_activation_ not in ("identity", "logistic", "softmax"):
        raise ValueError(f"mlp: the output activation {mlp.out_activation_!r} is not supported")
    parameters = mlp.get_params()
    del parameters["max_fun"]
    estimator: Any = (BackpropClassifier if isinstance(mlp, _neural.MLPClassifier) else BackpropRegressor)(**parameters)
    _copy(mlp, estimator, "classes_", "_label_binarizer", "n_features_in_", "feature_names_in_")
    estimator._start(mlp.coefs_[0].shape[0], mlp.n_outputs_)
    for layer, (weight, bias) in enumerate(zip(mlp.coefs_, mlp.intercepts_), 1):
        _set_layer(estimator.network_, layer, weight, bias)
    _copy(mlp, estimator, *_RECORDS)
    if getattr(mlp, "best_loss_", None) is not None:
        estimator._least_loss = mlp.best_loss_
    return estimator  # type: ignore[no-any-return]


def to_sklearn(estimator: Union[BackpropClassifier, BackpropRegressor]) -> Any:
    """Convert a fitted estimator to one of scikit-learn. Batch normalization and scaling become part of the weights.

    Parameters
    ----------
    estimator : BackpropClassifier or BackpropRegressor
        A fitted estimator.

    Returns
    -------
    sklearn.neural_network.MLPClassifier or MLPRegressor
        A fitted estimator that predicts the same. Parameters that it does not have are left out; for a solver that it does
        not have, `solver` is "adam". ValueError for activations and losses that it does not have.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from libbackprop.sklearn import BackpropClassifier, to_sklearn
    >>> x, y = load_iris(return_X_y=True)
    >>> classifier = BackpropClassifier((8,), scaling="standard", tol=0.01, random_state=0).fit(x, y)
    >>> bool(abs(to_sklearn(classifier).predict_proba(x) - classifier.predict_proba(x)).max() < 1e-5)
    True
    """
    if not isinstance(estimator, _Backprop):
        raise TypeError(f"estimator: expected a BackpropClassifier or BackpropRegressor, got {type(estimator).__name__}")
    layers = Stack.of(estimator._network).folded()
    hidden = {layer.activation for layer in layers[:-1]} or {"relu"}
    if len(hidden) > 1 or not hidden <= {"identity", "logistic", "tanh", "relu"}:
        raise ValueError(f"estimator: MLPClassifier and MLPRegressor do not have the activation {', '.join(sorted(hidden))}")
    if isinstance(estimator, BackpropRegressor) and estimator.loss != "squared_error":
        raise ValueError(f"estimator: MLPRegressor does not have the loss {estimator.loss!r} as it is here")
    kind = _neural.MLPClassifier if isinstance(estimator, BackpropClassifier) else _neural.MLPRegressor
    known = kind().get_params()
    parameters = {name: value for name, value in estimator.get_params().items() if name in known}
    parameters["activation"] = hidden.pop()
    if estimator.solver not in ("adam", "sgd", "lbfgs"):
        parameters["solver"] = "adam"
    mlp = kind(**parameters)
    mlp.coefs_, mlp.intercepts_ = [layer.weight.T for layer in layers], [layer.bias for layer in layers]
    _copy(estimator, mlp, "classes_", "_label_binarizer", "n_features_in_", "feature_names_in_", "n_layers_", "n_outputs_",
          "out_activation_", "_random_state", *_RECORDS)
    mlp._no_improvement_count = 0
    return mlp


_REGRESSION_LOSSES = ("squared_error", "absolute_error", "huber", "log_cosh", "quantile", "poisson")
_RECORDS = ("loss_", "best_loss_", "loss_curve_", "n_iter_", "t_", "validation_scores_", "best_validation_score_")


def _copy(source: Any, target: Any, *names: str) -> None:
    """Copies the attributes that the source has."""
    for name in names:
        if hasattr(source, name):
            setattr(target, name, copy.copy(getattr(source, name)))
