"""Every lab's page as its first visitor sees it, on a desk and on a phone.

The windows are as wide as those of the two devices and very tall: a picture is drawn only where
it can be seen, and here all of them can.
"""

import contextlib

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as NotInTime

from demos.shelf import shelf
from tests.browser.conftest import watched

PATIENCE = 45_000  # with a loaded machine [ms]
DESK = {"width": 1440, "height": 2600}
PHONE = {"width": 390, "height": 5200}

# Two halves, so that two workers with a server each can share the work
every_lab = pytest.mark.parametrize(
    "id",
    [
        pytest.param(entry.id, marks=pytest.mark.xdist_group(f"lab pages {number % 2}"))
        for number, entry in enumerate(shelf())
    ],
)

FAULTS = """() => {
    const faults = [], roots = [document];
    for (const root of roots)
        for (const { shadowRoot } of root.querySelectorAll("*"))
            if (shadowRoot) roots.push(shadowRoot);
    const all = (css) => roots.flatMap((root) => [...root.querySelectorAll(css)]);
    const seen = all(".orrery").filter((one) => one.clientWidth > 0);

    const states = all(".orrery .transport strong").map((one) => one.textContent);
    if (!states.length) faults.push("no run is shown");
    for (const state of states)
        if (!["Running", "Ready", "Finished"].includes(state)) faults.push(`the run is ${state}`);
    for (const alert of all('[data-testid="stAlert"], [data-testid="stException"]'))
        faults.push(`the page warns: ${alert.textContent}`);

    const pictures = all(".orrery .panel canvas"), words = all(".orrery .panel .words");
    if (!pictures.length && !words.length) faults.push("there is no picture yet");
    for (const text of words) {
        if (!text.textContent.trim()) faults.push("a panel of words is empty");
        if (text.textContent.startsWith("Could not show")) faults.push(text.textContent);
    }
    for (const canvas of pictures) {
        const name = canvas.closest(".panel").dataset.slot;
        if (!canvas.width || !canvas.height) { faults.push(`${name} has no room`); continue; }
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const pixels = new Uint32Array(data.buffer), first = pixels[0];
        if (pixels.every((pixel) => pixel === first)) faults.push(`${name} is empty`);
    }

    const frames = [document.documentElement, ...all('[data-testid="stMain"]'), ...seen];
    for (const one of frames)
        if (one.scrollWidth > one.clientWidth + 1) {
            const name = one.dataset.testid || one.className || one.localName;
            faults.push(`${name} is ${one.scrollWidth - one.clientWidth} px too wide`);
        }
    return faults;
}"""


@pytest.fixture(scope="module")
def reader(chromium, server):
    """One window for all labs, so that a page costs a page and not a browser."""
    context = chromium.new_context(base_url=server, viewport=DESK)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def errors(reader):
    """What the window's console has complained of since somebody last cleared it."""
    return watched(reader, [])


def faults_on(page):
    """What is still wrong with the page once it has had time to show its pictures."""
    try:
        page.wait_for_function(f"() => ({FAULTS})().length === 0", timeout=PATIENCE, polling=100)
    except NotInTime:
        return page.evaluate(FAULTS) or ["it was right only for moments"]
    return []


@pytest.mark.browser
@pytest.mark.timeout(180)
@every_lab
def test_shows_full_pictures_on_desk_and_phone_without_complaint(reader, errors, id):
    errors.clear()
    reader.set_viewport_size(DESK)
    reader.goto(f"/labs?lab={id}")
    assert not faults_on(reader), "at 1440 px"
    reader.set_viewport_size(PHONE)
    reader.wait_for_timeout(100)  # what is right at 1440 px is asked again only after the move
    assert not faults_on(reader), "at 390 px"
    for stop in reader.get_by_role("button", name="Stop", exact=True, disabled=False).all():
        with contextlib.suppress(PlaywrightError):  # it may end by itself in this moment
            stop.evaluate("one => one.click()", timeout=1000)  # it would slow the next one down
    assert not errors, f"the browser's console says: {errors[:5]}"
