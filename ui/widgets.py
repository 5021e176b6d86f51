"""Controls of a form as Streamlit widgets; each keeps its value in the page's address."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

import numpy as np
import streamlit as st

from engine.forms import (
    Choice,
    Control,
    Drawing,
    Form,
    Numbers,
    Pick,
    Place,
    Several,
    Slider,
    Text,
    Toggle,
    Value,
)

MOST_ACROSS = 3  # boxes for numbers side by side: beyond, their digits have no room
LARGE = 10_000  # whole numbers up to here and beyond are chosen by ratio
STOPS = 61  # positions of a logarithmic slider


def controls(form: Form, key: str, *, live: bool = False) -> dict[str, Value]:
    """The form's controls that are not live, one under the other; what they say now.

    Args:
        form: What can be chosen.
        key: Begins the widgets' keys; a value set under `key.name` before is taken over.
        live: Whether the live ones are shown as well, as before a run begins.
    """
    chosen: dict[str, Value] = {}
    headings: dict[str, Any] = {}
    for name, control in form.controls.items():
        if control.live and not live:
            continue
        group = getattr(control, "group", "")  # what is clicked or drawn has none
        if group and group not in headings:
            headings[group] = st.expander(group)
        with headings.get(group) or contextlib.nullcontext():
            if wanted(control, chosen):
                chosen[name] = _widget(f"{key}.{name}", name, control, form.defaults[name])
    return chosen


def wanted(control: Control, chosen: Mapping[str, Value]) -> bool:
    """Whether a control means something as the ones before it stand."""
    conditions = [one.partition("=") for one in getattr(control, "when", "").split(";") if one]
    return all(str(chosen.get(name)) in words.split("|") for name, _, words in conditions)


def part(form: Form, names: Sequence[str]) -> Form:
    """The form with some of its controls only."""
    return replace(
        form,
        controls={name: form.controls[name] for name in names},
        defaults={name: form.defaults[name] for name in names},
    )


def preset(form: Form, key: str, values: Mapping[str, Value]) -> None:
    """Set the widgets to `values` over the defaults; call it before `controls`."""
    for name, value in {**form.defaults, **form.accept(values)}.items():
        if isinstance(form.controls[name], Numbers) and isinstance(value, list):
            for place, number in enumerate(value):
                st.session_state[f"{key}.{name}.{place}"] = number
        elif isinstance(form.controls[name], Several):
            st.session_state[f"{key}.{name}"] = [word for word in str(value).split(",") if word]
        else:
            st.session_state[f"{key}.{name}"] = value


def from_address(form: Form, key: str) -> dict[str, Value]:
    """What the address says of this form, once for each session and key; nonsense is left out."""
    if f"{key}.address" in st.session_state:
        return {}
    st.session_state[f"{key}.address"] = True
    found: dict[str, Value] = {}
    for name in form.controls:
        if name in st.query_params:
            value = _read(st.query_params[name])
            if form.controls[name].refuse(value) is None:
                found[name] = value
    if found:
        preset(form, key, found)
    return found


def to_address(form: Form, chosen: Mapping[str, Value], keep: Mapping[str, str]) -> None:
    """Write what differs from the defaults into the address, so that a link shows the same."""
    differs = {k: json.dumps(v) for k, v in chosen.items() if v != form.defaults[k]}
    wanted = {**keep, **differs}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _widget(key: str, name: str, control: Control, default: Value) -> Value:
    label = _words(name)
    match control:
        case Slider():
            return _slider(key, label, control, default)
        case Choice(options=options):
            st.session_state.setdefault(key, default)
            return str(st.selectbox(label, options, key=key, help=control.help or None))
        case Several(options=options):
            return _several(key, label, options, default, control.help)
        case Toggle():
            st.session_state.setdefault(key, default)
            return bool(st.toggle(label, key=key, help=control.help or None))
        case Text(longest=longest):
            st.session_state.setdefault(key, default)
            typed = st.text_input(label, key=key, max_chars=longest, help=control.help or None)
            return str(typed or "")
        case Numbers():
            return _numbers(key, label, control, default)
        case Drawing() | Place() | Pick():
            return default  # these are drawn and clicked on the stage
        case _:
            assert_never(control)


def _several(key: str, label: str, options: Sequence[str], default: Value, help: str) -> str:
    st.session_state.setdefault(key, [word for word in str(default).split(",") if word])
    chosen = st.pills(
        label, options, selection_mode="multi", key=key, help=help or None, format_func=_plain
    )
    return ",".join(chosen)


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _words(name: str) -> str:
    """A parameter's name for a reader; a single letter is a symbol and stays as it is."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:] if len(words) > 1 else words


def _slider(key: str, label: str, control: Slider, default: Value) -> Value:
    label = f"{label} [{control.unit}]" if control.unit else label
    help = control.help or None
    st.session_state.setdefault(key, default)
    if isinstance(default, int) and control.log and control.high >= LARGE:
        whole = sorted({round(one) for one in _stops(control, float(st.session_state[key]))})
        st.session_state[key] = int(st.session_state[key])
        return int(st.select_slider(label, whole, key=key, format_func="{:,}".format, help=help))
    if isinstance(default, int):
        return int(st.slider(label, int(control.low), int(control.high), key=key, help=help))
    if not control.log:
        step = 10.0 ** math.floor(math.log10((control.high - control.low) / 100))
        low, high = float(control.low), float(control.high)
        return float(st.slider(label, low, high, key=key, step=step, format="%.4g", help=help))
    stops = _stops(control, float(st.session_state[key]))
    return float(st.select_slider(label, stops, key=key, format_func=_short, help=help))


def _stops(control: Slider, value: float) -> list[float]:
    """Logarithmic positions, with the present value among them."""
    low, high = math.log10(control.low), math.log10(control.high)
    stops = {float(f"{10**place:.2g}") for place in np.linspace(low, high, STOPS)}
    return sorted({control.low, control.high, value, *stops})


def _short(value: float) -> str:
    return f"{value:.3g}"


def _numbers(key: str, label: str, control: Numbers, default: Value) -> list[float]:
    if not isinstance(default, list):
        raise TypeError(f"{label}: its default must be a list; got {default!r}")
    st.caption(label, help=control.help or None)
    values = []
    across = min(control.across, MOST_ACROSS)
    for begin in range(0, control.length, across):
        for place, column in enumerate(st.columns(across), start=begin):
            if place < control.length:
                st.session_state.setdefault(f"{key}.{place}", float(default[place]))
                name = control.names[place] if control.names else f"{label} {place + 1}"
                low, high = float(control.low), float(control.high)
                values.append(column.number_input(name, low, high, key=f"{key}.{place}"))
    return values
