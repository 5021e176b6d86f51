"""Our own components in Streamlit: the live view, the builder, the map of topics, the pad.

Each is a bundle of `ui/frontend` with `mount(root, data, send) -> {update, destroy}`. The adapter
below mounts it once and then only hands it new data, so a rerun of the page never rebuilds it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from streamlit.components.v2 import component

from engine.forms import Control, Form, Value

BUNDLES = Path(__file__).parent / "frontend" / "dist"

Bundle = Literal["live", "builder", "atlas", "pad"]

_ADAPTER = """
const mounted = new WeakMap();
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let here = mounted.get(parentElement);
  if (here) {
    here.trigger = setTriggerValue;
    here.data = data;
    here.view?.update(data);
  } else {
    here = { data, trigger: setTriggerValue, view: null, gone: false };
    mounted.set(parentElement, here);
    const root = parentElement.querySelector(".root");
    import(new URL("/ui/BUNDLE.js?v=VERSION", location.href).href)
      .then((bundle) => {
        const send = (value) => here.trigger("sent", value);
        if (!here.gone) here.view = bundle.mount(root, here.data, send);
      })
      .catch((error) => {
        root.textContent = "This part of the page could not be loaded: " + error;
      });
  }
  return () => {
    here.gone = true;
    here.view?.destroy();
    mounted.delete(parentElement);
  };
}
"""


@functools.cache
def _component(bundle: Bundle) -> Any:
    """The registered component of a bundle; registering twice would confuse Streamlit."""
    file = BUNDLES / f"{bundle}.js"
    version = str(file.stat().st_mtime_ns) if file.exists() else "0"
    code = _ADAPTER.replace("BUNDLE", bundle).replace("VERSION", version)
    root = '<div class="root"></div>'
    return component(f"orrery_{bundle}", html=root, js=code)


def _mount(bundle: Bundle, data: Mapping[str, Any], key: str, height: int | None) -> Any:
    """Mount it; what it sent since the last rerun, or None."""
    size: dict[str, Any] = {} if height is None else {"height": height}
    shown = _component(bundle)(data=dict(data), key=key, on_sent_change=lambda: None, **size)
    return shown.sent


def live(
    run: str | None,
    *,
    key: str,
    form: Form | None = None,
    values: Mapping[str, Value] | None = None,
    options: Mapping[str, tuple[str, ...]] | None = None,
    **layout: Any,
) -> dict[str, Any] | None:
    """A run, drawn live; what the visitor asked for with it, or None.

    Args:
        run: The run's id.
        key: The component's own key; a new run under an old key takes its place without a jump.
        form: The form of the run's entry; its live controls are shown.
        values: What the live controls say at first, where that is not the default.
        options: Text controls for which the page knows all sensible words.
        **layout: `main`, `columns`, `hide`, `chrome`, `caption`, `height`, `present`.
    """
    controls = _live_controls(form, values or {}, options or {}) if form else []
    data = {"run": run, "form": controls, "layout": layout}
    sent: dict[str, Any] | None = _mount("live", data, key, None)
    return sent


def builder(
    spec: Mapping[str, Any], revision: int, *, key: str, run: str = "", dataset: str = ""
) -> dict[str, Any] | None:
    """The canvas of layers; `{"spec", "revision", "run"?}` after an edit, or None.

    Args:
        spec: The network, as NetworkSpec in JSON.
        revision: Counts the edits, so that the canvas passes over an echo of its own.
        key: The component's own key.
        run: The run that trained this very network: its weights can be looked at.
        dataset: Name of the data set on stage: imported weights are judged on it.
    """
    data = {"spec": dict(spec), "revision": revision, "run": run, "dataset": dataset}
    sent: dict[str, Any] | None = _mount("builder", data, key, None)
    return sent


def atlas(topics: Mapping[str, Any], *, key: str) -> dict[str, Any] | None:
    """The map of topics; `{"open": lab id}` after a click, or None."""
    sent: dict[str, Any] | None = _mount("atlas", topics, key, None)
    return sent


def pad(
    points: Sequence[Sequence[float]], names: Sequence[str], revision: int, *, key: str
) -> dict[str, Any] | None:
    """A plane to draw points in classes on; `{"points", "names"}` once they shall be used, or None.

    Args:
        points: Those that stand there at first, each x, y and the number of its class.
        names: What the classes are called.
        revision: Counts what the page puts there; the same number leaves what was drawn.
        key: The component's own key.
    """
    shown = [list(point) for point in points]
    data = {"points": shown, "names": list(names), "revision": revision}
    sent: dict[str, Any] | None = _mount("pad", data, key, None)
    return sent


def _live_controls(
    form: Form, values: Mapping[str, Value], options: Mapping[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    names = _live_names(form.controls)
    shown = [dict(entry) for entry in form.to_json() if entry["name"] in names]
    for entry in shown:
        name = str(entry["name"])
        entry["default"] = values.get(name, form.defaults[name])
        if name in options:
            entry.update(kind="Choice", options=list(options[name]))
    return shown


def _live_names(controls: Mapping[str, Control]) -> set[str]:
    return {name for name, control in controls.items() if control.live}
