"""The report of a kept run: one HTML file with all in it, that asks no server for anything."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

import numpy as np

from engine import palette
from engine.contest.beside import figures
from engine.data.about import about
from engine.export.formats.svg import draw as draw_network
from engine.export.script import script
from engine.models.kept import read_json
from engine.network.spec import NetworkSpec
from engine.report.drawing import draw
from engine.report.evidence import shown
from engine.store.folder import KeptRun, content
from engine.store.machine import machine
from engine.store.register import register
from engine.training.settings import Settings
from engine.views import Bars, Curve, Table, View

_STYLE = Path(__file__).with_name("style.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_ORIGINS = {
    "first": "It has its first, random weights and has learnt nothing yet.",
    "imported": "Its weights were brought in from a file; it was not trained here.",
    "edited": "Its weights come from another run and were edited by hand.",
}
HEADLINES = 6


def report(run: str, owner: str | None = None) -> str:
    """The report's text.

    Args:
        run: The run's id.
        owner: Whose it must be; None for anybody's.

    Raises:
        LookupError: There is no such run of that owner, or its files are elsewhere.
        ValueError: Its network cannot be read.
    """
    found = register().find(run, owner)
    folder = register().folder(run)
    views, missing = _views(found, folder)
    parts = [
        _head(found),
        _headline(found),
        _section("How it learned", _curves(views), _doctor(folder)),
        _section("What it makes" if "samples" in views else "How it answers", _answers(views)),
        _section("The network", _network(folder)),
        _section("The data", *_data(found.data)),
        _section("How it was made", _pair(_settings(found), _hardware(folder, found))),
        _section("Make it again", *_again(found, folder)),
        f'<p class="soft">{escape(missing)}</p>' if missing else "",
    ]
    return _page(found.name, "".join(parts))


def _page(title: str, body: str) -> str:
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<style>{_style()}</style></head><body><main>{body}</main></body></html>\n"
    )


def _style() -> str:
    """The style sheet with the colours of all other pictures."""

    def named(colours: Sequence[str]) -> str:
        return " ".join(f"--c{k}: {colour};" for k, colour in enumerate(colours))

    text = _STYLE.read_text(encoding="utf-8")
    text = text.replace("CLASSES_LIGHT", named(palette.CLASSES))
    text = text.replace("CLASSES_DARK", named(palette.ON_DARK))
    return text + "".join(f".s{k} {{ --c: var(--c{k}); }}\n" for k in range(len(palette.CLASSES)))


def _section(title: str, *parts: str) -> str:
    """A part of the page; nothing where there is nothing to say."""
    inside = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{inside}</section>" if inside else ""


def _head(run: KeptRun) -> str:
    when = time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(run.created)).lstrip("0")
    told = [run.model or "A network", f"on {_data_name(run.data)}" if run.data else "", when]
    origin = _ORIGINS.get(run.origin, "")
    if run.parent:
        origin += f" It began from the kept run {run.parent}."
    line = f'<p class="soft">{escape(" · ".join(one for one in told if one))}</p>'
    return f"<h1>{escape(run.name)}</h1>{line}" + (f"<p>{escape(origin)}</p>" if origin else "")


def _headline(run: KeptRun) -> str:
    told = list(figures(run).items())
    first = [one for one in told if one[0].startswith("validation")]
    shown = [*first, *(one for one in told if one not in first)][: HEADLINES + 1]
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in shown
    )
    return f'<dl class="figures">{cells}</dl>'


def _views(run: KeptRun, folder: Path) -> tuple[Mapping[str, View], str]:
    """What the model shows, or nothing and the reason."""
    try:
        return shown(run, folder), ""
    except (LookupError, ValueError, OSError) as error:
        why = str(error.args[0] if error.args else error)
        return {}, f"The model could not be asked again, so pictures are missing: {why}"


def _curves(views: Mapping[str, View]) -> str:
    """The curves; a learning rate's only where it moved."""
    found = [one for one in views.values() if isinstance(one, Curve)]
    return _pair(*[draw(one) for one in found if not _flat(one)])


def _flat(curve: Curve) -> bool:
    return all(np.ptp(line) == 0 for line in curve.lines.values() if len(line))


def _answers(views: Mapping[str, View]) -> str:
    """Small pictures side by side, what is wide below."""
    drawn = {name: draw(one) for name, one in views.items() if not isinstance(one, Curve)}
    small = [drawn.pop(name) for name in ("surface", "confusion") if name in drawn]
    return _pair(*small) + "".join(drawn.values())


def _pair(*parts: str) -> str:
    """Parts side by side where there is room."""
    return f'<div class="pair">{"".join(parts)}</div>' if parts else ""


def _doctor(folder: Path) -> str:
    """What the training doctor found."""
    path = folder / "findings.json"
    if not path.is_file():
        return ""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        told = [
            f'<div class="finding"><p><b>{escape(one["name"])}.</b> {escape(one["evidence"])} '
            f"{escape(one['cause'])}</p><p>What helps: {escape(one['fix'])}.</p></div>"
            for one in found
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return "".join(told) or "<p>The training doctor found nothing wrong.</p>"


def _network(folder: Path) -> str:
    if not (folder / "spec.json").is_file():
        return ""  # a generative model's parts stand in its recipe
    spec = NetworkSpec.parse(read_json(folder / "spec.json"))
    return f'<div class="network">{draw_network(spec)}</div>'


def _data(name: str) -> list[str]:
    """Sizes of the data, and how often each class is in what was learnt from."""
    if not name:
        return []
    try:
        told = about(name)
    except (LookupError, ValueError, OSError) as error:
        return [f"<p>{escape(_data_name(name))}: {escape(str(error.args[0]))}</p>"]
    rows = [
        ("name", _data_name(name)),
        ("task", told["task"]),
        ("samples to learn from", f"{told['train']:,}"),
        ("samples to be judged on", f"{told['valid']:,}"),
        ("shape of a sample", " × ".join(map(str, told["shape"]))),
    ]
    parts = [draw(Table(("what", "value"), tuple(rows)))]
    if told["note"]:
        parts.append(f"<p>{escape(str(told['note']))}</p>")
    balance: Mapping[str, int] = told["balance"]
    if balance and not told["per_place"]:
        heights = np.array(list(balance.values()), dtype=np.float64)
        title = "samples of each class, to learn from"
        parts.insert(0, draw(Bars(tuple(balance), {"samples": heights}, title=title)))
    return [_pair(*parts[:2]), *parts[2:]]


def _settings(run: KeptRun) -> str:
    """How it was trained: what was chosen, and what was left as it usually is."""
    usual = asdict(Settings()) if "family" not in run.settings else {}
    rows = [
        (name.replace("_", " "), str(value), str(usual.get(name, "–")))
        for name, value in run.settings.items()
    ]
    if not rows:
        return ""
    chosen = tuple(row for row in rows if row[1] != row[2])
    rest = tuple(row[:2] for row in rows if row[1] == row[2])
    first = draw(Table(("setting", "chosen", "usually"), chosen, title="settings"))
    if not chosen:
        first = "<p>All settings were the usual ones.</p>"
    inside = draw(Table(("setting", "value"), rest))
    return f"<div>{first}<details><summary>Left as usual</summary>{inside}</details></div>"


def _hardware(folder: Path, run: KeptRun) -> str:
    """What it ran on and how long."""
    kept = content(folder / "machine.json")
    rows = [(name, str(value)) for name, value in (kept or machine()).items()]
    if (seconds := content(folder / "summary.json").get("seconds")) is not None:
        rows.append(("computing time of its last process", f"{float(seconds):,.1f} s"))
    if run.seconds is not None:
        rows.append(("from start to end, pauses included", f"{run.seconds:,.1f} s"))
    title = "what it ran on" if kept else "what this report was made on: of the run it is unknown"
    return draw(Table(("machine", ""), tuple(rows), title=title))


def _again(run: KeptRun, folder: Path) -> list[str]:
    """How to make the same again."""
    if not (folder / "spec.json").is_file():
        return []
    spec = read_json(folder / "spec.json")
    text = json.dumps(spec, indent=1, ensure_ascii=False)
    parts = []
    if run.entry.endswith("run:train") and not run.data.startswith(("own:", "text:")):
        parts.append(
            "<p>Save the network below as <code>network.json</code>; with the same versions, this "
            "gives the same weights"
            + (" up to the first control that was turned, or the branch" if _turned(folder) else "")
            + f":</p><pre>{escape(_command(run))}</pre>"
        )
    parts.append(_folded("The network, as a file", text))
    try:
        alone = script(spec, {"data": run.data, **run.settings})
    except (LookupError, ValueError):  # a network of a kind that the script does not know
        return parts
    return [*parts, _folded("The whole training as one PyTorch script", alone)]


def _command(run: KeptRun) -> str:
    usual = asdict(Settings())
    chosen = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in run.settings.items()
        if name in usual and value != usual[name]
    ]
    if "seed=" not in " ".join(chosen):
        chosen.append(f"seed={usual['seed']}")
    words = ["python", "-m", "engine", "train", "network.json", "--data", run.data, *chosen]
    return shlex.join([*words, "-o", "weights.safetensors"])


def _turned(folder: Path) -> bool:
    from engine.store.measured import history

    past = history(folder)
    return bool(past and past.marks)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"


def _data_name(name: str) -> str:
    """A data set's name as people say it."""
    if name.startswith("text:"):
        return "a text of the owner's"
    return "a table of the owner's" if name.startswith("own:") else name
