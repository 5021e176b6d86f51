"""A model of characters in a real browser: trained for some seconds, made to write, looked into."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]

SLOW = 90_000  # patience with a loaded machine [ms]


def put_on_stage(page, title):
    page.get_by_role("button", name="Change model").click()
    choice = page.get_by_role("combobox", name="Begin again from a template")
    choice.click()
    choice.fill(title)
    page.get_by_role("option", name=title, exact=True).click()
    page.get_by_role("button", name="Put it on stage").click()
    expect(page.get_by_text("not trained yet")).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")


def section(page, name):
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first.click()


def test_characters_are_learnt_written_and_looked_into(visit):
    page = visit("/train")
    page.set_default_timeout(SLOW)
    put_on_stage(page, "Character LSTM")
    expect(page.get_by_text("the sly").or_(page.get_by_text("↵")).first).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Perplexity").first).to_be_visible(timeout=SLOW)
    page.wait_for_timeout(6_000)
    page.get_by_role("button", name=re.compile("Stop")).first.click()
    page.goto(page.url.replace("/train", "/inside"))

    section(page, "Writing")
    expect(page.get_by_text("What it wrote")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("120 / 120")).to_be_visible(timeout=SLOW)
    prompt = page.get_by_label("Prompt")
    prompt.fill("the owl ")
    prompt.press("Enter")
    expect(page.get_by_text("the owl ").first).to_be_visible(timeout=SLOW)
    prompt.fill("The owl")
    prompt.press("Enter")
    expect(page.get_by_text("does not know the character 'T'")).to_be_visible(timeout=SLOW)

    section(page, "Recurrence")
    expect(page.get_by_text("all that unit").first).to_be_visible(timeout=SLOW)
    section(page, "Alignment")
    expect(page.get_by_text("it needs a source and a target")).to_be_visible(timeout=SLOW)
