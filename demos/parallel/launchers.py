"""From one process to many: who starts them.

To train with several processes, three things are added to a script: the processes find each other,
each takes its share of every batch, and gradients are averaged before a step. Tools differ in who
does it. With PyTorch's DDP you write all three lines, Horovod averages in the optimiser, DeepSpeed
also shares out memory as its configuration says, Lightning takes over the whole loop. Where shares
are equal parts of the batch, the curve is that of a single process, `(g₁ + … + g_N)/N = g`.

**Try:** run the DDP script here with two processes: the curves must lie on each other. Then take
the MobileNet: its batch norm sees only its own share, and they part.

Source: Li et al. (2020), PyTorch Distributed; Sergeev & Del Balso (2018), Horovod: fast and easy
distributed deep learning in TensorFlow; documentation of DeepSpeed and Lightning.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np

from demos.kit import Choice, Claim, Frames, Question, Slider, above, below, interactive, lab, same
from engine.parallel.launchers import (
    COMMANDS,
    DeepSpeedConfig,
    Plan,
    deepspeed_json,
    explained,
    script,
)
from engine.parallel.team import scripted, wait
from engine.views import Curve, Frame, Note, Table, View

MODELS = ("cnn-digits", "lenet-digits", "mobilenet-digits")
HERE = {"the single-process script": ("single process", 1), "two processes (DDP)": ("DDP", 2)}


def template(name: str) -> dict[str, Any]:
    """The spec of one of the builder's networks."""
    from engine.network.templates import find

    return find(name).spec.to_json()


def in_app(spec: dict[str, Any], plan: Plan) -> Iterator[float]:
    """The losses of the playground's own training, step by step [nat]."""
    import torch

    from engine.data import load
    from engine.network.build import build
    from engine.network.spec import NetworkSpec
    from engine.training.session import Session, Settings

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        network = build(NetworkSpec.parse(spec))
    settings = Settings(plan.learning_rate, plan.batch_size, plan.epochs, "SGD", 0, 0, plan.seed)
    session = Session(network, load("digits"), settings)
    while not session.finished:
        session.advance()
        yield session.loss


@lab(
    covers=["distributed-tools"],
    seconds=8,
    quick={"here": "nothing", "epochs": 1},
    tries={
        "Two real processes": {"here": "two processes (DDP)", "launcher": "DDP"},
        "DeepSpeed, everything shared": {"launcher": "DeepSpeed", "stage": 3, "here": "nothing"},
        "Lightning": {"launcher": "Lightning", "here": "nothing"},
    },
    question=Question(
        "Two processes take half of each batch of 64. Whose curve do they follow?",
        ("One process with batches of 32", "One process with batches of 64", "Neither"),
        1,
        "The mean of the two halves' gradients is the gradient of the whole batch.",
    ),
    needs=["data-parallelism"],
)
def run(
    model: Literal["cnn-digits", "lenet-digits", "mobilenet-digits"] = "cnn-digits",
    launcher: Annotated[str, Choice(tuple(COMMANDS), live=True)] = "DDP",
    here: Literal["nothing", "the single-process script", "two processes (DDP)"] = (
        "the single-process script"
    ),
    stage: Annotated[int, Slider(0, 3, help="ZeRO shares out more (DeepSpeed)")] = 1,
    epochs: Annotated[int, Slider(1, 5, help="Longer training")] = 2,
    rate: Annotated[float, Slider(0.01, 0.3, log=True, help="Longer steps")] = 0.1,
) -> Frames:
    """Train in the app, run an exported script beside it, and show what the script says."""
    plan = Plan(epochs=epochs, learning_rate=rate, stage=stage)
    spec = template(model)
    views: dict[str, dict[str, View]] = {
        name: _texts(script(spec, name, plan), name, plan) for name in COMMANDS
    }
    losses: list[float] = []
    for loss in in_app(spec, plan):
        losses.append(loss)
        if len(losses) % 5 == 1:
            yield _frame({"in the app": losses}, views[launcher])
    lines = {"in the app": losses}
    if here in HERE:
        name, size = HERE[here]
        with scripted(script(spec, name, plan), size) as started:
            until = time.monotonic() + 90
            while any(one.poll() is None for one in started) and time.monotonic() < until:
                yield _frame(lines, views[launcher])
                time.sleep(0.2)
            lines[f"{name}, exported"] = wait(started)

    def picture(launcher: str) -> Frame:
        return _frame(lines, views[launcher])

    yield from interactive(picture, launcher=launcher)


def _texts(text: str, launcher: str, plan: Plan) -> dict[str, View]:
    config = f"\n```json\n{deepspeed_json(plan)}\n```" if launcher == "DeepSpeed" else ""
    return {
        "script": Note(f"```python\n{text}```", f"train.py for {launcher}"),
        "lines": Table(("line", "why"), explained(text), "what the launcher adds"),
        "start": Note(
            f"```\n{COMMANDS[launcher].format(n=plan.processes)}\n```{config}", "how to start it"
        ),
    }


def _frame(lines: dict[str, list[float]], texts: dict[str, View]) -> Frame:
    (first, *rest), steps = lines.values(), len(lines["in the app"])
    curve = Curve(
        np.arange(1, steps + 1), {name: np.array(line) for name, line in lines.items()}, "step",
        "loss of the batch [nat]", title="the same training, told by each",
    )  # fmt: skip
    facts = {"steps": float(steps), "loss [nat]": first[-1]}
    if rest:
        gap = np.abs(np.array(rest[0]) - np.array(first)).max()
        facts["largest difference of the curves [nat]"] = float(gap)
    return Frame(1, 1, {"curve": curve, **texts}, facts)


def check() -> Iterator[Claim]:
    """Every script compiles, the configuration is valid, and the plain script tells our curve."""
    plan = Plan(epochs=1)
    with scripted(script(template("cnn-digits"), "single process", plan)) as started:
        ours = list(in_app(template("cnn-digits"), plan))
        theirs = wait(started)
    yield same("Steps told by the exported script", len(theirs), len(ours))
    gap = float(np.abs(np.array(theirs) - np.array(ours)).max())
    yield below("Single-process script − app, losses [nat]", gap, 1e-6)
    yield above("Loss of the first step − last [nat]", ours[0] - ours[-1], 0.01)
    for name in COMMANDS:
        texts = [script(template(model), name, plan) for model in MODELS]
        compiled = [compile(text, name, "exec").co_filename == name for text in texts]
        yield same(f"{name}: scripts of {len(texts)} networks compile", all(compiled), True)
    for stage in range(4):
        told = DeepSpeedConfig.model_validate_json(deepspeed_json(Plan(stage=stage)))
        yield same(f"deepspeed.json is valid; its stage ({stage})",
                   told.zero_optimization.stage, stage)  # fmt: skip
    broken = deepspeed_json(Plan()).replace('"stage"', '"stag"')
    yield same("A misspelt key is refused", _refused(broken), True)


def _refused(text: str) -> bool:
    try:
        DeepSpeedConfig.model_validate_json(text)
    except ValueError:
        return True
    return False
