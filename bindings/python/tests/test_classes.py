"""Labels as targets, and the classes of predictions."""
import copy
import pickle

import numpy as np
import pytest

import libbackprop as bp

X = np.array([[0, 0], [0, 1], [5, 0], [5, 1], [0, 5], [1, 5]], np.float32)
NAMES = ["low", "low", "right", "right", "up", "up"]


def trained(targets=NAMES, outputs=3, **settings):
    network = bp.Network([2, 8, outputs], activation="tanh", optimizer="adam", seed=1, **(settings or {"loss": "cross_entropy"}))
    network.fit(X, targets, epochs=200, learning_rate=0.05)
    return network


@pytest.mark.parametrize("container", [list, tuple, np.array, lambda names: np.array(names, object), "pandas.Series",
                                       "pandas.Categorical", "polars.Series"], ids=str)
def test_fit_understands_labels_in_any_container(container):
    if isinstance(container, str):
        module, name = container.split(".")
        container = getattr(pytest.importorskip(module), name)
    network = trained(container(NAMES))
    assert network.classes == ("low", "right", "up")
    assert network.predict_classes(X).tolist() == NAMES and network.predict_classes(X[2]) == "right"
    assert network.score(X, container(NAMES)) == 1


def test_labels_train_like_class_numbers():
    numbers = trained([0, 0, 1, 1, 2, 2])
    assert numbers.classes is None and numbers.predict_classes(X).tolist() == [0, 0, 1, 1, 2, 2]
    assert numbers.parameters.tobytes() == trained().parameters.tobytes()


def test_classes_survive_files_pickles_and_copies(tmp_path):
    network = trained()
    network.save(tmp_path / "network.safetensors")
    for twin in (bp.load(tmp_path / "network.safetensors"), pickle.loads(pickle.dumps(network)), copy.copy(network),
                 copy.deepcopy(network), network.clone()):
        assert twin.classes == network.classes and twin.predict_classes(X).tolist() == NAMES
    assert bp.load(tmp_path / "network.safetensors").metadata["classes"] == '["low", "right", "up"]'


@pytest.mark.parametrize(("output", "low"), [("logistic", 0), ("tanh", -1), ("softsign", -1), ("identity", 0)])
def test_two_labels_suffice_for_one_output(output, low):
    names = ["yes" if name == "up" else "no" for name in NAMES]
    network = trained(names, 1, output=output, loss="squared_error")
    assert network.classes == ("no", "yes") and network.predict_classes(X).tolist() == names
    expected = np.where(np.array(names) == "yes", 1, low)[:, np.newaxis]
    assert network.evaluate(X, names) == network.evaluate(X, expected)
    assert network.score(X, names, "accuracy") == 1


def test_limit_of_one_scaled_output_is_that_of_accuracy():
    network = bp.Network([1, 1], output="tanh", loss="squared_error")
    network.fit_scaling([[0], [1]], [10, 20], target_scaling="symmetric")
    network.parameters = [1, 0]
    x = np.linspace(-3, 3, 25)[:, np.newaxis]
    found = network.predict_classes(x)
    assert found.tolist() == (network.predict(x)[:, 0] > 15).astype(int).tolist() and 0 < found.sum() < 25
    assert network.score(x, np.where(found, 20, 10), "accuracy") == 1


def test_all_calls_with_targets_accept_labels():
    network = trained()
    numbers = bp.one_hot(NAMES, network.classes)
    for call in (network.evaluate, network.score, lambda x, y: network.row_losses(x, y).tolist(), network.check_gradient,
                 lambda x, y: network.gradient(x, y)[1], lambda x, y: network.clone().train_minibatch(x, y, 0.1),
                 lambda x, y: network.clone().train_step(x[0], y[0], 0.1),
                 lambda x, y: bp.Trainer(epochs=2).fit(network.clone(), x, y).loss,
                 lambda x, y: bp.Trainer(epochs=2).fit_stream(network.clone(), [(x, y)]).loss,
                 lambda x, y: bp.Trainer(epochs=2).fit(network.clone(), x, y, validation=(x, y)).loss):
        assert call(X, NAMES) == call(X, numbers)
    network.check_settings(NAMES)
    network.fit_scaling(X, NAMES, target_scaling="none")
    network.fit(X, NAMES, class_weight={"low": 1, "right": 2, "up": 1}, epochs=1)


def test_classes_can_be_numbers_in_any_order():
    network = bp.Network([2, 3], output="softmax")
    network.classes = np.array([30, 10, 20])
    assert network.classes == (30, 10, 20) and all(type(each) is int for each in network.classes)
    assert network.evaluate(X[:3], [30, 10, 20]) == network.evaluate(X[:3], np.eye(3))
    assert set(network.predict_classes(X).tolist()) <= {10, 20, 30}
    assert bp.Network.from_bytes(network.to_bytes()).classes == (30, 10, 20)


@pytest.mark.parametrize(("labels", "message"), [
    (["low", "right"] * 3, "classes: expected 3 labels for 3 outputs, got 2; if the data lack some, set network.classes to all"),
    (["a", "b", "c", "d", "e", "f"], "expected 3 labels for 3 outputs, got 6; a network needs one output for each label"),
    (["a", None, "c", "a", "b", "c"], "targets: row 1: expected a label, got None: remove rows without a label"),
    (np.array(["a", "b", np.nan] * 2, object), "targets: row 2: expected a label, got nan: remove rows without a label"),
    ([["low"], ["up"]] * 3, "got <U3: 'low' at [0, 0]; labels have the shape (rows,)"),
    ([3, 4, 5] * 2, "targets: row 0: expected a class number from 0 to 2, got 3; for other labels, set network.classes"),
    (np.array(["a", 1.5, "c"] * 2, object),
     "targets: expected strings or numbers, not both, got float and str")])
def test_labels_that_do_not_fit_the_outputs_are_refused(labels, message):
    network = bp.Network([2, 3], output="softmax", seed=1)
    before = network.to_bytes()
    with pytest.raises((ValueError, TypeError)) as caught:
        network.fit(X, labels)
    assert message in str(caught.value) and network.to_bytes() == before and network.classes is None


def test_error_for_several_labels_and_one_output_shows_the_right_network():
    with pytest.raises(ValueError, match=r"one output for each label: Network\(\[2, 8, 4\], loss='cross_entropy'\)"):
        bp.Network([2, 8, 1]).fit(X[:4], ["a", "b", "c", "d"])


def test_unseen_label_is_named():
    network = trained()
    for call in (lambda: network.score(X, [*NAMES[:-1], "down"]), lambda: network.fit(X, [*NAMES[:-1], "down"]),
                 lambda: network.fit(X, NAMES, validation=(X, [*NAMES[:-1], "down"]))):
        with pytest.raises(ValueError, match=r"targets: row 5: 'down' is not one of the classes 'low', 'right', 'up'$"):
            call()
    with pytest.raises(ValueError, match="row 0: 7 is not one of the classes"):
        network.score(X, [7] * 6)


def test_labels_without_classes_are_a_type_error_that_says_what_to_do():
    network = bp.Network([2, 3], output="softmax")
    for call in (network.evaluate, network.score, lambda x, y: bp.Trainer().fit(network, x, y)):
        with pytest.raises(TypeError, match=r"targets: expected numbers, got <U5: 'low' at 0; for labels, set network.classes"):
            call(X, NAMES)


def test_failed_fit_does_not_set_classes():
    network = bp.Network([2, 3], output="softmax", seed=1)
    before = network.to_bytes()
    with pytest.raises(bp.NotFiniteError):
        network.fit(np.full_like(X, np.nan), NAMES)
    assert network.to_bytes() == before and network.classes is None


@pytest.mark.parametrize(("classes", "error", "message"), [
    (["a", "b"], ValueError, "expected 3 labels for 3 outputs, got 2"), (["a", "b", "a"], ValueError, "distinct"),
    ("abc", TypeError, "expected a sequence of labels"), (3, TypeError, "expected a sequence of labels, got 3"),
    ([None, 1, 2], TypeError, "None"),
    ([np.nan, 1, 2], ValueError, "NaN"), ([(1,), 1, 2], TypeError, "expected strings or numbers, got")], ids=str)
def test_bad_classes_are_refused(classes, error, message):
    network = bp.Network([2, 3])
    with pytest.raises(error, match=message):
        network.classes = classes
    assert network.classes is None and network.metadata == {}


def test_metadata_and_classes_are_the_same():
    network = bp.Network([2, 2])
    network.metadata["classes"] = '["a", "b"]'
    assert network.classes == ("a", "b")
    for foreign in ("0,1", '["a"]', '{"a": 1}', '["a", "a"]', "3", "[[1], 2]"):
        network.metadata["classes"] = foreign
        assert network.classes is None and bp.Network.from_bytes(network.to_bytes()).classes is None
    network.classes = ["a", "b"]
    network.classes = None
    assert network.classes is None and "classes" not in network.metadata
    network.classes = ["a", "b"]
    assert network.replace_output(3).classes is None and network.replace_output(2).metadata == {}
    assert network.classes == ("a", "b")


def test_one_hot_is_the_identity_at_the_labels():
    assert bp.one_hot([2, 0], 3).tolist() == np.eye(3)[[2, 0]].tolist()
    assert bp.one_hot(["b", "a"], ["a", "b"]).tolist() == [[0, 1], [1, 0]] and bp.one_hot([], 2).shape == (0, 2)
    assert bp.one_hot(np.array([9, 5, 9])).tolist() == [[0, 1], [1, 0], [0, 1]] and bp.one_hot([True, False]).shape == (2, 2)
    for bad in ([3], [-1], [0.5], ["a"]):
        with pytest.raises(ValueError, match=r"labels: row 0: .* is not one of the classes 0, 1, 2"):
            bp.one_hot(bad, 3)
    with pytest.raises(ValueError, match=r"labels: expected shape \(rows,\), got \(1, 1\)"):
        bp.one_hot([[1]])


@pytest.mark.parametrize("labels", [[0.5, 1.5], ["no", "yes"]], ids=str)
def test_class_weights_and_single_rows_of_labels(labels):
    targets = [labels[each] for each in (0, 0, 0, 0, 1, 1)]
    results = []
    for weights in ("balanced", {labels[0]: 0.75, labels[1]: 1.5}):
        network = bp.Network([2, 1], loss="binary_cross_entropy", seed=1)
        network.classes = labels
        network.fit(X, targets, class_weight=weights, epochs=3)
        results.append(network.to_bytes())
    assert results[0] == results[1]
    assert network.row_losses(X[0], labels[0]) == network.row_losses(X, targets)[0]
    same = network.clone()
    assert network.train_step(X[4], labels[1], 0.1) == same.train_step(X[4], [1], 0.1)
    with pytest.raises(ValueError, match="is not one of the classes"):
        network.row_losses(X[0], 7)


def test_labels_are_refused_for_a_loss_of_other_target_columns():
    wide = bp.loss(lambda outputs, targets: (outputs[:, 0] * 0.0, outputs * 0), name="classes-wide", target_columns=2)
    network = bp.Network([2, 3], loss="cross_entropy")
    network.classes = ["low", "right", "up"]
    network.set_loss(wide)
    before = network.to_bytes()
    for use in (lambda: network.evaluate(X, NAMES), lambda: network.evaluate(X, [0, 0, 1, 1, 2, 2]),
                lambda: network.fit(X, NAMES), lambda: network.row_losses(X[0], 1)):
        with pytest.raises(ValueError, match=r"targets: expected (numbers of )?shape \((rows, )?2,?\), got"):
            use()
    with pytest.raises(TypeError, match="target: expected numbers, got <U3: 'low'"):
        network.train_step(X[0], "low", 0.1)
    assert network.to_bytes() == before
    bp.unregister_loss(wide)
