"""Sample a model: new images or points of a generative one, or what a text model writes on."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import load as load_data
from engine.data.sets.words import BEGIN, END
from engine.data.tokens import decode
from engine.forms import Form, parse
from engine.generate import kept as kept_models
from engine.generate.beam import search
from engine.generate.filters import Rule
from engine.generate.kept import draw_samples
from engine.generate.pipeline import INDEX, open_pipeline, stages
from engine.generate.studies.pipeline import study as pipeline_study
from engine.generate.study import study
from engine.generate.write import write
from engine.generate.writer import Writer, numbers, text_inputs, writer
from engine.models.files import open_model, write_arrays
from engine.models.kept import Kept
from engine.plain import plain
from engine.training.checkpoint import vocabulary_in

OWN = ("prompt", "source", "cache", "place")  # controls of the page that are flags here, or none


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "spec",
        nargs="?",
        help="a ready model's name, a generative model's file, a pipeline's folder, or a network's",
    )
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--weights", type=Path, help="a safetensors file")
    parser.add_argument("--count", type=int, default=16, help="samples of a generative model")
    parser.add_argument("--seed", type=int, default=0, help="of a generative model's noise")
    parser.add_argument("--label", type=int, help="class of all samples, for models that take one")
    parser.add_argument("--prompt", default="", help="how the text begins")
    parser.add_argument("--source", default="", help="what to translate, for two inputs")
    parser.add_argument("--data", help="the data set whose vocabulary the model has")
    parser.add_argument("--no-cache", action="store_true", help="read all anew for each token")
    parser.add_argument("--list", action="store_true", help="name all settings")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="an .npz file")


def run(options: argparse.Namespace) -> int:
    """Write, print the text, keep the arrays."""
    form = Form.of(study, "sample")
    if options.list:
        settings = [one for one in form.to_json() if one["name"] not in OWN]
        ready = [{**one, "kind": "ready model"} for one in kept_models.listing()]
        print(json.dumps([*settings, *ready], ensure_ascii=False))
        return 0
    if options.spec and options.weights is None:
        return _draw_pipeline(options) if (Path(options.spec) / INDEX).is_file() else _make(options)
    if None in (options.spec, options.weights):
        raise ValueError(
            "sample: needs a generative model, or a text network's file, --weights and --prompt; "
            "--list names the ready models"
        )
    chosen: dict[str, Any] = form.fill(parse(options.settings))
    kept = open_model(Path(options.spec), options.weights)
    words = load_data(options.data).vocabulary if options.data else vocabulary_in(options.weights)
    someone, prompt, source = _ready(kept, words, options)
    begun = time.perf_counter()
    if chosen["way"] == "beam search":
        found = _follow(someone, prompt, chosen, words)
    else:
        found = _draw(someone, prompt, chosen, words)
    tokens = [int(token) for token in found["tokens"]]
    numbers_of = {
        "prompt": np.array(prompt),
        "source": np.array(source, dtype=np.int64),
        **found,
        "text": decode([*prompt, *tokens], words) if words else " ".join(map(str, prompt + tokens)),
        "seconds": time.perf_counter() - begun,
        "places_read": someone.read,
        "no_cache_because": someone.why,
    }
    if options.output:
        write_arrays(options.output, numbers_of)
    told = {name: value for name, value in numbers_of.items() if name != "odds"}
    print(json.dumps(plain(told), ensure_ascii=False) if options.json else numbers_of["text"])
    return 0


def _draw_pipeline(options: argparse.Namespace) -> int:
    """An image of words by a pipeline of diffusers from a folder."""
    chosen = Form.of(pipeline_study, "sample").fill(parse(options.settings))
    side = max(8, int(chosen["rows"]) // 8 * 8)  # type: ignore[arg-type] # a Slider's
    walk = stages(
        open_pipeline(options.spec),
        options.prompt,
        steps=int(chosen["steps"]),  # type: ignore[arg-type] # a Slider's
        guidance=float(chosen["guidance"]),  # type: ignore[arg-type] # a Slider's
        seed=options.seed,
        size=(side, side),
    )
    found = list(walk)
    told = {"image": np.asarray(found[-1].image), "steps": len(found), "prompt": options.prompt}
    if options.output:
        write_arrays(options.output, told)
    print(json.dumps(plain({**told, "image": list(told["image"].shape)}), ensure_ascii=False))
    return 0


def _make(options: argparse.Namespace) -> int:
    """New samples of a generative model: images in [-1, 1], or points of the plane."""
    model, recipe = kept_models.open_kept(options.spec)
    begun = time.perf_counter()
    samples, labels = draw_samples(model, recipe, options.count, options.seed, options.label)
    told: dict[str, Any] = {
        "samples": samples.numpy(),
        "labels": labels,
        "seconds": time.perf_counter() - begun,
        "model": recipe.title,
    }
    if options.output:
        write_arrays(options.output, told)
    if options.json:
        print(json.dumps(plain(told), ensure_ascii=False))
    else:
        shape = " x ".join(map(str, samples.shape))
        where = f"; written to {options.output}" if options.output else "; -o FILE.npz keeps them"
        print(f"{recipe.title}: samples of shape {shape} in {told['seconds']:.2f} s{where}")
    return 0


def _ready(
    kept: Kept, words: tuple[str, ...], options: argparse.Namespace
) -> tuple[Writer, list[int], list[int]]:
    """Who writes, the prompt and the source as tokens."""
    inputs = text_inputs(kept)
    size = int(inputs[-1].params.get("vocabulary") or 2**31) if inputs else 0
    pair = len(inputs) == 2
    source = numbers(options.source, words, size) if pair else []
    someone = writer(kept, source, cached=not options.no_cache)
    begin = [words.index(BEGIN)] if pair and BEGIN in words else []
    if begin and not options.prompt:
        return someone, begin, source
    return someone, [*begin, *numbers(options.prompt, words, size)], source


def _draw(
    someone: Writer, prompt: list[int], chosen: dict[str, Any], words: tuple[str, ...]
) -> dict[str, Any]:
    names = ("temperature", "top_k", "top_p", "min_p", "repetition")
    rule = Rule(**{name: chosen[name] for name in names})
    made = list(
        write(someone, prompt, rule, count=chosen["count"], seed=chosen["seed"], end=_end(words))
    )
    return {
        "tokens": np.array([one.token for one in made]),
        "chances": np.array([one.chance for one in made]),
        "odds": np.stack([one.stages[-1].chances.numpy() for one in made]),
    }


def _follow(
    someone: Writer, prompt: list[int], chosen: dict[str, Any], words: tuple[str, ...]
) -> dict[str, Any]:
    width, count = chosen["beams"], chosen["count"]
    *_, last = search(someone.all_scores, prompt, width=width, count=count, end=_end(words))
    return {"tokens": np.array(last[0].tokens), "scores": np.array([one.score for one in last])}


def _end(words: tuple[str, ...]) -> int | None:
    return words.index(END) if END in words else None
