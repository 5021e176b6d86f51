"""Every lab keeps the contract; a new file is tested by being there."""

import inspect
import math
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demos.kit import Lab
from demos.shelf import Broken, find, shelf
from engine import forms
from engine.words import describe
from ui.figures import figure

every_file = pytest.mark.parametrize("entry", [pytest.param(e, id=e.id) for e in shelf()])
every_lab = pytest.mark.parametrize(
    "lab", [pytest.param(e, id=e.id) for e in shelf() if isinstance(e, Lab)]
)


@every_file
def test_is_a_lab(entry):
    assert not isinstance(entry, Broken), entry.reason


@every_lab
def test_has_words(lab):
    assert 3 <= len(lab.title) <= 60
    assert lab.source.endswith("."), "the docstring must end with 'Source: Author (year), Title.'"
    assert len(inspect.getsource(sys.modules[lab._run.__module__]).splitlines()) <= 190


@every_lab
def test_quick_run_reaches_its_end(lab):
    frames = list(lab.frames(**lab.quick))
    assert frames[-1].waits or frames[-1].step == frames[-1].of
    assert len({tuple(frame.views) for frame in frames}) == 1, "a slot came or went during the run"
    for view in frames[-1].views.values():
        figure(view)
        assert describe(view)


@every_lab
def test_same_settings_give_the_same_facts(lab):
    first, second = lab.last(**lab.quick).facts, lab.last(**lab.quick).facts
    assert first.keys() == second.keys()
    timed = [name for name in first if "/s]" in name or name.endswith("[s]")]  # measured speeds
    for name in first.keys() - set(timed):
        assert first[name] == pytest.approx(second[name], rel=1e-9, nan_ok=True), name


@every_lab
def test_its_experiments_are_settings_of_its_form(lab):
    for words, chosen in lab.tries.items():
        assert words
        lab.form.accept(chosen)
    if lab.question is not None:
        assert 0 <= lab.question.answer < len(lab.question.options)


PATIENCE = 30  # times the ledger's budget: a guard against what hangs, not a measurement


@pytest.mark.parametrize(
    "lab",
    [
        pytest.param(lab, id=lab.id, marks=pytest.mark.timeout(60 + PATIENCE * lab.seconds))
        for lab in shelf()
        if isinstance(lab, Lab)
    ],
)
def test_its_claims_hold(lab):
    claims = lab.check()
    assert claims, "check() made no claim"
    wrong = [f"{c.text}: {c.measured}, expected {c.expected}" for c in claims if not c.ok]
    assert not wrong, "\n".join(wrong)


def _values(control, default):  # noqa: C901 - a line for each kind of control
    match control:
        case forms.Slider(low=low, high=high) if isinstance(default, int):
            return st.integers(math.ceil(low), math.floor(high))
        case forms.Slider(low=low, high=high):
            return st.floats(low, high, allow_subnormal=False)
        case forms.Choice(options=options):
            return st.sampled_from(options)
        case forms.Toggle():
            return st.booleans()
        case forms.Text(longest=longest):
            return st.text(max_size=min(longest, 40))
        case forms.Numbers(length=length, low=low, high=high):
            number = st.floats(low, high, allow_subnormal=False)
            return st.lists(number, min_size=length, max_size=length)
        case forms.Drawing(rows=rows, columns=columns):
            blank = st.just([])
            return st.one_of(blank, st.integers(0, 99).map(lambda n: _scribble(n, rows, columns)))
        case forms.Place(extent=(left, right, bottom, top)):
            return st.tuples(st.floats(left, right), st.floats(bottom, top)).map(list)
        case forms.Pick(count=count):
            return st.integers(0, count - 1)


def _scribble(seed, rows, columns):
    return np.random.default_rng(seed).random(rows * columns).round(3).tolist()


@every_lab
def test_any_settings_give_finite_facts_or_a_plain_refusal(lab):
    free = {
        name: st.one_of(st.just(lab.quick.get(name, default)), _values(control, default))
        for name, control in lab.form.controls.items()
        for default in [lab.form.defaults[name]]
    }

    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries(free))
    def one(chosen):
        try:
            steps = lab.frames(**{**chosen, **_short(lab)})
            for frame, _ in zip(steps, range(40), strict=False):
                last = frame
        except ValueError as refusal:
            assert len(str(refusal)) > 10  # noqa: PT017 - a sentence, not a bare error
            return
        for view in last.views.values():
            describe(view)

    one()


def _short(lab):
    """The quick run's whole-number settings, so that a random run stays short."""
    return {
        name: value
        for name, value in lab.quick.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }


def test_a_misspelt_parameter_is_told_its_neighbour():
    with pytest.raises(ValueError, match=r"has no parameter 'rats'; did you mean 'rate'\?"):
        find("optimisation.step_size")(rats=0.1)


def test_a_misspelt_lab_is_told_its_neighbour():
    with pytest.raises(LookupError, match=r"did you mean 'optimisation.step_size'\?"):
        find("optimisation.step_siz")


def test_a_topic_of_the_ledger_finds_its_lab():
    assert find("gradient-descent-stability").id == "optimisation.step_size"


def test_no_two_labs_cover_the_same_topic():
    topics = [topic for entry in shelf() if isinstance(entry, Lab) for topic in entry.covers]
    assert len(topics) == len(set(topics))
