"""The engine on the command line: each file of `engine.commands` is one verb."""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys

from engine import commands


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = _parser(given)
    options, rest = parser.parse_known_args(given)
    # argparse takes `name=value` behind an option for unknown, so they are gathered here.
    strange = [word for word in rest if word.startswith("-") or "=" not in word]
    if strange or (rest and not hasattr(options, "settings")):
        parser.error(f"unrecognized arguments: {' '.join(strange or rest)}")
    if rest:
        options.settings = [*options.settings, *rest]
    try:
        return int(options.run(options))
    except (LookupError, ValueError, OSError) as error:
        print(_line(error), file=sys.stderr)
        return 2


def _line(error: Exception) -> str:
    """What went wrong, in one line."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split())


def _parser(given: list[str]) -> argparse.ArgumentParser:
    """The parser; where a verb is given only its own module is imported, so each starts fast."""
    parser = argparse.ArgumentParser(prog="python -m engine", description=commands.__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    wanted = given[:1] if given and given[0] in names else names
    for name in wanted:
        module = importlib.import_module(f"{commands.__name__}.{name}")
        text = inspect.getdoc(module) or ""
        verb = verbs.add_parser(name, help=text.partition("\n")[0], description=text)
        module.add(verb)
        verb.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
