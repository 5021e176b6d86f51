"""One readable script of PyTorch that builds, trains and judges a network, on its own.

Nothing of this project is imported by it: modules that torch lacks and the making of the data
are copied into it. The same text, cut into cells, is the notebook.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from engine.export.classes import Writer
from engine.export.data import Answers, loading
from engine.export.inline import definitions, imports
from engine.forms import Form
from engine.network.registry import find
from engine.network.spec import NetworkSpec
from engine.network.trace import Trace, trace

_STANDARD = {"argparse", "functools", "gzip", "math", "os", "collections", "pathlib", "itertools"}


def script(spec: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> str:
    """The script of a network.

    Args:
        spec: The network.
        settings: What `engine.training.run.train` takes, with `data`; its defaults where absent.

    Raises:
        ValueError: The network does not work; says where.
    """
    return "\n".join("\n".join(part) for part in parts(spec, settings or {})) + "\n"


def code(spec: Mapping[str, Any]) -> dict[str, str]:
    """The script as the code panel shows it."""
    return {"script": script(spec)}


def parts(spec: Mapping[str, Any], settings: Mapping[str, Any]) -> list[list[str]]:
    """The script in parts: head, model, data, training, doing it."""
    parsed = NetworkSpec.parse(spec)
    traced = trace(parsed)
    if traced.errors:
        raise ValueError(traced.errors[0].text)
    outputs = list(traced.plan.outputs)
    title = parsed.title.replace("\\", " ").replace('"', "'").strip() or "A network"
    title = " ".join(title.split())[:60]
    model, model_imports = _model(parsed, traced, title)
    chosen = _settings(settings)
    learning, more = _learning(chosen, outputs) if len(traced.plan.inputs) == 1 else ([], [])
    ready = [model, *learning, _main(parsed, outputs, chosen)]
    head = _head(title, [*more, *model_imports], ready)
    return [head, *([*part, "", ""] for part in ready[:-1]), ready[-1]]


def _learning(
    chosen: Mapping[str, Any], outputs: Sequence[str]
) -> tuple[list[list[str]], list[str]]:
    """The parts that make data and learn from them, and what they import.

    Data sets have one input; for a network with several, data are the reader's own business.
    """
    wanted, data, answers = loading(str(chosen["data"]))
    training = _training(chosen, answers, outputs)
    return [data.strip("\n").splitlines(), _constants(chosen), training], wanted


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    from engine.training.run import train

    form = Form.of(train, "training")
    known = {name: value for name, value in given.items() if name in form.controls}
    return {**form.fill(known), "data": given.get("data", "")}


def _model(spec: NetworkSpec, traced: Trace, title: str) -> tuple[list[str], list[str]]:
    """The classes of the model, and what they import."""
    lines: list[str] = []
    found: list[str] = []
    homes: dict[str, list[str]] = {}
    for step in traced.plan.steps:
        if home := find(step.type).home:
            homes.setdefault(home, []).append(step.type)
        for word, wanted in (("cut", step.cut), ("begin", step.start)):
            if wanted:
                homes.setdefault("cuts", []).append(word)
    for home, names in homes.items():
        module = importlib.import_module(f"engine.network.modules.{home}")
        path = Path(inspect.getfile(module))
        texts = definitions(path, names)
        for text in texts:
            lines += [*text.splitlines(), "", ""]
        found += imports(path, "\n".join(texts))
    return [*lines, *Writer(spec, traced, title).lines], found


def _head(title: str, wanted: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """The docstring and the sorted imports."""
    text = "\n".join("\n".join(part) for part in body)
    always = ["import argparse", "import numpy as np", "import torch"]
    always += ["from safetensors.torch import load_file", "from torch import nn"]
    if "save_file(" in text:
        always.append("from safetensors.torch import save_file")
    if "functional." in text:
        always.append("from torch.nn import functional")
    grouped = _grouped({*always, *wanted})
    return [
        f'"""{title}.',
        "",
        *_usage("save_file(" in text),
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *grouped,
        # One empty line after the imports, two before a class or a function.
        *([""] if body[0][0].startswith(("class", "def")) else []),
    ]


def _usage(learns: bool) -> list[str]:
    training = [
        "python network.py                              train it, keep weights.safetensors",
        "python network.py --weights FILE.safetensors   load weights, tell the accuracy",
    ]
    doing = "python network.py --weights FILE.safetensors   load weights"
    return [
        *(training if learns else [doing]),
        "    ... --logits IN.npy OUT.npy                and write what it gives for IN.npy",
    ]


def _grouped(wanted: set[str]) -> list[str]:
    """Import lines as isort orders them: the standard library, a line, all others."""
    standard = {line for line in wanted if line.split()[1].partition(".")[0] in _STANDARD}
    found: list[str] = []
    for group in (standard, wanted - standard):
        plain = sorted(line for line in group if line.startswith("import"))
        merged: dict[str, set[str]] = {}
        for line in group:
            if line.startswith("from"):
                module, _, names = line.removeprefix("from ").partition(" import ")
                merged.setdefault(module, set()).update(names.split(", "))
        froms = [
            f"from {module} import {', '.join(sorted(names, key=_isort))}"
            for module, names in sorted(merged.items())
        ]
        found += [*([""] if found else []), *plain, *froms]
    return [*found, ""]


def _isort(name: str) -> tuple[bool, str]:
    """Classes before functions, as ruff sorts names."""
    return name[:1].islower(), name


def _constants(chosen: Mapping[str, Any]) -> list[str]:
    return [
        f"BATCH_SIZE = {chosen['batch_size']}",
        f"EPOCHS = {chosen['epochs']}",
        f"SEED = {chosen['seed']}",
    ]


def _training(chosen: Mapping[str, Any], answers: Answers, outputs: Sequence[str]) -> list[str]:
    head = f'["{outputs[0]}"]' if len(outputs) > 1 else ""  # of several the first is trained
    score = f"network(x[picked]){head}"
    loss = f"functional.cross_entropy({score}, y[picked])"
    judge = "(scores.argmax(1) == y).float().mean().item()"
    word, told = "accuracy", "Which part of the samples is called right."
    if answers == "places":
        loss = f"functional.cross_entropy({score}.flatten(0, 1), y[picked].flatten())"
        judge = "(scores.argmax(-1) == y)[y >= 0].float().mean().item()"
        told = "Which part of the judged places is called right."
    elif answers == "numbers":
        loss = f"functional.mse_loss({score}, y[picked])"
        judge = "1 - (functional.mse_loss(scores, y) / y.var(0, correction=0).mean()).item()"
        word, told = "R²", "1 less the error's share."
    return f'''def train(network: Network, data: Data) -> None:
    """Learn for EPOCHS rounds; tell how well after each."""
    x, y, *held_back = data
    optimizer = {_optimizer(chosen)}
    for epoch in range(EPOCHS):
        network.train()
        generator = torch.Generator().manual_seed(SEED * 1_000_003 + epoch)
        for picked in torch.randperm(len(x), generator=generator).split(BATCH_SIZE):
            loss = {loss}
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {{epoch + 1}}: {word} {{judge(network, *held_back):.4f}}")


def judge(network: Network, x: torch.Tensor, y: torch.Tensor) -> float:
    """{told}"""
    scores = answers(network, x)
    return {judge}


def answers(network: Network, x: torch.Tensor) -> torch.Tensor:
    """What the network gives when it does not learn."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(part){head} for part in x.split(500)])'''.splitlines()


def _optimizer(chosen: Mapping[str, Any]) -> str:
    """The line that makes the run's optimizer, read off a real one."""
    from engine.training.optimizers import optimizers

    weight = torch.nn.Parameter(torch.zeros(1))
    made = optimizers.find(chosen["optimizer"])(
        [weight], chosen["learning_rate"], chosen["weight_decay"], chosen["momentum"]
    )
    defaults = inspect.signature(type(made)).parameters
    parts = ["network.parameters()"]
    for name, value in made.defaults.items():
        if (
            name in defaults
            and name not in ("fused", "foreach")
            and value != defaults[name].default
        ):
            parts.append(f"{name}={value!r}")
    if "lr" in made.defaults and not any(part.startswith("lr=") for part in parts):
        parts.append(f"lr={made.defaults['lr']!r}")
    return f"torch.optim.{type(made).__name__}({', '.join(parts)})"


def _main(spec: NetworkSpec, outputs: Sequence[str], chosen: Mapping[str, Any]) -> list[str]:
    write = "np.save(target, network.eval()(*inputs).numpy())"
    learn = """        return
    data = load()
    if options.weights:
        print(f"score on held back samples: {judge(network, *data[2:]):.4f}")
        return
    train(network, data)
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    save_file(weights, "weights.safetensors")
"""
    if len(outputs) > 1:
        write = "np.savez(target, **{k: v.numpy() for k, v in network.eval()(*inputs).items()})"
    inputs = sum(node.type == "Input" for node in spec.nodes)
    return f'''def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", help="weights to load, as safetensors")
    parser.add_argument("--logits", nargs={inputs + 1}, metavar="FILE", help="IN.npy ... OUT.npy")
    options = parser.parse_args()
    torch.manual_seed({"SEED" if inputs == 1 else chosen["seed"]})
    network = Network()
    print(f"{{sum(p.numel() for p in network.parameters()):,}} parameters")
    if options.weights:
        network.load_state_dict(load_file(options.weights))
    if options.logits:
        *given, target = options.logits
        inputs = [torch.from_numpy(np.load(path, allow_pickle=False)) for path in given]
        with torch.no_grad():
            {write}
{learn if inputs == 1 else ""}

if __name__ == "__main__":
    main()'''.splitlines()
