"""The live socket: what watchers are shown, and what becomes of what they send."""

import time
import weakref

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import engine.jobs
import ui.live.socket
from ui.live.wire import decode

PATIENCE = 60.0


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The board of this process, for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("PLAYGROUND_MAX_RUNS", "8")
        board = engine.jobs.board()
        yield board
        board.close()


@pytest.fixture
def client(board):
    app = Starlette(routes=[WebSocketRoute("/live/{run}", ui.live.socket.live)])
    with TestClient(app) as client:
        yield client


@pytest.fixture
def counting(board):
    run = board.start("tests.tasks:forever", {})
    yield run
    if not run.over:
        run.command("stop")


def until(socket, met):
    """The first message that meets a condition."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        message = decode(socket.receive_bytes())
        if met(message):
            return message
    pytest.fail("no such message came")


def test_the_first_message_is_complete_and_later_ones_bring_changes(client, counting):
    with client.websocket_connect(f"/live/{counting.id}") as socket:
        first = until(socket, lambda message: message["views"])
        assert first["views"]["note"]["text"] == "rate 0.5"
        later = until(socket, lambda message: message["step"] > first["step"])
        assert later["views"] == {}  # the note is still the same
        assert later["slots"] == ["note"]
    with client.websocket_connect(f"/live/{counting.id}") as again:
        assert decode(again.receive_bytes())["views"]["note"]


def test_commands_steer_the_run(client, counting):
    with client.websocket_connect(f"/live/{counting.id}") as socket:
        until(socket, lambda message: message["step"])
        socket.send_json({"do": "pause"})
        paused = until(socket, lambda message: message["state"] == "paused")
        socket.send_json({"do": "step"})
        until(socket, lambda message: message["step"] == paused["step"] + 1)
        socket.send_json({"do": "speed", "value": 15})
        until(socket, lambda message: message["speed"] == 15)
        socket.send_json({"do": "set", "values": {"rate": 1.0}})
        socket.send_json({"do": "resume"})
        until(socket, lambda message: message["facts"]["rate"] == 1.0)
        socket.send_json({"do": "stop"})
        until(socket, lambda message: message["state"] == "stopped")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ("x" * 300_000, "200,000 characters; got 300,000"),
        ("3", "must be an object"),
        ("{}", "got None"),
        ('{"do": "watch"}', "knows the commands"),
        ('{"do": ["pause"]}', "knows the commands"),
        ('{"do": "speed", "value": -1}', "speed must be"),
        ('{"do": "speed", "value": 1e999}', None),
        ('{"do": "speed", "value": NaN}', "speed must be"),
        ('{"do": "set", "values": null}', "set needs names with values"),
        ('{"do": "set", "values": {"rate": "high"}}', "rate must be a number"),
        ('{"do": "set", "values": {"rate": NaN}}', "rate must be a number"),
        ('{"do": "set", "values": {"": {}}}', "has no parameter ''"),
    ],
)
def test_a_wrong_message_is_answered_and_the_line_is_kept(client, counting, text, words):
    with client.websocket_connect(f"/live/{counting.id}") as socket:
        until(socket, lambda message: message["step"])
        socket.send_text(text)
        if words is not None:
            notice = until(socket, lambda message: message["notice"])["notice"]
            assert words in notice
            assert "Traceback" not in notice
        socket.send_json({"do": "pause"})
        until(socket, lambda message: message["state"] == "paused")


def test_bytes_are_answered_with_a_notice(client, counting):
    with client.websocket_connect(f"/live/{counting.id}") as socket:
        socket.send_bytes(b"\x00\xff")
        assert "JSON text" in until(socket, lambda message: message["notice"])["notice"]


@pytest.mark.parametrize("id", ["never", "%2e%2e", "a" * 300])
def test_an_unknown_run_is_told_and_the_line_closed(client, id):
    with client.websocket_connect(f"/live/{id}") as socket:
        failure = decode(socket.receive_bytes())["failure"]
        assert "no run" in failure["message"]
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 4404
    assert "no run" in closed.value.reason


def test_a_page_of_another_site_sees_nothing(client, counting):
    headers = {"origin": "https://elsewhere.example"}
    with client.websocket_connect(f"/live/{counting.id}", headers=headers) as socket:
        message = decode(socket.receive_bytes())
        assert message["views"] == {}
        assert message["run"] == ""
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 4403


@pytest.mark.parametrize("origin", ["http://testserver", "https://me-orrery.hf.space"])
def test_our_own_pages_are_let_in(client, counting, monkeypatch, origin):
    monkeypatch.setenv("SPACE_HOST", "me-orrery.hf.space")
    headers = {"origin": origin}
    with client.websocket_connect(f"/live/{counting.id}", headers=headers) as socket:
        until(socket, lambda message: message["run"] == counting.id and message["step"])


def test_a_failed_run_is_shown_with_its_reason(client, board):
    run = board.start("tests.tasks:refuses", {"word": "no"})
    with client.websocket_connect(f"/live/{run.id}") as socket:
        failed = until(socket, lambda message: message["state"] == "failed")
        assert failed["failure"] == {
            "message": "refuses: word must be 'please'; got 'no'",
            "resumable": False,
        }
        socket.send_json({"do": "pause"})
        assert "takes no commands" in until(socket, lambda message: message["notice"])["notice"]


def test_what_many_watch_is_encoded_once(client, board, monkeypatch):
    encoded = []

    def counted(info, frame, previous):
        encoded.append(info["version"])
        return encode(info, frame, previous)

    encode = ui.live.socket.encode
    run = board.start("tests.tasks:waits", {})
    with client.websocket_connect(f"/live/{run.id}") as first:
        until(first, lambda message: message["state"] == "waiting")
        monkeypatch.setattr(ui.live.socket, "encode", counted)
        for _ in range(5):
            with client.websocket_connect(f"/live/{run.id}") as other:
                assert decode(other.receive_bytes())["state"] == "waiting"
    assert len(encoded) == len(set(encoded)) == 1
    run.command("stop")


def test_a_watcher_who_leaves_is_forgotten(client, counting):
    with client.websocket_connect(f"/live/{counting.id}") as socket:
        until(socket, lambda message: message["step"])
        assert counting.watchers == 1
    assert counting.watchers == 0


def test_a_closed_run_is_kept_by_nobody():
    run = engine.jobs.Run("x", "a:b", {}, None)
    ui.live.socket._desks.setdefault(run, ui.live.socket._Desk()).newest(run)
    gone = weakref.ref(run)
    del run
    assert gone() is None
