"""How fast does it change? Slopes and the chain rule.

The slope `f′(x)` is where the secant `(f(x + h) − f(x))/h` goes as `h → 0`; its error shrinks like
`h`, that of the central difference `(f(x + h) − f(x − h))/2h` like `h²`, until rounding (about
`ε f/h`) takes over. The chain rule needs no `h`: multiply the slope of every step along each path
from `x` to `f`, and add up the paths. That is exact, and it is what backpropagation does.

**Try:** make `h` smaller and smaller: the estimate first improves, then falls apart.

Source: Baydin et al. (2018), Automatic differentiation in machine learning: a survey.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, Text, below, interactive, lab, near
from engine.maths.expression import Term, parse
from engine.views import Array, Curve, Edge, Frame, Graph, Node, Note, View, layered

STEPS = 10.0 ** np.arange(-14, 0.01, 0.25)  # h for the picture of the errors

# the slope of every step with respect to each of its parts, given their values
SLOPES: Mapping[str, Callable[..., tuple[float, ...]]] = {
    "+": lambda a, b: (1.0, 1.0),  # noqa: ARG005
    "-": lambda a, b: (1.0, -1.0),  # noqa: ARG005
    "*": lambda a, b: (b, a),
    "/": lambda a, b: (1 / b, -a / b**2),
    "**": lambda a, b: (b * a ** (b - 1), a**b * np.log(a) if a > 0 else 0.0),
    "neg": lambda a: (-1.0,),  # noqa: ARG005
    "sin": lambda a: (np.cos(a),),
    "cos": lambda a: (-np.sin(a),),
    "tan": lambda a: (1 / np.cos(a) ** 2,),
    "tanh": lambda a: (1 - np.tanh(a) ** 2,),
    "exp": lambda a: (np.exp(a),),
    "log": lambda a: (1 / a,),
    "sqrt": lambda a: (0.5 / np.sqrt(a),),
    "abs": lambda a: (np.sign(a),),
    "sigmoid": lambda a: (0.25 / np.cosh(a / 2) ** 2,),
    "relu": lambda a: (float(a > 0),),
}


def local_slopes(term: Term, x: float) -> tuple[float, ...]:
    """The slope of a term's last step with respect to each of its parts."""
    return SLOPES[term.does](*(np.float64(part(x=x)) for part in term.parts))


def slope(term: Term, x: float) -> float:
    """`f′(x)` by the chain rule: each part's own slope times the local slope, added up."""
    if not term.parts:
        return 1.0 if term.does == "x" else 0.0
    parts = zip(local_slopes(term, x), term.parts, strict=True)
    return float(sum(local * slope(part, x) for local, part in parts if _varies(part)))


def _varies(term: Term) -> bool:
    return any(step.does == "x" for step in term.walk())


def forward_difference(f: Term, x: float, h: Array) -> Array:
    """`(f(x + h) − f(x))/h` for every step h, `(n,)`."""
    return np.asarray((f(x=x + h) - f(x=x)) / h)


def central_difference(f: Term, x: float, h: Array) -> Array:
    """`(f(x + h) − f(x − h))/2h` for every step h, `(n,)`."""
    return np.asarray((f(x=x + h) - f(x=x - h)) / (2 * h))


@lab(
    covers=["derivatives-chain-rule"],
    seconds=1,
    tries={
        "A tiny step": {"step": -13.0},
        "A corner": {"formula": "abs(x)", "at": 0.0, "step": -1.0},
        "Three links of a chain": {"formula": "exp(sin(x**2))", "at": 1.0},
    },
    question=Question(
        "In double precision, which h gives the best forward difference?",
        ("1e-16, as small as can be", "About 1e-8", "About 0.1"),
        1,
        "The error is about h plus 1e-16/h; the two are equal at h = 1e-8.",
    ),
)
def run(
    formula: Annotated[str, Text(60, help="A formula of x", live=True)] = "sin(x**2) + x/2",
    at: Annotated[float, Slider(-3, 3, help="Where the slope is taken", live=True)] = 1.0,
    step: Annotated[float, Slider(-14, 0, unit="log10 h", live=True)] = -0.5,
) -> Frames:
    """Draw secant and tangent, the chain of local slopes, and the errors for every step h."""
    yield from interactive(picture, formula=formula, at=at, step=step)


@np.errstate(all="ignore")  # beyond a formula's domain there are gaps, not warnings
def picture(formula: str, at: float, step: float) -> Frame:
    """The curve with its secant and tangent, the tree of slopes, and the errors."""
    try:
        f, words = parse(formula, largest=24), Note("The numbers on the edges multiply.")
    except ValueError as wrong:
        f, words = parse("0*x"), Note(str(wrong), tone="warning")
    h, exact = 10.0**step, slope(f, at)
    if not math.isfinite(exact) or not np.isfinite(f(x=at)):
        words = Note(f"There is no slope at x = {at:.3g}.", tone="warning")
    x = np.linspace(-3.2, 3.2, 321)
    cut = float(forward_difference(f, at, np.array([h]))[0])
    tangent, secant = (f(x=at) + rise * (x - at) for rise in (exact, cut))
    lines = {"f": f(x=x), "tangent": tangent, "secant": secant}
    top = np.max(np.abs(lines["f"]), initial=1.0, where=np.abs(lines["f"]) < 50)
    shown = {name: np.where(np.abs(y) <= 1.5 * top, y, np.nan) for name, y in lines.items()}
    curve = Curve(x, shown, "x", "f(x)", marks={"x": at}, title="secant and tangent")
    views: dict[str, View] = {
        "curve": curve,
        "chain": _tree(f, at),
        "errors": _errors(f, at, exact, h),
        "words": words,
    }
    facts = {"slope, exact": exact, "slope, secant": cut}
    return Frame(
        1, 1, views, {name: value for name, value in facts.items() if math.isfinite(value)}
    )


def _plain(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def _tree(f: Term, x: float) -> Graph:
    terms = {str(term): term for term in f.walk()}  # parts before the whole, each once
    level: dict[str, int] = {}
    for name, term in terms.items():
        level[name] = 1 + max((level[str(part)] for part in term.parts), default=-1)
    columns = [[n for n in terms if level[n] == one] for one in range(max(level.values()) + 1)]
    nodes, edges = [], []
    for name, place in layered(columns).items():
        value = _plain(float(terms[name](x=x)))
        nodes.append(Node(name, f"{name:.18}", *place, value))
        slopes = local_slopes(terms[name], x) if terms[name].parts else ()
        for part, local in zip(terms[name].parts, map(_plain, slopes), strict=True):
            edges.append(Edge(str(part), name, local, f"× {local:.3g}"))
    return Graph(tuple(nodes), tuple(edges), "values in the nodes, local slopes on the edges")


def _errors(f: Term, x: float, exact: float, h: float) -> Curve:
    lines = {}
    for name, rule in (("forward", forward_difference), ("central", central_difference)):
        error = np.abs(rule(f, x, STEPS) - exact)
        lines[name] = np.where(np.isfinite(error), np.clip(error, 1e-16, 1e6), np.nan)
    marks, title = {"h": h}, "too large a step, too small a step"
    return Curve(STEPS, lines, "step h", "error of the slope", True, True, marks, title=title)


def check() -> Iterator[Claim]:
    """Orders of the errors, the best steps, and the chain rule against autograd."""
    f, points = parse("exp(sin(x))"), np.linspace(-2.9, 3.1, 40)
    exact = np.exp(np.sin(points)) * np.cos(points)
    size = {}
    for name, rule in (("forward", forward_difference), ("central", central_difference)):
        errors = [np.abs(rule(f, x, STEPS) - d) for x, d in zip(points, exact, strict=True)]
        size[name] = np.mean(errors, axis=0)  # averaged over points: rounding is a lottery
    for name, order, low, high in (("central", 2.0, 1e-4, 1e-1), ("forward", 1.0, 1e-6, 1e-2)):
        use = (low * 0.99 <= STEPS) & (high * 1.01 >= STEPS)
        fit = np.polyfit(np.log(STEPS[use]), np.log(size[name][use]), 1)[0]
        yield near(f"Slope of the {name} error against h, both logarithmic", fit, order, 0.05)
    best = {name: math.log10(STEPS[np.argmin(error)]) for name, error in size.items()}
    yield near("log10 of the best step, central", best["central"], -5.5, 0.5)
    yield near("log10 of the best step, forward", best["forward"], -8.0, 0.5)
    chain = [slope(f, x) for x in points]
    yield below("Chain rule against the closed form", np.abs(chain - exact).max(), 1e-14)
    x = torch.tensor(points, requires_grad=True)
    (auto,) = torch.autograd.grad(torch.exp(torch.sin(x)).sum(), x)
    yield below("Autograd against the closed form", np.abs(auto.numpy() - exact).max(), 1e-14)
    gaps = []
    for text in (
        "x/(1+x**2)",
        "tanh(x)*sqrt(x+4)",
        "log(x**2+1)-cos(3*x)",
        "sigmoid(x)**3",
        "2**x",
    ):
        g = parse(text)
        gaps += [
            abs(slope(g, p) / central_difference(g, p, np.array([1e-5]))[0] - 1) for p in points
        ]
    yield below("Chain rule against central differences, four formulas", max(gaps), 1e-6)
