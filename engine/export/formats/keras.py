"""Keras 3 code: the functional API, images with their channels first as in torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.export.formats.keras_text import MODULE, READ
from engine.export.straight import Line, Misses, Writer, one, refuse_all, straight, written
from engine.export.table import Wanted, export_format


@export_format("Keras 3 code", "model_keras.py", "text/x-python", place=6)
def keras(wanted: Wanted) -> bytes:
    """The model in Keras 3 (PyTorch or JAX behind it), with a function that reads the weights."""
    made = straight(wanted.spec)
    refuse_all(made, TABLE, "Keras")
    body: list[str] = []
    weights: dict[str, tuple[str, str]] = {}
    for name, shape, kind in made.inputs:
        dtype = ', dtype="int32"' if kind == "token" else ""
        body.append(f'{name} = keras.Input({shape!r}{dtype}, name="{name}")')
    for line in made.lines:
        lines, kinds = written(line, TABLE, "Keras")
        body += lines
        weights |= kinds
    given = ", ".join(name for name, *_ in made.inputs)
    values = list(made.outputs.values())
    result = values[0] if len(values) == 1 else "[" + ", ".join(values) + "]"
    places = [f'    "{name}": ("{kind}", "{path}"),' for name, (kind, path) in weights.items()]
    kinds = sorted({kind for kind, _ in weights.values()})
    title = " ".join(made.title.replace("\\", " ").replace('"', "'").split())[:60] or "A network"
    text = MODULE.format(
        title=title,
        parameters=f"{made.parameters:,}",
        places="\n".join(places),
        readers="\n\n\n".join(READ[kind] for kind in kinds),
        kinds="".join(f'    "{kind}": _{kind},\n' for kind in kinds),
        body="\n".join(f"    {line}" for line in body),
        given=given if len(made.inputs) == 1 else f"[{given}]",
        result=result,
        count=len(made.inputs) + 1,
    )
    return text.replace("\n\n\n\n\n", "\n\n\n").encode()


Written = tuple[list[str], dict[str, tuple[str, str]]]


def _layer(line: Line, text: str, kind: str = "", x: str = "", path: str = "") -> Written:
    """One Keras layer applied, called as the layer here is."""
    name = line.name if not path else path.replace(".", "_")
    named = f'{text[:-1]}{"" if text.endswith("(") else ", "}name="{name}")'
    named = named.replace("(, ", "(")
    found = [f"{line.name} = keras.layers.{named}({x or line.x})"]
    return found, ({name: (kind, path or line.path)} if kind else {})


def _function(text: str) -> Writer:
    def made(line: Line) -> Written:
        return [f"{line.name} = {text.format(x=line.x, **line.arguments)}"], {}

    return made


def _padded(line: Line, pads: tuple[int, ...], value: str = "") -> tuple[list[str], str]:
    """A line that puts a frame around, where one is needed, and what then comes in."""
    if not any(pads):
        return [], line.x
    if value:
        frame = ((0, 0), (0, 0), *((pad, pad) for pad in pads))
        text = f"keras.ops.pad({line.x}, {frame!r}, constant_values={value})"
        return [f"{line.name}_padded = {text}"], f"{line.name}_padded"
    text = f"keras.layers.ZeroPadding{line.axes}D({one(pads)!r})({line.x})"
    return [f"{line.name}_padded = {text}"], f"{line.name}_padded"


def _conv(line: Line) -> Written:
    if line["padding_mode"] != "zeros":
        raise Misses(f"padding of mode {line['padding_mode']} has no counterpart")
    strides, dilation = line.each("stride"), line.each("dilation")
    if max(strides) > 1 and max(dilation) > 1:
        raise Misses("a stride and a dilation at once have no counterpart")
    parts = [f"{line['out_channels']}", f"{one(line.each('kernel_size'))!r}"]
    before: list[str] = []
    x = line.x
    if isinstance(line["padding"], str):
        parts.append(f'padding="{line["padding"]}"')
    else:
        before, x = _padded(line, line.each("padding"))
    parts += [f"strides={one(strides)!r}"] if max(strides) > 1 else []
    parts += [f"dilation_rate={one(dilation)!r}"] if max(dilation) > 1 else []
    parts += [f"groups={line['groups']}"] if line["groups"] > 1 else []
    parts += [] if line["bias"] else ["use_bias=False"]
    lines, weights = _layer(line, f"Conv{line.axes}D({', '.join(parts)})", "conv", x)
    return [*before, *lines], weights


def _transposed(line: Line) -> Written:
    if line["groups"] > 1 or any(line.each("output_padding")) or max(line.each("dilation")) > 1:
        raise Misses("groups, output padding and dilation have no counterpart")
    parts = [f"{line['out_channels']}", f"{one(line.each('kernel_size'))!r}"]
    parts += [f"strides={one(line.each('stride'))!r}"] if max(line.each("stride")) > 1 else []
    parts += [] if line["bias"] else ["use_bias=False"]
    lines, weights = _layer(line, f"Conv{line.axes}DTranspose({', '.join(parts)})", "conv")
    if any(crop := line.each("padding")):
        text = f"keras.layers.Cropping{line.axes}D({one(crop)!r})({line.name})"
        lines.append(f"{line.name} = {text}")
    return lines, weights


def _linear(line: Line) -> Written:
    bias = "" if line["bias"] else ", use_bias=False"
    return _layer(line, f"Dense({line['out_features']}{bias})", "dense")


def _embedding(line: Line) -> Written:
    return _layer(line, f"Embedding({line['num_embeddings']}, {line['embedding_dim']})", "table")


def _batch_norm(line: Line) -> Written:
    if not (line["affine"] and line["track_running_stats"]):
        raise Misses("a batch norm without weights or statistics has no counterpart")
    momentum = 0.0 if line["momentum"] is None else round(1 - line["momentum"], 6)
    text = f"BatchNormalization(axis=1, momentum={momentum}, epsilon={line['eps']})"
    return _layer(line, text, "batch")


def _layer_norm(line: Line) -> Written:
    if not (line["elementwise_affine"] and line["bias"]):
        raise Misses("a layer norm without weight and bias has no counterpart")
    shape = line["normalized_shape"]
    rank = 1 if isinstance(shape, int) else len(shape)
    axis: Any = -1 if rank == 1 else list(range(-rank, 0))
    return _layer(line, f"LayerNormalization(axis={axis}, epsilon={line['eps']})", "norm")


def _group_norm(line: Line) -> Written:
    if not line["affine"]:
        raise Misses("a group norm without weights has no counterpart")
    text = f"GroupNormalization({line['num_groups']}, axis=1, epsilon={line['eps']})"
    return _layer(line, text, "norm")


def _max_pool(line: Line) -> Written:
    _plain_window(line)
    if max(line.each("dilation")) > 1:
        raise Misses("a dilated maximum has no counterpart")
    before, x = _padded(line, line.each("padding"), "-math.inf")
    lines, _ = _layer(line, f"MaxPooling{line.axes}D({_window(line)})", "", x)
    return [*before, *lines], {}


def _avg_pool(line: Line) -> Written:
    _plain_window(line)
    pads = line.each("padding")
    if any(pads) and not line["count_include_pad"]:
        raise Misses("an average that leaves the padding out has no counterpart")
    before, x = _padded(line, pads)
    lines, _ = _layer(line, f"AveragePooling{line.axes}D({_window(line)})", "", x)
    return [*before, *lines], {}


def _plain_window(line: Line) -> None:
    if line["ceil_mode"]:
        raise Misses("windows that reach over the edge (ceil_mode) have no counterpart")


def _window(line: Line) -> str:
    kernel = line.each("kernel_size")
    stride = kernel if line["stride"] is None else line.each("stride")
    return f"{one(kernel)!r}" + (f", strides={one(stride)!r}" if stride != kernel else "")


def _adaptive(kind: str) -> Writer:
    def made(line: Line) -> Written:
        sizes, wanted = line.shapes[0][1:], line.outputs[0][1:]
        if any(size % out for size, out in zip(sizes, wanted, strict=True)):
            raise Misses(f"{sizes} does not divide into {wanted} windows of one size")
        if wanted == (1,) * line.axes:
            return _layer(line, f"Global{kind}Pooling{line.axes}D(keepdims=True)")
        windows = [size // out for size, out in zip(sizes, wanted, strict=True)]
        if windows == [1] * line.axes:
            return [f"{line.name} = {line.x}"], {}
        return _layer(line, f"{kind}Pooling{line.axes}D({one(windows)!r})")

    return made


def _global(kind: str) -> Writer:
    def made(line: Line) -> Written:
        if line.axes not in (1, 2, 3):
            raise Misses("needs 1 to 3 axes behind the channels")
        return _layer(line, f"Global{kind}Pooling{line.axes}D()")

    return made


def _reshape(line: Line) -> Written:
    return _layer(line, f"Reshape({line.outputs[0]!r})")


def _permute(line: Line) -> Written:
    return _layer(line, f"Permute({tuple(axis + 1 for axis in line['order'])!r})")


def _join(kind: str) -> Writer:
    def made(line: Line) -> Written:
        given = f"[{', '.join(line.given)}]"
        return _layer(line, f"{kind}()", "", given)

    return made


def _concat(line: Line) -> Written:
    axis = line["axis"] + 1 if line["axis"] >= 0 else line["axis"]
    return _layer(line, f"Concatenate(axis={axis})", "", f"[{', '.join(line.given)}]")


def _split(line: Line) -> Written:
    names = [line.name, *(f"{line.name}_{place}" for place in range(1, line["parts"]))]
    text = f"keras.ops.split({line.x}, {line['parts']}, axis={line['axis'] + 1})"
    return [f"{', '.join(names)} = {text}"], {}


def _shuffle(line: Line) -> Written:
    channels, *rest = line.shapes[0]
    dealt = (-1, line["groups"], channels // line["groups"], *rest)
    turned = f"keras.ops.swapaxes(keras.ops.reshape({line.x}, {dealt!r}), 1, 2)"
    return [f"{line.name} = keras.ops.reshape({turned}, {(-1, channels, *rest)!r})"], {}


def _matmul(line: Line) -> Written:
    a, b = line.given
    rank = len(line.shapes[1]) + 1
    turned = f"keras.ops.swapaxes({b}, {rank - 2}, {rank - 1})" if line["transpose"] else b
    return [f"{line.name} = keras.ops.matmul({a}, {turned})"], {}


def _dropout(spatial: bool) -> Writer:
    def made(line: Line) -> Written:
        kind = f"SpatialDropout{line.axes}D" if spatial else "Dropout"
        return _layer(line, f"{kind}({line['p']})")

    return made


def _drop_path(line: Line) -> Written:
    shape = (None, *(1,) * len(line.shapes[0]))
    return _layer(line, f"Dropout({line['p']}, noise_shape={shape!r})")


def _shortcut(line: Line) -> Written:
    if line["in_channels"] == line["out_channels"] and line["stride"] in (1, (1, 1), [1, 1]):
        return [f"{line.name} = {line.x}"], {}
    bias = "" if line["norm"] == "none" else ", use_bias=False"
    text = f"Conv2D({line['out_channels']}, 1, strides={line['stride']}{bias})"
    lines, weights = _layer(line, text, "conv", "", f"{line.path}.conv")
    if line["norm"] != "none":
        text = "BatchNormalization(axis=1, momentum=0.9, epsilon=1e-05)"
        more, places = _layer(line, text, "batch", line.name, f"{line.path}.norm")
        lines, weights = [*lines, *more], {**weights, **places}
    return lines, weights


def _upsample(line: Line) -> Written:
    sizes, wanted = line.shapes[0][1:], line.outputs[0][1:]
    factors = [out // size for size, out in zip(sizes, wanted, strict=True)]
    whole = all(
        size * factor == out for size, factor, out in zip(sizes, factors, wanted, strict=True)
    )
    smooth = line["mode"] == "bilinear" and not line["align_corners"]
    if not whole or line.axes not in (1, 2) or not (line["mode"] == "nearest" or smooth):
        raise Misses("only whole factors, nearest or bilinear without aligned corners")
    mode = f', interpolation="{line["mode"]}"' if line.axes == 2 else ""
    if line.axes == 1:
        return [f"{line.name} = keras.ops.repeat({line.x}, {factors[0]}, axis=2)"], {}
    return _layer(line, f"UpSampling2D({one(factors)!r}{mode})")


def _softmax(name: str) -> Writer:
    def made(line: Line) -> Written:
        return [f"{line.name} = keras.ops.{name}({line.x}, axis={line['dim']})"], {}

    return made


def _slice(line: Line) -> Written:
    ends = [line["start"] or "", "" if line["stop"] is None else line["stop"]]
    step = f":{line['step']}" if line["step"] != 1 else ""
    before = ":, " * (line["axis"] + 1)
    return [f"{line.name} = {line.x}[{before}{ends[0]}:{ends[1]}{step}]"], {}


def _select(line: Line) -> Written:
    return [f"{line.name} = {line.x}[{':, ' * (line['axis'] + 1)}{line['index']}]"], {}


def _mean(line: Line) -> Written:
    axes = tuple(axis + 1 for axis in line["axes"])
    return [f"{line.name} = keras.ops.mean({line.x}, axis={axes!r})"], {}


def _pad(line: Line) -> Written:
    widths = line["padding"]
    if line["mode"] != "constant" or min(widths) < 0:
        raise Misses("only frames of a constant have a counterpart")
    pairs = [tuple(widths[n : n + 2]) for n in range(0, len(widths), 2)]
    rank = len(line.shapes[0]) + 1
    frame = [(0, 0)] * (rank - len(pairs)) + pairs[::-1]
    text = f"keras.ops.pad({line.x}, {frame!r}, constant_values={line['value'] or 0.0})"
    return [f"{line.name} = {text}"], {}


def _recurrent(kind: str) -> Writer:
    def made(line: Line) -> Written:
        if line["bidirectional"] or not line["bias"] or len(line.given) > 1:
            raise Misses("only one direction, with biases and without a first state")
        if line.used - {0}:
            raise Misses("its last state has no counterpart here; use its outputs")
        lines: list[str] = []
        weights: dict[str, tuple[str, str]] = {}
        for layer in range(line["num_layers"]):
            name = f"{line.name}_{layer}"
            x = line.x if layer == 0 else line.name
            text = f'{kind}({line["hidden_size"]}, return_sequences=True, name="{name}")'
            lines.append(f"{line.name} = keras.layers.{text}({x})")
            weights[name] = kind.lower(), f"{line.path}|{layer}"
            if line["dropout"] and layer + 1 < line["num_layers"]:
                lines.append(f"{line.name} = keras.layers.Dropout({line['dropout']})({line.name})")
        return lines, weights

    return made


def _hardtanh(line: Line) -> Written:
    return [f"{line.name} = keras.ops.clip({line.x}, {line['min_val']}, {line['max_val']})"], {}


def _gelu(line: Line) -> Written:
    near = line["approximate"] == "tanh"
    return [f"{line.name} = keras.activations.gelu({line.x}, approximate={near})"], {}


def _softplus(line: Line) -> Written:
    if line["beta"] != 1 or line["threshold"] != 20:
        raise Misses("only β = 1 has a counterpart")
    return [f"{line.name} = keras.activations.softplus({line.x})"], {}


def _activation(name: str) -> Writer:
    return _function("keras.activations." + name + "({x})")


_CONVOLUTIONS = {f"Conv{n}d": _conv for n in (1, 2, 3)}
_POOLS: dict[str, Writer] = {
    **{f"MaxPool{n}d": _max_pool for n in (1, 2, 3)},
    **{f"AvgPool{n}d": _avg_pool for n in (1, 2, 3)},
    **{f"AdaptiveAvgPool{n}d": _adaptive("Average") for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": _adaptive("Max") for n in (1, 2, 3)},
}
TABLE: Mapping[str, Writer] = {
    **_CONVOLUTIONS,
    **_POOLS,
    **{f"ConvTranspose{n}d": _transposed for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": _batch_norm for n in (1, 2, 3)},
    **{f"Dropout{n}d": _dropout(True) for n in (1, 2, 3)},
    "Linear": _linear,
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "GlobalAvgPool": _global("Average"),
    "GlobalMaxPool": _global("Max"),
    "Mean": _mean,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Unflatten": _reshape,
    "Permute": _permute,
    "Slice": _slice,
    "Select": _select,
    "Pad": _pad,
    "Identity": _function("{x}"),
    "Add": _join("Add"),
    "Multiply": _join("Multiply"),
    "Subtract": _join("Subtract"),
    "Maximum": _join("Maximum"),
    "Concat": _concat,
    "MatMul": _matmul,
    "Split": _split,
    "ChannelShuffle": _shuffle,
    "Shortcut": _shortcut,
    "Upsample": _upsample,
    "Dropout": _dropout(False),
    "DropPath": _drop_path,
    "LSTM": _recurrent("LSTM"),
    "GRU": _recurrent("GRU"),
    "ReLU": _activation("relu"),
    "ReLU6": _activation("relu6"),
    "LeakyReLU": _function("keras.activations.leaky_relu({x}, negative_slope={negative_slope})"),
    "ELU": _function("keras.activations.elu({x}, alpha={alpha})"),
    "CELU": _function("keras.activations.celu({x}, alpha={alpha})"),
    "SELU": _activation("selu"),
    "GELU": _gelu,
    "SiLU": _activation("silu"),
    "Mish": _activation("mish"),
    "Sigmoid": _activation("sigmoid"),
    "Tanh": _activation("tanh"),
    "Softplus": _softplus,
    "Softsign": _activation("softsign"),
    "Hardtanh": _hardtanh,
    "Hardsigmoid": _activation("hard_sigmoid"),
    "Hardswish": _activation("hard_silu"),
    "LogSigmoid": _activation("log_sigmoid"),
    "Tanhshrink": _activation("tanh_shrink"),
    "Hardshrink": _function("keras.activations.hard_shrink({x}, threshold={lambd})"),
    "Softshrink": _function("keras.activations.soft_shrink({x}, threshold={lambd})"),
    "Softmax": _softmax("softmax"),
    "LogSoftmax": _softmax("log_softmax"),
    "GLU": _function("keras.activations.glu({x}, axis={dim})"),
}
