"""Targets of shape (rows,): class numbers and single columns, compared with equal targets of shape (rows, outputs)."""
import numpy as np
import pytest

import libbackprop as bp

ROWS, CLASSES = 30, 3


@pytest.fixture
def x(rng):
    return rng.normal(size=(ROWS, 4))


@pytest.fixture
def classes(rng):
    return rng.integers(CLASSES, size=ROWS)


def classifier(activation="softmax", loss="cross_entropy", outputs=CLASSES):
    network = bp.Network([4, 6, outputs], seed=1)
    network.set_activation(2, activation)
    network.set_loss(loss)
    return network


def trained(network, use):
    answer = use(network)
    return answer, network.to_bytes()


USES = {
    "train_minibatch": lambda x, y: lambda n: n.train_minibatch(x, y, 0.1),
    "train_step": lambda x, y: lambda n: [n.train_step(x[i], y[i], 0.1) for i in range(len(x))],
    "fit": lambda x, y: lambda n: bp.Trainer(epochs=3).fit(n, x, y).loss,
    "validation": lambda x, y: lambda n: bp.Trainer(epochs=3).fit(n, x, y, validation=(x[:9], y[:9])).loss,
    "evaluate": lambda x, y: lambda n: n.evaluate(x, y),
    "accuracy": lambda x, y: lambda n: n.score(x, y, "accuracy"),
    "score": lambda x, y: lambda n: n.score(x, y, measure="mean_absolute_error"),
    "gradient": lambda x, y: lambda n: [part.tolist() for part in map(np.asarray, n.gradient(x, y))],
    "check_gradient": lambda x, y: lambda n: n.check_gradient(x, y),
    "check_settings": lambda x, y: lambda n: n.check_settings(y),
    "fit_scaling": lambda x, y: lambda n: n.fit_scaling(x, y, target_scaling="min_max"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("dtype", ["i8", "i1", "u1", "u8", "list"])
def test_class_numbers_equal_one_hot_rows(x, classes, use, dtype):
    one_hot = np.eye(CLASSES, dtype=np.float32)[classes]
    given = classes.tolist() if dtype == "list" else classes.astype(dtype)
    assert trained(classifier(), USES[use](x, given)) == trained(classifier(), USES[use](x, one_hot))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64, bool])
def test_targets_for_a_single_output_equal_its_column(x, classes, use, dtype):
    labels = (classes > 0).astype(dtype)
    column = labels.reshape(ROWS, 1)
    networks = [classifier("logistic", "binary_cross_entropy", outputs=1) for _ in range(2)]
    assert trained(networks[0], USES[use](x, labels)) == trained(networks[1], USES[use](x, column))


def test_booleans_are_class_numbers_0_and_1(x, classes):
    labels = classes > 0
    one_hot = np.stack([~labels, labels], axis=1)
    networks = [classifier(outputs=2) for _ in range(2)]
    assert networks[0].evaluate(x, labels) == networks[1].evaluate(x, one_hot)


@pytest.mark.parametrize("weights", ["balanced", {0: 1, 1: 2.5, 2: 0.5}])
def test_class_weights_are_the_same_for_class_numbers_and_one_hot_rows(x, classes, weights):
    outcomes = []
    for y in (classes, np.eye(CLASSES)[classes]):
        network = classifier()
        bp.Trainer(epochs=3).fit(network, x, y, class_weight=weights)
        outcomes.append(network.to_bytes())
    assert outcomes[0] == outcomes[1]


def test_network_learns_from_class_numbers():
    rng = np.random.default_rng(4)
    classes = rng.integers(CLASSES, size=300)
    x = rng.normal(size=(300, 4)) + 4 * np.eye(4)[classes]
    network = classifier()
    bp.Trainer(epochs=30, learning_rate=0.05).fit(network, x, classes)
    assert network.score(x, classes, "accuracy") == (network.predict(x).argmax(axis=1) == classes).mean() > 0.95


@pytest.mark.parametrize("place, bad, message", [
    (7, CLASSES, "row 7: expected a class number from 0 to 2, got 3"), (0, -1, "row 0: expected .* got -1"),
    (29, 2**40, "row 29: .* got 1099511627776")])
@pytest.mark.parametrize("use", USES)
def test_class_number_out_of_range_is_refused_and_the_message_gives_its_row(x, classes, use, place, bad, message):
    classes[place] = bad
    if use == "validation" and place >= 9:
        pytest.skip("the row is not in the validation set")
    if use == "train_step":
        message = message.replace(f"row {place}", "row 0")
    network = classifier()
    before = network.parameters.tobytes()
    with pytest.raises(ValueError, match=f"targets?: {message}"):
        USES[use](x, classes)(network)
    if use != "train_step":
        assert network.parameters.tobytes() == before


def test_class_number_above_all_signed_integers_is_refused(x):
    with pytest.raises(ValueError, match=r"row 1: .* got 18446744073709551615"):
        classifier().evaluate(x[:2], np.array([0, 2**64 - 1], np.uint64))


@pytest.mark.parametrize("use", [use for use in USES if use != "train_step"])
def test_class_numbers_of_type_float_are_refused_and_the_message_gives_a_row(x, classes, use):
    floats = classes.astype(float)
    with pytest.raises(ValueError, match=r"\(rows, 3\), or \(rows,\) with class numbers, which are integers, .*float64"):
        USES[use](x, floats)(classifier())
    floats[4] = 0.5
    with pytest.raises(ValueError, match=r"row 4 is 0\.5"):
        USES[use](x, floats)(classifier())


@pytest.mark.parametrize("bad", [["a"] * ROWS, [None] * ROWS, np.zeros(ROWS, complex)])
def test_class_names_are_a_type_error(x, bad):
    for outputs in (1, CLASSES):
        with pytest.raises(TypeError, match="targets: expected numbers, got"):
            classifier("logistic", "squared_error", outputs).evaluate(x, bad)


def test_number_of_class_numbers_must_equal_the_number_of_rows(x, classes):
    with pytest.raises(ValueError, match=r"targets: expected shape \(30,\) for 30 rows of inputs, got \(29,\)"):
        classifier().evaluate(x, classes[:-1])


def test_inputs_of_shape_rows_are_refused_even_for_one_input():
    """predict accepts shape (inputs,) as one row, so that (rows,) would be ambiguous."""
    network = bp.Network([1, 3, 1])
    assert network.predict([0.5]).shape == (1,)
    for call in (lambda: network.predict([0.5, 1]), lambda: network.evaluate([0.5, 1], [0, 1])):
        with pytest.raises(ValueError, match=r"inputs: expected shape \(rows, 1\)"):
            call()


@pytest.fixture
def weighted_network():
    """One output; a row of targets is a target and a weight."""
    def weighted(outputs, targets):
        e = outputs[:, 0].astype(float) - targets[:, 0]
        return targets[:, 1] * e * e / 2, (targets[:, 1] * e)[:, np.newaxis]

    loss = bp.loss(weighted, name="targets-weighted", target_columns=2)
    network = bp.Network([4, 1], seed=1)
    network.set_activation(1, "identity")
    network.set_loss(loss)
    yield network
    bp.unregister_loss(loss)


@pytest.mark.parametrize("use", [use for use in USES if use not in ("accuracy", "score")])
@pytest.mark.parametrize("dtype", ["i8", "u1", "bool", "f8", "list"])
def test_targets_of_another_loss_are_no_class_numbers(x, classes, use, dtype, weighted_network):
    given = (classes > 0).astype(int)
    before = weighted_network.to_bytes()
    with pytest.raises(ValueError, match=r"expected shape \((rows, )?2,?\), got \((30,)?\)") as error:
        USES[use](x, given.tolist() if dtype == "list" else given.astype(dtype))(weighted_network)
    assert "class numbers" not in str(error.value) and "astype" not in str(error.value)
    assert weighted_network.to_bytes() == before


def test_a_row_of_targets_of_another_loss_is_accepted(x, classes, weighted_network):
    assert weighted_network.train_step(x[0], [1, 0.5], 0.1) >= 0
    assert weighted_network.evaluate(x, np.c_[classes, classes]) >= 0
    with pytest.raises(ValueError, match=r"expected shape \(30, 2\) for 30 rows"):
        weighted_network.evaluate(x, np.zeros((29, 2)))
    with pytest.raises(ValueError, match=r"epoch 0, minibatch 0: targets: expected shape \(rows, 2\), got \(30,\)"):
        bp.Trainer(epochs=1).fit_stream(weighted_network, [(x, classes)])


def test_one_target_column_for_several_outputs(x, classes):
    loss = bp.loss(lambda outputs, targets: ((outputs - targets).sum(axis=1).astype(float), outputs * 0 + 1),
                   name="targets-single", target_columns=1)
    network = bp.Network([4, 3], seed=1)
    network.set_loss(loss)
    assert network.evaluate(x, classes) == network.evaluate(x, classes[:, np.newaxis].astype(np.float32))
    bp.unregister_loss(loss)


def test_class_weights_ignore_missing_targets(x, classes):
    one_hot = np.eye(CLASSES)[classes]
    holes = one_hot.copy()
    holes[::3][one_hot[::3] == 0] = np.nan  # the class is still observed
    holes[1] = np.nan  # no class
    counts = np.bincount(np.delete(classes, 1), minlength=CLASSES)
    expected = 29 / (CLASSES * counts[classes])
    expected[1] = 1
    results = []
    for arguments in ({"class_weight": "balanced"}, {"sample_weight": expected}):
        network = classifier("identity", "squared_error")
        network.set_option("missing_targets", 1)
        bp.Trainer(epochs=3, learning_rate=0.01).fit(network, x, holes, **arguments)
        results.append(network.to_bytes())
    assert results[0] == results[1]


def test_class_weights_of_one_output_ignore_missing_targets(x, classes):
    y = (classes > 0).astype(float)
    y[:4] = np.nan
    known = y[4:].astype(int)
    expected = np.r_[np.ones(4), 26 / (2 * np.bincount(known)[known])]
    results = []
    for arguments in ({"class_weight": "balanced"}, {"sample_weight": expected}):
        network = classifier("logistic", "binary_cross_entropy", outputs=1)
        network.set_option("missing_targets", 1)
        bp.Trainer(epochs=3).fit(network, x, y, **arguments)
        results.append(network.to_bytes())
    assert results[0] == results[1]


def test_class_weights_of_numbers_are_refused(x, rng):
    network = classifier("identity", "squared_error", outputs=1)
    with pytest.raises(ValueError, match=r"class_weight: expected targets that are classes, but the target at \[0\] is"):
        bp.Trainer(epochs=1).fit(network, x, rng.normal(size=ROWS), class_weight="balanced")
    network = classifier("identity", "squared_error")
    with pytest.raises(ValueError, match=r"the target at \[2, 1\] is 2.5: use sample_weight"):
        targets = np.zeros((ROWS, CLASSES))
        targets[2, 1] = 2.5
        bp.Trainer(epochs=1).fit(network, x, targets, class_weight="balanced")


def test_class_weights_of_other_target_columns_are_refused(x, weighted_network):
    with pytest.raises(ValueError, match="class_weight: the targets of loss 'targets-weighted' are not classes"):
        bp.Trainer(epochs=1).fit(weighted_network, x, np.ones((ROWS, 2)), class_weight="balanced")
