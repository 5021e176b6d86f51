"""Views to bytes and back, for every kind of view and any numbers."""

import dataclasses
import math
import typing

import hypothesis.extra.numpy as arrays_of
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from engine import views
from engine.views import Curve, Field, Frame, Matrix, Note, Points, Tiles
from ui.live.wire import decode, encode, merge

INFO = {"run": "r", "state": "running", "version": 1, "facts": {}, "live": {}}
FLOATS = st.floats(width=32, allow_infinity=False)
RNG = np.random.default_rng(0)

EXAMPLES = [
    Curve(np.arange(3), {"a": np.array([1.0, np.nan, 2.5])}, marks={"here": 1.5}, log=True),
    Points(RNG.normal(size=(4, 2)), np.array([0, 1, 1, 0]), ("no", "yes"), extent=(0, 1, 0, 1)),
    Field(
        RNG.normal(size=(3, 5)),
        (0, 1, 0, 1),
        {"w": RNG.normal(size=(2, 2))},
        points=Points(RNG.normal(size=(2, 2))),
        scale="signed",
    ),
    views.Bars(("a", "b"), {"p": np.array([0.25, 0.75])}, level={"chance": 0.5}),
    views.Histogram(np.linspace(0, 1, 4), {"n": np.array([1, 2, 3])}),
    Matrix(np.eye(3), rows=("a", "b", "c"), highlight=((0, 1),)),
    Tiles(RNG.random((2, 4, 4)), ("x", "y"), marks={1: "wrong"}),
    views.Tokens(("a", "b"), np.array([0.5, -0.5]), np.eye(2)),
    views.Attention(RNG.random((2, 3)), ("a", "b"), ("x", "y", "z"), ("target", "source")),
    views.Heads(RNG.random((2, 3, 3)), ("one",), 2, 1, ((3, 3),), (("a", "a"),)),
    views.Products(RNG.random(2), RNG.random((1, 2)), np.ones(1), np.ones(1), ("a",), (0,), "b"),
    views.Patches(RNG.random((4, 4)), np.eye(2), (1, 1), (1,), {"[class]": 0}),
    views.Graph(
        (views.Node("a", "A", 0.0, 0.5), views.Node("b", "B", 1.0, 0.5, 2.0, "Linear")),
        (views.Edge("a", "b", -1.5, "w"),),
    ),
    views.Neurons(RNG.random((3, 4, 4)), (2, 1), (RNG.random((1, 2)),), ("in", "out")),
    views.Parallel(RNG.random((3, 2)), ("rate", "score"), {}, ("rate",)),
    views.Surface(RNG.normal(size=(3, 3)), (0, 1, 0, 1), {"p": RNG.normal(size=(2, 3))}),
    views.Arrows(RNG.random((2, 2)), RNG.random((2, 2)), (0, 1, 0, 1), ("u", "v")),
    views.Table(("name", "n", "ok"), (("a", 1.5, True), ("b", 2, False))),
    views.Timeline(("gpu",), (views.Span("gpu", 0.0, 1.5, "mm", "kernel"),)),
    views.Sound(np.sin(np.arange(8))),
    Note("**words** – ünïcode", tone="good"),
]


def sent(view, before=None):
    """The view as it arrives at a watcher who had `before`."""
    frame, known = Frame(1, 2, {"v": view}), before and Frame(0, 2, {"v": before})
    return decode(encode(INFO, frame, known))["views"].get("v")


def assert_arrived(got, view):
    """Every field of the view is there: arrays to their precision, the rest as JSON."""
    for field in dataclasses.fields(view):
        exact = field.metadata.get("wire") != "byte"
        assert_same(got[field.name], getattr(view, field.name), exact)


def assert_same(got, value, exact=True):
    if isinstance(value, np.ndarray):
        assert got.shape == value.shape
        finite = value[np.isfinite(value)]
        span = float(np.ptp(finite)) if finite.size and not exact else 0.0
        np.testing.assert_allclose(got, value.astype(np.float32), 1e-6, span / 254 / 2 * 1.001)
    elif dataclasses.is_dataclass(value):
        assert_arrived(got, value)
    elif isinstance(value, dict):
        assert list(got) == [str(key) for key in value]
        for key, one in value.items():
            assert_same(got[str(key)], one)
    elif isinstance(value, tuple):
        assert len(got) == len(value)
        for one, other in zip(got, value, strict=True):
            assert_same(one, other)
    elif isinstance(value, float) and math.isnan(value):
        assert got is None
    else:
        assert got == value


@pytest.mark.parametrize("view", EXAMPLES, ids=lambda view: type(view).__name__)
def test_every_kind_of_view_arrives_whole(view):
    got = sent(view)
    assert got["kind"] == type(view).__name__
    assert_arrived(got, view)


def test_there_is_an_example_of_every_kind():
    assert {type(view) for view in EXAMPLES} == set(typing.get_args(views.View))


@pytest.mark.parametrize("view", EXAMPLES, ids=lambda view: type(view).__name__)
def test_a_view_that_did_not_change_is_not_sent(view):
    again = type(view)(**{f.name: getattr(view, f.name) for f in dataclasses.fields(view)})
    assert sent(again, view) is None


SHAPES = arrays_of.array_shapes(min_dims=2, max_dims=2, max_side=6)


@given(arrays_of.arrays(np.float32, SHAPES, elements=FLOATS))
def test_a_picture_arrives_in_255_levels(values):
    got = sent(Field(values, (0, 1, 0, 1)))["values"]
    finite = values[~np.isnan(values)].astype(np.float64)
    assert (np.isnan(got) == np.isnan(values)).all()
    if finite.size:
        error = np.abs(got.astype(np.float64) - values)[~np.isnan(values)]
        scale = np.abs(finite).max()
        assert (error <= np.ptp(finite) / 508 * 1.001 + scale * 1e-6).all()


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64])
def test_a_picture_of_whole_numbers_arrives(kind):
    values = np.array([[0, 1], [1, 0]]).astype(kind)
    np.testing.assert_allclose(sent(Field(values, (0, 1, 0, 1)))["values"], values.astype(float))


@given(arrays_of.arrays(np.float64, SHAPES, elements=st.floats(width=64)))
def test_numbers_arrive_in_single_precision(values):
    got = sent(Matrix(values))["values"]
    with np.errstate(over="ignore"):
        expected = values.astype(np.float32)
    np.testing.assert_array_equal(got, expected)


@given(arrays_of.arrays(np.int64, (4, 2), elements=st.integers(-(2**62), 2**62)))
def test_whole_numbers_stay_whole_where_they_fit(values):
    got = sent(Points(values))["xy"]
    if np.abs(values).max() < 2**31:
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, values)
    else:
        np.testing.assert_allclose(got, values, rtol=1e-6)


@given(st.data(), arrays_of.arrays(np.float32, st.integers(1, 20), elements=st.floats(width=32)))
def test_a_growing_curve_sends_its_tail(data, values):
    count = data.draw(st.integers(1, len(values)))
    before = Curve(np.arange(count), {"y": values[:count]})
    curve = Curve(np.arange(len(values)), {"y": values})
    first = decode(encode(INFO, Frame(0, 1, {"c": before}), None))
    message = decode(encode(INFO, Frame(1, 1, {"c": curve}), Frame(0, 1, {"c": before})))
    if len(values) > count:
        assert message["views"]["c"]["grow"]
        assert message["views"]["c"]["x"].shape == (len(values) - count,)
    got = merge(merge({}, first), message)["c"]
    np.testing.assert_array_equal(got["x"], curve.x)
    np.testing.assert_array_equal(got["lines"]["y"], values)


@pytest.mark.parametrize(
    "changed",
    [
        Curve(np.arange(4), {"y": np.array([0.0, 9.0, 2.0, 3.0])}),
        Curve(np.arange(4), {"z": np.arange(4.0)}),
        Curve(np.arange(4), {"y": np.arange(4.0)}, title="new"),
        Curve(np.arange(2), {"y": np.arange(2.0)}),
    ],
)
def test_a_curve_that_changed_otherwise_is_sent_whole(changed):
    before = Curve(np.arange(3), {"y": np.arange(3.0)})
    assert_arrived(sent(changed, before), changed)


def test_slots_keep_their_order_and_may_go():
    a, b = Note("a"), Note("b")
    first = decode(encode(INFO, Frame(0, 1, {"b": b, "a": a}), None))
    assert first["slots"] == ["b", "a"]
    later = decode(encode(INFO, Frame(1, 1, {"a": a}), Frame(0, 1, {"b": b, "a": a})))
    assert later["views"] == {}
    assert list(merge(merge({}, first), later)) == ["a"]


@settings(max_examples=30)
@given(st.text(), st.dictionaries(st.text(), st.floats()))
def test_the_header_is_strict_json_and_arrays_are_aligned(words, facts):
    frame = Frame(1, 2, {words: Note(words), "m": Matrix(np.ones((1, 1)))})
    message = encode({**INFO, "facts": facts}, frame, None)
    assert (4 + int.from_bytes(message[:4], "little")) % 8 == 0
    got = decode(message)
    assert got["views"][words]["kind"] in {"Note", "Matrix"}
    for name, value in facts.items():
        if math.isfinite(value):
            assert got["facts"][name] == pytest.approx(value, rel=1e-6)
        else:
            assert got["facts"][name] is None


@pytest.mark.parametrize("scale", ["grey", "signed"])
def test_tiles_with_their_own_scales_keep_their_contrast(scale):
    faint, strong = np.array([[-1e-4, 2e-4]]), np.array([[-50.0, 100.0]])
    got = sent(Tiles(np.stack([faint, strong]), scale=scale, shared=False))["images"]
    np.testing.assert_allclose(got[0], got[1], atol=0.01)
    assert np.ptp(got[0]) > 0.9


def test_infinities_in_a_picture_are_its_ends():
    got = sent(Field(np.array([[-np.inf, 0.0, 1.0, np.inf, np.nan]]), (0, 1, 0, 1)))["values"]
    np.testing.assert_allclose(got, [[0.0, 0.0, 1.0, 1.0, np.nan]])


def test_a_truncated_message_is_refused():
    message = encode(INFO, Frame(0, 1, {"m": Matrix(np.ones((9, 9)))}), None)
    with pytest.raises(ValueError, match="bytes"):
        decode(message[:20])
