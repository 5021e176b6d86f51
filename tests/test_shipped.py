"""Data files read past scikit-learn are what scikit-learn reads."""

import numpy as np
from sklearn.datasets import load_digits, load_iris

from engine.data.shipped import SPECIES, digits, iris


def test_digits_are_scikit_learns():
    images, labels = digits()
    np.testing.assert_array_equal(images, load_digits().images / 16)
    np.testing.assert_array_equal(labels, load_digits().target)


def test_irises_are_scikit_learns():
    table, theirs = iris(), load_iris()
    np.testing.assert_array_equal(table.iloc[:, :4].to_numpy(), theirs.data)
    assert [SPECIES.index(name) for name in table["species"]] == theirs.target.tolist()
