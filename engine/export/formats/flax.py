"""JAX code: a Flax `nnx` module that keeps torch's order of axes."""

from __future__ import annotations

from collections.abc import Mapping

from engine.export.formats.flax_text import HELPERS, MODULE, READ
from engine.export.straight import Line, Misses, Writer, refuse_all, straight, written
from engine.export.table import Wanted, export_format


@export_format("JAX / Flax code", "model_flax.py", "text/x-python", place=7)
def flax(wanted: Wanted) -> bytes:
    """The model as a Flax nnx module in JAX, with a function that reads the weights."""
    made = straight(wanted.spec)
    refuse_all(made, TABLE, "Flax")
    built: list[str] = []
    called: list[str] = []
    weights: dict[str, tuple[str, str]] = {}
    for line in made.lines:
        found: Written = written(line, TABLE, "Flax")
        built += found.built
        called += found.called
        weights |= found.weights
    values = made.outputs
    pairs = ", ".join(f'"{name}": {value}' for name, value in values.items())
    result = next(iter(values.values())) if len(values) == 1 else "{" + pairs + "}"
    kinds = sorted({kind for kind, _ in weights.values()})
    called_text = "\n".join(called)
    helpers = [text for name, text in HELPERS.items() if f"{name}(" in called_text]
    title = " ".join(made.title.replace("\\", " ").replace('"', "'").split())[:60] or "A network"
    places = "\n".join(f'    "{n}": ("{kind}", "{path}"),' for n, (kind, path) in weights.items())
    return MODULE.format(
        title=title,
        parameters=f"{made.parameters:,}",
        places=places,
        helpers="".join(f"{text}\n\n\n" for text in helpers),
        readers="\n\n\n".join(READ[kind] for kind in kinds),
        kinds="".join(f'    "{kind}": _{kind},\n' for kind in kinds),
        built="\n".join(f"        {line}" for line in built) or "        del rngs",
        given="".join(f", {name}" for name, *_ in made.inputs),
        called="\n".join(f"        {line}" for line in called),
        result=result,
        count=len(made.inputs) + 1,
    ).encode()


class Written:
    """What a layer becomes: lines in `__init__`, lines in `__call__`, and where weights go."""

    def __init__(
        self, line: Line, call: str, made: str = "", kind: str = "", path: str = "", x: str = ""
    ) -> None:
        name = path.replace(".", "_") if path else line.name
        self.built = [f"self.{name} = nnx.{made}"] if made else []
        self.called = [f"{line.name} = {call.format(layer=f'self.{name}', x=x or line.x)}"]
        self.weights = {name: (kind, path or line.path)} if kind else {}

    def then(self, other: Written) -> Written:
        """Both, one after the other."""
        self.built += other.built
        self.called += other.called
        self.weights |= other.weights
        return self


def _turned(line: Line) -> str:
    """A layer called on `(batch, channels, ...)`."""
    return "over_channels({layer}, {x})" if len(line.shapes[0]) > 1 else "{layer}({x})"


def _function(text: str) -> Writer:
    def made(line: Line) -> Written:
        return Written(line, text.format(x="{x}", **line.arguments))

    return made


def _conv(line: Line) -> Written:
    if line["padding_mode"] != "zeros":
        raise Misses(f"padding of mode {line['padding_mode']} has no counterpart")
    pads = line["padding"]
    if isinstance(pads, str):
        padding = f'"{pads.upper()}"'
    else:
        padding = repr(tuple((pad, pad) for pad in line.each("padding")))
        padding = f"[{padding[1:-1].rstrip(',')}]"
    parts = [str(line["in_channels"]), str(line["out_channels"]), repr(line.each("kernel_size"))]
    strides, dilation = line.each("stride"), line.each("dilation")
    parts += [f"strides={strides!r}"] if max(strides) > 1 else []
    parts += [f"padding={padding}"]
    parts += [f"kernel_dilation={dilation!r}"] if max(dilation) > 1 else []
    parts += [f"feature_group_count={line['groups']}"] if line["groups"] > 1 else []
    parts += [] if line["bias"] else ["use_bias=False"]
    return Written(line, _turned(line), f"Conv({', '.join([*parts, 'rngs=rngs'])})", "conv")


def _transposed(line: Line) -> Written:
    kernel, strides = line.each("kernel_size"), line.each("stride")
    plain = max(line.each("dilation")) == 1 and not any(line.each("output_padding"))
    if line["groups"] > 1 or not plain or any(k < s for k, s in zip(kernel, strides, strict=True)):
        raise Misses("groups, dilation, output padding and gaps have no counterpart")
    parts = [str(line["in_channels"]), str(line["out_channels"]), repr(kernel)]
    parts += [f"strides={strides!r}", 'padding="VALID"']
    parts += [] if line["bias"] else ["use_bias=False"]
    made = f"ConvTranspose({', '.join([*parts, 'rngs=rngs'])})"
    found = Written(line, _turned(line), made, "transposed")
    if any(crop := line.each("padding")):
        cuts = ", ".join(f"{pad} : -{pad}" if pad else ":" for pad in crop)
        found.called.append(f"{line.name} = {line.name}[:, :, {cuts}]")
    return found


def _linear(line: Line) -> Written:
    bias = "" if line["bias"] else ", use_bias=False"
    made = f"Linear({line['in_features']}, {line['out_features']}{bias}, rngs=rngs)"
    return Written(line, "{layer}({x})", made, "linear")


def _embedding(line: Line) -> Written:
    made = f"Embed({line['num_embeddings']}, {line['embedding_dim']}, rngs=rngs)"
    return Written(line, "{layer}({x})", made, "table")


def _batch_norm(line: Line) -> Written:
    if not (line["affine"] and line["track_running_stats"]):
        raise Misses("a batch norm without weights or statistics has no counterpart")
    momentum = 0.0 if line["momentum"] is None else round(1 - line["momentum"], 6)
    sizes = f"{line['num_features']}, momentum={momentum}, epsilon={line['eps']}"
    return Written(line, _turned(line), f"BatchNorm({sizes}, rngs=rngs)", "batch")


def _layer_norm(line: Line) -> Written:
    shape = line["normalized_shape"]
    single = isinstance(shape, int) or len(shape) == 1
    if not (line["elementwise_affine"] and line["bias"] and single):
        raise Misses("only a layer norm of the last axis with weight and bias has a counterpart")
    features = shape if isinstance(shape, int) else shape[0]
    made = f"LayerNorm({features}, epsilon={line['eps']}, rngs=rngs)"
    return Written(line, "{layer}({x})", made, "norm")


def _group_norm(line: Line) -> Written:
    if not line["affine"]:
        raise Misses("a group norm without weights has no counterpart")
    sizes = f"{line['num_channels']}, num_groups={line['num_groups']}, epsilon={line['eps']}"
    return Written(line, _turned(line), f"GroupNorm({sizes}, rngs=rngs)", "norm")


def _pool(kind: str) -> Writer:
    def made(line: Line) -> Written:
        if line["ceil_mode"] or max(line.each("dilation") if kind == "max" else (1,)) > 1:
            raise Misses("windows with gaps, or over the edge, have no counterpart")
        kernel, pads = line.each("kernel_size"), line.each("padding")
        stride = kernel if line["stride"] is None else line.each("stride")
        padding = "[" + ", ".join(f"({pad}, {pad})" for pad in pads) + "]"
        more = ""
        if kind == "avg" and any(pads) and not line["count_include_pad"]:
            more = ", count_include_pad=False"
        inner = f"nnx.{kind}_pool(y, {kernel!r}, {stride!r}, {padding}{more})"
        return Written(line, f"over_channels(lambda y: {inner}, {{x}})")

    return made


def _adaptive(kind: str) -> Writer:
    def made(line: Line) -> Written:
        sizes, wanted = line.shapes[0][1:], line.outputs[0][1:]
        if any(size % out for size, out in zip(sizes, wanted, strict=True)):
            raise Misses(f"{sizes} does not divide into {wanted} windows of one size")
        if wanted == sizes:
            return Written(line, "{x}")
        window = tuple(size // out for size, out in zip(sizes, wanted, strict=True))
        inner = f"nnx.{kind}_pool(y, {window!r}, {window!r})"
        return Written(line, f"over_channels(lambda y: {inner}, {{x}})")

    return made


def _global(kind: str) -> Writer:
    def made(line: Line) -> Written:
        axes = tuple(range(2, line.axes + 2))
        return Written(line, f"jnp.{kind}({{x}}, axis={axes!r})")

    return made


def _reshape(line: Line) -> Written:
    sizes = ", ".join(map(str, line.outputs[0]))
    return Written(line, f"{{x}}.reshape({{x}}.shape[0], {sizes})")


def _permute(line: Line) -> Written:
    order = (0, *(axis + 1 for axis in line["order"]))
    return Written(line, f"jnp.transpose({{x}}, {order!r})")


def _join(sign: str) -> Writer:
    def made(line: Line) -> Written:
        return Written(line, f" {sign} ".join(line.given))

    return made


def _maximum(line: Line) -> Written:
    text = line.given[0]
    for other in line.given[1:]:
        text = f"jnp.maximum({text}, {other})"
    return Written(line, text)


def _concat(line: Line) -> Written:
    axis = line["axis"] + 1 if line["axis"] >= 0 else line["axis"]
    return Written(line, f"jnp.concatenate([{', '.join(line.given)}], axis={axis})")


def _split(line: Line) -> Written:
    names = [line.name, *(f"{line.name}_{place}" for place in range(1, line["parts"]))]
    found = Written(line, "{x}")
    text = f"jnp.split({line.x}, {line['parts']}, axis={line['axis'] + 1})"
    found.called = [f"{', '.join(names)} = {text}"]
    return found


def _shuffle(line: Line) -> Written:
    channels, *rest = line.shapes[0]
    sizes = ", ".join(map(str, (line["groups"], channels // line["groups"], *rest)))
    dealt = f"{{x}}.reshape({{x}}.shape[0], {sizes}).swapaxes(1, 2)"
    return Written(line, f"{dealt}.reshape({{x}}.shape)")


def _matmul(line: Line) -> Written:
    a, b = line.given
    return Written(line, f"{a} @ jnp.swapaxes({b}, -1, -2)" if line["transpose"] else f"{a} @ {b}")


def _dropout(line: Line) -> Written:
    shape = "" if line.type == "Dropout" else f", broadcast_dims={_shared(line)!r}"
    return Written(line, "{layer}({x})", f"Dropout({line['p']}{shape}, rngs=rngs)")


def _shared(line: Line) -> tuple[int, ...]:
    """Axes along which all is dropped or nothing."""
    first = 1 if line.type == "DropPath" else 2
    return tuple(range(first, len(line.shapes[0]) + 1))


def _shortcut(line: Line) -> Written:
    stride = line["stride"]
    down = (stride, stride) if isinstance(stride, int) else tuple(stride)
    if line["in_channels"] == line["out_channels"] and down == (1, 1):
        return Written(line, "{x}")
    bias = "" if line["norm"] == "none" else ", use_bias=False"
    sizes = f"{line['in_channels']}, {line['out_channels']}, (1, 1), strides={down!r}"
    made = f'Conv({sizes}, padding="VALID"{bias}, rngs=rngs)'
    found = Written(line, _turned(line), made, "conv", f"{line.path}.conv")
    if line["norm"] == "none":
        return found
    made = f"BatchNorm({line['out_channels']}, momentum=0.9, epsilon=1e-05, rngs=rngs)"
    return found.then(Written(line, _turned(line), made, "batch", f"{line.path}.norm", line.name))


def _upsample(line: Line) -> Written:
    smooth = line["mode"] in ("bilinear", "linear") and not line["align_corners"]
    sizes, wanted = line.shapes[0][1:], line.outputs[0][1:]
    whole = all(out % size == 0 for size, out in zip(sizes, wanted, strict=True))
    if not whole or not (smooth or line["mode"] == "nearest"):
        raise Misses("only whole factors, nearest or linear without aligned corners")
    shape = f"({{x}}.shape[0], {', '.join(map(str, line.outputs[0]))})"
    method = "nearest" if line["mode"] == "nearest" else "linear"
    return Written(line, f'jax.image.resize({{x}}, {shape}, "{method}")')


def _slice(line: Line) -> Written:
    ends = [line["start"] or "", "" if line["stop"] is None else line["stop"]]
    step = f":{line['step']}" if line["step"] != 1 else ""
    return Written(line, f"{{x}}[{':, ' * (line['axis'] + 1)}{ends[0]}:{ends[1]}{step}]")


def _select(line: Line) -> Written:
    return Written(line, f"{{x}}[{':, ' * (line['axis'] + 1)}{line['index']}]")


def _mean(line: Line) -> Written:
    return Written(line, f"jnp.mean({{x}}, axis={tuple(axis + 1 for axis in line['axes'])!r})")


def _pad(line: Line) -> Written:
    widths = line["padding"]
    if line["mode"] != "constant" or min(widths) < 0:
        raise Misses("only frames of a constant have a counterpart")
    pairs = [tuple(widths[n : n + 2]) for n in range(0, len(widths), 2)]
    frame = [(0, 0)] * (len(line.shapes[0]) + 1 - len(pairs)) + pairs[::-1]
    return Written(line, f"jnp.pad({{x}}, {frame!r}, constant_values={line['value'] or 0.0})")


def _gelu(line: Line) -> Written:
    return Written(line, f"nnx.gelu({{x}}, approximate={line['approximate'] == 'tanh'})")


def _scale(line: Line) -> Written:
    shape = (line["features"], *(1,) * line["trailing"])
    made = f"Param(jnp.full({shape!r}, {line['init']}))"
    return Written(line, "{x} * {layer}[...]", made, "scale")


def _plain(name: str) -> Writer:
    return _function(name + "({x})")


TABLE: Mapping[str, Writer] = {
    **{f"Conv{n}d": _conv for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": _transposed for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": _batch_norm for n in (1, 2, 3)},
    **{f"MaxPool{n}d": _pool("max") for n in (1, 2, 3)},
    **{f"AvgPool{n}d": _pool("avg") for n in (1, 2, 3)},
    **{f"AdaptiveAvgPool{n}d": _adaptive("avg") for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": _adaptive("max") for n in (1, 2, 3)},
    **{f"Dropout{n}d": _dropout for n in (1, 2, 3)},
    "Linear": _linear,
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "LayerScale": _scale,
    "GlobalAvgPool": _global("mean"),
    "GlobalMaxPool": _global("max"),
    "Mean": _mean,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Unflatten": _reshape,
    "Permute": _permute,
    "Slice": _slice,
    "Select": _select,
    "Pad": _pad,
    "Identity": _function("{x}"),
    "Add": _join("+"),
    "Multiply": _join("*"),
    "Subtract": _join("-"),
    "Maximum": _maximum,
    "Concat": _concat,
    "Split": _split,
    "ChannelShuffle": _shuffle,
    "MatMul": _matmul,
    "Shortcut": _shortcut,
    "Upsample": _upsample,
    "Dropout": _dropout,
    "DropPath": _dropout,
    "ReLU": _plain("nnx.relu"),
    "ReLU6": _plain("nnx.relu6"),
    "LeakyReLU": _function("nnx.leaky_relu({x}, {negative_slope})"),
    "ELU": _function("nnx.elu({x}, {alpha})"),
    "CELU": _function("nnx.celu({x}, {alpha})"),
    "SELU": _plain("nnx.selu"),
    "GELU": _gelu,
    "SiLU": _plain("nnx.silu"),
    "Mish": _plain("jax.nn.mish"),
    "Sigmoid": _plain("nnx.sigmoid"),
    "Tanh": _plain("jnp.tanh"),
    "Softplus": _function("nnx.softplus({beta} * {x}) / {beta}"),
    "Softsign": _plain("nnx.soft_sign"),
    "Hardtanh": _function("jnp.clip({x}, {min_val}, {max_val})"),
    "Hardsigmoid": _plain("nnx.hard_sigmoid"),
    "Hardswish": _plain("nnx.hard_silu"),
    "LogSigmoid": _plain("nnx.log_sigmoid"),
    "Tanhshrink": _function("{x} - jnp.tanh({x})"),
    "Softmax": _function("nnx.softmax({x}, axis={dim})"),
    "LogSoftmax": _function("nnx.log_softmax({x}, axis={dim})"),
    "GLU": _function("nnx.glu({x}, axis={dim})"),
    "Sine": _function("jnp.sin({frequency} * {x})"),
}
