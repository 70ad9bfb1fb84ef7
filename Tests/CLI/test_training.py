"""Trainings, predictions and scores, compared with the Python package and scikit-learn."""
import csv
import io
import json

import libbackprop as bp
import numpy as np
import pandas as pd
import pytest
from conftest import DIGITS, IRIS, backprop, confusion, scores
from sklearn import metrics


def test_predictions_have_the_bits_of_the_python_package(iris_model):
    frame = pd.read_csv(IRIS)
    network = bp.load(iris_model)
    expected = network.predict(frame.drop(columns="species").to_numpy())
    predicted = pd.read_csv(io.StringIO(backprop("predict", iris_model, IRIS).out))
    assert list(predicted.columns) == ["species", "setosa", "versicolor", "virginica"]
    np.testing.assert_array_equal(predicted.iloc[:, 1:].to_numpy(np.float32), expected.astype(np.float32))
    assert list(network.classes) == ["setosa", "versicolor", "virginica"]
    assert list(network.predict_classes(frame.drop(columns="species"))) == list(predicted["species"])


def test_scores_and_confusion_are_those_of_scikit_learn(iris_model):
    actual = pd.read_csv(IRIS)["species"]
    predicted = pd.read_csv(io.StringIO(backprop("predict", iris_model, IRIS).out))
    out = backprop("evaluate", iris_model, IRIS).out
    names, table = confusion(out)
    assert names == ["setosa", "versicolor", "virginica"]
    assert table == metrics.confusion_matrix(actual, predicted["species"]).tolist()
    found = scores(out)[IRIS]
    assert found["accuracy"] == round(100 * metrics.accuracy_score(actual, predicted["species"]), 2)
    chances = predicted.iloc[:, 1:].to_numpy()
    assert found["loss"] == pytest.approx(metrics.log_loss(actual, chances / chances.sum(axis=1, keepdims=True)), rel=1e-3)
    assert found["accuracy"] > 95


def test_scores_of_a_regression_are_those_of_scikit_learn(table, tmp_path):
    x = np.linspace(-3, 3, 200)
    frame = pd.DataFrame({"x": x, "sine": 100 * np.sin(x) + 1e6, "square": x * x})
    path, model = table(frame.to_csv(index=False)), tmp_path / "m"
    backprop("train", path, "--target", "sine", "--target", "square", "--epochs", "200", "-q", "-o", model)
    predicted = pd.read_csv(io.StringIO(backprop("predict", model, path).out))
    found = scores(backprop("evaluate", model, path).out)[str(path)]
    assert found["r2"] == pytest.approx(metrics.r2_score(frame[["sine", "square"]], predicted), abs=2e-4)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(frame[["sine", "square"]], predicted), rel=2e-3)
    assert found["r2"] > 0.95


def test_the_validation_rows_are_a_stratified_share_and_their_scores_belong_to_the_saved_network(tmp_path):
    out = backprop("train", IRIS, "--validation", "0.2", "--epochs", "30", "--patience", "5", "-o", tmp_path / "m").out
    found = scores(out)
    assert (found["training"]["rows"], found["validation"]["rows"]) == (120, 30)
    _, table = confusion(out)
    assert [sum(row) for row in table] == [10, 10, 10]
    whole = scores(backprop("evaluate", tmp_path / "m", IRIS).out)[IRIS]
    share = [found[rows]["rows"] * found[rows]["accuracy"] for rows in ("training", "validation")]
    assert whole["accuracy"] == pytest.approx(sum(share) / 150, abs=0.01)


def test_a_test_file_is_scored_by_the_trained_network(tmp_path):
    found = scores(backprop("train", IRIS, "--test", IRIS, "--epochs", "20", "-q").out)
    assert found["test"] == found["training"]


def test_the_same_seed_gives_the_same_file_for_any_number_of_threads(tmp_path):
    for threads in (1, 2):
        backprop("train", IRIS, "--seed", "5", "--restarts", "3", "--epochs", "5", "--threads", threads, "-q", "-o", tmp_path / str(threads))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    backprop("train", IRIS, "--seed", "6", "--restarts", "3", "--epochs", "5", "-q", "-o", tmp_path / "other")
    assert (tmp_path / "1").read_bytes() != (tmp_path / "other").read_bytes()


def test_digits_without_a_header_are_learned_and_their_classes_are_numbers(tmp_path):
    model = tmp_path / "digits.safetensors"
    out = backprop("train", DIGITS, "--no-header", "--target", "65", "--classes", "--validation", "0.2", "--epochs", "10", "-q",
                   "-o", model).out
    assert scores(out)["validation"]["accuracy"] > 93
    network = bp.load(model)
    assert network.classes == tuple(range(10))
    out = backprop("predict", model, DIGITS).out  # the model knows that there is no header
    assert len(out.splitlines()) == 1798
    truth = np.loadtxt(DIGITS, delimiter=",")[:, 64]
    assert np.mean(pd.read_csv(io.StringIO(out))["65"] == truth) > 0.93


def test_every_setting_is_stored_in_the_network(tmp_path):
    model = tmp_path / "m"
    backprop("train", IRIS, "--hidden", "7,5", "--activation", "relu", "--optimizer", "adamw", "--weight-decay", "0.001",
             "--batchnorm", "--dropout", "0.1", "--scaling", "min_max", "--gradient-reduction", "mean", "--beta1=0.8",
             "--epochs", "2", "-q", "-o", model)
    network = bp.load(model)
    assert network.layers == (4, 7, 5, 3) and network.activations == ("relu", "relu", "softmax")
    assert (network.optimizer, network.loss) == ("adamw", "cross_entropy")
    assert network.get_option("weight_decay") == 0.001 and network.get_option("beta1") == 0.8
    out = backprop("info", model).out
    for text in ("4-7-5-3", "relu", "softmax", "adamw", "cross_entropy", "min_max", "0.1", "weight_decay", "mean", "input petal_width",
                 "target species", "setosa, versicolor, virginica"):
        assert text in out, out
    assert "yes" in out  # batch normalization


def test_the_metadata_are_csv_and_json(iris_model):
    metadata = bp.load(iris_model).metadata
    assert json.loads(metadata["classes"]) == ["setosa", "versicolor", "virginica"]
    history = pd.read_csv(io.StringIO(metadata["history"]))
    assert list(history.columns) == ["epoch", "loss", "validation_loss"] and len(history) == 50
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert list(csv.reader(io.StringIO(metadata["table"])))[0] == ["kind", "name", "mean"]


def test_names_with_any_characters_return_unchanged(table, tmp_path):
    names, classes = ['a "b", c', "größe\nx", "\\ \t'"], ['red, "dark"', "grün", "blue\\\n\x01"]
    frame = pd.DataFrame({names[0]: [1, 2, 3] * 4, names[1]: ["ä,", "b\n", "ä,"] * 4, names[2]: classes * 4})
    path, model = table(frame.to_csv(index=False)), tmp_path / "m"
    backprop("train", path, "--epochs", "1", "-q", "-o", model)
    assert list(bp.load(model).classes) == sorted(classes)
    predicted = pd.read_csv(io.StringIO(backprop("predict", model, path).out))
    assert list(predicted.columns) == [names[2], *sorted(classes)]
    assert set(predicted[names[2]]) <= set(classes)


def test_a_class_or_category_that_training_did_not_have_is_refused(iris_model, table, tmp_path):
    other = table(open(IRIS).read() + "1,2,3,4,orchid\n")
    error = backprop("evaluate", iris_model, other, status=1).error
    assert 'line 152: column "species": "orchid" is not among the 3 values' in error
    assert backprop("predict", iris_model, other).out.count("\n") == 152
    model = tmp_path / "m"
    backprop("train", table("c,y\nred,1\nblue,2\n"), "--epochs", "1", "-q", "-o", model)
    assert '"green" is not among' in backprop("predict", model, table("c\ngreen\n"), status=1).error


def test_a_constant_target_is_learned_with_a_note(table):
    result = backprop("train", table("a,y\n1,5\n2,5\n3,5\n"), "--epochs", "5")
    assert '"y" is 5 in all training rows' in result.error


def test_a_model_of_another_program_predicts_its_columns_in_order(tmp_path, table):
    network = bp.Network([2, 3, 1], seed=1)
    network.save(tmp_path / "m")
    rows = np.array([[0.5, 1], [2, 3]])
    predicted = pd.read_csv(io.StringIO(backprop("predict", tmp_path / "m", table("x,y\n0.5,1\n2,3\n")).out))
    np.testing.assert_array_equal(predicted["output1"].to_numpy(np.float32), network.predict(rows)[:, 0].astype(np.float32))
    assert "3 columns, but the model has 2 inputs" in backprop("predict", tmp_path / "m", table("x,y,z\n1,2,3\n"), status=1).error
    assert "columns" in backprop("evaluate", tmp_path / "m", table("x,y\n1,2\n"), status=1).error


def test_gradients_and_activations_are_checked(iris_model):
    out = backprop("check", iris_model, IRIS).out
    assert out.count(" ok") == 3 and "activation tanh" in out and "activation softmax" in out and "gradient" in out


def test_bench_prints_a_rate_for_each_published_one():
    lines = backprop("bench", "--seconds", "0").out.splitlines()[3:]
    assert len(lines) == 6 and all(float(line.split()[-3]) > 0 for line in lines)


def test_a_diverging_training_fails_and_keeps_the_old_model(table, tmp_path):
    model = tmp_path / "m"
    model.write_text("old")
    path = table("a,y\n" + "".join(f"{i},{i * i}\n" for i in range(50)))
    backprop("train", path, "--optimizer", "sgd", "--activation", "identity", "--learning-rate", "1e9", "-q", "-o", model, status=1)
    assert model.read_text() == "old"
