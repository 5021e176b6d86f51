"""The house stays one that can be seen through: small files, true links, no lists to keep."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from demos.kit import Lab
from demos.shelf import shelf

ROOT = Path(__file__).parent.parent
TRACKED = subprocess.run(
    ["git", "ls-files"],  # noqa: S607 - whichever git is there
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split("\n")
FILES = [ROOT / name for name in TRACKED if name and (ROOT / name).is_file()]
PYTHON = [path for path in FILES if path.suffix == ".py"]
MARKDOWN = [path for path in FILES if path.suffix == ".md"]


def _name(path):
    return str(path.relative_to(ROOT))


def test_no_file_is_larger_than_two_hundred_kilobytes_and_no_ready_model_than_four_megabytes():
    most = {True: 4_000_000, False: 200_000}
    large = [_name(path) for path in FILES if path.stat().st_size > most["zoo" in path.parts]]
    assert [name for name in large if not name.endswith("package-lock.json")] == []


@pytest.mark.parametrize("path", MARKDOWN, ids=_name)
def test_links_in_markdown_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_module_begins_with_a_sentence():
    for path in PYTHON:
        if "tests" in path.parts and path.name == "__init__.py":
            continue
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first = doc.split("\n\n")[0]
        assert first, f"{_name(path)} has no docstring"


def test_labs_are_named_nowhere_but_in_their_own_files():
    ids = {entry.id for entry in shelf() if isinstance(entry, Lab)}
    for path in PYTHON:
        inside = {"demos", "tests"} & set(path.relative_to(ROOT).parts)
        if not inside and path.name not in {"gradio_face.py", "terminal_face.py"}:
            text = path.read_text(encoding="utf-8")
            named = [id for id in ids if f'"{id}"' in text]
            assert not named, f"{_name(path)} names {named}"


def test_every_lab_has_a_picture_in_the_gallery():
    missing = [
        entry.id
        for entry in shelf()
        if not (ROOT / "docs" / "gallery" / f"{entry.id}.webp").exists()
    ]
    assert not missing, "run make gallery"
