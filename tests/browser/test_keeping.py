"""Runs in a real browser: trained, named, compared, reported, opened again and deleted."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_journey import SLOW
from tests.browser.test_training import on_spirals
from tests.kept import trained
from ui.cookie import VISITOR

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

HEAD, ROW = 38, 35  # of the table [px]


def tick(page, row):
    """Tick a row of the table, which is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame")
    expect(table.locator("canvas").first).to_be_visible(timeout=SLOW)
    box = table.bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + HEAD + ROW * row + ROW / 2)


def train(page):
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    page.get_by_label("Speed").select_option("Full speed")
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=2 * SLOW)


def test_runs_are_named_compared_reported_and_deleted(visit, tmp_path):
    page = visit("/runs")
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible(timeout=SLOW)
    page.close()
    page = on_spirals(visit)
    train(page)
    page.get_by_text("Your runs").click()
    expect(page.get_by_text(re.compile("1 run ·"))).to_be_visible(timeout=SLOW)
    tick(page, 0)
    name = page.get_by_label("Its name")
    expect(name).to_have_value("Network for spirals", timeout=SLOW)
    name.fill("My first spirals")
    name.press("Enter")
    strip = page.get_by_text("My first spirals").first
    expect(strip).to_be_visible(timeout=SLOW)  # on stage it has the new name, too
    with page.expect_download(timeout=SLOW) as saved:
        page.get_by_role("button", name="Report").click()
    saved.value.save_as(tmp_path / "report.html")
    report = Path(tmp_path / "report.html").read_text(encoding="utf-8")
    assert saved.value.suggested_filename == "My-first-spirals.html"
    assert "<h1>My first spirals</h1>" in report
    assert "How it learned" in report

    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SLOW)
    train(page)
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_text(re.compile("2 runs ·"))).to_be_visible(timeout=SLOW)
    expect(page.get_by_label("Its name")).to_be_visible(timeout=SLOW)  # what was ticked still is
    tick(page, 0)  # the newest
    expect(page.get_by_text("2 runs side by side")).to_be_visible(timeout=SLOW)
    for words in ("figure", "validation accuracy", "My first spirals (2)"):
        expect(page.get_by_role("table").get_by_text(words).first).to_be_visible(timeout=SLOW)

    tick(page, 0)  # only the older one is left
    expect(page.get_by_label("Its name")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Open on stage").click()
    expect(page.get_by_text("Its model is on stage")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.get_by_text(re.compile("1 run ·"))).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("not trained yet").first).to_be_visible(timeout=SLOW)


def test_what_is_sought_and_not_there_is_told(visit):
    page = on_spirals(visit)
    train(page)
    page.get_by_role("link", name="Runs", exact=True).click()
    find = page.get_by_label("Find")
    find.fill("spirals adam")
    find.press("Enter")
    expect(page.get_by_text("1 of 1 run ·")).to_be_visible(timeout=SLOW)
    find.fill("a transformer")
    find.press("Enter")
    expect(page.get_by_text("No run of yours has all of")).to_be_visible(timeout=SLOW)


def test_a_run_of_an_earlier_server_opens_with_all_its_pictures(visit, store, monkeypatch):
    page = visit("/runs")
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible(timeout=SLOW)
    (owner,) = [one["value"] for one in page.context.cookies() if one["name"] == VISITOR]
    monkeypatch.setenv("PLAYGROUND_HOME", str(store))
    trained("From before", owner)
    page.reload()
    expect(page.get_by_text(re.compile("1 run ·"))).to_be_visible(timeout=SLOW)
    tick(page, 0)
    page.get_by_role("button", name="Open on stage").click()
    expect(page.get_by_text("Its model is on stage")).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_text(re.compile("one of .* that were kept")).first).to_be_visible(
        timeout=SLOW
    )
    expect(page.get_by_text("validation samples at step").first).to_be_visible(timeout=SLOW)
