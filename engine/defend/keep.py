"""Give a trained or defended network a folder of its own, for all pages to look at."""

from __future__ import annotations

import secrets
import shutil

from engine.store.home import run_folder

FILES = ("weights.safetensors", "spec.json", "settings.json", "summary.json")


def keep(run: str, plain: bool = False) -> str:
    """Copy what a run of `engine.defend.harden` kept.

    Args:
        run: The run's id.
        plain: Whether the plain network is meant instead of the defended one.

    Returns:
        The id under which `engine.store.home.run_folder` finds it; cannot be guessed.

    Raises:
        LookupError: The run left no such network.
    """
    source = run_folder(run) / "plain" if plain else run_folder(run)
    if not (source / "weights.safetensors").is_file():
        raise LookupError("the run has kept no network yet: let it train for some seconds")
    target = run_folder(id := secrets.token_urlsafe(16))
    target.mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(source / name, target / name)
    return id
