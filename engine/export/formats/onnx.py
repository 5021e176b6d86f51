"""ONNX, for other runtimes."""

from __future__ import annotations

import copy
import io
import json
import re
import warnings
from typing import Any, cast

import torch

from engine.export.examples import examples
from engine.export.table import Wanted, export_format
from engine.network.build import Network
from engine.network.graph import Plan
from engine.network.trace import trace
from engine.optional import need

OPSET = 20
SPEC = "orrery.spec"  # in the header: what the file was made from


@export_format("ONNX", "model.onnx", "application/octet-stream", place=4, holds=True)
def onnx(wanted: Wanted) -> bytes:
    """The network with its weights for other runtimes: ONNX Runtime, browsers, phones."""
    package = need("onnx", "ONNX")
    plan = trace(wanted.spec).plan
    model = package.load_model_from_string(_traced(wanted.network(), plan))
    _rename(model, [step.path for step in plan.steps if step.type != "Input"])
    package.helper.set_model_props(model, {SPEC: json.dumps(wanted.spec.to_json())})
    return bytes(model.SerializeToString())


def _traced(network: Network, plan: Plan) -> bytes:
    """The file as torch writes it, by tracing; see ADR 0016 for why not by `dynamo`."""
    inputs = plan.inputs
    names = [*inputs, *(f"{one}_out" if one in inputs else one for one in plan.outputs)]
    file = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter's age, and of shapes kept as they are
            torch.onnx.export(
                _Flat.of(network, plan),
                examples(network.spec),
                file,  # type: ignore[arg-type] # a file object is fine without dynamo
                dynamo=False,
                do_constant_folding=False,
                training=torch.onnx.TrainingMode.PRESERVE,  # else batch norms melt away
                input_names=inputs,
                output_names=names[len(inputs) :],
                dynamic_axes={name: {0: "batch"} for name in names},
                opset_version=OPSET,
            )
    except Exception as error:  # noqa: BLE001 - whatever the exporter says is told
        cause = str(error).strip().splitlines()[0][:200] if str(error).strip() else "no reason"
        raise ValueError(f"ONNX: a layer has no counterpart there: {cause}") from None
    return file.getvalue()


class _Flat(Network):
    """A network with its layers side by side, numbered: the exporter names nodes by them."""

    @staticmethod
    def of(network: Network, plan: Plan) -> _Flat:
        """The same layers, not copied."""
        made = copy.copy(network)
        steps = [step for step in plan.steps if step.type != "Input"]
        layers = [network.get_submodule(step.path) for step in steps]
        made._modules = {f"step{place}": layer for place, layer in enumerate(layers)}
        made.__class__ = _Flat
        return cast("_Flat", made)

    def forward(self, *inputs: torch.Tensor) -> Any:
        """As the network does; several outputs as a tuple."""
        answer = super().forward(*inputs)
        return tuple(answer.values()) if isinstance(answer, dict) else answer


_STEP = re.compile(r"step(\d+)(?=[./])")


def _rename(model: Any, paths: list[str]) -> None:
    """Call nodes and weights by the paths they have in the network."""

    def named(text: str) -> str:
        return _STEP.sub(lambda found: paths[int(found.group(1))], text)

    graph = model.graph
    weights = {one.name: one for one in graph.initializer}
    for node in list(graph.node):
        if node.op_type == "Identity" and node.input[0] in weights:
            copy = graph.initializer.add()  # equal weights were made one: give each its own
            copy.CopyFrom(weights[node.input[0]])
            copy.name = node.output[0]
            graph.node.remove(node)
    for one in (*graph.initializer, *graph.value_info):
        one.name = named(one.name)
    for node in graph.node:
        node.name = named(node.name)
        node.input[:] = [named(one) for one in node.input]
        node.output[:] = [named(one) for one in node.output]
    model.producer_name = "orrery"
