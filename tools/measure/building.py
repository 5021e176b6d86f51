"""How smoothly the canvas moves and edits a network of 300 layers in a headless browser."""

from __future__ import annotations

import statistics
from typing import Any

from tools.measure import Row

LAYERS = 300
SECONDS = 4.0  # of each pan
EDITS = 8

# The builder alone on a page, wide as a laptop's; frames are counted while the mouse drags.
_MOUNT = """async (spec) => {
  const builder = await import('/ui/builder.js');
  document.body.replaceChildren();
  const root = document.body.appendChild(document.createElement('div'));
  window.view = builder.mount(root, {spec, revision: 1, height: 800}, () => {});
  window.frames_ = 0;
  const tick = () => { window.frames_++; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""

# A point of the ground with room to all sides for the mouse to go to and fro.
_GROUND = """() => {
  const stage = document.querySelector('.react-flow').getBoundingClientRect();
  for (let y = stage.bottom - 30; y > stage.top + 60; y -= 10)
    for (let x = stage.left + 60; x < stage.right - 400; x += 10)
      if (document.elementFromPoint(x, y)?.classList.contains('react-flow__pane')) return [x, y];
  throw new Error('no ground');
}"""


def network(layers: int = LAYERS) -> dict[str, Any]:
    """A residual network of that many nodes: image, blocks of six with a skip each, and a head."""
    nodes: list[dict[str, Any]] = [
        {"id": "image", "type": "Input", "params": {"shape": [16, 28, 28]}}
    ]
    edges: list[list[str]] = []
    end = "image"
    kinds = ("Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "Add")
    for number in range(layers - 1):
        kind = kinds[number % len(kinds)]
        id = f"n{number}"
        filters = {"out_channels": 16, "kernel_size": 3, "padding": 1}
        nodes.append({"id": id, "type": kind, **({"params": filters} if kind == "Conv2d" else {})})
        edges.append([nodes[-2]["id"], id])
        if kind == "Add":
            edges.append([end, id])
            end = id
    return {"version": 1, "nodes": nodes, "edges": edges, "outputs": [nodes[-1]["id"]]}


def rows(address: str) -> list[Row]:
    """Frames a second while panning, near and with all in view; time from an edit to its frame."""
    from playwright.sync_api import sync_playwright

    from tools.browser import browser

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=browser(), args=flags)
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/health")
        page.evaluate(_MOUNT, network())
        page.get_by_test_id("totals").wait_for()
        page.wait_for_timeout(2000)
        near = _pan(page)
        page.get_by_test_id("tool-fit").click()
        page.wait_for_timeout(1000)
        far = _pan(page)
        edit = statistics.median(_edit(page) for _ in range(EDITS))
        chromium.close()
    note = f"{LAYERS} layers, headless, no GPU"
    return [
        Row("canvas, panning at reading size", f"{near:.0f} /s", "≥ 30 /s", near >= 30, note),
        Row("canvas, panning with all in view", f"{far:.0f} /s", "≥ 30 /s", far >= 30, note),
        Row("canvas, an edit until it is drawn", f"{edit:.0f} ms", "≤ 100 ms", edit <= 100, note),
    ]


def _pan(page: Any) -> float:
    """Frames a second while the ground is dragged to and fro."""
    x, y = page.evaluate(_GROUND)
    page.mouse.move(x, y)
    page.mouse.down()
    view = page.locator(".react-flow__viewport")
    stood = view.get_attribute("style")
    before, begun = page.evaluate("[window.frames_, performance.now()]")
    passed, step = 0.0, 0
    while passed < 1000 * SECONDS:
        step += 1
        page.mouse.move(
            x + 8 * (step % 40 if step // 40 % 2 == 0 else 40 - step % 40), y - step % 7
        )
        passed = page.evaluate("performance.now()") - begun
    frames = page.evaluate("window.frames_") - before
    if view.get_attribute("style") == stood:
        raise RuntimeError("the canvas did not move under the mouse")
    page.mouse.up()
    return float(1000 * frames / passed)


def _edit(page: Any) -> float:
    """Milliseconds from a pressed key, which repeats a layer, to the second frame after it."""
    page.get_by_test_id("builder").focus()
    page.keyboard.press("End")
    page.wait_for_timeout(300)
    return float(
        page.evaluate(
            """() => new Promise((done) => {
              const begun = performance.now();
              document.querySelector('[data-testid=builder]').dispatchEvent(new KeyboardEvent(
                'keydown', {key: 'd', ctrlKey: true, bubbles: true, cancelable: true}));
              requestAnimationFrame(() => requestAnimationFrame(
                () => done(performance.now() - begun)));
            })"""
        )
    )
