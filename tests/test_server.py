"""The running server: ready, careful with strangers, and never down because of bad input."""

import itertools
import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from engine.jobs import board
from engine.store import projects
from engine.store.projects import Project
from ui.api import LARGEST, api

BIG = {"id": "big", "type": "Linear", "params": {"out_features": 10_000_000}}


def spec(*nodes, edges=None):
    """A chain of nodes behind an image."""
    chain = [{"id": "image", "type": "Input", "params": {"shape": [1, 28, 28]}}, *nodes]
    pairs = [[a["id"], b["id"]] for a, b in itertools.pairwise(chain)]
    return {"version": 1, "nodes": chain, "edges": pairs if edges is None else edges}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("PLAYGROUND_HOME", str(tmp_path_factory.mktemp("store")))
    with TestClient(api, raise_server_exceptions=True) as found:
        yield found
    board().close()
    patch.undo()


def test_importing_the_server_brings_no_torch_and_no_gradio():
    code = (
        "import sys, ui.server, ui.api, ui.streamlit_face, ui.components; "
        "print([m for m in ('torch', 'gradio', 'captum') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_network_is_described(client):
    conv = {"id": "conv", "type": "Conv2d", "params": {"out_channels": 6, "kernel_size": 5}}
    told = client.post("/describe", json=spec(conv)).json()
    assert told["nodes"]["conv"]["output"] == [6, 24, 24]
    assert told["totals"]["parameters"] == 6 * (25 + 1)


def test_a_layer_of_ten_billion_numbers_is_told_and_never_made(client):
    wide = {"id": "wide", "type": "Linear", "params": {"out_features": 1_000_000}}
    told = client.post("/describe", json=spec({"id": "flat", "type": "Flatten"}, wide, BIG)).json()
    texts = [p["text"] for node in told["nodes"].values() for p in node["problems"]]
    assert told["totals"]["parameters"] > 10**13
    assert any("parameters" in text for text in [*texts, *(p["text"] for p in told["problems"])])


@pytest.mark.parametrize(
    "graph",
    [
        {"version": 1, "nodes": [], "edges": []},
        spec({"id": "a", "type": "Nonsense"}),
        spec({"id": "image", "type": "ReLU"}),
        spec({"id": "a", "type": "ReLU"}, edges=[["image", "a"], ["a", "gone"]]),
        spec(
            {"id": "a", "type": "ReLU"}, {"id": "b", "type": "ReLU"}, edges=[["a", "b"], ["b", "a"]]
        ),
        {"version": 99, "nodes": [{"id": "x", "type": "Input"}]},
        {"nodes": "many"},
    ],
)
def test_an_impossible_graph_gets_words_and_no_trace(client, graph):
    answer = client.post("/describe", json=graph)
    assert answer.status_code in {200, 422}
    assert "Traceback" not in answer.text
    told = answer.json()
    words = told.get("error") or [
        *(p["text"] for p in told["problems"]),
        *(p["text"] for node in told["nodes"].values() for p in node["problems"]),
    ]
    assert words


def test_a_request_that_is_too_long_is_refused_unread(client):
    answer = client.post("/describe", content=b"x" * (LARGEST + 1))
    assert answer.status_code == 413


def test_an_unknown_template_is_told_its_neighbour(client):
    answer = client.get("/templates/lenett")
    assert answer.status_code == 422
    assert "lenet" in answer.json()["error"]


def test_an_unknown_run_is_told(client):
    answer = client.get("/runs/nobody")
    assert answer.status_code == 404
    assert "run" in answer.json()["error"]


def test_a_lab_is_run_over_the_api_and_a_wrong_setting_refused(client):
    started = client.post(
        "/runs", json={"lab": "optimisation.step_size", "settings": "quick"}
    ).json()
    list(board().find(started["run"]).follow())
    assert client.get(f"/runs/{started['run']}").json()["state"] == "finished"
    refused = client.post("/runs", json={"lab": "optimisation.step_size", "settings": {"rats": 1}})
    assert refused.status_code == 422
    assert "did you mean 'rate'" in refused.json()["error"]


def test_a_run_for_a_stranger_cannot_name_its_own_code(client):
    answer = client.post("/runs", json={"lab": "os:system", "settings": {}})
    assert answer.status_code == 404


def test_a_project_is_kept_whole_and_found_again(home):
    before = Project("mine", spec(), "digits", revision=3)
    projects.keep("a" * 20, before)
    assert projects.load("a" * 20) == before
    assert projects.load("b" * 20) is None


def test_a_broken_project_file_is_no_project(home):
    (home / "projects").mkdir()
    (home / "projects" / f"{'c' * 20}.json").write_text('{"name": "x"')
    assert projects.load("c" * 20) is None


def test_a_visitor_cannot_name_a_path(home):
    with pytest.raises(ValueError, match="visitor"):
        projects.load("../../etc/passwd")


def test_the_numbers_of_a_layer_are_shown_and_groups_are_edited(client):
    flat = {"id": "flat", "type": "Flatten"}
    scores = {"id": "scores", "type": "Linear", "params": {"out_features": 3}, "cut": [[1, 0]]}
    whole = spec(flat, scores)
    asked = {"spec": whole, "node": "scores", "window": [0, 0, 3, 4]}
    shown = client.post("/weights", json=asked).json()
    assert (shown["grid"], shown["rows"], shown["columns"]) == ([3, 784], 3, 4)
    assert shown["values"][1][0] == 0
    assert shown["cut"] == [[1, 0]]
    wanted = {"spec": whole, "do": "group", "nodes": ["flat", "scores"], "name": "end"}
    changed = client.post("/edit", json=wanted).json()
    assert changed["nodes"] == ["end"]
    asked = {"spec": changed["spec"], "node": "end.scores", "name": "bias"}
    assert client.post("/weights", json=asked).json()["grid"] == [1, 3]
    for path, wrong in [
        ("/weights", {"node": "scores"}),
        ("/weights", {"spec": whole, "node": "nothing"}),
        ("/weights", {"spec": whole, "node": "flat"}),
        ("/edit", {"spec": whole, "do": "unpack", "node": "flat"}),
    ]:
        answer = client.post(path, json=wrong)
        assert answer.status_code == 422
        assert answer.json()["error"]
    edit = {"run": "nobody-has-this-run", "node": "scores", "index": [0, 0], "value": 1}
    assert client.post("/weights/edit", json=edit).status_code == 404


def test_one_batch_is_timed_and_a_wrong_one_refused_in_words(client):
    spec = client.get("/templates/lenet-digits").json()
    told = client.post("/timing", json={"spec": spec, "batch": 8}).json()
    assert told["batch"] == 8
    assert told["forward"] > 0
    assert told["backward"] > 0
    assert client.post("/timing", json={"spec": spec, "batch": 0}).status_code == 422
    broken = {**spec, "edges": spec["edges"][1:]}
    refused = client.post("/timing", json={"spec": broken, "batch": 8})
    assert refused.status_code == 422
    assert "conv1" in refused.json()["error"]
