"""Training in a real browser: seen from inside, gone back to, raced, and healed by the doctor."""

import os
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT
from tests.browser.test_journey import SLOW

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]


def on_spirals(visit):
    """The Train page with a small network on stage that takes the spirals."""
    page = visit("/train")
    page.get_by_role("combobox").first.click()
    page.keyboard.type("spirals")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Put one that fits on stage").click()
    expect(page.get_by_text("Network for spirals").first).to_be_visible(timeout=SLOW)
    return page


def test_a_run_is_seen_from_inside_gone_back_to_and_branched(visit):
    page = on_spirals(visit)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("each unit's answer over the plane").first).to_be_visible()
    page.get_by_text("Pictures", exact=True).click()
    page.get_by_label("dead").check()  # a panel more, while it trains
    page.get_by_label("weights", exact=True).check()
    expect(page.get_by_text(re.compile("Weights")).first).to_be_visible(timeout=SLOW)
    page.get_by_label("Speed").select_option("Full speed")
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)
    page.get_by_text("Understand it").click()
    expect(page.get_by_text("Ready").first).to_be_visible(timeout=SLOW)
    stop = page.get_by_role("slider", name="Stop")
    for _ in range(5):
        stop.press("ArrowRight")
    expect(page.get_by_text("begins the way back").first).to_be_visible(timeout=SLOW)
    page.get_by_text("Past", exact=True).first.click()
    moment = page.get_by_role("slider", name=re.compile("Moment"))
    expect(moment).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Ready").first).to_be_visible(timeout=SLOW)
    moment.press("Home")
    expect(page.get_by_text(re.compile("Step 0, one of")).first).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Branch a new run from here").click()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)


def test_configurations_race_on_one_chart(visit):
    page = on_spirals(visit)
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("Epochs each").fill("20")
    page.get_by_label("Epochs each").press("Enter")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)
    for lane in ("SGD", "Momentum", "RMSprop", "Adam"):
        expect(page.get_by_role("cell", name=lane, exact=True).first).to_be_visible()
    page.get_by_text("Sweep", exact=True).first.click()
    expect(page.get_by_text("Press Start").first).to_be_visible(timeout=SLOW)
    page.get_by_label("Epochs each").fill("3")
    page.get_by_label("Epochs each").press("Enter")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("every line a trial").first).to_be_visible(timeout=2 * SLOW)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)


def test_the_doctor_finds_what_a_far_too_large_rate_has_killed_and_its_fix_heals_it(visit):
    page = visit("/train")
    page.get_by_role("combobox").first.click()
    page.keyboard.type("digits")
    page.keyboard.press("Enter")
    fit = page.get_by_role("button", name="Put one that fits on stage")
    fit.click()
    expect(page.get_by_text("Network for digits").first).to_be_visible(timeout=SLOW)
    rate = page.get_by_role("slider", name=re.compile("learning rate", re.IGNORECASE)).first
    rate.press("End")
    page.wait_for_timeout(1000)  # the slider tells the page after a moment
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("The training doctor")).to_be_visible(timeout=2 * SLOW)
    expect(page.get_by_text("Dead ReLU units")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name=re.compile("Use LeakyReLU, a tenth of")).click()
    expect(page.get_by_label(re.compile("The network: .*LeakyReLU"))).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)
    expect(page.get_by_text("Dead ReLU units")).to_have_count(0, timeout=SLOW)


def figure(page, slot):
    """A panel of the live view."""
    return page.locator(f'figure[data-slot="{slot}"]')


def test_mnist_is_trained_on_steered_and_its_mistakes_are_opened(visit, mnist):
    page = visit("/train")
    expect(page.get_by_text("My digit reader on mnist")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Find a learning rate").click()
    expect(page.get_by_text("The loss falls fastest")).to_be_visible(timeout=2 * SLOW)
    take = page.get_by_role("button", name=re.compile(r"^Take 0\.\d+"))
    found = take.inner_text().split()[-1]
    take.click()
    expect(take).to_have_count(0)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("fact-learning-rate")).to_contain_text(found)

    # the rate is changed under way and leaves a mark on the curves
    rate = page.get_by_role("slider", name=re.compile("learning rate", re.IGNORECASE)).first
    for _ in range(4):
        rate.press("ArrowLeft")
    marked = re.compile("Marked: learning rate .* from step")
    expect(figure(page, "loss").locator("canvas")).to_have_attribute(
        "aria-label", marked, timeout=SLOW
    )

    # paused, a cell of the matrix is opened with the keyboard alone
    page.get_by_role("button", name=re.compile("^Pause")).click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    matrix = figure(page, "confusion").locator("canvas")
    matrix.focus()
    matrix.press("ArrowRight")
    expect(figure(page, "cell").get_by_role("heading")).to_have_text(
        re.compile("0 that is seen as 0|0 taken for"), timeout=SLOW
    )

    # a panel is made larger, and the browser remembers it
    size = figure(page, "accuracy").get_by_role("button", name=re.compile("^Size of"))
    size.press("Enter")
    size.press("Enter")
    wide = figure(page, "accuracy").bounding_box()["width"]
    page.reload()
    again = figure(page, "accuracy").get_by_role("button", name=re.compile("accuracy: M", re.I))
    expect(again).to_have_count(1, timeout=SLOW)
    assert abs(figure(page, "accuracy").bounding_box()["width"] - wide) < 2
    page.get_by_role("button", name=re.compile("^Stop")).first.click()


@pytest.fixture
def mnist():
    """MNIST's files, without which there is nothing to train on here."""
    near = any((root / "shared" / "data" / "mnist").exists() for root in (ROOT, ROOT.parent))
    if not near and not os.environ.get("PLAYGROUND_DATA"):
        pytest.skip("MNIST's files are not at hand: set PLAYGROUND_DATA to their folder")
