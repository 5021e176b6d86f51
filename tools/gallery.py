"""Takes a picture of every lab and writes docs/gallery.md: `make gallery`.

The pictures are what the browser draws of the lab's quick run; the map of topics shows them
until one is pointed at. A picture is taken anew when the lab's file has changed.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from demos.catalog import Card, catalog
from tools.browser import browser
from tools.measure.serving import look, server, start

DOCS = Path(__file__).resolve().parent.parent / "docs"
PICTURES = DOCS / "gallery"
SEEN = PICTURES / "seen.json"  # lab id -> hash of the file its picture was taken of
WIDTH, HEIGHT = 400, 250

_MOUNT = """async ([run, width, height]) => {
  const live = await import('/ui/live.js');
  window.view?.destroy();
  document.body.replaceChildren();
  document.body.style.cssText = 'margin:0;background:#fcfcfa';
  const root = document.body.appendChild(document.createElement('div'));
  root.style.cssText = `width:${width}px;height:${height}px`;
  window.view = live.mount(root, {run, form: [], layout: {chrome: false, height}}, () => {});
}"""


def main() -> None:
    """Take the missing pictures; write the page."""
    cards = [card for card in catalog().cards.values() if not card.broken]
    PICTURES.mkdir(parents=True, exist_ok=True)
    seen: dict[str, str] = json.loads(SEEN.read_text()) if SEEN.exists() else {}
    stale = [card for card in cards if seen.get(card.id) != _hash(card) or not _file(card).exists()]
    if stale:
        with server() as address, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=browser(), args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(f"{address}/health")
            for card in stale:
                _take(page, address, card)
                seen[card.id] = _hash(card)
                print(card.id, flush=True)
            chromium.close()
    known = {card.id for card in cards}
    for old in PICTURES.glob("*.webp"):
        if old.stem not in known:
            old.unlink()
    kept = {id: seen[id] for id in sorted(seen) if id in known}
    SEEN.write_text(json.dumps(kept, indent=0) + "\n")
    (DOCS / "gallery.md").write_text(_page(cards), encoding="utf-8")


def _take(page: Page, address: str, card: Card) -> None:
    run = start(address, {"lab": card.id, "settings": "quick"})
    page.evaluate(_MOUNT, [run, WIDTH, HEIGHT])
    for _ in range(200):
        now = look(address, run)
        if now["waits"] or now["state"] in {"finished", "failed", "stopped"}:
            break
        page.wait_for_timeout(50)
    page.wait_for_timeout(400)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").save(_file(card), "webp", quality=70, method=6)


def _page(cards: list[Card]) -> str:
    """All labs by chapter, with their pictures."""
    lines = ["# Gallery", "", "Every lab, as its first picture. Written by `make gallery`.", ""]
    chapters = catalog().chapters
    for chapter, title in chapters.items():
        lines += [f"## {title}", ""]
        for card in cards:
            if card.chapter == chapter:
                idea = " ".join(card.text.partition("\n\n")[0].split())
                lines += [f"### {card.title}", "", f"![{card.title}](gallery/{card.id}.webp)", ""]
                lines += [idea, "", f"`make lab id={card.id}` · {card.source}", ""]
    return "\n".join(lines)


def _file(card: Card) -> Path:
    return PICTURES / f"{card.id}.webp"


def _hash(card: Card) -> str:
    return hashlib.sha256(card.code.encode()).hexdigest()[:16]


if __name__ == "__main__":
    main()
