"""A server of its own for measurements, and the pages' answering times over its socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.measure import Row

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ("", "build", "train", "explain", "attack", "export", "labs")


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a playground that runs as long as the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "PORT": str(port), "PLAYGROUND_HOME": home}
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def start(address: str, body: dict[str, Any]) -> str:
    """Start a run over the API; its id."""
    answer = _post(f"{address}/api/runs", body)
    return str(answer["run"])


def look(address: str, run: str) -> dict[str, Any]:
    """How a run stands."""
    with urllib.request.urlopen(f"{address}/api/runs/{run}", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def tell(address: str, run: str, do: str) -> None:
    """Steer a run."""
    _post(f"{address}/api/runs/{run}/commands", {"do": do})


def lenet(epochs: int) -> dict[str, Any]:
    """A training long enough to be measured: LeNet on the embedded digits."""
    from engine.network.templates import spec_of

    return {"spec": spec_of("lenet-digits"), "data": "digits", "settings": {"epochs": epochs}}


def rows(address: str) -> list[Row]:
    """Answering times of every page: alone, and while two runs train."""
    alone = {page: _rerun(address, page) for page in PAGES}
    runs = [start(address, lenet(200)) for _ in range(2)]
    busy = {page: _rerun(address, page) for page in PAGES}
    for run in runs:
        tell(address, run, "stop")
    slowest = max(alone, key=lambda page: alone[page])
    middle = statistics.median(busy.values())
    return [
        Row(
            "no-op rerun of the slowest page",
            f"{alone[slowest]:.0f} ms (/{slowest})",
            "< 50 ms",
            alone[slowest] < 50,
            "median of 15 after warm-up, request to last message",
        ),
        Row(
            "page interaction while two runs train",
            f"{middle:.0f} ms",
            "< 100 ms",
            middle < 100,
            "median over all pages",
        ),
    ]


def _rerun(address: str, page: str) -> float:
    """Median time of a rerun of a page [ms]."""
    return asyncio.run(_reruns(address, page, warm=5, counted=15))


async def _reruns(address: str, page: str, warm: int, counted: int) -> float:
    import websockets
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    url = address.replace("http", "ws") + "/_stcore/stream"
    times: list[float] = []
    protocol = [websockets.Subprotocol("streamlit")]
    async with websockets.connect(url, subprotocols=protocol, max_size=None) as line:
        for number in range(warm + counted):
            ask = BackMsg()
            ask.rerun_script.query_string = ""
            ask.rerun_script.page_name = page
            begun = time.perf_counter()
            await line.send(ask.SerializeToString())
            kind = ""
            while kind != "script_finished":
                told = ForwardMsg()
                told.ParseFromString(bytes(await line.recv(decode=False)))
                kind = str(told.WhichOneof("type"))
            if number >= warm:
                times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _wait(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not become healthy in 60 s")
