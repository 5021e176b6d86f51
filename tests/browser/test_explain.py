"""The Explain page in a real browser: sections, methods, own input, errors, files to take home."""

import csv
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

SLOW = 60_000  # patience with a loaded machine [ms]

expect.set_options(timeout=20_000)


def ready(page):
    """Wait until the section has shown all there is."""
    expect(page.get_by_text("Ready").first).to_be_visible(timeout=SLOW)


def section(page, name):
    """Open another section and wait for its own words and its run."""
    page.get_by_role("button", name=name).or_(page.get_by_role("radio", name=name)).first.click()
    expect(page).to_have_url(re.compile(re.escape(name.replace(" ", "+")).replace("'", "(%27|')")))
    ready(page)


def slot(page, name):
    return page.locator(f'[data-slot="{name}"]')


@pytest.fixture
def trained(visit):
    """A visitor with a model that was trained for a moment."""
    page = visit("/train")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=4 * SLOW)
    page.get_by_role("link", name="Explain").first.click()
    ready(page)
    return page


def test_methods_are_compared_on_ones_own_picture_and_taken_home(trained, tmp_path):
    page = trained
    expect(page.get_by_role("cell", name="gradcam", exact=True)).to_be_visible()
    page.get_by_role("combobox", name="Methods").fill("kernel")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("cell", name="kernel_shap", exact=True)).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("over 5 seeds")).first).to_be_visible(timeout=SLOW)

    paper = np.full((60, 60), 255, np.uint8)
    paper[8:52, 28:33] = 0
    Image.fromarray(paper).save(tmp_path / "one.png")
    Image.new("1", (10_000, 5_000)).save(tmp_path / "huge.png")
    page.get_by_role("button", name="Your own input").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "huge.png")
    expect(page.get_by_text(re.compile("at most 24 million fit"))).to_be_visible(timeout=SLOW)
    page.locator("input[type=file]").set_input_files(tmp_path / "one.png")
    expect(page.get_by_text("In front of the model: one.png")).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("fact-prediction")).to_have_text("1", timeout=SLOW)
    ready(page)

    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))
    named = {row["name"].partition(":")[0] for row in rows if row["picture"] == "maps"}
    assert named == {"gradcam", "integrated_gradients", "kernel_shap"}
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PNG").click()
    waiting.value.save_as(tmp_path / "maps.png")
    with Image.open(tmp_path / "maps.png") as sheet:
        assert sheet.width > 600


def test_from_a_confusion_to_its_samples_to_what_would_change_the_answer(trained):
    page = trained
    section(page, "Errors")
    confusion = slot(page, "confusion").locator("canvas")
    expect(confusion).to_be_visible()
    member = page.get_by_role("spinbutton", name="Member")
    expect(member).to_have_value("0")
    tiles = slot(page, "samples").locator("canvas")
    expect(tiles).to_have_attribute("aria-label", re.compile("taken for"), timeout=SLOW)
    box = confusion.bounding_box()
    # the cell of nines that are told to be nines: the last of the diagonal
    confusion.click(position={"x": 0.95 * box["width"], "y": 0.96 * box["height"]})
    expect(page.get_by_role("spinbutton", name="Cell")).to_have_value("99", timeout=SLOW)
    expect(tiles).to_have_attribute("aria-label", re.compile("9 taken for 9"), timeout=SLOW)
    ready(page)
    for name, shown in (
        ("Counterfactual", "change"), ("A unit's wish", "wish"), ("Pairs", "pairs"),
        ("Concepts", "tcav"), ("Training samples", "against"),
    ):  # fmt: skip
        section(page, name)
        expect(slot(page, shown)).to_be_visible(timeout=SLOW)


def test_the_page_fits_a_phone(visit):
    page = visit("/explain", width=390, height=844, dark=True)
    page.get_by_role("button", name=re.compile("first weights")).first.click()
    ready(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 392
    expect(slot(page, "maps").locator("canvas")).to_be_visible()
