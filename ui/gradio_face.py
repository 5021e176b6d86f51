"""The labs in Gradio: one page with all of them, and one API endpoint a lab, named by its id.

`gradio_client.Client(".../demos").predict(0.1, 10.0, 60, api_name="/optimisation.step_size")`
gives what the last frame shows: its facts and a sentence for each picture.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, assert_never

import gradio as gr
from gradio.components import Component
from gradio.routes import App

from demos.catalog import Card, Shelf
from engine.forms import (
    Choice,
    Control,
    Drawing,
    Numbers,
    Pick,
    Place,
    Several,
    Slider,
    Text,
    Toggle,
    Value,
)
from engine.jobs import Run, board
from engine.views import Frame
from engine.words import describe
from ui.figures import figure
from ui.shelf import shelf

MOST_WAITING = 64  # visitors in the queue; the next one is told to come back
OWNER = "gradio"


def gradio_app() -> App:
    """All labs as one ASGI app, to be mounted."""
    blocks = build(shelf())
    blocks.queue(max_size=MOST_WAITING, default_concurrency_limit=8, api_open=True)
    return App.create_app(blocks, app_kwargs={"docs_url": None, "redoc_url": None})


def build(cards: Shelf) -> gr.Blocks:
    """The page: choose a lab, set its controls, run it; and the endpoints."""
    good = {card.title: card for card in cards.cards.values() if not card.broken}
    blocks = gr.Blocks(title="Orrery: all labs", analytics_enabled=False)
    with blocks:
        gr.Markdown("# Orrery\nEvery topic of deep learning, run here or called over the API.")
        chosen = gr.Dropdown(list(good), value=next(iter(good)), label="lab")
        gr.render(inputs=chosen)(lambda title: lab(good[title]))
        for card in good.values():
            gr.api(  # type: ignore[attr-defined] # it is public, though not in __all__
                _endpoint(card), api_name=card.id, concurrency_id="runs"
            )
    return blocks


def lab(card: Card) -> None:
    """One lab inside the page: its words, its form, its pictures."""
    gr.Markdown(f"## {card.title}\n\n{card.text}\n\nSource: {card.source}")
    names = list(card.form.controls)
    with gr.Row():
        with gr.Column(scale=1):
            inputs = [_component(n, card.form.controls[n], card.form.defaults[n]) for n in names]
            begin, end = gr.Button("Run", variant="primary"), gr.Button("Stop")
        with gr.Column(scale=2):
            facts = gr.JSON(label="facts")
            plots = [gr.Plot(show_label=False) for _ in range(_slots(card))]

    def follow(*values: Any) -> Iterator[list[Any]]:
        run = _begin(card, _settings(card, dict(zip(names, values, strict=True))))
        try:
            for frame in _frames(run):
                figures: list[Any] = [figure(view) for view in frame.views.values()]
                yield [
                    dict(frame.facts),
                    *figures[: len(plots)],
                    *[None] * (len(plots) - len(figures)),
                ]
        finally:
            run.stop()

    going = begin.click(
        follow, inputs, [facts, *plots], concurrency_id="runs", api_visibility="private"
    )
    end.click(None, cancels=going, api_visibility="private")


def _slots(card: Card) -> int:
    """How many pictures the lab shows, as a short run tells."""
    run = _begin(card, dict(card.quick))
    try:
        return len(next(_frames(run)).views)
    finally:
        run.stop()


def _begin(card: Card, settings: Mapping[str, Value]) -> Run:
    try:
        return board().start(card.entry, card.form.accept(settings), owner=OWNER, title=card.title)
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _frames(run: Run) -> Iterator[Frame]:
    """The newest frame each time there is one, until the run ends or waits for a control."""
    for frame in run.follow():
        yield frame
        if frame.waits:
            return
    if run.failure is not None:
        raise gr.Error(run.failure.message, print_exception=False)


def _endpoint(card: Card) -> Callable[..., dict[str, Any]]:
    """A function with the lab's own parameters that runs it to its end."""

    def endpoint(**settings: Any) -> dict[str, Any]:
        run = _begin(card, settings)
        try:
            last = deque(_frames(run), maxlen=1)
        finally:
            run.stop()
        if not last:
            raise gr.Error("the run showed nothing", print_exception=False)
        frame = last[0]
        # a list, because a client takes a mapping with the key "path" for a file
        words = [f"{slot}: {describe(view)}" for slot, view in frame.views.items()]
        return {"step": frame.step, "of": frame.of, "facts": dict(frame.facts), "views": words}

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=default,
            annotation=type(default),
        )
        for name, default in card.form.defaults.items()
    ]

    def call(*values: Any, **named: Any) -> dict[str, Any]:
        return endpoint(**dict(zip(card.form.controls, values, strict=False)), **named)

    call.__name__ = card.id.replace(".", "_")
    call.__doc__ = f"{card.title} {card.text}"
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=dict
    )
    call.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": dict}
    return call


def _settings(card: Card, values: Mapping[str, Any]) -> dict[str, Value]:
    """What the components say, as the form wants it: lists from text, whole numbers whole."""
    settings: dict[str, Value] = {}
    for name, value in values.items():
        default = card.form.defaults[name]
        if isinstance(default, list):
            settings[name] = [float(word) for word in str(value).replace(",", " ").split()]
        elif isinstance(default, int) and not isinstance(default, bool):
            settings[name] = int(value)
        else:
            settings[name] = ",".join(value) if isinstance(value, list) else value
    return settings


def _component(name: str, control: Control, default: Value) -> Component:
    """One component for one control."""
    label = name.replace("_", " ")
    match control:
        case Slider(low=low, high=high, help=help):
            step = 1 if isinstance(default, int) else (high - low) / 1000
            return gr.Slider(low, high, default, step=step, label=label, info=help or None)  # type: ignore[arg-type]
        case Choice(options=options):
            return gr.Dropdown(list(options), value=str(default), label=label)
        case Several(options=options):
            chosen = [word for word in str(default).split(",") if word]
            return gr.CheckboxGroup(list(options), value=chosen, label=label)
        case Toggle():
            return gr.Checkbox(bool(default), label=label)
        case Pick(count=count, none=none):
            low, high = -none, count - 1
            return gr.Number(int(default), precision=0, minimum=low, maximum=high, label=label)  # type: ignore[arg-type]
        case Text():
            return gr.Textbox(str(default), label=label)
        case Numbers() | Place() | Drawing():
            words = " ".join(f"{number:g}" for number in default)  # type: ignore[union-attr]
            return gr.Textbox(words, label=f"{label} (numbers)", info=control.help or None)
        case _:
            assert_never(control)
