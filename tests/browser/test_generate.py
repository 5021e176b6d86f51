"""The studio in a real browser: a ready model's samples, a training of one's own, the way home."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from engine.generate import kept
from tests.browser.test_journey import SLOW, photograph

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]


def shown(page):
    """Waits for the live view to say that all is there."""
    expect(page.get_by_text("Ready", exact=True).first).to_be_visible(timeout=SLOW)


def test_every_ready_model_shows_samples_on_arrival(visit):
    one_of_a_kind = {recipe.kind: name for name, recipe in kept.ready_models().items()}
    one_of_a_kind["diffusion"] = "diffusion-glyphs"
    page = None
    for name in one_of_a_kind.values():
        page = visit(f"/generate?model={name}")
        shown(page)
        title = kept.read_recipe(kept.find(name)).title
        expect(page.get_by_text(title).first).to_be_visible()
        assert page.get_by_text(re.compile("Traceback|went wrong")).count() == 0
        if name == "diffusion-glyphs":
            photograph(page, "generate")
        page.context.close()


def test_a_distribution_is_learnt_looked_at_and_taken_home(visit):
    page = visit("/generate?section=Train")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("samples, always from the same noise").first).to_be_visible()
    rate = page.get_by_role("slider", name=re.compile("learning rate", re.IGNORECASE)).last
    rate.press("ArrowRight")  # during the run: a mark on the curves, the run goes on
    expect(page.get_by_text(re.compile("sliced Wasserstein", re.IGNORECASE)).first).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).first.click()
    expect(page.get_by_text("Stopped").first).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Look at it as it is now").click()
    expect(page.get_by_text("GAN on grid").first).to_be_visible(timeout=SLOW)
    shown(page)
    page.get_by_text("Take home", exact=True).first.click()
    page.get_by_text("Samples (PNG)", exact=True).click()
    with page.expect_download(timeout=SLOW) as download:
        page.get_by_role("button", name=re.compile("Save samples.png")).click()
    image = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert image.size == (480, 480)


def test_a_density_is_drawn_while_it_is_learnt(visit):
    page = visit("/generate?section=Train")
    page.get_by_role("combobox").nth(1).click()
    page.get_by_text("What you draw · points").click()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    pad = page.get_by_test_id("pad")
    expect(pad).to_be_visible(timeout=SLOW)
    pad.press("Delete")
    pad.press(" ")
    for _ in range(4):
        pad.press("ArrowRight")
    pad.press(" ")
    expect(page.get_by_text("Running").first).to_be_visible()
    assert page.get_by_text("Centre").count() == 0


def test_language_models_write_and_fill_blanks(visit):
    page = visit("/generate?section=Text")
    for one in kept.writers():
        page.get_by_role("button", name=one["title"]).or_(
            page.get_by_text(one["title"], exact=True)
        ).first.click()
        shown(page)
    assert page.get_by_text(re.compile("Cannot")).count() == 0
