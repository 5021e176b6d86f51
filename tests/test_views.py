"""Every kind of view becomes a figure and a sentence, and refuses what cannot be drawn."""

import re
import typing
from pathlib import Path

import numpy as np
import pytest

from engine import palette, views
from engine.plain import plain
from engine.words import describe
from ui.figures import figure

PLANE = (-1.0, 1.0, -1.0, 1.0)
POINTS = views.Points(np.zeros((3, 2)), np.array([0, 1, 1]), ("A", "B"))
LINE = {"w": np.array([[0.0, 0.0], [1.0, 1.0]])}
EXAMPLES = [
    views.Curve(np.arange(3.0), {"loss": np.array([3.0, np.nan, 1.0])}, marks={"here": 1.0}),
    POINTS,
    views.Field(np.eye(4), PLANE, LINE, "hill", POINTS, "signed"),
    views.Bars(("a", "b"), {"x": np.array([1.0, 2.0])}, level={"limit": 1.5}),
    views.Histogram(np.arange(4.0), {"n": np.array([1, 2, 3])}),
    views.Matrix(np.eye(3), ("a", "b", "c"), numbers=True),
    views.Tiles(np.zeros((5, 4, 4)), ("one", "two")),
    views.Tiles(np.zeros((2, 4, 4, 3))),
    views.Tokens(("to", "be"), np.array([0.5, -2.0])),
    views.Attention(np.eye(2), ("to", "be"), ("a", "b"), ("target", "source"), "lines", 1),
    views.Heads(np.zeros((4, 3, 3)), ("one", "two"), 2, 3, ((3, 3),) * 2, (("a", "a"),) * 2),
    views.Products(
        np.ones(4), np.ones((2, 4)), np.zeros(2), np.full(2, 0.5), ("to", "be"), (0, 1), "be", 0.5
    ),
    views.Patches(np.zeros((8, 8)), np.eye(5), (2, 2), (1, 2, 3, 4), {"[class]": 0}, 0),
    views.Patches(np.zeros((8, 8, 3)), np.eye(4), (2, 2), (0, 1, 2, 3)),
    views.Matrix(np.eye(2), words=(("a", "b"), ("c", "d"))),
    views.Graph(
        (views.Node("a", "A", 0, 0), views.Node("b", "B", 1, 1, 2.0)), (views.Edge("a", "b", -1.0),)
    ),
    views.Neurons(
        np.zeros((5, 4, 4)), (2, 3), (np.ones((3, 2)),), ("inputs", "scores"), ("x", "y")
    ),
    views.Parallel(
        np.array([[0.1, 0, 0.9], [0.01, 1, np.nan]]),
        ("rate", "optimizer", "score"),
        {"optimizer": ("SGD", "Adam")},
        ("rate",),
    ),
    views.Surface(np.eye(4), PLANE, {"w": np.zeros((2, 3))}),
    views.Arrows(np.zeros((2, 2)), np.ones((2, 2)), PLANE, points=POINTS),
    views.Table(("name", "value"), (("a", 1.0), ("b", True))),
    views.Timeline(("gpu 0",), (views.Span("gpu 0", 0.0, 1.0, "forward"),)),
    views.Sound(np.zeros(160)),
    views.Note("**Look** here."),
]
each = pytest.mark.parametrize("view", EXAMPLES, ids=lambda view: type(view).__name__)


def test_there_is_an_example_of_every_kind():
    assert {type(view) for view in EXAMPLES} == set(typing.get_args(views.View))


@each
def test_it_becomes_a_figure_that_can_be_sent(view):
    assert figure(view).to_json()


@each
def test_it_becomes_a_sentence(view):
    assert describe(view).endswith((".", "!"))


@each
def test_it_becomes_plain_data(view):
    told = plain(view)
    assert told["kind"] == type(view).__name__


def test_the_sentence_of_a_curve_says_where_it_ends():
    view = views.Curve(np.arange(2.0), {"loss": np.array([3.0, 0.25])}, xlabel="step", title="fall")
    assert describe(view) == "fall over step: loss ends at 0.25."


def test_plain_data_has_no_number_that_json_does_not_know():
    assert plain(np.array([1.0, np.nan, np.inf])) == [1.0, None, None]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: views.Curve(np.arange(3.0), {"y": np.zeros(2)}), "must have the shape of x"),
        (lambda: views.Points(np.zeros((3, 3))), r"must be \(n, 2\)"),
        (lambda: views.Points(np.zeros((3, 2)), np.zeros(2)), "3 points but 2 labels"),
        (lambda: views.Field(np.zeros(3), PLANE), "must be"),
        (lambda: views.Bars(("a",), {"x": np.zeros(2)}), "one for each name"),
        (lambda: views.Histogram(np.arange(3.0), {"n": np.zeros(3)}), "one count between"),
        (lambda: views.Graph((), (views.Edge("a", "b"),)), "needs node 'a'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_canvas_and_figures_have_the_same_colours():
    text = Path("ui/frontend/src/shared/palette.ts").read_text(encoding="utf-8")
    light, dark = re.search(r"const CLASSES = \{(.*?)\};", text, re.DOTALL)[1].split("dark:")
    viridis = re.search(r"const VIRIDIS = \[(.*?)\]", text, re.DOTALL)[1]
    sign = re.search(r"const SIGN = \{\s*light: \{(.*?)\}", text, re.DOTALL)[1]
    assert tuple(re.findall(r"#[0-9a-f]{6}", light)) == palette.CLASSES
    assert tuple(re.findall(r"#[0-9a-f]{6}", dark)) == palette.ON_DARK
    assert tuple(re.findall(r"#[0-9a-f]{6}", viridis)) == palette.VIRIDIS
    assert re.findall(r"#[0-9a-f]{6}", sign) == [palette.POSITIVE, palette.NEGATIVE]


def test_layers_of_a_graph_stand_in_columns():
    at = views.layered([["a", "b"], ["c"]])
    assert at["a"][0] == at["b"][0] == 0.0
    assert at["c"] == (1.0, 0.5)
    assert at["a"][1] > at["b"][1]
