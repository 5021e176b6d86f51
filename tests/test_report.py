"""The report of a run: whole in one file, safe whatever people call things, true to the run."""

import html
import html.parser
import json
import re
import shlex

import numpy as np
import pytest
from safetensors.numpy import load_file

from engine import views
from engine.__main__ import main
from engine.report.axes import Axis, number
from engine.report.drawing import draw
from engine.report.page import report
from engine.report.pixels import coloured, signed
from engine.store.home import run_folder
from engine.store.measured import history
from engine.store.register import register
from tests.kept import adopted, folder, trained
from tests.test_views import EXAMPLES

BAD = "<script>alert('x')</script>\"&"


class Page(html.parser.HTMLParser):
    """What tags a text has, and whether each that was opened is closed."""

    VOID = frozenset({"meta", "img", "path", "rect", "circle", "image", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.addresses = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [v for k, v in attributes if k in {"src", "href", "action"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("view", EXAMPLES, ids=lambda view: type(view).__name__)
def test_every_view_has_a_drawing_or_a_sentence(view):
    text = draw(view)
    page = Page(text)
    assert page.open == []
    assert "script" not in page.tags
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert "<svg" not in text or 'aria-label="' in text


@pytest.mark.parametrize(
    "view",
    [
        views.Curve(np.arange(3), {BAD: np.ones(3)}, xlabel=BAD, marks={BAD: 1.0}, title=BAD),
        views.Bars((BAD,), {BAD: np.ones(1)}, title=BAD),
        views.Matrix(np.eye(2), (BAD, BAD), (BAD, BAD), BAD, BAD),
        views.Tiles(np.zeros((1, 2, 2)), (BAD,), title=BAD),
        views.Table((BAD,), ((BAD,),)),
        views.Points(np.zeros((1, 2)), np.zeros(1, int), (BAD,)),
        views.Note(BAD, BAD),
        views.Tokens((BAD,)),
    ],
    ids=lambda view: type(view).__name__,
)
def test_a_name_is_never_markup(view):
    assert "<script" not in draw(view)
    assert Page(draw(view)).open == []


def test_a_curve_is_drawn_where_its_numbers_are():
    x, y = np.array([0.0, 10.0, 20.0]), np.array([1.0, np.nan, 3.0])
    drawn = draw(views.Curve(x, {"a": y}))
    assert re.search(r'class="line s0" d="M58\.0 206\.0M466\.0 30\.0"', drawn)  # a gap between


@pytest.mark.parametrize("values", [[np.nan, np.nan], [], [0.0, -1.0]])
def test_a_curve_without_numbers_is_told(values):
    drawn = draw(views.Curve(np.arange(len(values)), {"a": np.array(values)}, log=True))
    assert "<svg" not in drawn
    assert Page(drawn).open == []


def test_ticks_are_round_and_inside():
    assert Axis(0.13, 0.94, 0, 1).ticks() == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert Axis(0.001, 10.0, 0, 1, log=True).ticks() == pytest.approx([0.001, 0.01, 0.1, 1, 10])
    assert Axis(0.01, 0.03, 0, 1, log=True).ticks()[0] == pytest.approx(0.01)
    assert [number(v) for v in (0, 0.25, 12345.0, 2.5e-7)] == ["0", "0.25", "12,345", "2.5e-7"]


def test_pixels_have_the_palette_s_colours():
    assert signed(np.array([[1.0, 0.0, -1.0]])).tolist() == [
        [[0, 114, 178], [255, 255, 255], [208, 103, 10]]
    ]
    ends = coloured(np.array([[0.0, 1.0]]), "sequential")[0].tolist()
    assert ends == [[68, 1, 84], [253, 231, 37]]  # Viridis, #440154 and #fde725
    assert coloured(np.array([[np.nan, 2.0]]), "grey")[0].tolist() == [[0] * 3, [0] * 3]


def test_a_report_is_whole_and_asks_for_nothing(home):
    id = trained("Zwei Monde", turned={"learning_rate": 0.01})
    text = report(id)
    page = Page(text)
    assert page.open == []
    assert {"script", "link", "iframe"}.isdisjoint(page.tags)
    assert all(address.startswith("data:") for address in page.addresses)
    assert not re.search(r"url\(|@import", text)
    assert "default-src 'none'" in text


def test_a_report_says_what_the_run_says(home):
    id = trained("Zwei Monde", turned={"learning_rate": 0.01}, weight_decay=0.01)
    run, text = register().find(id), report(id)
    assert f"{100 * run.figures['accuracy']:.2f} %" in text
    assert f"{run.parameters:,}" in text
    (mark,) = history(run_folder(id)).marks
    assert text.count(f"<li>{mark}</li>") == 3  # on the curves of loss, accuracy and rate
    assert "<td>weight decay</td><td>0.01</td><td>0.0</td>" in text
    assert "samples of each class" in text
    assert "validation samples at step" in text  # the confusion
    assert "(click" not in text  # which paper does not take
    machine = json.loads((run_folder(id) / "machine.json").read_text())
    assert machine["PyTorch"] in text
    assert re.search(r"class \w+\(nn\.Module\)", text)  # the script


def test_its_command_makes_the_same_weights(home, tmp_path, monkeypatch):
    id = trained("again", learning_rate=0.02, augmentation="noise", loss_formula="(p - t)**2")
    shown = re.search(r"<pre>(python -m engine train .*?)</pre>", report(id))[1]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.json").write_text((run_folder(id) / "spec.json").read_text())
    assert main(shlex.split(html.unescape(shown))[3:]) == 0
    one = load_file(tmp_path / "weights.safetensors")
    other = load_file(run_folder(id) / "weights.safetensors")
    assert {name: (one[name] == other[name]).all() for name in other} == dict.fromkeys(other, True)


def test_a_report_of_a_run_with_a_hostile_name_is_safe(home):
    id = folder(BAD)
    text = report(id)
    assert "<script" not in text
    assert "alert(&#x27;x&#x27;)" in text


def test_a_model_that_was_not_trained_here_is_reported_as_such(home):
    text = report(adopted())
    assert "has learnt nothing yet" in text
    assert "validation samples" in text
    assert "How it learned" not in text


def test_what_is_missing_is_said(home):
    id = trained("gone")
    settings = run_folder(id) / "settings.json"
    settings.write_text(settings.read_text().replace("moons?size=60", "no such data"))
    text = report(id)
    assert "could not be asked again" in text
    assert "no such data" in text
    with pytest.raises(LookupError):
        report(id, "somebody else")
    assert "no weights yet" in report(folder("just begun"))


def test_a_generative_model_is_reported_with_its_samples(home):
    from engine.generate.learn import train

    id = folder("a game of two")
    place = run_folder(id)
    for name in ("spec.json", "summary.json", "settings.json"):
        (place / name).unlink()
    for step in train("gan", "ring", steps=50, folder=place):
        assert step
    run, text = register().find(id), report(id)
    assert (run.model, run.data, run.steps) == ("gan", "ring", 50)
    assert "What it makes" in text
    assert 'aria-label="samples: 1000 points."' in text
    past = history(place)
    assert all(f">{name}</text>" in text for name in past.lines if np.ptp(past.lines[name]))
    assert Page(text).open == []
