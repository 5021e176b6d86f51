"""Training in a real browser: seen from inside, gone back to, raced, and healed by the doctor."""

import re

import pytest
from playwright.sync_api import expect

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
    cure = page.get_by_role("button", name=re.compile("tenth of|He's first weights")).first
    cure.click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)
