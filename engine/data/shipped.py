"""Files that scikit-learn ships, read without importing scikit-learn.

Its import takes a second or more of a processor's time, fifty times as long as reading the file
itself; a lab that must answer at once reads it here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

SPECIES = ("setosa", "versicolor", "virginica")


def digits() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """1,797 handwritten digits: images, `(1797, 8, 8)` in [0, 1], and labels, `(1797,)`.

    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI.
    """
    table = np.loadtxt(_file("digits.csv.gz"), delimiter=",")  # 64 grey levels 0 to 16, a label
    return (table[:, :64] / 16).reshape(-1, 8, 8).astype(np.float32), table[:, 64].astype(np.int64)


def iris() -> pd.DataFrame:
    """150 irises: four lengths [cm] in columns of that name, and `species` in words.

    Source: Fisher (1936), The use of multiple measurements in taxonomic problems.
    """
    import pandas as pd

    columns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
    table = pd.read_csv(_file("iris.csv"), skiprows=1, names=columns)  # row 1 counts the rows
    return table.assign(species=[SPECIES[number] for number in table["species"]])


def wine() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """178 wines: thirteen measurements in their own units, `(178, 13)`, and growers, `(178,)`.

    Source: Aeberhard, Coomans & de Vel (1992), Comparison of classifiers in high dimensional
    settings.
    """
    table = np.loadtxt(_file("wine_data.csv"), delimiter=",", skiprows=1)  # row 1 counts the rows
    return table[:, :13], table[:, 13].astype(np.int64)


def photograph(name: str) -> npt.NDArray[np.float64]:
    """A photograph in colour, `(427, 640, 3)` in [0, 1]: `"china"` or `"flower"`."""
    from PIL import Image

    with Image.open(_file("digits.csv.gz").parents[1] / "images" / f"{name}.jpg") as picture:
        return np.asarray(picture, dtype=np.float64) / 255


def _file(name: str) -> Path:
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise LookupError(f"{name}: scikit-learn must be installed; pip install scikit-learn")
    return Path(package.origin).parent / "datasets" / "data" / name
