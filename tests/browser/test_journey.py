"""One model's whole life in a real browser: build, train, explain, attack, export, learn.

The pictures that the README shows are taken on the way (into docs/pictures, where
PLAYGROUND_PICTURES=1 asks for it).
"""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

PICTURES = Path(__file__).resolve().parent.parent.parent / "docs" / "pictures"
SLOW = 60_000  # patience with a loaded machine [ms]

expect.set_options(timeout=15_000)


def photograph(page, name):
    """Keep what the page shows now, when pictures are wanted."""
    if os.environ.get("PLAYGROUND_PICTURES"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        shown = Image.open(io.BytesIO(page.screenshot()))
        shown.convert("RGB").save(PICTURES / f"{name}.webp", quality=85, method=6)


def moves(page, locator):
    """Whether the picture changes while one looks."""
    before = locator.screenshot()
    for _ in range(40):
        page.wait_for_timeout(150)
        if locator.screenshot() != before:
            return True
    return False


def train(page):
    """Press Train and wait for the end."""
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)


@pytest.fixture
def trained(visit):
    """A visitor whose model has been trained, on the train page."""
    page = visit("/train")
    train(page)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=4 * SLOW)
    return page


def test_home_moves_on_arrival_and_leads_on(visit):
    page = visit("/")
    hero = page.locator(".orrery canvas").first
    expect(hero).to_be_visible()
    assert moves(page, hero), "nothing moved on the home page"
    photograph(page, "home")
    page.get_by_role("button", name="Build your own network").click()
    expect(page.get_by_test_id("builder")).to_be_visible()


def test_an_edit_changes_shapes_and_a_mismatch_is_told_at_its_node_with_a_fix(visit):
    page = visit("/build")
    expect(page.get_by_test_id("node-conv1")).to_be_visible()
    shape = page.get_by_test_id("shape-conv1-relu1")
    before = shape.inner_text()
    page.get_by_test_id("node-conv1").click()
    page.get_by_test_id("field-out_channels").fill("9")
    page.get_by_test_id("field-out_channels").press("Enter")
    expect(shape).not_to_have_text(before)
    expect(shape).to_contain_text("9 ×")
    photograph(page, "build")

    page.get_by_test_id("field-kernel_size").fill("61")
    page.get_by_test_id("field-kernel_size").press("Enter")
    problem = page.get_by_test_id("problem-conv1").first
    expect(problem).to_contain_text("61")
    photograph(page, "build-problem")
    page.get_by_test_id("fix-conv1-0").first.click()
    expect(page.get_by_test_id("problem-conv1")).to_have_count(0)


def test_a_layer_goes_out_and_another_in_between_two(visit):
    page = visit("/build")
    page.get_by_test_id("node-relu1").click()
    page.keyboard.press("Delete")
    expect(page.get_by_test_id("node-relu1")).to_have_count(0)
    expect(page.get_by_test_id("shape-conv1-pool1")).to_be_visible()
    page.get_by_test_id("insert-conv1-pool1").click()
    page.keyboard.type("tanh")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("node-tanh1")).to_be_visible()
    page.wait_for_timeout(1500)  # the edit is kept after a moment without further edits
    page.reload()
    expect(page.get_by_test_id("node-tanh1")).to_be_visible()


def test_training_moves_can_be_steered_and_is_found_again(visit, server):
    page = visit("/train")
    train(page)
    loss = page.locator(".orrery canvas").first
    assert moves(page, loss), "the pictures stood still during training"
    page.get_by_role("button", name=re.compile("^Pause")).click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    counted = page.get_by_text(re.compile(r"^\d+ / \d+$")).first
    at = int(counted.inner_text().split(" / ")[0])
    page.get_by_role("button", name=re.compile("step", re.IGNORECASE)).first.click()
    expect(counted).to_have_text(re.compile(rf"^{at + 1} / \d+$"))
    rate = page.get_by_role("slider", name=re.compile("learning rate", re.IGNORECASE)).first
    rate.focus()
    for _ in range(5):
        rate.press("ArrowRight")
    page.get_by_role("button", name=re.compile("^Play")).click()
    expect(page.get_by_text("Running").first).to_be_visible()
    photograph(page, "train")
    context = page.context
    page.close()
    again = context.new_page()
    again.goto(f"{server}/train")
    expect(again.get_by_text(re.compile("Running|Finished")).first).to_be_visible(timeout=SLOW)
    at_rest = again.get_by_text(re.compile(r"^\d+ / \d+$")).first
    expect(at_rest).to_be_visible()
    assert int(at_rest.inner_text().split(" / ")[0]) > at


def test_the_trained_model_is_explained_attacked_and_taken_home(trained, tmp_path):
    page = trained
    photograph(page, "trained")
    page.get_by_role("link", name="Explain").first.click()
    expect(page.get_by_text("Ready").first).to_be_visible(timeout=SLOW)
    for method in ("gradcam", "integrated_gradients"):
        expect(page.get_by_role("cell", name=method, exact=True).first).to_be_visible()
    photograph(page, "explain")
    _draw_a_one(page)

    page.get_by_role("link", name="Attack").first.click()
    expect(page.get_by_text("Ready").first).to_be_visible(timeout=SLOW)
    flipped = page.get_by_test_id("fact-flipped")
    _slide(page, "Epsilon", "Home")
    expect(flipped).to_have_text("0", timeout=SLOW)
    _slide(page, "Epsilon", "End")
    expect(flipped).to_have_text("1", timeout=SLOW)
    photograph(page, "attack")

    page.get_by_role("link", name="Export").first.click()
    expect(page.get_by_role("button", name="Save model.py")).to_be_visible(timeout=SLOW)
    photograph(page, "export")
    script = _download(page, "Save model.py", tmp_path / "model.py")
    page.get_by_text("Weights", exact=True).first.click()
    weights = _download(page, "Save model.safetensors", tmp_path / "model.safetensors")
    page.get_by_text("Network (JSON)", exact=True).first.click()
    spec = json.loads(_download(page, "Save model.json", tmp_path / "model.json").read_text())
    _same_answers(script, weights, spec, tmp_path)


def test_a_broken_table_is_told_where_and_a_sound_one_is_trained_on(visit, tmp_path):
    rows = [f"{n / 10},{(n * 7) % 5},{'yes' if n % 2 else 'no'}" for n in range(40)]
    broken, sound = tmp_path / "broken.csv", tmp_path / "sound.csv"
    sound.write_text("\n".join(["height,weight,tall", *rows]))
    broken.write_text("\n".join(["height,weight,tall", *rows[:20], "1.0,2.0", *rows[20:]]))
    page = visit("/data?from=Table")
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_text(re.compile("(row|line) 2[0-9]", re.IGNORECASE)).first).to_be_visible()
    page.locator("input[type=file]").set_input_files(sound)
    page.get_by_role("button", name="Use this table").click()
    expect(page.get_by_text("does not take 2 to 2 outputs")).to_be_visible()
    page.get_by_role("button", name="Put one that fits on stage").click()
    expect(page.get_by_text("Network for your own table").first).to_be_visible()
    expect(page.get_by_text("does not take")).to_have_count(0)
    page.get_by_role("button", name="Train on these data").click()
    page.get_by_role("button", name="Train", exact=True).click()  # too quick to be seen running
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SLOW)


def test_a_killed_worker_is_told_and_its_run_goes_on_from_the_checkpoint(visit, server):
    page = visit("/train")
    train(page)
    expect(page.get_by_text("in training")).to_be_visible()
    counted = page.get_by_text(re.compile(r"^\d+ / \d+$")).first
    expect(counted).to_have_text(re.compile(r"^\d{3,} / "), timeout=SLOW)  # past a checkpoint
    for worker in _workers(server):
        worker.kill()
    expect(page.get_by_text(re.compile("killed")).first).to_be_visible()
    at = int(counted.inner_text().split(" / ")[0])
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text(re.compile("Running|Finished")).first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=4 * SLOW)
    assert at < int(counted.inner_text().split(" / ")[1])
    expect(page.get_by_text(re.compile(r"\d % right"))).to_be_visible()


def test_a_lab_runs_is_verified_and_its_experiment_sets_the_controls(visit):
    page = visit("/labs?lab=optimisation.step_size")
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SLOW)
    rate = page.get_by_role("slider", name=re.compile("^rate$", re.IGNORECASE)).first
    page.get_by_role("button", name="Just past the limit").click()
    expect(rate).to_have_attribute("aria-valuetext", "0.201")
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SLOW)
    above = page.get_by_test_id("fact-loss").inner_text()
    rate.focus()
    rate.press("Home")  # a control turned after the end begins a new run
    expect(page.get_by_test_id("fact-loss")).not_to_have_text(above, timeout=SLOW)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SLOW)
    expect(rate).to_have_attribute("aria-valuetext", "0.005")
    photograph(page, "lab")
    page.get_by_role("button", name=re.compile("Verify")).click()
    expect(page.get_by_text("✓ holds").nth(2)).to_be_visible(timeout=SLOW)


def _workers(server):
    """The processes that compute for the server: the children of its fork server."""
    port = server.rpartition(":")[2]
    mine = [p for p in psutil.process_iter() if _environment(p).get("PORT") == port]
    forks = [p for p in mine if "engine.jobs.forkserver" in p.cmdline()]
    return [p for p in forks if "engine.jobs.forkserver" in p.parent().cmdline()]


def _environment(process):
    try:
        return process.environ()
    except psutil.Error:
        return {}


def _draw_a_one(page):
    """A stroke on the pad; the model must say what it sees in it."""
    page.get_by_role("radio", name="drawing").or_(
        page.get_by_text("drawing", exact=True)
    ).first.click()
    pad = page.get_by_test_id("pad").first
    box = pad.bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + box["height"] * 0.15)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * 0.85, steps=12)
    page.mouse.up()
    expect(page.get_by_test_id("fact-prediction")).to_have_text("1", timeout=SLOW)
    photograph(page, "explain-drawing")


def _slide(page, name, key):
    slider = page.get_by_role("slider", name=re.compile(name)).first
    slider.focus()
    slider.press(key)


def _download(page, name, path):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    waiting.value.save_as(path)
    return path


def _same_answers(script, weights, spec, folder):
    """The script alone, in a folder of its own, gives the playground's logits."""
    import numpy as np
    import torch

    from engine.models.kept import open_weights
    from engine.network.spec import NetworkSpec

    parsed = NetworkSpec.parse(spec)
    shape = parsed.nodes[0].params["shape"]
    x = np.random.default_rng(0).random((8, *shape), dtype=np.float32)
    np.save(folder / "x.npy", x)
    command = [sys.executable, script.name, "--weights", weights.name, "--logits", "x.npy", "y.npy"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    with torch.inference_mode():
        ours = open_weights(parsed, weights).eval()(torch.from_numpy(x)).numpy()
    assert np.abs(np.load(folder / "y.npy") - ours).max() < 1e-5
