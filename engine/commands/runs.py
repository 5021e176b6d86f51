"""The runs that are kept: list, show, compare, rename, delete them; a report; other programs.

`runs list`, `runs show RUN`, `runs compare RUN RUN ...`, `runs rename RUN NAME`, `runs delete RUN`,
`runs report RUN -o FILE`, `runs tensorboard RUN -o FILE`, `runs mlflow RUN server=...`,
`runs trackio RUN server=...`. RUN is an id, its beginning, or a name that only one run has.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from engine.contest.beside import FEWEST, MOST, differences, distinct, figures
from engine.forms import parse
from engine.plain import plain
from engine.store.folder import KeptRun
from engine.store.register import register
from engine.tracking import trackers


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("do", choices=[*_DOERS, *trackers.all()], metavar="ACT", help="see above")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="id, its beginning, or name")
    parser.add_argument("--owner", help="only runs of this visitor")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="the file to write")
    parser.set_defaults(settings=[])


def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.do in trackers.all():  # what follows as `name=value` is the other program's
        given = [word for word in options.runs if re.match(r"\w+=", word)]
        options.settings = [*given, *options.settings]
        options.runs = [word for word in options.runs if word not in given]
    _DOERS.get(options.do, _send)(options)
    return 0


def _list(options: argparse.Namespace) -> None:
    found = register().runs(options.owner)
    if options.json:
        print(json.dumps([plain(_told(one)) for one in found], ensure_ascii=False))
        return
    for one in found:
        score = "" if one.score is None else f"{100 * one.score:5.1f} %"
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created))
        name, data = f"{one.name[:30]:<30}", f"{one.data[:20]:<20}"
        size = f"{one.size / 1e6:8.2f} MB"
        print(f"{one.id:<24} {name} {data} {one.standing:<9} {score:>8} {size}  {when}")


def _show(options: argparse.Namespace) -> None:
    one = _only(options)
    folder = register().folder(one.id)
    if options.json:
        print(json.dumps({**plain(_told(one)), "folder": str(folder)}, ensure_ascii=False))
        return
    print(f"{one.name} ({one.id})\n{one.model} on {one.data or 'no data'}; {folder}")
    for name, value in {**figures(one), **one.settings}.items():
        print(f"  {name}: {value}")


def _compare(options: argparse.Namespace) -> None:
    found = [_find(word, options.owner) for word in options.runs]
    if not FEWEST <= len(found) <= MOST:
        raise ValueError(f"runs compare: needs {FEWEST} to {MOST} runs; got {len(found)}")
    told, differ = [figures(one) for one in found], differences(found)
    if options.json:
        ids = [one.id for one in found]
        made = {"runs": ids, "figures": told, "settings": plain(differ)}
        print(json.dumps(made, ensure_ascii=False))
        return
    keys = dict.fromkeys(key for one in told for key in one)
    rows = [["", *distinct([one.name for one in found])]]
    rows += [[key, *(one.get(key, "–") for one in told)] for key in keys]
    rows += [[name, *(str(value) for value in values)] for name, values in differ.items()]
    for row in rows:
        print("  ".join(f"{cell[:24]:<24}" for cell in row))


def _rename(options: argparse.Namespace) -> None:
    if len(options.runs) < 2:
        raise ValueError("runs rename: needs a run and its new name")
    one = _find(options.runs[0], options.owner)
    named = register().rename(one.id, " ".join(options.runs[1:]), options.owner)
    _say(options, {"id": named.id, "name": named.name}, f"it is called {named.name} now")


def _delete(options: argparse.Namespace) -> None:
    one = _only(options)
    freed = register().delete(one.id, options.owner)
    told = {"id": one.id, "freed": freed}
    _say(options, told, f"{one.name} is deleted; {freed / 1e6:.2f} MB are free again")


def _report(options: argparse.Namespace) -> None:
    from engine.report.page import report  # brings torch: not for a mere list

    one = _only(options)
    _write(options, "report.html", report(one.id).encode())


def _send(options: argparse.Namespace) -> None:
    from engine.tracking.send import send

    one, entry = _only(options), trackers.find(options.do)
    found = send(options.do, one.id, parse(options.settings), visitor=False)
    if isinstance(found, bytes):
        _write(options, str(entry.facts["file"]), found)
    else:
        _say(options, {"id": one.id, "place": found}, f"it is in {found}")


_DOERS: dict[str, Callable[[argparse.Namespace], None]] = {
    "list": _list,
    "show": _show,
    "compare": _compare,
    "rename": _rename,
    "delete": _delete,
    "report": _report,
}


def _write(options: argparse.Namespace, name: str, content: bytes) -> None:
    path = options.output or Path(name)
    path.write_bytes(content)
    _say(options, {"file": str(path), "bytes": len(content)}, f"{path} is written")


def _say(options: argparse.Namespace, told: dict[str, object], words: str) -> None:
    print(json.dumps(told, ensure_ascii=False) if options.json else words)


def _only(options: argparse.Namespace) -> KeptRun:
    if len(options.runs) != 1:
        raise ValueError(f"runs {options.do}: needs one run; `runs list` names them")
    return _find(options.runs[0], options.owner)


def _find(word: str, owner: str | None) -> KeptRun:
    """The run that is meant.

    Raises:
        LookupError: There is none, or there are several.
    """
    runs = register().runs(owner)
    exact = [one for one in runs if one.id == word]
    near = exact or [one for one in runs if one.name == word or one.id.startswith(word)]
    if len(near) == 1:
        return near[0]
    raise LookupError(f"{_count(near)} called {word!r:.80}; `runs list` names their ids")


def _count(near: Sequence[KeptRun]) -> str:
    return f"there are {len(near)} runs" if near else "there is no run"


def _told(one: KeptRun) -> dict[str, object]:
    return {**asdict(one), "score": one.score, "seconds": one.seconds}
