"""The model on stage: what an edit on the canvas keeps, and what it makes another network."""

import copy

import pytest

from engine.store import projects
from engine.store.projects import Project
from ui import asked, project

SPEC = {
    "version": 1,
    "title": "Mine",
    "nodes": [
        {"id": "image", "type": "Input", "params": {"shape": [1, 8, 8]}},
        {"id": "conv1", "type": "Conv2d", "params": {"out_channels": 2, "kernel_size": 3}},
    ],
    "edges": [["image", "conv1"]],
}


@pytest.fixture
def stage(monkeypatch, tmp_path):
    """A project with a trained run, and the calls that its edits make."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.setattr(project, "visitor", lambda: "a-visitor")
    known = {"trained": {"accuracy": 0.9}, "edited": {"origin": "edited"}}
    monkeypatch.setattr(project, "summary", lambda one: known.get(one.run))
    templates = [{"name": "lenet-digits", "title": "LeNet for small digits", "data": "digits"}]
    monkeypatch.setattr(asked, "templates", lambda: templates)
    calls = []

    def called(entry, arguments, *, seconds=0):
        calls.append((entry, arguments["run"]))
        return "edited"

    monkeypatch.setattr(project, "call", called)
    projects.keep("a-visitor", Project("Reader", SPEC, "mnist", "trained", 4))
    return calls


def _with(**fields):
    spec = copy.deepcopy(SPEC)
    spec["nodes"][1].update(fields)
    return spec


def test_a_moved_layer_keeps_the_weights(stage):
    assert project.take(_with(position=[3, 4]), 5).run == "trained"
    assert stage == []


def test_the_canvas_may_write_what_the_engine_leaves_out(stage):
    written = {**_with(), "outputs": [], "blocks": {}}
    written["nodes"][0]["frozen"] = False
    assert project.take(written, 5).run == "trained"
    assert project.take({**written, "nodes": _with(cut=[[1]])["nodes"]}, 6).run == "edited"


def test_a_cut_connection_goes_on_with_what_was_learnt(stage):
    assert project.take(_with(cut=[[1, 0]], frozen=True), 5).run == "edited"
    assert stage == [("engine.models.adopt:go_on", "trained")]


def test_another_parameter_is_another_network_until_it_is_taken_back(stage):
    runs: dict[str, str] = {}
    wider = _with(params={"out_channels": 3, "kernel_size": 3})
    assert project.take(wider, 5, runs=runs).run == ""
    assert project.take(_with(position=[1, 1]), 6, runs=runs).run == "trained"
    assert stage == []


def test_a_file_brings_its_weights_and_an_unknown_run_none(stage):
    wider = _with(params={"out_channels": 3, "kernel_size": 3})
    assert project.take(wider, 5, run="trained").run == "trained"
    assert project.take(_with(params={"out_channels": 4, "kernel_size": 3}), 6, run="no").run == ""


def test_a_template_opened_on_the_canvas_gives_its_name_and_its_data(stage):
    opened = project.take({**_with(), "title": "LeNet for small digits"}, 5)
    assert (opened.name, opened.data) == ("LeNet for small digits", "digits")
    empty = {name: value for name, value in SPEC.items() if name != "title"}
    assert project.take(empty, 6).name == "My own network"
