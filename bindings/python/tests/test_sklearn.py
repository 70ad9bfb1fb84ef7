"""The estimators for scikit-learn: its own checks, and comparisons with MLPClassifier and MLPRegressor."""
import copy
import os
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

import sklearn
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import libbackprop as bp
import libbackprop.sklearn
from libbackprop.sklearn import BackpropClassifier, BackpropRegressor, from_sklearn, to_sklearn

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
IRIS, LABELS = load_iris(return_X_y=True)
DIABETES, PROGRESSION = load_diabetes(return_X_y=True)
PAIRS = [(BackpropClassifier, MLPClassifier), (BackpropRegressor, MLPRegressor)]


def scaled(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


@parametrize_with_checks([BackpropClassifier(max_iter=100), BackpropRegressor(max_iter=100)])
def test_the_checks_of_scikit_learn_pass(estimator, check):
    check(estimator)


# The same as MLPClassifier and MLPRegressor


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_parameters_have_the_names_the_order_and_the_defaults_of_mlp(ours, theirs):
    expected = {name: value for name, value in theirs().get_params().items() if name != "max_fun"}
    found = ours().get_params()
    assert {name: found[name] for name in expected} == expected
    assert set(found) - set(expected) == {"batchnorm", "dropout", "scaling", "initialization",
                                          "class_weight" if ours is BackpropClassifier else "quantile"}


SETTINGS = {
    "sgd": {"solver": "sgd", "momentum": 0},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "momentum": 0.8},
    "invscaling": {"solver": "sgd", "momentum": 0, "learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {"solver": "sgd", "momentum": 0, "learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 2},
    "adam": {"solver": "adam", "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6},
    "alpha": {"solver": "sgd", "alpha": 5.0},
    "stopping": {"solver": "adam", "tol": 0.02, "n_iter_no_change": 3, "max_iter": 200},
    "logistic": {"solver": "sgd", "activation": "logistic"},
    "minibatches": {"solver": "adam", "batch_size": 30},
}
DATA = {
    "classes": (MLPClassifier, scaled(IRIS), LABELS),
    "two classes": (MLPClassifier, scaled(IRIS), LABELS == 1),
    "labels": (MLPClassifier, scaled(IRIS), np.stack([LABELS == 0, IRIS[:, 0] > 5.8], axis=1).astype(int)),
    "numbers": (MLPRegressor, scaled(IRIS[:, 1:]), scaled(IRIS[:, 0])),
    "several numbers": (MLPRegressor, scaled(IRIS[:, 1:]), scaled(IRIS)[:, :2]),
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("theirs, x, y", DATA.values(), ids=DATA)
def test_training_from_the_same_weights_equals_that_of_mlp(theirs, x, y, settings):
    mlp = theirs(hidden_layer_sizes=(7, 5), activation="tanh", warm_start=True, random_state=3, max_iter=1,
                 learning_rate_init=1e-30, solver="sgd").fit(x, y)  # this fit leaves the initial weights
    parameters = {"shuffle": False, "max_iter": 25, "learning_rate_init": 0.01, "tol": 0, **settings}
    ours = from_sklearn(mlp).set_params(**parameters).fit(x, y)
    mlp.set_params(**parameters).fit(x, y)
    for weight, expected in zip([*ours.coefs_, *ours.intercepts_], [*mlp.coefs_, *mlp.intercepts_]):
        assert np.allclose(weight, expected, rtol=2e-3, atol=2e-4)
    assert np.allclose(ours.loss_curve_, mlp.loss_curve_, rtol=2e-2)
    assert (ours.n_iter_, ours.t_, ours.n_layers_, ours.n_outputs_, ours.out_activation_) == (
        mlp.n_iter_, mlp.t_, mlp.n_layers_, mlp.n_outputs_, mlp.out_activation_)
    if theirs is MLPClassifier:
        assert np.allclose(ours.predict_proba(x), mlp.predict_proba(x), atol=2e-3)
        assert np.allclose(ours.predict_log_proba(x), np.log(ours.predict_proba(x)), atol=1e-5)
        assert (ours.predict(x) == mlp.predict(x)).mean() > 0.99
    else:
        assert np.allclose(ours.predict(x), mlp.predict(x), atol=2e-3)


@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize("theirs, x, y", DATA.values(), ids=DATA)
def test_initial_weights_and_biases_are_those_that_mlp_draws_from_the_same_random_state(theirs, x, y, activation):
    ours = {theirs: ours for ours, theirs in PAIRS}[theirs]
    fits = [estimator(hidden_layer_sizes=(7, 5), activation=activation, random_state=3, max_iter=1, learning_rate_init=1e-30,
                      solver="sgd").fit(x, y) for estimator in (ours, theirs)]
    for found, expected in zip(*([*each.coefs_, *each.intercepts_] for each in fits)):
        assert np.allclose(found, expected, rtol=1e-6)


def test_a_few_epochs_with_the_defaults_reach_the_accuracy_of_mlp_on_data_with_irrelevant_columns():
    x = np.random.default_rng(0).normal(size=(8000, 30)).astype(np.float32)
    y = (np.square(x[:, :3]).sum(axis=1) > 2.4).astype(int)
    ours, theirs = (np.mean([estimator((50, 25), max_iter=8, batch_size=50, random_state=state).fit(x[:5000], y[:5000])
                             .score(x[5000:], y[5000:]) for state in range(4)]) for estimator in PAIRS[0])
    assert ours > theirs - 0.02 and theirs > 0.85


@pytest.mark.parametrize("initialization", ["automatic", "he", "lecun"])
def test_the_other_initializations_are_those_of_a_network(initialization):
    fitted = BackpropClassifier((7, 5), initialization=initialization, random_state=3, max_iter=1, learning_rate_init=1e-30,
                                solver="sgd").fit(scaled(IRIS), LABELS)
    network = bp.Network([4, 7, 5, 3], seed=np.random.RandomState(3).randint(1 << 31), activation="relu", output="softmax",
                         initialization=initialization)
    assert np.allclose(fitted.network_.parameters, network.parameters, rtol=0, atol=1e-6)
    assert fitted.network_.get_option("initialization") == initialization


def test_sample_weights_in_a_minibatch_of_all_rows_have_the_effect_of_those_of_mlp():
    x, y, weights = scaled(IRIS), LABELS, np.arange(150) % 4 + 0.5
    mlp = MLPClassifier((6,), "tanh", warm_start=True, random_state=3, max_iter=1, learning_rate_init=1e-30, solver="sgd")
    ours = from_sklearn(mlp.fit(x, y))
    for each in (ours, mlp):
        each.set_params(max_iter=30, learning_rate_init=0.1, alpha=2.0).fit(x, y, weights)
    assert np.allclose(ours.predict_proba(x), mlp.predict_proba(x), atol=1e-4)


@pytest.mark.parametrize("theirs, x, y", DATA.values(), ids=DATA)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_an_mlp_of_scikit_learn_predicts_the_same_after_conversion_in_both_directions(theirs, x, y, activation):
    mlp = theirs(hidden_layer_sizes=(7, 5), activation=activation, max_iter=5, random_state=1, alpha=0.3).fit(x, y)
    ours = from_sklearn(mlp)
    again = to_sklearn(ours)
    assert type(again) is theirs and again.get_params() == mlp.get_params() and ours.alpha == 0.3
    for each in (ours, again):
        if theirs is MLPClassifier:
            assert np.allclose(each.predict_proba(x), mlp.predict_proba(x), atol=1e-5)
            assert (each.predict(x) == mlp.predict(x)).all() and each.score(x, y) == mlp.score(x, y)
        else:
            assert np.allclose(each.predict(x), mlp.predict(x), atol=1e-5)
        assert each.loss_curve_ == mlp.loss_curve_ and each.n_iter_ == mlp.n_iter_
        each.partial_fit(x, y)


def test_a_conversion_to_mlp_contains_scaling_and_batch_normalization():
    ours = BackpropRegressor(hidden_layer_sizes=(8, 6), activation="tanh", batchnorm=True, scaling="standard", random_state=0,
                             max_iter=20).fit(DIABETES, PROGRESSION)
    assert np.allclose(to_sklearn(ours).predict(DIABETES), ours.predict(DIABETES), rtol=1e-5)


def test_conversions_refuse_what_has_no_counterpart():
    counts = MLPRegressor("poisson", (4,), max_iter=2).fit(DIABETES, PROGRESSION)
    with pytest.raises(ValueError, match="exp"):
        from_sklearn(counts)
    with pytest.raises(TypeError, match="expected an MLPClassifier or MLPRegressor, got int"):
        from_sklearn(3)
    with pytest.raises(TypeError, match="expected a BackpropClassifier or BackpropRegressor, got Network"):
        to_sklearn(bp.Network([2, 1]))
    with pytest.raises(NotFittedError):
        from_sklearn(MLPClassifier())
    with pytest.raises(ValueError, match="gelu"):
        to_sklearn(BackpropClassifier((4,), "gelu", max_iter=2).fit(IRIS, LABELS))
    with pytest.raises(ValueError, match="huber"):
        to_sklearn(BackpropRegressor("huber", (4,), max_iter=2).fit(DIABETES, PROGRESSION))
    with pytest.raises(NotFittedError):
        to_sklearn(BackpropClassifier())


# Used as estimators


@pytest.mark.parametrize("labels", [np.array(["iris", "rose", "tulip"]), np.array([3, 4, 7]), np.array([-1.0, 1.0]),
                                    np.array([False, True])], ids=lambda labels: str(labels.dtype))
def test_the_network_of_a_classifier_has_its_classes(labels):
    rows = LABELS < len(labels)
    x, y = IRIS[rows], labels[LABELS[rows]]
    fitted = BackpropClassifier((8,), max_iter=20, random_state=0).fit(x, y)
    network = pickle.loads(pickle.dumps(fitted)).network_
    assert network.classes == tuple(labels.tolist())
    assert network.predict_classes(x).tolist() == fitted.predict(x).tolist()
    assert network.score(x, y) == pytest.approx(fitted.score(x, y))
    network.fit(x, y, epochs=1)
    assert from_sklearn(MLPClassifier((8,), max_iter=20).fit(x, y)).network_.classes == network.classes


def test_the_network_of_a_classifier_has_no_classes_if_they_are_not_those_of_its_outputs():
    several = BackpropClassifier((8,), max_iter=2).fit(IRIS, np.eye(3, dtype=int)[LABELS])
    one = BackpropClassifier((8,), max_iter=2).fit(IRIS, LABELS * 0)
    assert several.network_.classes is None and one.network_.classes is None


@pytest.mark.skipif(os.environ.get("BACKPROP_INSTRUCTION_SET", "") != "", reason="slow, and the same on any instruction set")
def test_digits_are_classified_in_a_pipeline_with_grid_search_on_two_processes():
    x, y = load_digits(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), BackpropClassifier((32,), max_iter=20, random_state=0))
    search = GridSearchCV(pipeline, {"backpropclassifier__learning_rate_init": [1e-6, 0.01]}, n_jobs=2, cv=2).fit(x, y)
    assert search.best_params_ == {"backpropclassifier__learning_rate_init": 0.01} and search.best_score_ > 0.9
    assert search.best_estimator_[-1].network_.layers == (64, 32, 10)


def test_diabetes_is_predicted_in_a_cross_validation():
    regressor = BackpropRegressor(hidden_layer_sizes=(16,), scaling="standard", learning_rate_init=0.01, max_iter=60,
                                  random_state=0)
    assert cross_val_score(regressor, DIABETES, PROGRESSION, cv=3).mean() > 0.4


def test_fits_with_the_same_random_state_are_the_same_and_others_differ():
    fits = [BackpropClassifier((8,), random_state=state, max_iter=3).fit(IRIS, LABELS).predict_proba(IRIS) for state in (1, 1, 2)]
    assert (fits[0] == fits[1]).all() and (fits[0] != fits[2]).any()


def test_copies_and_pickles_predict_the_same_and_continue_the_same(tmp_path):
    joblib = pytest.importorskip("joblib")
    fitted = BackpropClassifier((8,), random_state=1, max_iter=3).fit(IRIS, LABELS)
    joblib.dump(fitted, tmp_path / "model")
    copies = [copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "model")]
    fitted.partial_fit(IRIS, LABELS)
    for each in copies:
        assert (each.partial_fit(IRIS, LABELS).predict_proba(IRIS) == fitted.predict_proba(IRIS)).all()
    assert not hasattr(clone(fitted), "network_")


def test_partial_fit_makes_one_epoch_per_call_and_needs_all_classes_first():
    estimator = BackpropClassifier((16,), random_state=0, learning_rate_init=0.01)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        estimator.partial_fit(IRIS, LABELS)
    for _ in range(40):
        for half in (IRIS[::2], LABELS[::2]), (IRIS[1::2], LABELS[1::2]):
            estimator.partial_fit(*half, classes=[0, 1, 2])
    assert estimator.score(IRIS, LABELS) > 0.9 and (estimator.n_iter_, estimator.t_, len(estimator.loss_curve_)) == (1, 6000, 80)
    with pytest.raises(ValueError, match=r"y has classes \[7\]"):
        estimator.partial_fit(IRIS, np.full(150, 7))
    with pytest.raises(ValueError, match="not the same as on last call"):
        estimator.partial_fit(IRIS, LABELS, classes=[0, 1])
    with pytest.raises(ValueError, match="early_stopping"):
        BackpropRegressor(early_stopping=True).partial_fit(DIABETES, PROGRESSION)
    with pytest.raises(ValueError, match="scaling"):
        BackpropRegressor(scaling="standard").partial_fit(DIABETES, PROGRESSION)
    with pytest.raises(ValueError, match="compute_class_weight"):
        BackpropClassifier(class_weight="balanced").partial_fit(IRIS, LABELS, classes=[0, 1, 2])


def test_warm_start_continues_and_refuses_other_classes_and_layers():
    estimator = BackpropClassifier((16,), random_state=0, warm_start=True, max_iter=5, tol=0)
    losses = [estimator.fit(IRIS, LABELS).loss_ for _ in range(3)]
    assert losses[0] > losses[1] > losses[2] and len(estimator.loss_curve_) == 15 and estimator.n_iter_ == 5
    with pytest.raises(ValueError, match="warm_start needs the classes"):
        estimator.fit(IRIS[:100], LABELS[:100])
    with pytest.raises(ValueError, match="warm_start"):
        estimator.set_params(hidden_layer_sizes=(3,)).fit(IRIS, LABELS)


def test_early_stopping_keeps_the_network_with_the_best_validation_score():
    estimator = BackpropClassifier((16,), early_stopping=True, validation_fraction=0.3, random_state=0, max_iter=100,
                                   learning_rate_init=0.02).fit(IRIS, LABELS)
    assert estimator.best_validation_score_ == max(estimator.validation_scores_) and estimator.best_loss_ is None
    assert len(estimator.validation_scores_) == estimator.n_iter_ < 100
    state = np.random.RandomState(0)
    state.uniform(size=4 * 16 + 16 + 16 * 3 + 3)  # the weights and biases
    _, x, _, y = train_test_split(IRIS, LABELS, test_size=0.3, stratify=LABELS, random_state=state)
    assert estimator.score(x, y) == estimator.best_validation_score_


def test_class_weights_are_those_of_the_rows_and_are_refused_for_several_labels():
    x, y = scaled(IRIS), np.where(LABELS == 0, "rare", "other")
    kept = np.r_[0:5, 50:150]
    settings = {"hidden_layer_sizes": (), "solver": "sgd", "max_iter": 40, "tol": 0, "random_state": 0,
                "learning_rate_init": 0.01}
    weights = np.where(y[kept] == "rare", 105 / 10, 105 / 200)
    by_rows = BackpropClassifier(**settings).fit(x[kept], y[kept], weights).predict_proba(x)
    balanced = BackpropClassifier(class_weight="balanced", **settings).fit(x[kept], y[kept]).predict_proba(x)
    mapping = BackpropClassifier(class_weight={"rare": 20, "other": 1}, **settings).fit(x[kept], y[kept]).predict_proba(x)
    plain = BackpropClassifier(**settings).fit(x[kept], y[kept]).predict_proba(x)
    assert np.allclose(by_rows, balanced, atol=1e-5) and np.allclose(mapping, balanced, atol=1e-4)
    assert balanced[:, 1].mean() > plain[:, 1].mean() + 0.005
    with pytest.raises(ValueError, match="multi-label"):
        BackpropClassifier(class_weight="balanced").fit(*make_multilabel_classification(random_state=0))


def test_a_row_of_weight_k_trains_as_k_copies_and_a_row_of_weight_0_as_none():
    weights = np.arange(60) % 3
    weighted = BackpropRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0)
    repeated = clone(weighted).fit(DIABETES[:60].repeat(weights, axis=0), PROGRESSION[:60].repeat(weights))
    weighted.fit(DIABETES[:60], PROGRESSION[:60], weights)
    assert (weighted.predict(DIABETES) == repeated.predict(DIABETES)).all()


def test_several_labels_and_several_numbers_are_learned():
    x, y = make_multilabel_classification(n_samples=200, n_classes=3, random_state=0)
    estimator = BackpropClassifier((32,), max_iter=100, learning_rate_init=0.01, random_state=0).fit(x, y)
    assert estimator.predict_proba(x).shape == estimator.predict(x).shape == (200, 3) and estimator.score(x, y) > 0.7
    both = np.stack([PROGRESSION, -PROGRESSION], axis=1)
    regressor = BackpropRegressor(hidden_layer_sizes=(16,), scaling="standard", random_state=0).fit(DIABETES, both)
    assert regressor.predict(DIABETES).shape == (442, 2) and regressor.score(DIABETES, both) > 0.4


def test_losses_of_the_regressor_estimate_what_they_should():
    y = np.r_[np.zeros(80), np.full(20, 10.0)]  # mean 2, median 0
    x = np.zeros((100, 1))
    settings = {"hidden_layer_sizes": (), "learning_rate_init": 0.1, "max_iter": 500, "n_iter_no_change": 500, "random_state": 0}
    expected = {"squared_error": (2, {}), "absolute_error": (0, {}), "quantile": (10, {"quantile": 0.9}), "poisson": (2, {})}
    for loss, (value, more) in expected.items():
        found = BackpropRegressor(loss=loss, **settings, **more).fit(x, y).predict([[0.0]])
        assert found == pytest.approx([value], abs=0.2), loss


def test_sample_weights_are_routed_through_a_pipeline():
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = BackpropClassifier((8,), learning_rate_init=0.01, random_state=0).set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), estimator)
        found = cross_validate(pipeline, IRIS, LABELS, params={"sample_weight": (LABELS != 1).astype(float)}, cv=2,
                               return_estimator=True)
    assert not any((each.predict(IRIS) == 1).any() for each in found["estimator"])


def test_data_frames_give_feature_names_and_pass_through_a_pipeline_with_pandas_output():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(IRIS, columns=["a", "b", "c", "d"])
    pipeline = make_pipeline(StandardScaler(), BackpropClassifier((8,), max_iter=3, random_state=0))
    pipeline.set_output(transform="pandas").fit(frame, pandas.Series(LABELS))
    assert pipeline[-1].feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names"):
        pipeline[-1].predict(frame.rename(columns={"a": "z"}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (pipeline.predict(frame) == pipeline[-1].predict(pipeline[0].transform(frame))).all()


def test_all_activations_optimizers_and_options_of_the_library_can_be_used():
    bp.activation.register_vector("third", lambda z: z / 3, lambda z, a, da: da / 3)
    for activation in ("gelu", "third"):
        for solver in sorted(set(bp.optimizer_names()) - {"lbfgs", "levenberg_marquardt", "bayesian_regularization"}):
            fitted = BackpropClassifier((6, 5), activation, solver=solver, max_iter=2, batchnorm=True, dropout=0.2,
                                        scaling="min_max", batch_size=50, random_state=0).fit(IRIS, LABELS)
            network = fitted.network_
            assert network.activations == (activation, activation, "softmax") and network.batchnorm == (True, True, False)
            assert network.get_dropout(1) == network.get_dropout(2) == 0.2 and network.scaling.inputs == "min_max"
            assert network.optimizer == ("nesterov" if solver == "sgd" else solver)


SEARCH = """
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from libbackprop.sklearn import BackpropClassifier
x, y = load_iris(return_X_y=True)
def search(*activations):
    estimator = BackpropClassifier((8,), max_iter=200, learning_rate_init=0.01, random_state=0)
    found = GridSearchCV(estimator, {"activation": list(activations)}, n_jobs=2, cv=2, error_score="raise").fit(x, y)
    return found.best_estimator_.network_.activations[0], float(found.best_score_) > 0.8
"""
ACTIVATIONS = """
import numpy as np, libbackprop as bp
@bp.activation.vector(backward=lambda z, a, da: da * (1 - a * a))
def mytanh(z): return np.tanh(z)
@bp.activation.scalar
def halved(z): return z / 2
"""


def test_worker_processes_register_activations_of_a_program_and_of_an_imported_module(run_script, tmp_path):
    (tmp_path / "mine.py").write_text(ACTIVATIONS)
    for program in (ACTIVATIONS, "from mine import mytanh, halved"):
        done = run_script(f"{SEARCH}{program}\nprint(search(mytanh), search(halved))")
        assert done.stdout == "('mytanh', True) ('halved', True)\n", done.stderr


def test_worker_processes_use_the_newest_function_of_a_name(run_script):
    program = """
from joblib import Parallel, delayed
for factor in (2, 3):
    twice = bp.activation.register_vector("times", lambda z, f=factor: f * z, lambda z, a, da, f=factor: f * da, replace=True)
    fitted = BackpropClassifier((8,), twice, max_iter=2, random_state=0)
    inside = Parallel(n_jobs=2)(delayed(lambda each: each.fit(x, y).loss_)(fitted) for _ in range(4))
    print(set(inside) == {fitted.fit(x, y).loss_})
"""
    done = run_script(SEARCH + ACTIVATIONS + program)
    assert done.stdout == "True\nTrue\n", done.stderr


def test_copies_of_an_estimator_register_no_activation():
    third = bp.activation.register_vector("third", lambda z: z / 3, lambda z, a, da: da / 3)
    bp.activation.unregister(third)
    estimator = BackpropClassifier(activation=third)
    assert clone(estimator).activation is copy.copy(third) is third and "third" not in bp.activation.names()


def test_the_name_alone_of_an_activation_is_refused_in_a_worker_process_with_the_remedy(run_script):
    done = run_script(f"{SEARCH}{ACTIVATIONS}\n"
                      "try: search('mytanh')\nexcept bp.UnknownNameError as error: print(error)")
    assert 'activation: no activation is named "mytanh"' in done.stdout, done.stderr
    assert "if its Activation object is passed" in done.stdout


def test_another_process_loads_an_estimator_whose_activation_is_in_a_module(run_script, tmp_path):
    (tmp_path / "mine.py").write_text(ACTIVATIONS)
    saved = run_script(f"{SEARCH}\nimport pickle, mine\nfitted = BackpropClassifier((8,), mine.mytanh, max_iter=5).fit(x, y)\n"
                       "pickle.dump((fitted, mine.mytanh), open('fitted', 'wb'))\nprint(fitted.predict(x))")
    loaded = run_script("import pickle\nfitted, mytanh = pickle.load(open('fitted', 'rb'))\n"
                        "from sklearn.datasets import load_iris\nprint(fitted.predict(load_iris(return_X_y=True)[0]))\n"
                        "import mine; assert mytanh is mine.mytanh is fitted.activation")
    assert loaded.stdout == saved.stdout != "", saved.stderr + loaded.stderr


@pytest.mark.parametrize("solver", ["lbfgs", "levenberg_marquardt"])
@pytest.mark.filterwarnings("ignore:Maximum iterations")
def test_second_order_optimizers_can_be_used(solver):
    fitted = BackpropClassifier((6,), "tanh", solver=solver, max_iter=50, random_state=0).fit(IRIS, LABELS)
    assert fitted.network_.optimizer == solver and fitted.score(IRIS, LABELS) > 0.95


@pytest.mark.parametrize("solver", ["lbfgs", "levenberg_marquardt"])
def test_second_order_optimizers_reach_the_minimum_of_mlps_lbfgs_on_all_rows(solver):
    x, y = scaled(DIABETES), scaled(PROGRESSION)
    assert len(x) > 200  # which are a minibatch of the other solvers
    mlp = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=50.0, tol=1e-9, random_state=0).fit(x, y)
    for ours in (BackpropRegressor(hidden_layer_sizes=(), solver=solver, alpha=50.0, tol=1e-9, shuffle=False, random_state=0),
                 from_sklearn(mlp).set_params(solver=solver, random_state=1)):
        ours.fit(x, y)
        assert np.allclose(ours.coefs_[0], mlp.coefs_[0], atol=1e-4)
        assert ours.loss_ == pytest.approx(mlp.loss_, rel=1e-5)


def test_bayesian_regularization_estimates_alpha():
    fits = [BackpropRegressor(hidden_layer_sizes=(4,), activation="tanh", solver="bayesian_regularization", scaling="standard",
                              alpha=alpha, tol=0, max_iter=40, n_iter_no_change=40, random_state=0).fit(DIABETES, PROGRESSION)
            for alpha in (1e-4, 100.0)]
    assert 5 < fits[0].network_.effective_parameters < 49 and (fits[0].coefs_[0] == fits[1].coefs_[0]).all()


def test_an_mlp_of_solver_lbfgs_keeps_its_solver_in_both_directions():
    mlp = MLPClassifier((6,), solver="lbfgs", max_iter=500, random_state=0).fit(scaled(IRIS), LABELS)
    ours = from_sklearn(mlp)
    again = to_sklearn(ours)
    assert ours.solver == again.solver == "lbfgs" and again.get_params() == mlp.get_params()
    assert np.allclose(again.predict_proba(scaled(IRIS)), mlp.predict_proba(scaled(IRIS)), atol=1e-5)
    again.set_params(warm_start=True).fit(scaled(IRIS), LABELS)


def test_a_fit_that_has_not_converged_warns_and_verbose_prints(capsys):
    with pytest.warns(ConvergenceWarning, match="Maximum iterations \\(2\\) reached"):
        BackpropClassifier(max_iter=2, verbose=True).fit(IRIS, LABELS)
    assert capsys.readouterr().out.startswith("Iteration 1, loss = ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BackpropClassifier(max_iter=100, tol=10, n_iter_no_change=2).fit(IRIS, LABELS)


# Refused


@pytest.mark.parametrize("parameters, error, message", [
    ({"solver": "fast"}, ValueError, "solver: expected one of 'adam', 'sgd'"),
    ({"activation": "tahn"}, LookupError, 'activation: no activation is named "tahn": did you mean "tanh"'),
    ({"activation": 3}, TypeError, "activation"),
    ({"learning_rate": "fast"}, ValueError, "learning_rate: expected one of 'constant', 'invscaling', 'adaptive', got 'fast'"),
    ({"scaling": "fast"}, ValueError, "scaling: expected one of 'none'"),
    ({"initialization": "fast"}, ValueError, "initialization: expected one of 'automatic', 'glorot', 'he', 'lecun', got 'fast'"),
    ({"hidden_layer_sizes": (3, 0)}, ValueError, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (3, 2.5)}, ValueError, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": None}, TypeError, "hidden_layer_sizes"),
    ({"max_iter": 0}, ValueError, "max_iter"),
    ({"max_iter": 2.5}, TypeError, "max_iter"),
    ({"batch_size": 0}, ValueError, "batch_size"),
    ({"batch_size": "all"}, TypeError, "batch_size"),
    ({"alpha": -1}, ValueError, "alpha"),
    ({"tol": "small"}, TypeError, "tol"),
    ({"learning_rate_init": -0.1}, ValueError, "learning_rate_init"),
    ({"validation_fraction": 1.0, "early_stopping": True}, ValueError, "validation_fraction"),
    ({"dropout": 1.0}, ValueError, "0.999"),
    ({"momentum": 2, "solver": "sgd"}, ValueError, "momentum"),
    ({"beta_1": 1.5}, ValueError, "beta1"),
])
def test_wrong_parameters_are_refused_by_their_names(parameters, error, message):
    for estimator, x, y in ((BackpropClassifier, IRIS, LABELS), (BackpropRegressor, DIABETES, PROGRESSION)):
        with pytest.raises(error, match=message):
            estimator(**parameters).fit(x, y)


@pytest.mark.parametrize("class_weight, message", [
    ({0: -1, 1: 1, 2: 1}, "expected finite numbers, 0 or more, got -1 for class 0"),
    ({0: 1, 1: np.nan, 2: 1}, "expected finite numbers, 0 or more, got nan for class 1"),
    ({0: 1, 1: 1, 2: np.inf}, "expected finite numbers, 0 or more, got inf for class 2"),
    ({0: 1, 1: 1, 2: 1e300}, r"expected finite numbers, 0 or more, got 1e\+300 for class 2"),
    ({0: "1", 1: 1, 2: 1}, "expected finite numbers, 0 or more, got '1' for class 0"),
    ("balaced", "expected a dict, 'balanced' or None, got 'balaced'"),
    ([1, 1, 1], r"expected a dict, 'balanced' or None, got \[1, 1, 1\]"),
    (np.ones(3), "expected a dict, 'balanced' or None, got array"),
])
def test_wrong_class_weights_are_refused(class_weight, message):
    for learn in (BackpropClassifier(class_weight=class_weight).fit,
                  lambda x, y: BackpropClassifier(class_weight=class_weight).partial_fit(x, y, classes=[0, 1, 2])):
        with pytest.raises(ValueError, match=f"class_weight: {message}"):
            learn(IRIS, LABELS)


@pytest.mark.parametrize("estimator", [BackpropClassifier, BackpropRegressor])
def test_the_docstring_has_every_choice_of_scaling(estimator):
    for choice in bp.scaling_names():
        assert f'"{choice}"' in estimator.__doc__.partition("scaling : str")[2].partition(" : ")[0]
        estimator(hidden_layer_sizes=(4,), scaling=choice, max_iter=2).fit(IRIS, LABELS)


def test_wrong_data_are_refused():
    fitted = BackpropClassifier((4,), max_iter=2).fit(IRIS, LABELS)
    for x, y, weights, message in ((IRIS, LABELS[:-1], None, "inconsistent"), (IRIS, IRIS[:, 0], None, "continuous"),
                                   (IRIS, LABELS, np.zeros(150), "zero"), (IRIS, LABELS, np.full(150, -1), "Negative"),
                                   (IRIS, LABELS, np.ones(3), "sample_weight"), (IRIS * np.nan, LABELS, None, "NaN"),
                                   (IRIS * 1e60, LABELS, None, "too large"),
                                   ([["a", "b"]] * 150, LABELS, None, "could not convert")):
        with pytest.raises(ValueError, match=message):
            BackpropClassifier(max_iter=2).fit(x, y, weights)
    with pytest.raises(ValueError, match="expecting 4 features"):
        fitted.predict(IRIS[:, :3])
    with pytest.raises(NotFittedError):
        BackpropClassifier().predict(IRIS)
    assert not hasattr(BackpropClassifier(), "coefs_")
    with pytest.raises(ValueError, match="'squared_error', 'absolute_error'"):
        BackpropRegressor(loss=(100,)).fit(DIABETES, PROGRESSION)
    with pytest.raises(ValueError, match="poisson"):
        BackpropRegressor(loss="poisson").fit(DIABETES, -PROGRESSION)
    with pytest.raises(bp.NotFiniteError, match=r"y: 1\.\d+e\+300 at \[0, 0\] is beyond the range of float32"):
        BackpropRegressor().fit(DIABETES, PROGRESSION * 1e298)
    with pytest.raises(ValueError, match="validation set is too small"):
        BackpropRegressor(early_stopping=True, validation_fraction=0.001).fit(DIABETES, PROGRESSION)


def test_a_missing_package_is_named_with_the_command_that_installs_it(run_script):
    names = ("sklearn", "torch", "jax", "onnx")
    done = run_script("import sys, libbackprop as bp\n"
                      f"for name in {names}:\n"
                      "    sys.modules[name] = None\n"
                      "    try: getattr(bp, name)\n"
                      "    except ImportError as error: print(error)")
    assert done.stdout.splitlines() == [f"libbackprop.{name} needs the package {name}: pip install 'libbackprop[{name}]'"
                                        for name in names], done.stderr


def test_the_package_does_not_import_other_packages_before_they_are_used(run_script):
    done = run_script("import sys, libbackprop as bp\n"
                      "print([name for name in ('sklearn', 'torch', 'jax', 'onnx', 'pandas') if name in sys.modules])")
    assert done.stdout == "[]\n", done.stderr
    assert bp.sklearn is libbackprop.sklearn and not hasattr(bp, "numpy")
