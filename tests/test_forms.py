"""Signatures become forms, and forms refuse what their controls do not allow, in words."""

from typing import Annotated, Literal

import pytest

from engine.forms import Drawing, Form, Numbers, Pick, Place, Slider, Text, parse
from engine.tables import Table


def sample(
    rate: Annotated[float, Slider(0.1, 1.0, live=True)] = 0.5,
    steps: Annotated[int, Slider(1, 9)] = 3,
    surface: Literal["bowl", "valley"] = "bowl",
    shuffle: bool = True,
    words: Annotated[str, Text(5)] = "hi",
    matrix: Annotated[list[float], Numbers(2, -1, 1)] = [0.0, 1.0],  # noqa: B006 - never changed
    drawing: Annotated[list[float], Drawing(2, 2)] = [],  # noqa: B006
    place: Annotated[list[float], Place((0, 1, 0, 2), "field")] = [0.5, 1.5],  # noqa: B006
    unit: Annotated[int, Pick(4, "tiles")] = 0,
    generator=None,
):
    """What a visitor may choose."""


FORM = Form.of(sample, "sample")


def test_a_form_has_what_the_signature_says():
    assert list(FORM.controls) == [
        "rate", "steps", "surface", "shuffle", "words", "matrix", "drawing", "place", "unit",
    ]  # fmt: skip
    assert set(FORM.live()) == {"rate", "drawing", "place", "unit"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rate": 2.0}, r"rate must lie in \[0.1, 1\]; got 2.0"),
        ({"rate": float("nan")}, "rate must be a number"),
        ({"rate": True}, "rate must be a number"),
        ({"surface": "bowel"}, "did you mean 'bowl'"),
        ({"shuffle": 1}, "true or false"),
        ({"words": "too long"}, "at most 5 characters"),
        ({"matrix": [0.0]}, "must be 2 numbers"),
        ({"matrix": [0.0, 7.0]}, r"in \[-1, 1\]"),
        ({"drawing": [0.0, 0.0]}, "must be 4 numbers"),
        ({"place": [1.5, 0.0]}, "must lie inside"),
        ({"unit": 4}, r"whole number in \[0, 3\]"),
        ({"raet": 0.2}, "did you mean 'rate'"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values, words):
    with pytest.raises(ValueError, match=words):
        FORM.fill(values)


def test_defaults_stand_where_nothing_was_said_and_whole_numbers_stay_whole():
    filled = FORM.fill({"steps": 4.0, "rate": 1})
    assert filled["steps"] == 4
    assert isinstance(filled["steps"], int)
    assert filled["surface"] == "bowl"


def test_a_default_without_a_control_is_a_programmers_mistake():
    def wrong(x: int = 3):
        """No control."""

    with pytest.raises(TypeError, match="x needs a control"):
        Form.of(wrong, "wrong")


def test_a_form_is_plain_data_for_browsers():
    told = FORM.to_json()[0]
    assert told["name"] == "rate"
    assert told["kind"] == "Slider"
    assert told["live"] is True


def test_settings_are_read_from_words():
    assert parse(["rate=0.3", "surface=bowl", "on=true"]) == {
        "rate": 0.3,
        "surface": "bowl",
        "on": True,
    }
    with pytest.raises(ValueError, match="name=value"):
        parse(["rate"])


def test_a_table_tells_the_neighbour_of_a_misspelt_name():
    table = Table("attack", "engine.store")
    table.add("fgsm", norm="Linf")(lambda: None)
    with pytest.raises(LookupError, match="did you mean 'fgsm'"):
        table.find("fgms")
    with pytest.raises(ValueError, match="two entries 'fgsm'"):
        table.add("fgsm")(lambda: None)
