"""Whether a network and a data set fit together, said before any training."""

from __future__ import annotations

import torch
from torch import nn

from engine.data import DataSet
from engine.network.spec import NetworkSpec


def refuse_misfit(spec: NetworkSpec, module: nn.Module, data: DataSet) -> None:
    """Do nothing if the network can learn the data.

    Raises:
        ValueError: It cannot; names the node, the numbers and the fix.
    """
    inputs = [node for node in spec.nodes if node.type == "Input"]
    if len(inputs) != 1:
        raise ValueError(f"training: needs a network with 1 input; this one has {len(inputs)}")
    (entry,) = inputs
    shape = tuple(entry.params.get("shape", ()))
    if shape != data.shape:
        raise ValueError(
            f"{entry.id}: takes samples of shape {list(shape)}, but {data.name} has "
            f"{list(data.shape)}; set the input's shape to {list(data.shape)}"
        )
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
        answer: object = module(data.train_x[:2])
    module.train(training)
    return answer


def _refuse_output(end: str, answer: object, data: DataSet) -> None:
    wanted = data.outputs
    reason = f"one for each class of {data.name}" if data.classes else f"as {data.name} has"
    if not isinstance(answer, torch.Tensor):
        raise ValueError(  # noqa: TRY004 - a fault of the drawing, not of the program
            f"{end}: training needs a network with one output; take the others away"
        )
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
