"""Whether a network and a data set fit together, said before any training."""

from __future__ import annotations

import torch
from torch import nn

from engine.data import DataSet
from engine.network.graph import lay_out
from engine.network.spec import NetworkSpec, Node


def refuse_misfit(spec: NetworkSpec, module: nn.Module, data: DataSet) -> None:
    """Do nothing if the network can learn the data.

    Raises:
        ValueError: It cannot; names the node, the numbers and the fix.
    """
    inputs = [node for node in spec.nodes if node.type == "Input"]
    wanted = len(data.shapes)
    if len(inputs) != wanted:
        raise ValueError(
            f"training: needs a network with {wanted} input{'s' * (wanted > 1)} for {data.name}; "
            f"this one has {len(inputs)}"
        )
    for entry, shape in zip(inputs, data.shapes, strict=True):
        _refuse_input(entry, shape, data)
    if data.vocabulary:
        _refuse_vocabulary(spec, data)
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise ValueError("training: the network has no weights to learn; add a Linear or Conv2d")
    end = _end(spec)
    _refuse_output(end, _answer(module, data), data)
    last = module.get_submodule(end) if end in dict(module.named_modules()) else None
    if data.task == "classification" and isinstance(last, nn.Softmax):
        raise ValueError(
            f"{end}: the loss (cross-entropy) applies softmax itself; delete this node so that "
            f"the network gives raw scores"
        )


def _refuse_input(entry: Node, wanted: tuple[int, ...], data: DataSet) -> None:
    shape = tuple(entry.params.get("shape", ()))
    if shape != wanted:
        raise ValueError(
            f"{entry.id}: takes samples of shape {list(shape)}, but {data.name} has "
            f"{list(wanted)}; set the input's shape to {list(wanted)}"
            + (f", or ask for {data.name}?length={shape[0]}" if _could_be(shape, data) else "")
        )
    reads = "token" if data.vocabulary else "float"
    takes = entry.params.get("dtype", "float")
    if takes != reads:
        what = "text, whole numbers" if data.vocabulary else "numbers"
        raise ValueError(
            f"{entry.id}: takes {takes}s, but {data.name} is {what}; set the input's dtype to "
            f"{reads}"
        )


def _could_be(shape: tuple[int, ...], data: DataSet) -> bool:
    """Whether the data set could be asked for in that length."""
    return len(shape) == len(data.shape) and not data.parts and data.kind in ("text", "series")


def _refuse_vocabulary(spec: NetworkSpec, data: DataSet) -> None:
    """Every table of vectors must have one for each token."""
    needed = len(data.vocabulary)
    for step in lay_out(spec).steps:
        rows = step.params.get("num_embeddings")
        if step.type == "Embedding" and isinstance(rows, int) and rows < needed:
            raise ValueError(
                f"{step.path}: has vectors for {rows} tokens, but {data.name} has {needed} "
                f"different ones; set its num_embeddings to {needed}"
            )


def _end(spec: NetworkSpec) -> str:
    """The id of the node whose output the loss sees."""
    if spec.outputs:
        return spec.outputs[0].partition(".")[0]
    followed = {edge.node for edge in spec.edges}
    return next((node.id for node in reversed(spec.nodes) if node.id not in followed), "network")


def _answer(module: nn.Module, data: DataSet) -> object:
    """What the network gives for two samples."""
    training = module.training
    module.eval()
    with torch.no_grad():
        answer: object = module(*data.inputs(data.train_x[:2]))
    module.train(training)
    return answer


def _refuse_output(end: str, answer: object, data: DataSet) -> None:
    wanted = data.outputs
    reason = f"one for each class of {data.name}" if data.classes else f"as {data.name} has"
    if not isinstance(answer, torch.Tensor):
        raise ValueError(  # noqa: TRY004 - a fault of the drawing, not of the program
            f"{end}: training needs a network with one output; take the others away"
        )
    if data.per_place:
        _refuse_places(end, tuple(answer.shape[1:]), data)
        return
    if len(data.answer) > 1:
        _refuse_picture(end, tuple(answer.shape[1:]), data)
        return
    if answer.ndim != 2:
        raise ValueError(
            f"{end}: must give {wanted} numbers a sample, {reason}; gives shape "
            f"{list(answer.shape[1:])}. Put a Flatten and a Linear with "
            f"out_features {wanted} behind it"
        )
    if answer.shape[1] != wanted:
        raise ValueError(
            f"{end}: must give {wanted} numbers a sample, {reason}; gives {answer.shape[1]}. "
            f"Set its out_features to {wanted}"
        )


def _refuse_picture(end: str, shape: tuple[int, ...], data: DataSet) -> None:
    """An answer as large as the sample: a class for each pixel, or the sample itself."""
    if shape == data.answer:
        return
    what = (
        f"{data.outputs} scores, one for each class, at each pixel"
        if data.per_pixel
        else "as many numbers as a sample has, in its shape"
    )
    cure = (
        f"set its out_channels to {data.answer[0]}"
        if shape[1:] == data.answer[1:]
        else "take a U-Net, an FCN or an autoencoder, or put an Upsample or a Reshape behind it"
    )
    raise ValueError(
        f"{end}: must give {what}, {list(data.answer)}; gives shape {list(shape)}: {cure}"
    )


def _refuse_places(end: str, shape: tuple[int, ...], data: DataSet) -> None:
    wanted = (data.train_y.shape[1], data.outputs)
    if shape != wanted:
        cure = (
            f"set its out_features to {wanted[1]}"
            if shape[:-1] == wanted[:1]
            else "take away what joins the places (a Flatten, a pooling, a last state)"
        )
        raise ValueError(
            f"{end}: must give {wanted[1]} numbers at each of {wanted[0]} places, one for each "
            f"class of {data.name}; gives shape {list(shape)}: {cure}"
        )
