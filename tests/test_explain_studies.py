"""Every section of the Explain page as a run, for pictures, tables, texts and series."""

import csv
import io
import itertools
import json

import numpy as np
import pytest
from PIL import Image

from engine.explain import own
from engine.explain.studies import (
    concepts,
    counterfactual,
    errors,
    faithful,
    inside,
    training,
    whole,
)
from engine.explain.studies import units as wishes
from engine.explain.study import study
from engine.network.templates import spec_of
from engine.training.run import train
from engine.views import Note, Table

QUICK = "saliency, integrated_gradients"
SECTIONS = {
    "compare": (study, {"methods": QUICK}),
    "trust": (faithful.study, {"methods": "saliency"}),
    "errors": (errors.study, {}),
    "counterfactual": (counterfactual.study, {}),
    "wish": (wishes.study, {"steps": 10}),
    "units": (inside.units, {}),
    "pairs": (inside.pairs, {}),
    "data set": (whole.importances, {"samples": 20}),
    "shap": (whole.importances, {"way": "mean |SHAP|", "samples": 10, "grid": 2}),
    "alike": (whole.explained, {"samples": 20}),
    "concepts": (concepts.study, {"draws": 3}),
    "training": (training.study, {}),
}


def dense(shape, outputs, **entry):
    """A small network that flattens its input."""
    nodes = [
        {"id": "x", "type": "Input", "params": {"shape": shape, **entry}},
        {"id": "flat", "type": "Flatten"},
        {"id": "d1", "type": "Linear", "params": {"out_features": 12}},
        {"id": "relu", "type": "ReLU"},
        {"id": "d2", "type": "Linear", "params": {"out_features": outputs}},
    ]
    if "vocabulary" in entry:
        words = {"num_embeddings": entry["vocabulary"], "embedding_dim": 6}
        nodes.insert(1, {"id": "words", "type": "Embedding", "params": words})
    ids = [node["id"] for node in nodes]
    return {
        "version": 1, "nodes": nodes, "edges": list(itertools.pairwise(ids)),
        "outputs": ["d2"],
    }  # fmt: skip


MODELS = {
    "digits": (lambda: spec_of("lenet-digits"), 2),
    "iris": (lambda: dense([4], 3), 20),
    "reviews?size=400": (lambda: dense([13], 2, dtype="token", vocabulary=21), 3),
    "sunspots": (lambda: dense([24, 1], 1), 2),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A small model of each kind of data, briefly trained."""
    made = {}
    for data, (spec, epochs) in MODELS.items():
        made[data] = tmp_path_factory.mktemp("run")
        for _ in train(json.loads(json.dumps(spec())), data, folder=made[data], epochs=epochs):
            pass
    return made


def settle(run, changes=None):
    """The frame that waits."""
    frame = run.send(changes)
    while not frame.waits:
        frame = run.send(None)
    return frame


def words(frame):
    return " ".join(view.text for view in frame.views.values() if isinstance(view, Note))


@pytest.mark.parametrize("data", MODELS)
@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_answers_or_says_why_not(name, data, folders):
    entry, settings = SECTIONS[name]
    frame = settle(entry(str(folders[data]), **settings))
    assert frame.step == frame.of
    told = words(frame)
    if data == "sunspots" and name in ("errors", "counterfactual", "concepts", "training"):
        assert "classes" in told or "number" in told
    else:
        assert set(frame.views) - {"notes"}, told
        assert not any(view.title == "That does not fit" for view in frame.views.values())


def test_an_estimate_stands_before_anything_begins_and_patience_decides(folders):
    run = study(str(folders["digits"]), methods="shapley_sampling, saliency", patience=20.0)
    first = next(run)
    row = first.views["methods"].rows[0]
    assert row[3] == 26 * 50
    assert row[7] == "expected; not begun yet"
    run.close()
    slow = json.dumps({"shapley_sampling": {"orders": 200}, "rise": {"samples": 4000}})
    run = study(str(folders["digits"]), methods="rise, saliency", settings=slow, patience=1.0)
    frame = settle(run)
    rows = {row[0]: row for row in frame.views["methods"].rows}
    begun = rows["rise"][7] == ""
    assert begun or "turn patience up" in rows["rise"][7]
    assert rows["saliency"][7] == ""


def test_sampled_methods_say_how_much_they_scatter(folders):
    frame = settle(study(str(folders["digits"]), methods="kernel_shap, lime, saliency"))
    errors = {row[0]: row[1] for row in frame.views["methods"].rows}
    assert "gap" in errors["kernel_shap"]
    assert "over 5 seeds" in errors["kernel_shap"]
    assert "R²" in errors["lime"]
    assert "seeds" not in errors["saliency"]


def test_a_control_turned_in_the_middle_ends_the_work(folders):
    settings = json.dumps({"rise": {"samples": 4000}})
    run = study(str(folders["digits"]), methods="rise", settings=settings, patience=300.0)
    frame = next(run)
    for _ in range(3):
        frame = run.send(None)
    frame = settle(run, {"methods": "saliency"})
    assert [row[0] for row in frame.views["methods"].rows] == ["saliency"]


def test_what_a_visitor_brings_is_explained(folders):
    picture = np.zeros((20, 20), np.uint8)
    picture[4:16, 9:11] = 255
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    line = own.picture(file.getvalue(), [1, 8, 8], "a one.png")
    run = study(str(folders["digits"]), methods="saliency", source="yours", yours=line)
    frame = settle(run)
    assert frame.views["input"].captions == ("a one.png",)
    text = own.sentence("the film was not good")
    frame = settle(study(str(folders["reviews?size=400"]), source="yours", yours=text,
                         methods="integrated_gradients"))  # fmt: skip
    assert frame.views["input"].tokens[:5] == ("the", "film", "was", "not", "good")
    assert frame.views["maps"].weights.shape == (13,)
    wrong = settle(study(str(folders["digits"]), source="yours", yours=own.row([1.0])))
    assert "must have 64 numbers" in words(wrong)


def test_a_cell_leads_to_its_samples_and_a_sample_to_two_maps(folders):
    run = errors.study(str(folders["digits"]))
    frame = settle(run)
    matrix = frame.views["confusion"].values
    off = matrix - np.diag(np.diag(matrix))
    row, column = np.unravel_index(int(off.argmax()), off.shape)
    assert frame.views["confusion"].highlight == ((row, column),)
    shown = frame.views["samples"]
    assert len(shown.images) == min(24, matrix[row, column])
    assert frame.views["maps"].captions == (f"for {column}", f"for {row}")
    right = settle(run, {"cell": 11, "member": 1})  # ones that are told to be ones
    assert right.views["maps"].captions == ("for 1",)
    number = shown_number(right.views["samples"].captions[1])
    assert right.views["input"].captions == (f"validation sample {number}, true class 1",)
    empty = int(np.flatnonzero(matrix == 0)[0])
    assert "No " in words(settle(run, {"cell": empty}))


def shown_number(caption):
    return int(caption)


def test_a_counterfactual_really_flips_the_model(folders):
    for search in ("nearest", "fewest changes", "deepfool"):
        run = counterfactual.study(str(folders["digits"]), search=search)
        frame = settle(run)
        before, after = frame.views["both"].captions
        assert before != after
        likely = frame.views["way"].lines
        assert likely[after][-1] > likely[before][-1]
        assert likely[before][0] > likely[after][0]
    said = settle(run, {"wanted": before, "search": "nearest"})
    assert "already" in words(said)
    frame = settle(counterfactual.study(str(folders["iris"]), search="fewest changes"))
    assert isinstance(frame.views["changes"], Table)
    assert frame.facts["changed"] == len(frame.views["changes"].rows)


def test_a_drawing_can_be_a_concept(folders):
    run = concepts.study(str(folders["digits"]), concept="my drawing", draws=3, about="1")
    assert "Draw something first" in words(settle(run))
    bar = np.zeros((28, 28))
    bar[4:24, 13:15] = 1.0
    frame = settle(run, {"drawing": bar.flatten().tolist()})
    assert frame.views["tcav"].names == ("1",)
    assert len(frame.views["examples"].images) == 9


def test_a_layer_that_is_not_there_is_told_everywhere(folders):
    for entry, settings in (
        (study, {"methods": "gradcam"}),
        (wishes.study, {}),
        (inside.units, {}),
        (concepts.study, {"draws": 3}),
    ):
        frame = settle(entry(str(folders["digits"]), layer="conv9", **settings))
        assert "no layer 'conv9'" in words(frame)


def test_what_is_shown_is_taken_home_as_png_svg_and_csv(folders):
    from ui.explaining import take

    frame = settle(study(str(folders["digits"]), methods=QUICK))
    picture = Image.open(io.BytesIO(take.png(frame)))
    assert picture.width > 3 * 224
    drawing = take.svg(frame)
    assert drawing.count("<image") == 3
    assert "integrated_gradients: gap" in drawing
    rows = list(csv.DictReader(io.StringIO(take.table(frame))))
    maps = [row for row in rows if row["name"].startswith("integrated_gradients: gap")]
    assert len(maps) == 64
    by_hand = frame.views["maps"].images[1]
    place = maps[10]
    value = by_hand[int(place["row"]), int(place["column"])]
    assert float(place["value"]) == pytest.approx(float(value), rel=1e-6)
    table = settle(study(str(folders["iris"]), methods=QUICK))
    assert "petal length (cm)" not in take.svg(table)  # bars are drawn as cells with their name
    assert take.png(None)
