"""Diffusion: 16 images in 50 steps of DDIM, beside diffusers; and 2,000 points sampled anew."""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

from engine.generate.families import families
from engine.generate.model import Generative, Outline
from tools.measure import Row

ROUNDS = 3
IMAGES, SIDE, STEPS, POINTS = 16, 28, 50, 2000
MODEST = 100  # ms: what a slider may take, with room for the way to the screen


def rows() -> list[Row]:
    """Seconds for 16 images on one thread and on two, against diffusers, in turn."""
    ours = _ours(Outline((1, SIDE, SIDE)), channels=32, depth=3)
    points = _ours(Outline((2,)))
    found = [_against(ours), _two_cores(ours)]
    torch.set_num_threads(1)
    took = min(_time(lambda: _sampled(points, POINTS, 30)) for _ in range(ROUNDS))
    found.append(
        Row(
            "2,000 points of a 2-D diffusion model sampled anew",
            f"{1000 * took:.0f} ms",
            "≤ 150 ms",
            took <= 0.15,
            "DDIM, 30 steps, 3 layers of 128 units, one thread",
        )
    )
    return found


def _against(ours: Generative) -> Row:
    what = "16 images of 28×28, DDIM, 50 steps: ours over diffusers'"
    theirs = _theirs()
    if theirs is None:
        return Row(what, "-", "≥ 2 ×", holds=False, note="diffusers is not installed")
    torch.set_num_threads(1)
    pairs = [(_time(lambda: _sampled(ours, IMAGES, STEPS)), _time(theirs)) for _ in range(ROUNDS)]
    own, other = (min(times) for times in zip(*pairs, strict=True))
    note = (
        f"{own:.2f} s against {other:.2f} s, one thread; U-Nets of {_size(ours) / 1e6:.2f} and "
        f"{THEIR_SIZE / 1e6:.2f} million parameters, untrained, fp32"
    )
    return Row(what, f"{other / own:.2f} ×", "≥ 2 ×", other >= 2 * own, note)


def _two_cores(ours: Generative) -> Row:
    torch.set_num_threads(2)
    took = min(_time(lambda: _sampled(ours, IMAGES, STEPS)) for _ in range(ROUNDS))
    torch.set_num_threads(1)
    what = "16 images of 28×28, DDIM, 50 steps, two cores"
    return Row(what, f"{took:.2f} s", "≤ 2 s", took <= 2, "U-Net of the ready model, fp32")


def _ours(outline: Outline, **own: Any) -> Generative:
    made: Generative = families.find("diffusion")(outline, {}, **own)
    return made.eval()


def _sampled(model: Generative, count: int, steps: int) -> None:
    draw = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for _ in model.walk(model.noise(count, draw), draw, sampler="ddim", steps=steps):  # type: ignore[operator] # a diffusion model's
            pass


def _size(model: Generative) -> int:
    return sum(one.numel() for one in model.networks_out()["denoiser"][0].parameters())


THEIR_SIZE = 0


def _theirs() -> Callable[[], object] | None:
    """DDIMPipeline with a UNet2DModel of about as many parameters."""
    global THEIR_SIZE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            diffusers: Any = importlib.import_module("diffusers")
        except ImportError:
            return None
        network = diffusers.UNet2DModel(
            sample_size=SIDE,
            in_channels=1,
            out_channels=1,
            layers_per_block=1,
            block_out_channels=(32, 64, 80),
            down_block_types=("DownBlock2D",) * 3,
            up_block_types=("UpBlock2D",) * 3,
            norm_num_groups=8,
            add_attention=False,
        )
        pipeline = diffusers.DDIMPipeline(network, diffusers.DDIMScheduler())
    pipeline.set_progress_bar_config(disable=True)
    THEIR_SIZE = sum(one.numel() for one in network.parameters())
    return lambda: pipeline(batch_size=IMAGES, num_inference_steps=STEPS, output_type="np")


def _time(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
