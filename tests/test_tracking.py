"""Runs sent elsewhere, read back with the other program's own reader."""

import io
import json
import math
import subprocess
import sys
import zipfile

import pytest

from engine.store.home import run_folder
from engine.store.measured import history
from engine.store.register import register
from engine.tracking import trackers
from engine.tracking.address import checked
from engine.tracking.send import send
from engine.tracking.story import told
from tests.kept import adopted, trained

TURNED = {"learning_rate": 0.01}


@pytest.fixture
def run(home):
    return trained("Zwei Monde / 2", turned=TURNED)


def test_every_tracker_says_what_it_is():
    for entry in trackers.all().values():
        assert entry.facts["gives"] in {"file", "place"}
        assert entry.help.endswith(".")
        assert entry.facts["title"]


def test_a_story_has_every_measured_number_between_begin_and_end(run):
    past, story = history(run_folder(run)), told(run)
    assert [point.step for point in story.points] == past.steps
    measured = past.lines["score validation"]
    assert [point.values["accuracy/validation"] for point in story.points] == measured
    times = [point.when for point in story.points]
    assert times == sorted(times)
    assert story.run.created < times[0] <= times[-1] == story.run.ended
    assert story.parameters["learning_rate"] == 0.003  # as at its beginning; the rest are marks
    with pytest.raises(LookupError):
        told(run, "somebody else")


def test_tensorboard_reads_the_same_numbers_back(run, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    pack = zipfile.ZipFile(io.BytesIO(send("tensorboard", run)))
    (name,) = pack.namelist()
    assert name.startswith("Zwei-Monde---2-")
    pack.extractall(tmp_path / "logs")
    read = EventAccumulator(str((tmp_path / "logs" / name).parent))
    read.Reload()
    past = history(run_folder(run))
    for tag, line in (("loss/train", "loss train"), ("accuracy/validation", "score validation")):
        events = read.Scalars(tag)
        assert [event.step for event in events] == past.steps
        assert [event.value for event in events] == pytest.approx(past.lines[line], rel=1e-6)
    final = register().find(run).figures["accuracy"]
    assert read.Scalars("final/accuracy")[0].value == pytest.approx(final)
    assert "weights/hidden.weight" in read.Tags()["histograms"]
    weights = read.Histograms("weights/hidden.weight")[-1].histogram_value
    assert weights.num == 16
    assert weights.sum == pytest.approx(_weights(run, "hidden.weight").sum(), abs=1e-5)
    assert "_hparams_/experiment" in read.summary_metadata
    text = read.Tensors("turned while it ran/text_summary")[0].tensor_proto.string_val[0]
    assert b"learning rate 0.01" in text


def _weights(run, name):
    from safetensors.numpy import load_file

    return load_file(run_folder(run) / "weights.safetensors")[name]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's own
def test_mlflow_reads_the_same_numbers_back(run, tmp_path, monkeypatch):
    package = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'mlflow.db'}"
    words = send("mlflow", run, {"server": url, "experiment": "moons"}, visitor=False)
    assert "moons" in words
    client = package.MlflowClient(tracking_uri=url)
    place = client.get_experiment_by_name("moons").experiment_id
    (found,) = client.search_runs([place])
    assert (found.info.run_name, found.info.status) == ("Zwei Monde / 2", "FINISHED")
    assert found.data.params["learning_rate"] == "0.003"
    past = history(run_folder(run))
    kept = client.get_metric_history(found.info.run_id, "loss/validation")
    assert {one.step: one.value for one in kept} == dict(
        zip(past.steps, past.lines["loss validation"], strict=True)
    )
    files = {one.path for one in client.list_artifacts(found.info.run_id)}
    assert {"weights.safetensors", "spec.json", "report.html", "turned.json"} <= files


def test_trackio_reads_the_same_numbers_back(run, tmp_path):
    pytest.importorskip("trackio")
    code = (
        "import sys, json; from engine.tracking.send import send\n"
        "said = send('trackio', sys.argv[1], {'project': 'moons'})\n"
        "from trackio.sqlite_storage import SQLiteStorage as Storage\n"
        "(name,) = Storage.get_runs('moons')\n"
        "print(json.dumps([said, name, Storage.get_logs('moons', name)]))"
    )
    environment = {
        "PLAYGROUND_HOME": str(tmp_path),
        "TRACKIO_DIR": str(tmp_path / "trackio"),
        "HOME": str(tmp_path),
        "PATH": "",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, run], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (told_,) = [line for line in done.stdout.splitlines() if line.startswith('["')]
    said, name, logs = json.loads(told_)
    assert "trackio show --project moons" in said
    assert name.startswith("Zwei Monde / 2")
    past = history(run_folder(run))
    kept = {one["step"]: one["loss/train"] for one in logs if "loss/train" in one}
    assert kept == dict(zip(past.steps, past.lines["loss train"], strict=True))


def test_a_model_without_curves_can_be_sent_too(home):
    pytest.importorskip("tensorboard")
    story = told(adopted())
    assert story.points == ()
    assert all(math.isfinite(value) for value in story.figures.values())
    assert len(send("tensorboard", story.run.id)) > 500


@pytest.mark.parametrize("package", ["tensorboard", "mlflow", "trackio"])
def test_a_missing_package_is_told_with_its_remedy(run, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    settings = {} if package == "tensorboard" else {"server": "http://127.0.0.1:9"}
    with pytest.raises(ValueError, match=r"pip install -r requirements-tracking\.txt"):
        send(package, run, settings)


@pytest.mark.parametrize("url", ["", "file:///etc", "sqlite:////tmp/x.db", "ftp://a", "http://"])
def test_a_visitor_sends_to_web_servers_only(run, url):
    with pytest.raises(ValueError, match=r"http://|address of a server"):
        send("mlflow", run, {"server": url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://[::1]", "http://169.254.169.254"])
def test_a_public_playground_does_not_reach_into_its_own_network(monkeypatch, url):
    assert checked(f" {url} ") == url
    monkeypatch.setenv("PLAYGROUND_PUBLIC", "1")
    with pytest.raises(ValueError, match="public servers only"):
        checked(url)


def test_a_server_that_does_not_answer_is_told(run):
    pytest.importorskip("mlflow")
    with pytest.raises(ValueError, match=r"MLflow at http://127.0.0.1:9: nobody answers"):
        send("mlflow", run, {"server": "http://127.0.0.1:9"})
