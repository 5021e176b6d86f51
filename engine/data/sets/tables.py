"""Classic tables of measurements that scikit-learn brings along."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

Seed = Annotated[int, Slider(0, 999, help="Another split into training and validation")]
VALID = 0.2  # part set aside for validation


def _table(name: str, bunch: Any, seed: int, origin: str) -> DataSet:  # sklearn has no types
    """Scale every column to mean 0 and deviation 1 over the training part; split."""
    classes = tuple(str(one) for one in getattr(bunch, "target_names", ()))
    valid = round(VALID * len(bunch.data))
    train = np.random.default_rng(seed).permutation(len(bunch.data))[:-valid]
    x = (bunch.data - bunch.data[train].mean(0)) / bunch.data[train].std(0)
    note = f"{origin}; columns scaled to mean 0 and standard deviation 1"
    y = bunch.target
    if not classes:
        mean, deviation = y[train].mean(), y[train].std()
        y = ((y - mean) / deviation)[:, None]
        note += f"; so is the answer (mean {mean:.4g}, standard deviation {deviation:.4g})"
    names = tuple(str(one) for one in bunch.feature_names)
    return split(name, x, y, classes, seed=seed, valid=valid, features=names, note=note)


@datasets.add("iris", shape=[4], classes=["setosa", "versicolor", "virginica"], kind="table")
def iris(seed: Seed = 0) -> DataSet:
    """150 irises of three species by the length and width of sepals and petals.

    Source: Fisher (1936), The use of multiple measurements in taxonomic problems.
    """
    from sklearn.datasets import load_iris

    return _table("iris", load_iris(), seed, "Fisher's irises, 150 rows")


@datasets.add("wine", shape=[13], classes=["class_0", "class_1", "class_2"], kind="table")
def wine(seed: Seed = 0) -> DataSet:
    """178 wines of three growers by thirteen chemical measurements.

    Source: Aeberhard & Forina (1992), Wine, UCI Machine Learning Repository.
    """
    from sklearn.datasets import load_wine

    return _table("wine", load_wine(), seed, "UCI wine, 178 rows")


@datasets.add("breast_cancer", shape=[30], classes=["malignant", "benign"], kind="table")
def breast_cancer(seed: Seed = 0) -> DataSet:
    """569 tumours, malignant or benign, by thirty measurements of cell nuclei.

    Source: Street, Wolberg & Mangasarian (1993), Nuclear feature extraction for breast tumor
    diagnosis.
    """
    from sklearn.datasets import load_breast_cancer

    return _table("breast_cancer", load_breast_cancer(), seed, "Wisconsin diagnostic, 569 rows")


@datasets.add("diabetes", shape=[10], classes=[], kind="table")
def diabetes(seed: Seed = 0) -> DataSet:
    """How diabetes progressed in 442 patients, from ten measurements: a regression.

    Source: Efron et al. (2004), Least angle regression.
    """
    from sklearn.datasets import load_diabetes

    return _table("diabetes", load_diabetes(), seed, "442 patients")
