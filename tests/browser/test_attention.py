"""Looking inside in a real browser: heads picked, tokens pointed at, something changed."""

import pytest
from playwright.sync_api import expect

from engine.models.adopt import adopt
from engine.network.templates import find
from engine.store import projects
from engine.store.projects import Project

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

SLOW = 60_000  # patience with a loaded machine [ms]
VISITOR = "attention_visitor"


@pytest.fixture
def on_stage(visit, server, store, monkeypatch):
    """A visitor with two layers of attention on stage, with their first weights."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(store))
    template = find("two-attentions")
    spec = template.spec.to_json()
    run = adopt(spec, data=template.data)
    projects.keep(VISITOR, Project("Two attentions", spec, template.data, run))
    page = visit("/")
    page.context.add_cookies([{"name": "orrery_visitor", "value": VISITOR, "url": server}])
    page.goto(f"{server}/inside")
    return page


def shown(page, slot):
    """The panel of a slot."""
    return page.locator(f"figure.panel[data-slot='{slot}']")


def differs(page, locator, before):
    """Whether the picture has become another one."""
    for _ in range(60):
        if locator.screenshot() != before:
            return True
        page.wait_for_timeout(200)
    return False


def test_pick_a_head_point_at_a_token_change_something_and_ask_for_more(on_stage):
    page = on_stage
    maps, matrix = shown(page, "heads"), shown(page, "matrix")
    expect(maps).to_be_visible(timeout=SLOW)
    expect(matrix.locator("h3")).to_contain_text("head 0.0")

    box = maps.locator("canvas").bounding_box()
    maps.locator("canvas").click(position={"x": box["width"] * 0.9, "y": 40})
    expect(matrix.locator("h3")).not_to_contain_text("head 0.0", timeout=SLOW)

    # what is pointed at in one view is marked in the others
    before = shown(page, "input").screenshot()
    lines = shown(page, "head").locator("canvas")
    lines.hover(position={"x": 12, "y": 60})
    assert differs(page, shown(page, "input"), before), "the token was not marked"

    page.get_by_label("Change", exact=True).select_option("switch heads off")
    page.get_by_label("Heads", exact=True).fill("all")
    expect(page.get_by_text("off: all")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Largest change of an output")).to_be_visible()

    page.get_by_label("Show").select_option("detectors")
    expect(shown(page, "detector_induction")).to_be_attached(timeout=SLOW)
    page.get_by_label("Show").select_option("neuron")
    expect(shown(page, "neuron")).to_be_visible(timeout=SLOW)

    page.get_by_text("typed", exact=True).click()
    page.get_by_label("Text", exact=True).fill("abcÄ")
    expect(page.get_by_text("does not know the character 'Ä'")).to_be_visible(timeout=SLOW)
    page.get_by_label("Text", exact=True).fill("abcabcab")
    expect(page.get_by_text("does not know the character")).to_be_hidden(timeout=SLOW)


def test_a_network_without_attention_is_told_what_to_do(visit, server, store, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(store))
    template = find("lenet-digits")
    spec = template.spec.to_json()
    run = adopt(spec, data=template.data)
    projects.keep(VISITOR, Project("LeNet", spec, template.data, run))
    page = visit("/")
    page.context.add_cookies([{"name": "orrery_visitor", "value": VISITOR, "url": server}])
    page.goto(f"{server}/inside")
    expect(page.get_by_text("This network has no attention.")).to_be_visible(timeout=SLOW)
