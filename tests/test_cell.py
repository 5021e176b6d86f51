"""A visitor's line of NumPy is worked out, and nothing else is."""

import numpy as np
import pytest

from engine.data.shipped import iris
from engine.maths.cell import work_out

X = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("x.mean(axis=0)", X.mean(axis=0)),
        ("x - x.mean(axis=0)", X - X.mean(axis=0)),
        ("(x[:, 2] > 5).sum()", 2),
        ("np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2))[0, 1]", np.sqrt(27)),
        ("x.T @ x", X.T @ X),
        ("x[[0, 2], ::-1]", X[[0, 2], ::-1]),
    ],
)
def test_numpy_reads_as_in_numpy(line, value):
    np.testing.assert_allclose(work_out(line, x=X), value)


@pytest.mark.parametrize(
    "line",
    [
        *("", "x +", "__import__('os')", "x.__class__", "x.tofile('a')", "np.load('a')", "y"),
        *("table.to_csv('a')", "x.mean.__self__", "(lambda: 1)()", "[i for i in x]", "x[99]"),
        *("x.mean(axis=9)", "'a' * 10", "9 ** 9 ** 9 ** 9", "f'{x}'", "open('a')", "[0] * 3"),
        *("x[" * 90, "x.shape()", "x + [1, 2]", "[x, x]", "x @ x", "x[:, :, None] @ x"),
    ],
)
def test_all_else_is_refused_in_words(line):
    with pytest.raises(ValueError, match="line: "):
        work_out(line, x=X, table=iris())


@pytest.mark.parametrize(
    "line",
    [
        "x[:, None, None] - x[None, :, None] - x[None, None]",
        "np.where(x[:, None, None] > x[None, :, None], x, 0)",
        "(x > -1).cumsum()[(x > -1).cumsum()[:, None] * (x[0] == 0)]",
        "x[:, 0][:, None] @ x[:, 0][None] - x[:, 0][:, None, None]",
    ],
)
def test_what_would_fill_the_memory_is_refused_before_it_does(line):
    with pytest.raises(ValueError, match="at most"):
        work_out(line, x=np.zeros((1_000, 400)))
