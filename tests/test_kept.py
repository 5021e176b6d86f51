"""Kept runs from outside: over HTTP and on the command line."""

import io
import json
import zipfile

import pytest
from starlette.testclient import TestClient

from engine.__main__ import main
from engine.jobs import board
from engine.store.alive import stamp
from engine.store.home import run_folder
from engine.store.register import register
from tests.kept import adopted, folder, trained
from ui.api import api
from ui.cookie import VISITOR


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("PLAYGROUND_HOME", str(tmp_path_factory.mktemp("store")))
    yield
    board().close()
    patch.undo()


@pytest.fixture
def client(store):
    """Ada's browser."""
    with TestClient(api, cookies={VISITOR: "ada"}) as found:
        yield found


@pytest.fixture
def said(home, capsys):
    """Does what a command line says; what was printed as JSON."""

    def do(*words):
        status = main(["runs", "--json", *words])
        out = capsys.readouterr()
        assert status == 0, out.err
        return json.loads(out.out)

    return do


def test_a_visitor_gets_his_runs_and_no_word_of_whose_they_are(client):
    mine = folder("mine", "ada")
    folder("yours", "bob")
    found = client.get("/runs").json()
    assert [one["id"] for one in found] == [mine]
    assert "owner" not in found[0]
    assert found[0]["score"] == 0.875
    kept = client.get(f"/runs/{mine}").json()
    assert (kept["kept"]["name"], kept["state"]) == ("mine", "finished")


def test_who_sends_no_cookie_is_told(client):
    client.cookies.clear()
    answer = client.get("/runs")
    assert answer.status_code == 422
    assert VISITOR in answer.json()["error"]


def test_a_run_is_renamed_and_deleted_over_http(client):
    id = folder("before", "ada")
    assert client.patch(f"/runs/{id}", json={"name": "after"}).json()["name"] == "after"
    assert client.patch(f"/runs/{id}", json={"name": " "}).status_code == 422
    assert client.delete(f"/runs/{id}").json()["freed"] > 0
    assert not run_folder(id).exists()
    assert client.get(f"/runs/{id}").status_code == 404


def test_a_strangers_run_cannot_be_touched(client):
    id = folder("his", "bob")
    for answer in (
        client.patch(f"/runs/{id}", json={"name": "mine"}),
        client.delete(f"/runs/{id}"),
        client.get(f"/runs/{id}/report"),
        client.post(f"/runs/{id}/send/tensorboard", json={}),
        client.get("/compare", params={"run": [id, id]}),
    ):
        assert answer.status_code == 404
    assert register().find(id, "bob").name == "his"


def test_a_run_under_way_is_not_deleted_over_http(client):
    id = folder("busy", "ada", state="running", ended=None, process=stamp())
    answer = client.delete(f"/runs/{id}")
    assert answer.status_code == 422
    assert "stop it" in answer.json()["error"]


def test_runs_are_compared_reported_and_taken_elsewhere_over_http(client):
    one, two = trained("one", learning_rate=0.01), trained("two")
    told = client.get("/compare", params={"run": [one, two]}).json()
    assert told["settings"] == {"learning_rate": [0.01, 0.003]}
    page = client.get(f"/runs/{one}/report")
    assert page.headers["content-disposition"] == 'attachment; filename="one.html"'
    assert page.text.startswith("<!doctype html>")
    pytest.importorskip("tensorboard")
    pack = client.post(f"/runs/{one}/send/tensorboard", json={})
    assert len(zipfile.ZipFile(io.BytesIO(pack.content)).namelist()) == 1
    refused = client.post(f"/runs/{one}/send/mlflow", json={"settings": {"server": "file:///tmp"}})
    assert refused.status_code == 422
    assert {one["name"] for one in client.get("/trackers").json()} >= {"mlflow", "trackio"}


def test_a_model_that_nobody_owns_is_found_by_its_id(client):
    id = adopted()
    assert client.get(f"/runs/{id}").json()["kept"]["origin"] == "first"
    assert client.patch(f"/runs/{id}", json={"name": "found"}).json()["name"] == "found"


def test_the_command_line_lists_shows_renames_and_deletes(said):
    id = folder("first", "ada")
    folder("second", "bob", created=2000.0)
    assert [one["name"] for one in said("list")] == ["second", "first"]
    assert [one["id"] for one in said("list", "--owner", "ada")] == [id]
    assert said("rename", "--", id, "a = b")["name"] == "a = b"
    shown = said("show", "a = b")
    assert (shown["id"], shown["folder"]) == (id, str(run_folder(id)))
    assert said("delete", "a = b")["freed"] > 0
    assert [one["name"] for one in said("list")] == ["second"]


def test_the_command_line_compares_and_writes_files(said, tmp_path):
    trained("slow")
    trained("fast", learning_rate=0.02)
    told = said("compare", "slow", "fast")
    assert told["settings"] == {"learning_rate": [0.003, 0.02]}
    assert told["figures"][0]["epochs"] == "4"
    page, pack = tmp_path / "report.html", tmp_path / "logs.zip"
    assert said("report", "fast", "-o", str(page))["bytes"] == page.stat().st_size
    pytest.importorskip("tensorboard")
    said("tensorboard", "fast", "-o", str(pack))
    assert zipfile.is_zipfile(pack)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "nothing"], "there is no run called 'nothing'"),
        (["show", "twin"], "there are 2 runs called 'twin'"),
        (["delete"], "needs one run"),
        (["rename", "twin"], "needs a run and its new name"),
        (["compare", "busy"], "needs 2 to 8 runs"),
        (["delete", "busy"], "stop it first"),
        (["mlflow", "busy", "colour=red"], "has no parameter 'colour'"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(home, capsys, words, told):
    for name in ("twin", "twin"):
        folder(name)
    folder("busy", state="running", ended=None, process=stamp())
    assert main(["runs", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
