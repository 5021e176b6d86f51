"""Formulas typed by a visitor."""

import math

import numpy as np
import pytest

from engine.maths.expression import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * x", 7.0),
        ("-x**2", -9.0),
        ("2^x", 8.0),
        ("sigmoid(0 * x)", 0.5),
        ("exp(log(x)) / 2", 1.5),
        ("sqrt(x + 1) - pi", 2 - math.pi),
    ],
)
def test_a_formula_has_the_value_of_its_mathematics(text, value):
    assert parse(text)(x=3.0) == pytest.approx(value, abs=1e-12)


def test_what_is_written_out_reads_back_as_the_same():
    term = parse("exp(-(x - 1)**2) * (x + 2) / -x")
    x = np.linspace(0.5, 2, 7)
    np.testing.assert_allclose(parse(str(term))(x=x), term(x=x), rtol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x +", "__import__('os')", "x.real", "lambda: 1", "y", "sinn(x)", "9" * 50),
        *("(" * 90, "[x][0]", "True", "'a' * 9", "sin(x, x)", "x\x00", "-" * 150 + "x"),
    ],
)
def test_what_is_no_formula_is_refused_in_words(text):
    with pytest.raises(ValueError, match="formula: "):
        parse(text)


def test_a_misspelt_function_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean sin"):
        parse("sinn(x)")


def test_outside_its_domain_a_formula_is_nan_and_warns_of_nothing():
    assert np.isnan(parse("log(x)")(x=-1.0))
    assert np.isinf(parse("1 / x")(x=0.0))


def test_a_constant_has_the_shape_of_its_variable():
    assert parse("2")(x=np.zeros((3, 4))).shape == (3, 4)
