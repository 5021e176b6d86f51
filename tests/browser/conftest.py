"""A server of its own and a real browser for the tests of this folder."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tools.browser import browser as find_browser

ROOT = Path(__file__).resolve().parent.parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera that shows a moving picture
    "--use-fake-ui-for-media-stream",
]


def pytest_collection_modifyitems(items):
    """A journey that a loaded machine has stopped is begun once more; a real fault fails twice."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """Where the server under test keeps its runs."""
    return tmp_path_factory.mktemp("orrery")


@pytest.fixture(scope="session")
def server(store):
    """The address of a playground that was started as a user would."""
    port = _free_port()
    environment = {**os.environ, "PORT": str(port), "PLAYGROUND_HOME": str(store)}
    for folder in (ROOT / "shared" / "data", ROOT.parent / "shared" / "data"):
        if (folder / "mnist").exists():
            environment.setdefault("PLAYGROUND_DATA", str(folder / "mnist"))
    log = (store / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process, store / "server.log")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium."""
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium: python tools/browser.py installs one")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def visit(chromium, server):
    """Opens pages of a fresh visitor; the test fails when one of them logs an error."""
    errors, contexts = [], []

    def opened(path="/", *, width=1440, height=960, dark=False):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        watched(page, errors)
        page.goto(server + path)
        return page

    yield opened
    for context in contexts:
        with contextlib.suppress(Exception):
            context.close()
    assert not errors, f"the browser's console says: {errors[:5]}"


def watched(page, errors):
    """The list, in which from now on stands what the page logs as an error."""
    page.on("console", lambda message: _note(errors, message))
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def _note(errors, message):
    """Keep an error of the page's own; a browser's remark on a missing picture is none."""
    # Streamlit asks below the path of a page first when it looks for its own server
    # The code panel asks at every pause in typing; half a line is refused, and told in the panel
    ignored = ("/_stcore/", "ResizeObserver loop", "/gallery/", "net::ERR_ABORTED", "/api/read")
    if message.type == "error":
        text = f"{message.text} {message.location.get('url', '')}"
        if not any(word in text for word in ignored):
            errors.append(text)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(address, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server was not healthy in 60 s:\n{log.read_text()[-3000:]}")
