"""CSV files, as pandas reads them."""
import io
import random

import libbackprop as bp
import numpy as np
import pandas as pd
import pytest
from conftest import backprop, scores

FILES = {
    "CR LF": "a,b,y\r\n1,2,3\r\n4,5,7\r\n",
    "CR alone": "a,b,y\r1,2,3\r4,5,7\r",
    "a byte order mark": "\ufeffa,b,y\n1,2,3\n4,5,7\n",
    "no line break at the end": "a,b,y\n1,2,3\n4,5,7",
    "blank lines": "\n\na,b,y\n\n1,2,3\n\n\n4,5,7\n\n",
    "quotes": '"a","b","y"\n"1","2","3"\n"4",5,"7"\n',
    "numbers of all forms": "a,b,y\n1.,-.5,+3\n4e-1,5E+2,07\n",
    "blanks around numbers": "a,b,y\n 1, 2 ,3\n4,\t5,7 \n",
    "subnormal and tiny numbers": "a,b,y\n1e-310,5e-324,1e-400\n2,3,4\n",
    "17 digits": "a,b,y\n0.1234567890123456789,2.2204460492503131e-16,3\n4,5,7\n",
    "categories with delimiters, quotes and line breaks": 'a,b,y\n"x, ""1""",1,3\n"two\nlines",2,7\n"x, ""1""",4,5\n',
    "UTF-8": "größe,b,y\nklein,1,3\ngroß,2,7\n",
    "a long field": f"a,b,y\n{'x' * 100_000},1,2\ny,3,4\n",
    "true and false": "a,b,y\nTrue,1,2\nFalse,3,4\n",
    "an empty field in quotes is missing, with --missing mean": 'a,b,y\n"",1,2\n3,4,5\n7,8,9\n',
}


def encoded(frame, columns):
    """Numbers as they are, and one column for each text in sorted order, each with missing values as means."""
    parts = []
    for name in columns:
        column = frame[name]
        if column.dtype == object or str(column.dtype) in ("str", "bool"):
            column = column.astype(str)
            parts += [(column == text).to_numpy(float) for text in sorted(set(column))]
        else:
            parts.append(column.fillna(column.mean()).to_numpy(float))
    return np.stack(parts, axis=1)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_pandas_reads_it(name, table, tmp_path):
    path, model = table(FILES[name]), tmp_path / "m.safetensors"
    backprop("train", path, "--target", "y", "--missing", "mean", "--epochs", "2", "-q", "-o", model)
    out = backprop("predict", model, path).out
    frame = pd.read_csv(path, skipinitialspace=True)
    expected = np.empty((len(frame), 1))
    bp.load(model).predict(encoded(frame, [each for each in frame.columns if each != "y"]), out=expected)
    predicted = pd.read_csv(io.StringIO(out))
    assert list(predicted.columns) == ["y"]
    np.testing.assert_array_equal(predicted["y"].to_numpy(), expected[:, 0])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_detected_or_given(delimiter, table, tmp_path):
    path = table(delimiter.join("aby") + "\n" + delimiter.join("123") + "\n" + delimiter.join("456") + "\n")
    given = ["--delimiter", delimiter] if delimiter == "|" else []
    model = tmp_path / "m"
    backprop("train", path, *given, "--epochs", "1", "-q", "-o", model)
    assert bp.load(model).layers[0] == 2


def test_the_same_text_comes_from_a_pipe(table, tmp_path):
    text = "a,y\n" + "".join(f"{i},{i % 7}\n" for i in range(30_000))
    backprop("train", table(text), "--epochs", "1", "-q", "-o", tmp_path / "file")
    backprop("train", "-", "--epochs", "1", "-q", "-o", tmp_path / "pipe", text=text)
    assert (tmp_path / "file").read_bytes() == (tmp_path / "pipe").read_bytes()
    predicted = backprop("predict", tmp_path / "pipe", text=text).out
    assert predicted == backprop("predict", tmp_path / "file", table(text)).out
    assert predicted.count("\n") == 30_001


def test_columns_are_found_by_name_and_others_are_ignored_with_a_note(table, tmp_path):
    model = tmp_path / "m"
    backprop("train", table("a,length,y\n1,2,3\n4,6,7\n5,5,5\n"), "--epochs", "3", "-q", "-o", model)
    expected = backprop("predict", model, table("a,length\n1,2\n9,8\n")).out
    result = backprop("predict", model, table("extra,length,y,a\nz,2,,1\nz,8,,9\n"))
    assert result.out == expected
    assert "note:" in result.error and '"extra"' in result.error
    assert backprop("predict", model, table("extra,length,a\nz,2,1\n"), "-q").error == ""
    missing = backprop("predict", model, table("a,lenght\n1,2\n"), status=1).error
    assert 'no column is named "length"' in missing and 'did you mean "lenght"' in missing


def test_missing_values_are_refused_with_their_line_or_replaced_by_means_or_dropped(table, tmp_path):
    path = table("a,b,y\n1,2,3\n4,NA,7\n8,6,\n9,10,11\n")
    error = backprop("train", path, status=1).error
    assert f"{path}: line 3" in error and '"b"' in error
    model = tmp_path / "m"
    out = backprop("train", path, "--missing", "drop", "--epochs", "1", "-o", model).out
    assert scores(out)["training"]["rows"] == 2
    assert "line 2" in backprop("predict", model, table("a,b\n1,\n", "n.csv"), status=1).error
    out = backprop("train", path, "--missing", "mean", "--epochs", "1", "-o", model).out
    assert scores(out)["training"]["rows"] == 3
    filled = backprop("predict", model, table("a,b\n1,\n", "n.csv")).out
    assert filled == backprop("predict", model, table("a,b\n1,6\n", "n.csv")).out  # (2 + 10 + 6) / 3, without the target


REFUSED = {
    "an empty file": (b"", "empty"),
    "only blank lines": (b"\n\n\n", "empty"),
    "a header alone": (b"a,y\n", "no rows"),
    "a row with fewer fields": (b"a,b,y\n1,2,3\n1,2\n", "line 3: 2 fields, but the first row has 3"),
    "a row with more fields": (b"a,y\n1,2\n1,2,3\n", "line 3: 3 fields"),
    "a NUL": (b"a,y\n1,\0\n", "line 2: a NUL"),
    "UTF-16": ("a,y\n1,2\n".encode("utf-16"), "NUL"),
    "an open quote": (b'a,y\n1,"2\n3,4\n', "line 2: a quote is not closed"),
    "text after a quote": (b'a,y\n"1"2,3\n', "line 2: column 1: text follows a closing quote"),
    "1e400": (b"a,y\n1,2\n1e400,3\n", 'line 3: column "a": "1e400" is not a finite number'),
    "an infinity": (b"a,y\n-inf,2\n", "not a finite number"),
    "a number beyond single precision": (b"a,y\n1e39,2\n2,3\n", "too large"),
    "text among numbers": (b"a,y\n1,2\nabc,3\n", 'line 3: column "a": "abc" is not a number'),
    "a number among texts": (b"a,y\nabc,2\n1,3\n", 'line 3: column "a": "1" is a number'),
    "a decimal comma": (b"a;y\n1;2\n1,5;3\n", '"1,5" is not a number'),
    "two columns of one name": (b"a,a,y\n1,2,3\n", 'several columns are named "a"'),
    "a column without values": (b"a,b,y\n1,,3\n2,,4\n", 'column "b" has no value'),
    "a target alone": (b"y\n1\n2\n", "no column is left"),
    "one class": (b"a,y\n1,x\n2,x\n", "one class only"),
    "too many texts": (b"a,y\n" + b"".join(b"t%d,1\n" % i for i in range(2000)), "more than 1000 distinct texts"),
    "a text that is not UTF-8": (b"a,y\n\xff,1\nb,2\n", "not UTF-8"),
    "a name that is not UTF-8": (b"\xff,y\n1,1\n", "not UTF-8"),
    "a program": (open("/bin/true", "rb").read(), ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_with_one_line(name, table, tmp_path):
    data, reason = REFUSED[name]
    path, model = table(data), tmp_path / "m"
    model.write_text("a model")
    result = backprop("train", path, "-q", "-o", model, status=1)
    assert result.error.count("\n") == 1 and "data.csv" in result.error and reason in result.error, result.error
    assert model.read_text() == "a model"


def test_paths_that_cannot_be_read_or_written_are_reported_before_the_training(tmp_path, table):
    good = table("a,y\n1,2\n3,4\n")
    assert "data: Is a directory" in backprop("train", tmp_path / "data", status=1, text=(tmp_path / "data").mkdir() or b"").error
    assert "none: No such file" in backprop("train", tmp_path / "none", status=1).error
    assert "No such file" in backprop("train", good, "-o", tmp_path / "no" / "m", status=1).error
    assert "Is a directory" in backprop("train", good, "-o", tmp_path, status=1).error
    assert "No such file" in backprop("predict", tmp_path / "none", good, status=1).error
    assert good.name in backprop("predict", good, good, status=1).error


def test_100000_columns_are_read(table, tmp_path):
    count = 100_000
    path = table(",".join(f"c{i}" for i in range(count)) + ",y\n"
                 + "\n".join(",".join(["1"] * count) + f",{row}" for row in range(3)) + "\n")
    result = backprop("train", path, "--hidden", "0", "--epochs", "1", "-q", "-o", tmp_path / "m", status=None)
    assert result.status in (0, 1), result
    if result.status == 1:  # the names of the columns exceed the metadata of a model
        assert "a model can hold" in result.error


def test_random_bytes_never_crash_the_reader(table, tmp_path):
    chance = random.Random(1)
    pieces = ['"', ",", ";", "\n", "\r", "\r\n", "\t", "1", "-", "e5", ".", "abc", "ü", "NaN", " ", '""', "\ufeff", "\0", "1e999"]
    for _ in range(300):
        text = "a,b,y\n" * chance.randrange(2) + "".join(chance.choice(pieces) for _ in range(chance.randrange(60)))
        result = backprop("train", "-", "--epochs", "1", "-q", "--missing", chance.choice(["refuse", "mean", "drop"]),
                          text=text, status=None)
        assert result.status in (0, 1), (text, result)
        assert result.status == 0 or result.error.count("\n") == 1, (text, result)
