"""Writes iris.csv from the copy of the data set in scikit-learn.

    pip install scikit-learn
    python make_iris.py iris.csv

A line with the names of the columns, then one line per plant: four lengths in centimetres, and the species.
"""
import sys

from sklearn.datasets import load_iris

iris = load_iris()
with open(sys.argv[1], "w", newline="\n") as file:
    print("sepal_length,sepal_width,petal_length,petal_width,species", file=file)
    for lengths, species in zip(iris.data, iris.target):
        print(*(f"{value:g}" for value in lengths), iris.target_names[species], sep=",", file=file)
