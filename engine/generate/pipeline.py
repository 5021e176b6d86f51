"""A text-to-image pipeline of Stable Diffusion's class, opened from a folder of one's own.

It comes through the library diffusers, which is an extra. Only safetensors are read, no code that
lies in the folder is run, and nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.optional import need
from engine.store.home import models

LARGEST = 6.0  # GB of weights that are opened
FILE = "requirements-diffusers.txt"
INDEX = "model_index.json"


@dataclass(frozen=True)
class Stage:
    """A pipeline's image on its way.

    Attributes:
        step: Steps taken.
        of: Steps in all.
        latent: `(channels, rows, columns)`.
        image: `(rows, columns, 3)` in [0, 1], once it is done; else None.
    """

    step: int
    of: int
    latent: torch.Tensor
    image: Any = None


def at_hand() -> list[str]:
    """The names of the pipelines that lie there."""
    return sorted(one.parent.name for one in models().glob(f"*/{INDEX}"))


def open_pipeline(folder: str | Path, *, largest: float = LARGEST) -> Any:
    """A pipeline from a folder as `save_pretrained` writes it.

    Args:
        folder: Where it lies.
        largest: Gigabytes of weights that are let in.

    Raises:
        LookupError: There is no such folder; nothing is fetched from the net.
        ValueError: diffusers is missing; or the folder is no pipeline, has no safetensors, wants
            code of its own run, or is too large. Says what to do.
    """
    path = Path(folder).expanduser()
    kind = _kind(path)
    weights = sorted(path.rglob("*.safetensors"))
    if not weights:
        raise ValueError(
            f"{path.name}: has no safetensors; other weights can hide code and are not opened: "
            "save it with safe_serialization=True"
        )
    size = sum(one.stat().st_size for one in weights) / 1e9
    if size > largest:
        raise ValueError(
            f"{path.name}: its weights must have at most {largest:g} GB here; they have {size:.1f}"
        )
    diffusers = need("diffusers", "A pipeline of Stable Diffusion's class", FILE)
    need("transformers", "The text encoder of a pipeline", FILE)
    made = getattr(diffusers, kind, None)
    if made is None or not issubclass(made, diffusers.DiffusionPipeline):
        raise ValueError(f"{path.name}: {kind!r:.80} is no pipeline that diffusers knows")
    try:
        opened = made.from_pretrained(
            str(path), local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:
        cause = str(error).strip().splitlines()[0][:200] if str(error).strip() else "no reason"
        raise ValueError(f"{path.name}: diffusers cannot open it: {cause}") from error
    opened.set_progress_bar_config(disable=True)
    return opened


def stages(
    pipeline: Any,
    prompt: str,
    *,
    steps: int = 20,
    guidance: float = 7.5,
    seed: int = 0,
    size: tuple[int, int] | None = None,
) -> Iterator[Stage]:
    """An image step by step: its latent after each, and at the end the image.

    Args:
        pipeline: What `open_pipeline` gave.
        prompt: What is to be seen.
        steps: How many.
        guidance: Weight of classifier-free guidance; 1 for none.
        seed: Of the noise.
        size: Rows and columns; None for the pipeline's own.
    """
    latents: list[torch.Tensor] = []

    def note(_pipe: Any, _step: int, _time: Any, seen: dict[str, torch.Tensor]) -> dict[str, Any]:
        latents.append(seen["latents"][0].detach().float().cpu())
        return {}

    wanted = {} if size is None else {"height": size[0], "width": size[1]}
    with torch.no_grad():
        found = pipeline(
            prompt,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
            callback_on_step_end=note,
            **wanted,
        )
    for number, latent in enumerate(latents):
        image = found.images[0] if number == len(latents) - 1 else None
        yield Stage(number + 1, len(latents), latent, image)


def _kind(path: Path) -> str:
    """The class of pipeline that a folder says it is.

    Raises:
        LookupError: There is no such folder.
        ValueError: It is none, or wants its own code run.
    """
    if not path.is_dir():
        raise LookupError(
            f"pipeline: there is no folder {str(path)!r:.200} here; fetch one beforehand, this "
            "playground opens only what lies on its own disk"
        )
    try:
        index = json.loads((path / INDEX).read_text(encoding="utf-8"))
        kind = index["_class_name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: is no pipeline: it has no readable {INDEX}") from error
    if not isinstance(kind, str):
        raise ValueError(  # noqa: TRY004 - a file is at fault, no programmer
            f"{path.name}: wants code of its own run, which is never done here"
        )
    for name, part in index.items():
        if name.startswith("_") or not isinstance(part, list) or part == [None, None]:
            continue
        if part[0] not in ("diffusers", "transformers", "stable_diffusion"):
            raise ValueError(
                f"{path.name}: its part {name!r:.40} wants code of its own run ({part[0]!r:.80}), "
                "which is never done here"
            )
    return kind
