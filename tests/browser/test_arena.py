"""One visitor breaks a model and hardens it, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

SLOW = 90_000  # patience with a loaded machine [ms]

expect.set_options(timeout=20_000)


def section(page, name):
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()


def start(page):
    page.get_by_role("button", name="Start", exact=True).click()


def _choose(page, title):
    """Put a template on stage."""
    page.get_by_role("button", name="Change model").click()
    page.get_by_role("combobox", name=re.compile("template")).click()
    page.get_by_role("option", name=title, exact=True).click()
    take = page.get_by_role("button", name="Put it on stage")
    expect(take).to_be_visible(timeout=SLOW)
    take.click()


def test_a_model_is_fooled_measured_and_hardened(visit):
    page = visit("/train")
    page.set_default_timeout(SLOW)
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible(timeout=SLOW)
    _choose(page, "LeNet for small digits")
    expect(page.get_by_text("LeNet for small digits on digits")).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)

    # the budget moves pictures, answer and the plane that the attack walks over
    page.get_by_role("link", name="Attack").first.click()
    expect(page.get_by_text("Ready").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("understand and harden your own models")).to_be_visible()
    epsilon = page.get_by_role("slider", name="Epsilon").first
    flipped = page.get_by_test_id("fact-flipped")
    epsilon.focus()
    page.keyboard.press("Home")
    expect(flipped).to_have_text("0", timeout=SLOW)
    page.keyboard.press("End")
    expect(flipped).to_have_text("1", timeout=SLOW)
    expect(page.get_by_test_id("fact-linf")).to_have_text(re.compile(r"^0\.5"))
    expect(page.get_by_text("lead of the class under attack").first).to_be_visible()
    expect(page.get_by_text("may this be believed?").first).to_be_visible()
    expect(page.get_by_role("cell", name="inside the ball").first).to_be_visible()
    expect(page.get_by_role("cell", name="✗")).to_have_count(0)

    # a curve in the background, and its end
    section(page, "Over the budget")
    start(page)
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name=re.compile("^Stop")).first.click()
    expect(page.get_by_text("Stopped").first).to_be_visible(timeout=SLOW)

    # a defended network beside a plain one, and then on stage
    page.get_by_role("link", name="Defend").first.click()
    expect(page.get_by_text("Press Start").first).to_be_visible(timeout=SLOW)
    start(page)
    expect(page.get_by_text("accuracy under PGD over the budget").first).to_be_visible(
        timeout=2 * SLOW
    )
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SLOW)
    for fact in ("plain, attacked", "defended, attacked"):
        expect(page.get_by_text(re.compile(fact, re.IGNORECASE)).first).to_be_visible()
    page.get_by_role("button", name="Put the defended model on stage").click()
    expect(page.get_by_text("LeNet for small digits, fast").first).to_be_visible(timeout=SLOW)
    section(page, "Filters")
    expect(page.get_by_text("The gradient was hidden, not the weakness").first).to_be_visible(
        timeout=SLOW
    )
