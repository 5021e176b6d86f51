"""The catching of attentions: a mode of torch in which every function call passes our hands."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Tensor = torch.Tensor

What = Literal["query", "key", "value", "scores", "weights", "output"]
Edit = Callable[[str, What, Tensor], Tensor]
"""Changes a number on its way: `(layer, what it is, values) -> values`."""

Kind = Literal["causal", "self", "cross"]

_SOFTMAX = {functional.softmax, torch.softmax, Tensor.softmax}
_PRODUCT = {torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.bmm, Tensor.bmm}
_DROPOUT = {functional.dropout, torch.dropout}


@dataclass(frozen=True, slots=True)
class Seen:
    """One attention as it was computed; `heads` is 1 where there are no heads.

    Attributes:
        name: The path of the module that computed it; `#2` is added when it does so again.
        kind: Who looks at whom: all at all, only back, or one sequence at another.
        scores: What the softmax takes, masks added, `(batch, heads, n, m)`.
        weights: What it gives; rows sum to 1 unless somebody changed them.
        value: What is mixed, `(batch, heads, m, size)`.
        query: `(batch, heads, n, size)`, or None where scores are made otherwise.
        key: `(batch, heads, m, size)`, or None.
        scale: By what the products of queries and keys are multiplied.
    """

    name: str
    kind: Kind
    scores: Tensor
    weights: Tensor
    value: Tensor
    query: Tensor | None = None
    key: Tensor | None = None
    scale: float = 1.0

    @property
    def heads(self) -> int:
        """How many attentions stand side by side."""
        return self.weights.shape[1]

    @property
    def mixed(self) -> Tensor:
        """What each head hands on, `(batch, heads, n, size)`."""
        return self.weights @ self.value


@dataclass
class _Call:
    """A module that is running: where it is, and whether it was handed two sequences."""

    path: str
    crosses: bool


@dataclass
class _Product:
    """The last product of two tensors: perhaps of queries and keys."""

    left: Tensor
    right: Tensor
    shape: torch.Size
    path: str


@dataclass
class _Pending:
    """A softmax of which it is not known yet whether it is an attention."""

    name: str
    scores: Tensor
    weights: Tensor
    crosses: bool
    product: _Product | None


@dataclass
class Catch(TorchFunctionMode):
    """While it is on, attentions are noted and edited.

    Attributes:
        edits: What is changed on the way.
        wanted: Paths of submodules whose outputs are kept.
        keep: Whether attentions are kept.
        seen: The attentions, in the order in which they were computed.
        outputs: What the wanted submodules gave.
    """

    edits: Sequence[Edit]
    wanted: frozenset[str]
    keep: bool
    seen: list[Seen] = field(default_factory=list)
    outputs: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._stack: list[_Call] = []
        self._calls: Counter[str] = Counter()
        self._pending: _Pending | None = None
        self._product: _Product | None = None

    @contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        """Know at any time which submodule is running."""
        hooks = []
        for path, part in module.named_modules():
            enter, leave = self._enter(path), self._leave(path)
            hooks.append(part.register_forward_pre_hook(enter, with_kwargs=True))
            hooks.append(part.register_forward_hook(leave))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _enter(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def enter(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            sequences = [one for one in (*given, *named.values()) if _is_sequence(one)]
            crosses = len(sequences) > 1 and sequences[1] is not sequences[0]
            self._stack.append(_Call(path, crosses))

        return enter

    def _leave(self, path: str) -> Callable[[nn.Module, Any, Any], Any]:
        def leave(_: nn.Module, __: Any, result: Any) -> Any:
            self._stack.pop()
            whole = isinstance(result, Tensor)
            first = result if whole else result[0] if isinstance(result, tuple) else None
            if not isinstance(first, Tensor):
                return None
            changed = self._edit(path, "output", first)
            if path in self.wanted:
                self.outputs[path] = changed
            if changed is first:
                return None
            return changed if whole else (changed, *result[1:])

        return leave

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Pass all on, save what is an attention."""
        named = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            return self._attend(*args, **named)
        if func is functional.multi_head_attention_forward:
            return self._many_heads(*args, **named)
        if func in _SOFTMAX:
            return self._softmax(func, args, named)
        result = func(*args, **named)
        if func in _PRODUCT:
            self._multiplied(args[0], args[1], result)
        elif func in _DROPOUT and self._pending and args[0] is self._pending.weights:
            self._pending.weights = result
        return result

    def _edit(self, name: str, what: What, x: Tensor) -> Tensor:
        for edit in self.edits:
            x = edit(name, what, x)
        return x

    def _name(self) -> str:
        """The name of the attention that the running module computes now."""
        path = self._stack[-1].path if self._stack else ""
        self._calls[path] += 1
        number = self._calls[path]
        return path if number == 1 else f"{path}#{number}"

    def _many_heads(self, query: Tensor, key: Tensor, *rest: Any, **named: Any) -> Any:
        """Torch's own attention; it is asked without weights, so that it takes the short way."""
        wanted = named.pop("need_weights", True)
        average = named.pop("average_attn_weights", True)
        self._stack[-1].crosses = key is not query
        result, _ = _with_attention(self._attend)(query, key, *rest, need_weights=False, **named)
        if not wanted:
            return result, None
        weights = self._last_weights
        return result, weights.mean(1) if average else weights

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,  # noqa: ARG002 - in eval mode nothing is dropped
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """softmax(q kᵀ / √d + mask) v, written out so that each number can be seen and changed."""
        name = self._name()
        if enable_gqa:
            repeats = query.shape[-3] // key.shape[-3]
            key, value = (one.repeat_interleave(repeats, -3) for one in (key, value))
        query = self._edit(name, "query", query)
        key = self._edit(name, "key", key)
        value = self._edit(name, "value", value)
        factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
        scores = query @ key.transpose(-1, -2) * factor  # (..., n, m)
        scores = _masked(scores, attn_mask, is_causal)
        scores = self._edit(name, "scores", scores)
        weights = self._edit(name, "weights", _softmax(scores))
        self._last_weights = weights
        if self.keep:
            crosses = bool(self._stack and self._stack[-1].crosses)
            self.seen.append(
                Seen(
                    name,
                    _kind(scores, crosses),
                    _heads(scores),
                    _heads(weights),
                    _heads(value),
                    _heads(query),
                    _heads(key),
                    factor,
                )
            )
        return weights @ value

    def _softmax(self, func: Any, args: Any, named: Any) -> Tensor:
        """A softmax; what becomes of it shows whether it is an attention."""
        scores: Tensor = args[0]
        axis = named.get("dim", args[1] if len(args) > 1 else None)
        if scores.ndim < 3 or axis not in (-1, scores.ndim - 1):
            return func(*args, **named)  # type: ignore[no-any-return]
        name = self._name()
        scores = self._edit(name, "scores", scores)
        weights = self._edit(name, "weights", func(scores, *args[1:], **named))
        path = self._stack[-1].path if self._stack else ""
        before = self._product
        made_here = before and before.path == path and before.shape == scores.shape
        crosses = bool(self._stack and self._stack[-1].crosses)
        self._pending = _Pending(name, scores, weights, crosses, before if made_here else None)
        return weights

    def _multiplied(self, left: Tensor, right: Tensor, result: Tensor) -> None:
        pending = self._pending
        if pending is not None and left is pending.weights:
            self._pending = None
            if self.keep:
                self.seen.append(_written_out(pending, right))
            return
        path = self._stack[-1].path if self._stack else ""
        self._product = _Product(left, right, result.shape, path)


def _with_attention(attend: Callable[..., Tensor]) -> Callable[..., Any]:
    """Torch's own function with another attention in it; torch's own stays as it is."""
    whole = functional.multi_head_attention_forward
    names = {**vars(functional), "scaled_dot_product_attention": attend}
    return FunctionType(whole.__code__, names, whole.__name__, whole.__defaults__)


def _written_out(pending: _Pending, value: Tensor) -> Seen:
    """An attention that a module computed in steps of its own."""
    product = pending.product
    seen = Seen(
        pending.name,
        _kind(pending.scores, pending.crosses),
        _heads(pending.scores),
        _heads(pending.weights),
        _heads(value),
    )
    if product is None:
        return seen
    query, key = _heads(product.left), _heads(product.right.transpose(-1, -2))
    # the last row sees the first place, masked or not
    raw = (product.left @ product.right)[..., -1, 0].detach()
    got = pending.scores[..., -1, 0].detach()
    known = got.isfinite() & (raw.abs() > 1e-6)
    scale = float((got / raw)[known].median()) if bool(known.any()) else 1.0
    return replace(seen, query=query, key=key, scale=scale)


def _is_sequence(thing: object) -> bool:
    return isinstance(thing, Tensor) and thing.ndim == 3 and thing.is_floating_point()


def _masked(scores: Tensor, mask: Tensor | None, is_causal: bool) -> Tensor:
    if is_causal:
        n, m = scores.shape[-2:]
        later = torch.ones(n, m, dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(later, -math.inf)
    if mask is None:
        return scores
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, -math.inf)
    return scores + mask


def _softmax(scores: Tensor) -> Tensor:
    """As softmax, but a row that may look at nothing gives zeros, as torch's kernel does."""
    nothing = scores.amax(-1, keepdim=True) == -math.inf
    if not bool(nothing.any()):
        return scores.softmax(-1)
    return scores.masked_fill(nothing, 0.0).softmax(-1).masked_fill(nothing, 0.0)


def _heads(x: Tensor) -> Tensor:
    """`(batch, heads, n, m)`, whatever number of axes there was."""
    if x.ndim == 3:
        return x[:, None]
    return x if x.ndim == 4 else x.flatten(1, -3)


_NEVER = -1e4  # masks that are no infinities are large numbers: nothing is looked at all the same


def _kind(scores: Tensor, crosses: bool) -> Kind:
    """Who looks at whom."""
    n, m = scores.shape[-2:]
    if crosses or n != m:
        return "cross"
    later = torch.ones(n, m, dtype=torch.bool, device=scores.device).triu(1)
    first = scores[(0,) * (scores.ndim - 2)]  # masks are the same for all heads and samples
    return "causal" if n > 1 and bool((first[later] <= _NEVER).all()) else "self"
