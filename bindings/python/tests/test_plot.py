"""The contents of pictures: labels, data and numbers of artists. Their looks were checked by eye (docs/gallery.md)."""
import sys
import types

import numpy as np
import pytest

import libbackprop as bp

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

X = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
ESTIMATOR = types.SimpleNamespace(network_=None)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


@pytest.fixture
def classifier():
    network = bp.Network([2, 5, 3], activation="tanh", loss="cross_entropy", seed=1)
    network.fit(X, np.array(["a", "b", "c"])[CLASSES], epochs=5, learning_rate=0.05)
    return network


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


def test_learning_curves_have_the_losses_and_the_best_epoch(classifier):
    history = classifier.fit(X, CLASSES_NAMES, epochs=8, validation=(X, CLASSES_NAMES), learning_rate=0.05)
    ax = history.plot()
    drawn = lines(ax)
    assert drawn["training"].get_ydata().tolist() == history.loss.tolist()
    assert drawn["validation"].get_ydata().tolist() == history.validation_loss.tolist()
    best = drawn[f"best epoch, {history.best_epoch}"]
    assert best.get_xdata().tolist() == [history.best_epoch]
    assert best.get_ydata().tolist() == [history.validation_loss.min()]
    assert len(ax.figure.axes) == 1 and (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


CLASSES_NAMES = np.array(["a", "b", "c"])[CLASSES]


def test_learning_curves_show_a_rate_that_changes(classifier):
    history = classifier.fit(X, CLASSES_NAMES, epochs=8, schedule="cosine")
    ax = bp.plot.learning_curves(history)
    _, right = ax.figure.axes
    assert right.lines[0].get_ydata().tolist() == history.learning_rate.tolist()
    assert "validation" not in texts(ax)


def test_learning_curves_of_a_wide_range_are_logarithmic():
    network = bp.Network([2, 1], output="identity", gradient_reduction="mean")
    history = network.fit(X, X.sum(axis=1), epochs=100, learning_rate=0.1)
    assert history.plot().get_yscale() == "log"


def test_confusion_matrix_counts_rows(classifier):
    predicted = classifier.predict(X).argmax(axis=1)
    expected = [[int(((CLASSES == row) & (predicted == column)).sum()) for column in range(3)] for row in range(3)]
    ax = bp.plot.confusion_matrix(classifier, X, CLASSES_NAMES)
    assert ax.images[0].get_array().tolist() == expected
    assert sorted(int(text.get_text()) for text in ax.texts) == sorted(n for row in expected for n in row if n)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert ax.get_title() == f"{100 * (predicted == CLASSES).mean():.1f} % of 40 rows correct"


def test_confusion_matrix_can_show_shares(classifier):
    shown = bp.plot.confusion_matrix(classifier, X, CLASSES_NAMES, normalize=True).images[0].get_array()
    assert np.allclose(shown.sum(axis=1), 100)


def test_confusion_matrix_of_one_output_has_two_classes():
    network = bp.Network([2, 1], output="logistic")
    ax = bp.plot.confusion_matrix(network, X, CLASSES == 0)
    assert ax.images[0].get_array().shape == (2, 2) and ax.images[0].get_array().sum() == 40


def test_decision_boundary_has_the_points_of_each_class(classifier):
    ax = bp.plot.decision_boundary(classifier, X, CLASSES_NAMES, resolution=20)
    assert texts(ax) == ["a", "b", "c"] and ax.images[0].get_array().shape == (20, 20, 3)
    for number, points in enumerate(ax.collections):
        assert points.get_offsets().tolist() == X[CLASSES == number].tolist()
    low, high = ax.get_xlim()
    assert low < X[:, 0].min() and high > X[:, 0].max()


def test_decision_boundary_is_where_the_class_changes():
    network = bp.Network([2, 2], output="softmax")
    network.layers[1].weight = [[1, 0], [-1, 0]]  # class 0 if x0 > 0
    ax = bp.plot.decision_boundary(network, [[-1, 0], [1, 0]], [1, 0], resolution=50)
    picture = ax.images[0].get_array()
    points = dict(zip(texts(ax), ax.collections))
    for column, name in ((0, "1"), (49, "0")):
        colour = points[name].get_facecolor()[0, :3]
        assert np.allclose(picture[25, column], 1 - 0.5 * (1 - colour), atol=0.01)  # as strong as a region gets


def test_weight_images_hold_the_weights_side_by_side():
    network = bp.Network([6, 4, 2], seed=1)
    ax = bp.plot.weight_images(network, shape=(2, 3))
    picture = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert picture.shape == (5, 7) and np.isnan(picture[2]).all() and np.isnan(picture[:, 3]).all()
    weight = network.layers[1].weight
    for unit, (top, left) in enumerate([(0, 0), (0, 4), (3, 0), (3, 4)]):
        assert np.allclose(picture[top:top + 2, left:left + 3].ravel(), weight[unit] / abs(weight[unit]).max())
    assert bp.plot.weight_images(network, shape=(2, 3), units=3).get_title() == "weights of 3 of 4 units of layer 1"


def test_predictions_have_the_numbers_and_the_residuals():
    network = bp.Network([2, 2], output="identity", seed=1)
    found, y = network.predict(X), X + 1
    left, right = bp.plot.predictions(network, X, y, output=1)
    assert np.allclose(left.collections[0].get_offsets(), np.stack([y[:, 1], found[:, 1]], axis=1))
    assert np.allclose(right.collections[0].get_offsets(), np.stack([found[:, 1], found[:, 1] - y[:, 1]], axis=1))
    r2 = 1 - ((found[:, 1] - y[:, 1]) ** 2).sum() / ((y[:, 1] - y[:, 1].mean()) ** 2).sum()
    assert left.get_title() == f"R² = {r2:.3f}"


@pytest.mark.parametrize(("name", "kinks"), [
    ("relu", "kink at 0"), ("relu6", "kink at 0"), ("hard_sigmoid", "kinks at -3, 3"), ("hard_swish", "kinks at -3, 3"),
    ("tanh", None), ("gelu", None), ("sign", "kink at 0"), ("leaky_relu", "kink at 0"), ("selu", "kink at 0")])
def test_activation_is_drawn_with_its_kinks(name, kinks):
    ax = bp.plot.activation(name)
    drawn = [text for text in texts(ax) if text.startswith("kink")]
    assert drawn == ([kinks] if kinks else [])
    assert texts(ax)[:2] == [name, "derivative"]


def test_activation_has_its_values_and_derivatives():
    drawn = lines(bp.plot.activation("tanh", limits=(-2, 3)))
    z = drawn["tanh"].get_xdata()
    assert (z[0], z[-1]) == (-2, 3)
    assert np.allclose(drawn["tanh"].get_ydata(), np.tanh(z), atol=1e-6)
    assert np.allclose(drawn["derivative"].get_ydata(), 1 - np.tanh(z) ** 2, atol=1e-6)


def test_activation_of_a_python_function_is_drawn():
    square = bp.activation.scalar(derivative=lambda z, a: 2 * z, name="plot.square")(lambda z: z * z)
    drawn = lines(bp.plot.activation(square))
    assert np.allclose(drawn["plot.square"].get_ydata(), drawn["derivative"].get_xdata() ** 2, atol=1e-4)


def test_diagram_has_a_line_for_each_weight(classifier):
    ax = bp.plot.diagram(classifier)
    assert [len(each.get_segments()) for each in ax.collections] == [2 * 5, 5 * 3]
    weight = classifier.layers[1].weight
    widths = np.array(ax.collections[0].get_linewidths()).reshape(5, 2)
    assert np.allclose(widths, 0.2 + 3 * abs(weight) / abs(weight).max())
    assert [text.get_text() for text in ax.texts] == ["inputs\n2", "tanh\n5", "softmax\n3", "a", "b", "c"]
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 5, 3]


def test_diagram_leaves_out_units_of_large_layers():
    ax = bp.plot.diagram(bp.Network([100, 3]), units=10)
    assert len(ax.collections[0].get_segments()) == 10 * 3 and [len(line.get_xdata()) for line in ax.lines] == [10, 3, 3]


def test_pictures_are_drawn_on_given_axes(classifier):
    _, (first, second) = pyplot.subplots(1, 2)
    assert bp.plot.diagram(classifier, ax=first) is first
    assert bp.plot.activation("relu", ax=second) is second
    assert bp.plot.predictions(bp.Network([2, 1]), X, X[:, 0], ax=(first, second)) == (first, second)
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize(("draw", "message"), [
    (lambda: bp.plot.decision_boundary(bp.Network([3, 2]), X, CLASSES), "network: expected 2 inputs, got 3"),
    (lambda: bp.plot.decision_boundary(bp.Network([2, 3]), X[:0], CLASSES[:0]), "1 or more, got 0 for 0"),
    (lambda: bp.plot.decision_boundary(bp.Network([2, 3]), X, CLASSES[1:]), "got 39 for 40"),
    (lambda: bp.plot.confusion_matrix(bp.Network([2, 3]), X, CLASSES[1:]), "targets: expected 40 rows"),
    (lambda: bp.plot.weight_images(bp.Network([6, 2])), "shape: expected height x width = 6, the number of inputs, got 2 x 2"),
    (lambda: bp.plot.predictions(bp.Network([2, 1]), X, X[1:, 0]), r"targets: expected shape \(40, 1\), got \(39, 1\)"),
    (lambda: bp.plot.predictions(bp.Network([2, 1]), X, X[:, 0], output=1), "output: expected 0 to 0, got 1"),
    (lambda: bp.plot.activation("relu", limits=(1, 1)), "limits: expected two increasing numbers"),
    (lambda: bp.plot.activation("rel"), 'did you mean "relu"'),
    *((draw, "network: expected a Network, got SimpleNamespace: pass its network_") for draw in (
        lambda: bp.plot.decision_boundary(ESTIMATOR, X, CLASSES), lambda: bp.plot.confusion_matrix(ESTIMATOR, X, CLASSES),
        lambda: bp.plot.weight_images(ESTIMATOR), lambda: bp.plot.diagram(ESTIMATOR),
        lambda: bp.plot.predictions(ESTIMATOR, X, X)))])
def test_bad_arguments_of_a_picture_are_refused(draw, message):
    with pytest.raises((ValueError, LookupError, TypeError), match=message):
        draw()
    assert pyplot.get_fignums() == []


def test_missing_matplotlib_is_named(monkeypatch, classifier):
    for module in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package matplotlib: pip install 'libbackprop\[plot\]'"):
        bp.plot.diagram(classifier)


def test_matplotlib_is_imported_by_the_first_picture_only(run_script):
    done = run_script("""
import sys, libbackprop as bp
for step in (lambda: None, lambda: bp.plot, lambda: bp.plot.activation("relu")):
    step()
    print("libbackprop.plot" in sys.modules, "matplotlib" in sys.modules)
""", MPLBACKEND="agg")
    assert done.stdout.split() == ["False", "False", "True", "False", "True", "True"], done.stderr
