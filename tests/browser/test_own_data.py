"""Data of one's own in a real browser: points drawn with the mouse, pictures, snapshots."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from engine.data import load
from engine.models.kept import load as load_kept
from tests.browser.test_journey import SLOW

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]


def stroke(page, pad, height):
    """Draws from left to right over the pad, `height` from the top as a part of its side."""
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + height * box["height"])
    page.mouse.down()
    for step in range(30):
        across = 0.15 + 0.7 * step / 29
        page.mouse.move(box["x"] + across * box["width"], box["y"] + height * box["height"])
    page.mouse.up()


def trained(store, prefix):
    """The newest kept model whose data's name begins so."""
    folders = sorted((store / "runs").iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
    for folder in folders:
        settings = folder / "settings.json"
        if settings.exists() and json.loads(settings.read_text())["data"].startswith(prefix):
            return load_kept(str(folder))
    raise AssertionError(f"no run on {prefix}")


def fitted(page, name):
    """Puts a network for the data on stage and goes to train it."""
    page.get_by_role("button", name="Put one that fits on stage").click()
    expect(page.get_by_text(f"Network for {name}").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("does not take")).to_have_count(0)
    page.get_by_role("button", name="Train on these data").click()
    page.get_by_role("button", name="Train", exact=True).click()


def test_points_drawn_with_the_mouse_are_learnt_with_a_live_surface(visit, store, monkeypatch):
    page = visit("/data?from=Draw points")
    pad = page.get_by_test_id("points-pad")
    expect(pad).to_be_visible(timeout=SLOW)
    use = page.get_by_role("button", name="Use these points")
    expect(use).to_be_disabled()
    stroke(page, pad, 0.25)  # A above
    expect(page.get_by_text("Choose another class and draw some of it, too.")).to_be_visible()
    page.get_by_role("radio", name=re.compile("Class B")).click()
    stroke(page, pad, 0.5)  # a slip, taken back
    pad.press("Control+z")
    stroke(page, pad, 0.75)  # B below
    use.click()
    expect(page.get_by_text("On stage: your own points")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("how often each class comes").first).to_be_visible(timeout=SLOW)
    fitted(page, "your own points")
    expect(page.get_by_text("A or B: who leads").first).to_be_visible(timeout=SLOW)
    page.get_by_label("Speed").select_option("Full speed")
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)

    monkeypatch.setenv("PLAYGROUND_HOME", str(store))
    kept = trained(store, "points:")
    data = load(kept.data)
    x = torch.cat([data.train_x, data.valid_x])
    assert len(x) >= 40
    with torch.no_grad():
        said = kept.module.eval()(x).argmax(1)
    below = (x[:, 1] < 0).long()  # what was drawn where
    assert float((said == below).float().mean()) > 0.95
    assert torch.equal(torch.cat([data.train_y, data.valid_y]), below)


def test_points_are_drawn_with_the_keyboard_and_pasted(visit):
    page = visit("/data?from=Draw points")
    pad = page.get_by_test_id("points-pad")
    expect(pad).to_be_visible(timeout=SLOW)
    pad.focus()
    for key in ("ArrowLeft", "ArrowLeft", " ", "2", "ArrowUp", "ArrowUp", " ", "e", "e", " "):
        pad.press(key)
    expect(page.get_by_text("15 points: 5 A, 10 B.")).to_be_visible()
    page.get_by_text("Paste points").click()
    text = page.get_by_label("A line each: x, y, class")
    text.fill("0.5, 1.2, red\n0.1, oops, red")
    page.get_by_role("button", name="Put them on the pad").click()
    expect(page.get_by_text("line 2, column 2: must be a number; got 'oops'")).to_be_visible()
    text.fill("\n".join(f"{n / 10} {n % 3} {'red' if n % 2 else 'blue'}" for n in range(12)))
    page.get_by_role("button", name="Put them on the pad").click()
    expect(page.get_by_text("12 points: 6 blue, 6 red.")).to_be_visible(timeout=SLOW)


def test_a_zip_of_pictures_is_told_and_learnt_from(visit, tmp_path):
    random = np.random.default_rng(0)
    path = tmp_path / "fruit.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, colour in (("apple", (200, 60, 60)), ("lime", (90, 200, 70))):
            for number in range(15):
                pixels = np.clip(colour + random.normal(0, 30, (40, 30, 3)), 0, 255)
                file = io.BytesIO()
                Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
                archive.writestr(f"fruit/{name}/{number}.png", file.getvalue())
        archive.writestr("fruit/apple/notes.txt", "no picture")
    page = visit("/data?from=Pictures")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("30 pictures of 2 classes:")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("fruit/apple/notes.txt")).to_be_visible()
    page.get_by_role("button", name="Use these pictures").click()
    expect(page.get_by_text(re.compile("1 files? cannot be read: fruit/apple"))).to_be_visible()
    page.get_by_text("Leave them out", exact=True).click()
    page.get_by_role("button", name="Use these pictures").click()
    expect(page.get_by_text("On stage: your own pictures")).to_be_visible(timeout=SLOW)
    fitted(page, "your own pictures")
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)


def test_snapshots_of_two_classes_become_data(visit):
    page = visit("/data?from=Pictures")
    page.get_by_text("Camera", exact=True).click()
    name = page.get_by_label("Class", exact=True)
    for one in ("near", "far"):
        name.fill(one)
        name.press("Enter")
        for number in range(4):
            if number:
                page.get_by_role("button", name="Clear photo").click()
            page.wait_for_function("document.querySelector('video')?.readyState >= 2")
            page.get_by_role("button", name="Take Photo").click(timeout=SLOW)
            counted = page.get_by_text(re.compile(f"{number + 1} of {one}"))
            expect(counted).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Use these pictures").click()
    expect(page.get_by_text("On stage: your own pictures")).to_be_visible(timeout=SLOW)


def test_what_is_brought_as_a_broken_zip_is_told(visit, tmp_path):
    path = tmp_path / "broken.zip"
    path.write_bytes(b"PK\x03\x04 this is no zip")
    page = visit("/data?from=Pictures")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("the zip is corrupt or of an unknown kind")).to_be_visible(timeout=SLOW)
