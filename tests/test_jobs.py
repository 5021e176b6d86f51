"""Runs in worker processes: started, steered, watched, lost and resumed."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.jobs import Board, CallError, Limits
from engine.jobs.fair import fair_order
from engine.jobs.processes import Forks, Spares
from engine.jobs.run import Run
from engine.store.home import run_folder

PATIENCE = 60.0  # seconds until a test gives up; nothing is expected to come near


@pytest.fixture(scope="module")
def forks():
    """One preloaded process for all tests of this file."""
    source = Forks()
    yield source
    source.close()


@pytest.fixture
def make(home, forks):
    """Boards with their own limits, closed at the end."""
    boards = []

    def build(workers=forks, **limits):
        boards.append(Board(Limits(**limits), workers))
        return boards[-1]

    yield build
    for board in boards:
        board.close()


@pytest.fixture
def board(make):
    return make(max_runs=8)


def open_files():
    """What this process has open, by number, without the listing's own."""
    return {fd for fd in Path("/proc/self/fd").iterdir() if fd.exists() or fd.is_symlink()}


def until(run, met):
    """Wait until `met()`; what changes it tells the run's condition."""
    deadline = time.monotonic() + PATIENCE
    seen = -1
    while not met():
        left = deadline - time.monotonic()
        assert left > 0, f"gave up waiting; {run.info()}"
        seen = run.wait(seen, min(left, 0.2))


def ended(run):
    until(run, lambda: run.over)
    return run


def shown(run):
    until(run, lambda: run.latest is not None)
    return run.latest


def test_a_paced_run_shows_every_step_of_a_quick_one(board):
    run = board.start("tests.tasks:count", {"of": 6}, pace=1.2)
    steps = [frame.step for frame in run.follow()]
    assert steps[-4:] == [3, 4, 5, 6]


def test_a_speed_lifts_the_pace(board):
    run = board.start("tests.tasks:count", {"of": 50}, pace=3600.0)
    shown(run)
    run.command("speed", None)
    assert ended(run).latest.step == 50


def test_a_run_ends_with_its_last_frame(board):
    run = ended(board.start("tests.tasks:count", {"of": 5000}, title="counting"))
    assert (run.state, run.latest.step, run.failure) == ("finished", 5000, None)
    assert run.info()["facts"] == {"n": 5000}
    assert board.find(run.id) is run


def test_the_same_seed_gives_the_same_run(board):
    settings = {"seed": 3, "steps": 40}
    runs = [ended(board.start("tests.tasks:random_walk", settings)) for _ in range(2)]
    first, second = (run.latest.views["walk"].lines["y"] for run in runs)
    assert first.tolist() == second.tolist()


def test_follow_gives_rising_frames_to_the_last(board):
    steps = [frame.step for frame in board.start("tests.tasks:count", {"of": 30000}).follow()]
    assert steps == sorted(set(steps))
    assert steps[-1] == 30000


def test_frames_are_made_only_when_somebody_will_look(board):
    run = ended(board.start("tests.tasks:thunks", {"of": 20000}))
    assert run.latest.step == 20000
    assert 2 <= run.latest.facts["made"] < 2000


def test_three_steps_after_a_pause_advance_by_exactly_three(board):
    run = board.start("tests.tasks:forever", {})
    shown(run)
    run.command("pause")
    until(run, lambda: run.state == "paused")
    before = run.latest.step
    for _ in range(3):
        run.command("step")
    until(run, lambda: run.latest.step >= before + 3)
    run.command("set", {"rate": 0.25})  # answered after the steps, so no further one was taken
    until(run, lambda: run.live == {"rate": 0.25})
    assert (run.latest.step, run.state) == (before + 3, "paused")


def test_a_bound_on_the_speed_is_kept(board):
    run = board.start("tests.tasks:forever", {})
    shown(run)
    run.command("speed", 0.001)  # a step in a quarter of an hour
    run.command("pause")
    until(run, lambda: run.state == "paused" and run.speed == 0.001)
    step = run.latest.step
    run.command("resume")
    until(run, lambda: run.state == "running")
    run.command("pause")
    until(run, lambda: run.state == "paused")
    assert run.latest.step == step
    run.command("speed", None)
    run.command("resume")
    until(run, lambda: run.latest.step > step)


def test_a_live_control_reaches_the_generator(board):
    run = board.start("tests.tasks:forever", {"rate": 0.125})
    until(run, lambda: run.live == {"rate": 0.125})
    run.command("set", {"rate": 0.75})
    until(run, lambda: run.latest is not None and run.latest.facts["rate"] == 0.75)
    assert run.live == {"rate": 0.75}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate": 7.0}, "rate must lie in [0, 1]; got 7.0"),
        ({"rat": 0.1}, "did you mean 'rate'?"),
        ({"quiet": True}, "cannot be turned while the run goes on"),
    ],
)
def test_a_refused_control_gives_a_notice_and_the_run_goes_on(board, changes, words):
    run = board.start("tests.tasks:forever", {})
    shown(run)
    run.command("set", changes)
    until(run, lambda: words in run.notice)
    step = run.latest.step
    until(run, lambda: run.latest.step > step)
    assert run.state == "running"


def test_a_waiting_run_draws_anew_for_each_turn(board):
    run = board.start("tests.tasks:waits", {})
    until(run, lambda: run.state == "waiting")
    run.command("set", {"shift": 0.5})
    until(run, lambda: run.latest.facts["shift"] == 0.5)
    assert run.latest.facts["drawn"] == 2
    run.command("stop")
    assert ended(run).state == "stopped"


def test_a_run_can_be_stopped_while_it_is_paused(board):
    run = board.start("tests.tasks:keeps_on_stop", {})
    shown(run)
    run.command("pause")
    until(run, lambda: run.state == "paused")
    run.command("stop")
    assert ended(run).state == "stopped"
    assert run.resumable
    assert run.latest.step > 0


@pytest.mark.parametrize(
    ("entry", "settings", "words"),
    [
        ("refuses", {"word": "now"}, "refuses: word must be 'please'; got 'now'"),
        ("breaks", {}, "ZeroDivisionError: by zero"),
        ("no_frames", {}, "TypeError: a run must yield frames; got str"),
        ("count", {}, "count needs the setting 'of'"),
        ("count", {"of": 1, "off": 2}, "count has no setting 'off'; did you mean 'of'?"),
        ("forever", {"rate": 3.0}, "forever: rate must lie in [0, 1]; got 3.0"),
        ("nothing", {}, "no 'nothing' in the module 'tests.tasks'"),
    ],
)
def test_a_failed_run_says_why(board, entry, settings, words):
    run = ended(board.start(f"tests.tasks:{entry}", settings))
    assert run.state == "failed"
    assert run.failure.message == words
    assert "Traceback" in run.failure.trace
    assert "Traceback" not in str(run.info())


def test_a_tensor_in_a_frame_is_refused_and_torch_stays_out_of_the_server(board):
    run = ended(board.start("tests.tasks:sends_a_tensor", {}))
    assert run.state == "failed"
    assert "torch" in run.failure.message
    assert "NumPy arrays" in run.failure.message
    with pytest.raises(CallError, match="NumPy arrays"):
        board.calls.call("tests.tasks:give_a_tensor", {}, PATIENCE)


def test_the_server_never_imports_torch():
    code = "import sys, engine.jobs, ui.live.socket; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_the_process_that_forks_has_one_thread(board, forks):
    ended(board.start("tests.tasks:greedy_tensor", {"gib": 0.01}))
    assert len(list(Path(f"/proc/{forks._process.pid}/task").iterdir())) == 1


@pytest.mark.parametrize("entry", ["greedy", "greedy_tensor"])
def test_too_much_memory_is_told_plainly(make, entry):
    run = ended(make(memory_gib=1.0).start(f"tests.tasks:{entry}", {"gib": 3.0}))
    assert run.state == "failed"
    assert "more memory than the 1 GiB" in run.failure.message


def test_a_killed_worker_is_told_and_others_are_untouched(board):
    lost = board.start("tests.tasks:saves", {"of": 10**6})
    other = board.start("tests.tasks:forever", {})
    shown(other)
    os.kill(int(shown(lost).facts["pid"]), signal.SIGKILL)
    ended(lost)
    assert lost.state == "failed"
    assert "was killed (signal 9); resume it" in lost.failure.message
    step = other.latest.step
    until(other, lambda: other.latest.step > step)
    assert other.state == "running"

    reached = lost.latest.step
    assert board.resume(lost.id) is lost
    until(lost, lambda: lost.latest.step > reached + 1)
    assert lost.latest.facts["begun"] >= reached - 1


def test_a_run_of_an_earlier_server_is_resumed_from_its_checkpoint(make):
    before = make().start("tests.tasks:saves", {"of": 10**6}, owner="ada", title="a long one")
    shown(before)
    os.kill(int(before.latest.facts["pid"]), signal.SIGKILL)
    ended(before)

    board = make()
    (run,) = board.runs("ada")
    assert (run.id, run.title, run.state, run.resumable) == (
        before.id,
        "a long one",
        "failed",
        True,
    )
    board.resume(run.id)
    until(run, lambda: run.latest is not None and run.latest.facts["begun"] > 0)
    assert board.find(before.id) is run


def test_a_run_cut_off_with_its_server_says_so(make, home):
    run = make().start("tests.tasks:forever", {})
    until(run, lambda: (run.folder / "run.json").exists())
    again = make().find(run.id)  # the record says that it runs, but this server has no worker
    assert again.state == "failed"
    assert "server was stopped" in again.failure.message
    with pytest.raises(ValueError, match="left no checkpoint"):
        make().resume(run.id)


def test_an_unknown_run_is_named(board):
    for id in ("never", "../../etc/passwd", ""):
        with pytest.raises(LookupError, match="no run"):
            board.find(id)


def test_a_record_that_cannot_be_read_is_told(board, home):
    folder = home / "runs" / "broken"
    folder.mkdir(parents=True)
    for text in ("{", "[]", '{"id": "broken"}'):
        (folder / "run.json").write_text(text)
        with pytest.raises(LookupError, match="cannot be read"):
            board.find("broken")
    assert board.runs("") == []


def test_a_home_that_is_no_folder_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "file"))
    with pytest.raises(ValueError, match="PLAYGROUND_HOME"):
        run_folder("x")


def test_wrong_commands_are_refused_by_name(board):
    run = board.start("tests.tasks:forever", {})
    shown(run)
    for name, value in [("fly", None), ("watch", True), ("speed", -1), ("speed", "x"), ("set", 3)]:
        with pytest.raises(ValueError, match=r"got|knows"):
            run.command(name, value)
    run.command("stop")
    ended(run)
    with pytest.raises(ValueError, match="takes no commands"):
        run.command("pause")


def test_the_queue_is_fair_between_owners(make):
    board = make(max_runs=1)
    first = board.start("tests.tasks:forever", {}, owner="ada")
    shown(first)
    ada = [board.start("tests.tasks:waits", {}, owner="ada") for _ in range(2)]
    bob = board.start("tests.tasks:waits", {}, owner="bob")
    until(bob, lambda: bob.place == 1)
    assert [run.place for run in ada] == [2, 3]
    assert board.load() == {"running": 1, "resting": 0, "queued": 3}
    with pytest.raises(ValueError, match="place 1"):
        bob.command("pause")
    ada[0].command("stop")
    assert ended(ada[0]).state == "stopped"
    first.command("stop")
    until(bob, lambda: bob.state == "waiting")  # a waiting run leaves its place to the next
    until(ada[1], lambda: ada[1].state == "waiting")


def test_fair_order_counts_the_places_held():
    def of(owner):
        return Run(owner, "", {}, None, owner)

    a, b, c = of("a"), of("b"), of("c")
    assert [r.owner for r in fair_order([a, a, b, b, c], [a])] == ["b", "c", "a", "b", "a"]


def test_a_full_queue_is_told(make):
    board = make(max_runs=1, max_queue=1)
    shown(board.start("tests.tasks:forever", {}))
    waiting = board.start("tests.tasks:forever", {})
    until(waiting, lambda: waiting.place == 1)
    with pytest.raises(ValueError, match="1 runs wait for a place already"):
        board.start("tests.tasks:forever", {})


def test_an_unwatched_run_is_paused_and_goes_on_when_watched(make):
    board = make(unwatched_minutes=0.001)
    run = board.start("tests.tasks:keeps_on_stop", {})
    unsubscribe = run.subscribe(lambda: None)
    shown(run)
    unsubscribe()
    until(run, lambda: run.state == "paused" or run.over)
    assert "nobody watched" in run.notice
    ended(run)
    assert (run.state, run.resumable) == ("stopped", True)


def test_a_run_nobody_watches_leaves_its_place_to_others(make):
    board = make(max_runs=1, crowded_seconds=0.01)
    idle = board.start("tests.tasks:forever", {}, owner="ada")
    shown(idle)
    other = board.start("tests.tasks:forever", {}, owner="bob")
    unsubscribe = other.subscribe(lambda: None)
    shown(other)
    until(idle, lambda: idle.state == "paused")
    step = idle.latest.step
    other.command("stop")
    until(idle, lambda: idle.latest.step > step)
    unsubscribe()


def test_a_run_has_only_so_much_time(make):
    run = ended(make(run_minutes=0.001).start("tests.tasks:forever", {}))
    assert run.state == "stopped"
    assert "the most for one run" in run.notice


def test_a_worker_that_does_not_stop_is_killed(make):
    run = make(stop_seconds=0.2).start("tests.tasks:stubborn", {})
    shown(run)
    run.command("stop")
    assert ended(run).state == "stopped"
    assert "was killed" in run.notice


def test_a_recording_is_spread_over_the_run(make):
    board = make(recording_frames=8, frames_per_second=1000.0)
    run = board.start("tests.tasks:random_walk", {"seed": 0, "steps": 500})
    list(run.follow())
    steps = [frame.step for frame in run.recording]
    assert steps[0] == 1
    assert steps[-1] == 500
    assert len(steps) <= 9
    assert steps == sorted(set(steps))


def test_settings_must_be_json(board):
    with pytest.raises(ValueError, match="JSON"):
        board.start("tests.tasks:count", {"of": {1, 2}})
    with pytest.raises(ValueError, match="package"):
        board.start("os.system", {})


def test_a_call_gives_data_and_keeps_its_worker(board):
    first = board.calls.call("tests.tasks:add", {"a": 1, "b": 2}, PATIENCE)
    second = board.calls.call("tests.tasks:add", {"a": 3, "b": 4}, PATIENCE)
    assert (first["sum"], second["sum"]) == (3, 7)
    assert first["pid"] == second["pid"] != os.getpid()


@pytest.mark.parametrize(
    ("entry", "arguments", "words"),
    [
        ("refuse", {}, "^there is no such thing; try another$"),
        ("fault", {}, "^ZeroDivisionError: by zero$"),
        ("die", {}, r"ended too early \(exit code 7\)"),
        ("fill", {"gib": 3.0}, "more memory than the 1 GiB"),
        ("nowhere", {}, "no 'nowhere' in the module"),
    ],
)
def test_a_failed_call_says_why_and_the_next_one_works(make, entry, arguments, words):
    calls = make(call_workers=1, memory_gib=1.0).calls
    with pytest.raises(CallError, match=words):
        calls.call(f"tests.tasks:{entry}", arguments, PATIENCE)
    assert calls.call("tests.tasks:add", {"a": 1, "b": 1}, PATIENCE)["sum"] == 2


def test_a_call_that_takes_too_long_is_ended(make):
    calls = make(call_workers=1).calls
    calls.call("tests.tasks:add", {"a": 1, "b": 1}, PATIENCE)
    with pytest.raises(CallError, match=r"longer than the 0\.05 s"):
        calls.call("tests.tasks:sleep", {}, 0.05)
    assert calls.call("tests.tasks:add", {"a": 1, "b": 1}, PATIENCE)["sum"] == 2


def test_warm_spares_do_the_same_where_nothing_can_be_forked(make):
    spares = Spares(1)
    board = make(spares, stop_seconds=5.0)
    try:
        run = board.start("tests.tasks:saves", {"of": 10**6})
        os.kill(int(shown(run).facts["pid"]), signal.SIGKILL)
        assert "signal 9" in ended(run).failure.message
        assert board.calls.call("tests.tasks:add", {"a": 1, "b": 1}, PATIENCE)["sum"] == 2
        board.close()
    finally:
        spares.close()


def test_workers_end_with_their_board_and_leave_nothing_open(home):
    before = open_files()
    source = Forks()
    board = Board(Limits(max_runs=2), source)
    run = board.start("tests.tasks:saves", {"of": 10**6})
    pid = int(shown(run).facts["pid"])
    board.close()
    source.close()
    assert run.state == "stopped"
    assert open_files() == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_fork_server_is_started_anew_when_it_is_lost(home):
    source = Forks()
    board = Board(Limits(max_runs=2), source)
    try:
        run = board.start("tests.tasks:forever", {})
        shown(run)
        os.kill(source._process.pid, signal.SIGKILL)
        assert "was lost" in ended(run).failure.message
        assert ended(board.start("tests.tasks:count", {"of": 3})).state == "finished"
    finally:
        board.close()
        source.close()


def test_workers_end_with_a_server_that_is_killed(home):
    code = """
import os, sys, threading
from engine.jobs import board
run = board().start("tests.tasks:saves", {"of": 10**6})
next(run.follow())
print(int(run.latest.facts["pid"]), flush=True)
threading.Event().wait()
"""
    words = [sys.executable, "-c", code]
    root = Path(__file__).parents[1]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=root) as server:
        worker = os.pidfd_open(int(server.stdout.readline()))
        try:
            server.kill()
            assert select.select([worker], [], [], PATIENCE)[0]  # readable once it has ended
        finally:
            os.close(worker)


def test_a_paused_training_is_looked_at_without_a_step(board):
    nodes = [
        {"id": "image", "type": "Input", "params": {"shape": [1, 8, 8]}},
        {"id": "flat", "type": "Flatten"},
        {"id": "scores", "type": "Linear", "params": {"out_features": 10}},
    ]
    edges = [["image", "flat"], ["flat", "scores"]]
    spec = {"version": 1, "nodes": nodes, "edges": edges, "outputs": ["scores"]}
    settings = {"spec": spec, "data": "digits", "epochs": 1000, "seed": 1}
    run = board.start("engine.training.run:train", settings)
    shown(run)
    run.command("pause")
    until(run, lambda: run.state == "paused")
    step = run.latest.step
    run.command("set", {"cell": 0, "panels": "confusion"})
    until(run, lambda: "cell" in run.latest.views)
    assert (run.latest.step, run.state) == (step, "paused")
    assert list(run.latest.views) == ["confusion", "cell"]
    assert run.live["cell"] == 0
    run.stop()
