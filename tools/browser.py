"""Finds a Chromium for the browser tests, or installs one: `python tools/browser.py`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser() -> str | None:
    """Where a Chromium is, or None."""
    given = os.environ.get("PLAYGROUND_BROWSER")
    if given:
        return given
    for name in NAMES:
        if found := shutil.which(name):
            return found
    kept = Path.home() / ".cache" / "ms-playwright"
    return next((str(path) for path in kept.glob("chromium-*/chrome-linux*/chrome")), None)


def main() -> int:
    """Make sure there is one; the exit status."""
    if browser():
        return 0
    print("Installing Chromium for the browser tests (once).", flush=True)
    for command in _ways():
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
            continue
        if browser():
            return 0
    print("No Chromium: install one, or set PLAYGROUND_BROWSER to its path.", file=sys.stderr)
    return 1


def _ways() -> list[list[str]]:
    """Commands that may install one, best first."""
    ways = []
    if shutil.which("apt-get") and os.geteuid() == 0:
        ways.append(["sh", "-c", "apt-get update -q && apt-get install -y -q chromium"])
    ways.append([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"])
    ways.append([sys.executable, "-m", "playwright", "install", "chromium"])
    return ways


if __name__ == "__main__":
    raise SystemExit(main())
