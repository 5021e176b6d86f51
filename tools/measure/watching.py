"""What being watched costs a run, and how many frames a second a real browser draws."""

from __future__ import annotations

import statistics
import time

from tools.measure import Row
from tools.measure.serving import lenet, look, start, tell

SECONDS = 6.0  # of each measurement
ROUNDS = 4

# Counts, in the page, the animation frames in which something was drawn on a canvas.
_COUNTER = """
  window.drawn = 0; let dirty = false;
  const p = CanvasRenderingContext2D.prototype;
  for (const name of ["stroke", "fillRect", "drawImage", "fillText", "putImageData"]) {
    const before = p[name];
    p[name] = function (...a) { dirty = true; return before.apply(this, a); };
  }
  const tick = () => { if (dirty) { window.drawn++; dirty = false; } requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
"""


def rows(address: str) -> list[Row]:
    """Throughput without and with a browser watching, in turn; frames a second; message sizes."""
    from playwright.sync_api import sync_playwright

    from tools.browser import browser

    alone, watched, frames, sizes = [], [], [], []
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=browser(), args=flags)
        page = chromium.new_page()
        page.add_init_script(_COUNTER)
        page.on("websocket", lambda line: line.on("framereceived", lambda f: sizes.append(len(f))))
        for _ in range(ROUNDS):
            alone.append(_throughput(address, _fresh(address)))
            run = _fresh(address)
            page.goto(f"{address}/train")
            page.evaluate("(run) => import('/ui/live.js').then((live) => {"
                          "document.body.replaceChildren();"
                          "const root = document.body.appendChild(document.createElement('div'));"
                          "live.mount(root, {run, form: []}, () => {}); })", run)  # fmt: skip
            page.wait_for_timeout(1000)
            before = page.evaluate("window.drawn")
            watched.append(_throughput(address, run, page.wait_for_timeout))
            frames.append((page.evaluate("window.drawn") - before) / SECONDS)
        chromium.close()
    cost = 100 * (1 - statistics.median(w / a for w, a in zip(watched, alone, strict=True)))
    rate, size = statistics.median(frames), statistics.median(sizes) / 1000
    return [
        Row("cost of being watched", f"{cost:.0f} %", "≤ 10 %", cost <= 10, "in turn, 4 rounds"),
        Row("frames drawn in headless Chromium", f"{rate:.0f} /s", "≥ 20 /s", rate >= 20),
        Row("median message to the browser", f"{size:.1f} kB", "≤ 30 kB", size <= 30),
    ]


def _fresh(address: str) -> str:
    run = start(address, lenet(500))
    deadline = time.monotonic() + 30
    while look(address, run)["step"] < 50 and time.monotonic() < deadline:
        time.sleep(0.05)
    return run


def _throughput(address: str, run: str, wait: object = None) -> float:
    """Training steps a second over some seconds; the run is ended."""
    first, begun = look(address, run)["step"], time.perf_counter()
    if callable(wait):
        wait(1000 * SECONDS)
    else:
        time.sleep(SECONDS)
    steps = look(address, run)["step"] - first
    passed = time.perf_counter() - begun
    tell(address, run, "stop")
    return float(steps / passed)
