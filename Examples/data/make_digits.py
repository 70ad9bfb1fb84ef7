"""Writes digits.csv from the copy of the data set in scikit-learn.

    pip install scikit-learn
    python make_digits.py digits.csv

One line per image: 64 pixels (8 rows of 8, each an integer 0 ... 16), then the digit. The order is the same as in scikit-learn.
"""
import sys

from sklearn.datasets import load_digits

digits = load_digits()
with open(sys.argv[1], "w", newline="\n") as file:
    for pixels, label in zip(digits.data, digits.target):
        assert all(value == int(value) and 0 <= value <= 16 for value in pixels)
        print(*(int(value) for value in pixels), label, sep=",", file=file)
