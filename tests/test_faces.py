"""Every lab's form in Gradio, and a new lab from the template."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import gradio as gr
import pytest

from demos.catalog import catalog
from ui import gradio_face

CARDS = list(catalog().cards.values())


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_lab_builds_in_gradio_with_every_control_and_an_endpoint(card):
    form = card.form
    with gr.Blocks():
        made = [
            gradio_face._component(name, control, form.defaults[name])
            for name, control in form.controls.items()
        ]
    assert len(made) == len(form.controls)
    endpoint = gradio_face._endpoint(card)
    assert list(inspect.signature(endpoint).parameters) == list(form.controls)


@pytest.fixture
def fresh_lab():
    """A lab from the template, taken away again."""
    chapter = Path("demos") / "scratch_of_a_test"
    command = [sys.executable, "-m", "tools.new_lab", "scratch_of_a_test.new_idea"]
    subprocess.run(command, check=True, capture_output=True)
    importlib.invalidate_caches()
    yield importlib.import_module("demos.scratch_of_a_test.new_idea").run
    for file in [*chapter.glob("*.py"), *chapter.glob("__pycache__/*")]:
        file.unlink()
    for folder in (chapter / "__pycache__", chapter):
        if folder.exists():
            folder.rmdir()


def test_a_new_lab_already_keeps_the_contract(fresh_lab):
    assert all(claim.ok for claim in fresh_lab.check())
    assert fresh_lab.last().waits
    assert fresh_lab.source.endswith(".")
    style = ["ruff", "check", "-q", "--no-cache", "demos/scratch_of_a_test"]
    subprocess.run([sys.executable, "-m", *style], check=True, capture_output=True)
