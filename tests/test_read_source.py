"""Source code read back: all that our scripts say, and what people write themselves."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from safetensors.torch import load

from engine.export.script import script
from engine.export.table import formats
from engine.importing.python.things import SourceError
from engine.importing.source import read, read_source
from engine.network.build import build
from engine.network.describe import describe
from engine.network.registry import layers, trial
from engine.network.spec import NetworkSpec
from engine.network.templates import find, templates
from engine.network.trace import trace
from tests.test_export import SEQUENCE
from tests.test_network import RESIDUAL
from ui.api import api

HEAD = "import math\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"

RESNET = '''
def conv3x3(inside, outside, stride=1):
    return nn.Conv2d(inside, outside, kernel_size=3, stride=stride, padding=1, bias=False)

class BasicBlock(nn.Module):
    expansion: int = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None, norm_layer=None):
        super(BasicBlock, self).__init__()
        if norm_layer is None:
            norm_layer = nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)

class ResNet(nn.Module):
    def __init__(self, block=BasicBlock, layers=[2, 2], num_classes=10):
        super().__init__()
        self.inplanes = 8
        self.conv1 = nn.Conv2d(1, self.inplanes, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(self.inplanes)
        self.layer1 = self._make_layer(block, 8, layers[0])
        self.layer2 = self._make_layer(block, 16, layers[1], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(16 * block.expansion, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out")

    def _make_layer(self, block, planes, blocks, stride=1):
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(
                nn.Conv2d(self.inplanes, planes * block.expansion, 1, stride, bias=False),
                nn.BatchNorm2d(planes * block.expansion),
            )
        layers = [block(self.inplanes, planes, stride, downsample)]
        self.inplanes = planes * block.expansion
        for _ in range(1, blocks):
            layers.append(block(self.inplanes, planes))
        return nn.Sequential(*layers)

    def forward(self, x):
        """`(batch, 1, 12, 12)`."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer2(self.layer1(x))
        x = torch.flatten(self.avgpool(x), 1)
        return self.fc(x)
'''
UNET = '''
class Net(nn.Module):
    def __init__(self, widths=(4, 8)):
        super().__init__()
        self.downs = nn.ModuleList()
        self.ups = nn.ModuleList()
        before = 1
        for width in widths:
            self.downs.append(nn.Sequential(nn.Conv2d(before, width, 3, padding=1), nn.ReLU()))
            before = width
        for width in reversed(widths):
            self.ups.append(nn.ConvTranspose2d(before, width, 2, stride=2))
            self.ups.append(nn.Conv2d(2 * width, width, 3, padding=1))
            before = width
        self.head = nn.Conv2d(before, 2, 1)

    def forward(self, x):
        """`(batch, 1, 8, 8)`."""
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        skips = skips[::-1]
        for i in range(0, len(self.ups), 2):
            x = self.ups[i](x)
            x = torch.cat([skips[i // 2], x], dim=1)
            x = F.leaky_relu(self.ups[i + 1](x), 0.2)
        return {"map": self.head(x), "mean": x.mean(dim=[2, 3])}
'''
READER = '''
class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(30, 8)
        self.lstm = nn.LSTM(8, 6, num_layers=2, batch_first=True)
        self.norm = nn.LayerNorm(6)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(6, 3)

    def forward(self, words):
        """`(batch, 5)` tokens below 30."""
        x = self.table(words)
        outputs, (h, c) = self.lstm(x)
        last = torch.tanh(h[-1]) * torch.sigmoid(outputs[:, -1])
        return F.log_softmax(self.out(self.drop(self.norm(last))), dim=-1)
'''
SHUFFLE = '''
class Half(nn.Module):
    def forward(self, x):
        b, c, h, w = x.shape
        x = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, -1, h, w)
        first, second = x.chunk(2, dim=1)
        return first - second

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3), Half(), nn.GELU())
        self.scores = nn.Linear(4, 2, bias=False)
        self.again = nn.Linear(4, 2, bias=False)
        self.again.weight = self.scores.weight
        self.scores.requires_grad_(False)

    def forward(self, image):
        """`(batch, 1, 6, 6)`."""
        x = self.body(image).mean((-2, -1))
        return self.scores(x), self.again(x)
'''
WRITTEN = {"resnet": RESNET, "unet": UNET, "reader": READER, "shuffle": SHUFFLE}


def filled(network: torch.nn.Module) -> torch.nn.Module:
    """Weights that only their shape decides, so that names and order do not matter."""
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                line = torch.linspace(0.3, 1.1, max(1, tensor.numel())).reshape(tensor.shape)
                tensor.copy_(line * torch.cos(9 * line) * 0.4 + (0.7 if tensor.ndim == 1 else 0))
    return network.eval()


def given(spec: NetworkSpec) -> list[torch.Tensor]:
    torch.manual_seed(0)
    found = []
    for node in spec.nodes:
        if node.type == "Input":
            shape = (3, *node.params["shape"])
            token = node.params.get("dtype") == "token"
            found.append(torch.randint(0, 9, shape) if token else torch.randn(shape))
    return found


def listed(answer: Any) -> list[torch.Tensor]:
    if isinstance(answer, dict):
        return list(answer.values())
    return list(answer) if isinstance(answer, tuple) else [answer]


def same(one: NetworkSpec, other: NetworkSpec) -> None:
    inputs = given(one)
    with torch.no_grad():
        expected, found = filled(build(one))(*inputs), filled(build(other))(*inputs)
    for a, b in zip(listed(expected), listed(found), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", templates())
def test_our_own_script_is_read_back_with_the_same_counts(name: str) -> None:
    spec = find(name).spec
    found = read_source(script(spec.to_json()))
    ours, theirs = trace(spec), trace(found)
    assert theirs.parameters == ours.parameters
    assert sum(one.flops for one in theirs.measured.values()) == sum(
        one.flops for one in ours.measured.values()
    )
    assert len(found.nodes) == len(spec.nodes)


@pytest.mark.parametrize("name", [n for n, one in templates().items() if one.data])
def test_our_own_script_is_read_back_as_the_same_function(name: str) -> None:
    spec = find(name).spec
    same(spec, read_source(script(spec.to_json())))


@pytest.mark.parametrize("name", [name for name in layers() if name not in ("Input", "Block")])
def test_every_layer_is_read_back_as_it_was_constructed(name: str) -> None:
    kind = layers()[name]
    params, shapes = trial(kind)
    token = {"dtype": "token", "vocabulary": 5} if kind.reads == "token" else {}
    inputs = [
        {"id": f"in{place}", "type": "Input", "params": {"shape": list(shape), **token}}
        for place, shape in enumerate(shapes)
    ]
    spec = {
        "nodes": [*inputs, {"id": "layer", "type": name, "params": params}],
        "edges": [[entry["id"], "layer"] for entry in inputs],
    }
    found = trace(read_source(script(spec)))
    ours = trace(NetworkSpec.parse(spec)).measured["layer"].arguments
    assert found.measured["layer"].arguments == ours


@pytest.mark.parametrize("spec", [RESIDUAL, SEQUENCE], ids=["residual", "sequence"])
def test_networks_of_several_paths_and_outputs_come_back(spec: dict[str, Any]) -> None:
    parsed = NetworkSpec.parse(spec)
    same(parsed, read_source(script(spec)))


def test_a_script_reads_the_same_after_another_round() -> None:
    first = read_source(script(find("resnet-digits").spec.to_json()))
    second = read_source(script(first.to_json()), first.to_json())
    assert second.to_json() == first.to_json()


@pytest.mark.parametrize("name", WRITTEN)
def test_code_of_others_computes_the_same_here(name: str) -> None:
    text = HEAD + WRITTEN[name]
    spec = read_source(text)
    scope: dict[str, Any] = {}
    exec(text, scope)  # noqa: S102 - the test's own text, to compare with
    module = filled([v for v in scope.values() if isinstance(v, type)][-1]())
    inputs = given(spec)
    with torch.no_grad():
        expected, found = module(*inputs), filled(build(spec))(*inputs)
    for a, b in zip(listed(expected), listed(found), strict=True):
        torch.testing.assert_close(a, b)
    assert (
        sum(p.numel() for p in module.parameters())
        == describe(spec.to_json())["totals"]["parameters"]
    )


def test_classes_of_others_become_blocks_and_repeats() -> None:
    spec = read_source(HEAD + RESNET)
    assert set(spec.blocks) == {"BasicBlock", "BasicBlock_2"}  # with and without a projection
    first = spec.node("layer1").params
    assert (first["block"], first["repeat"]) == ("BasicBlock", 2)


BAD = {
    "no class here": "x = 1",
    "line 3: is no Python": "class A:\n    pass\n  def",
    "line 11: Linear has in_features = 9 but 64 come in": HEAD
    + "class A(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    '        self.a = nn.Linear(9, 2)\n    def forward(self, x):\n        """`(batch, 64)`."""\n'
    "        return self.a(x)",
    "how large is x": HEAD
    + "class A(nn.Module):\n    def forward(self, x):\n        return F.relu(x)",
    "no layer does what fft does": HEAD
    + 'class A(nn.Module):\n    def forward(self, x):\n        """`(batch, 4)`."""\n'
    "        return torch.fft(x)",
    "a statement `while`": HEAD
    + 'class A(nn.Module):\n    def forward(self, x):\n        """`(batch, 4)`."""\n'
    "        while True:\n            x = F.relu(x)\n        return x",
    "too deeply": HEAD + "class A(nn.Module):\n    def f(self, x):\n        return self.f(x)\n"
    '    def forward(self, x):\n        """`(batch, 4)`."""\n        return self.f(x)',
    "too many steps": HEAD
    + 'class A(nn.Module):\n    def forward(self, x):\n        """`(batch, 4)`."""\n'
    "        for i in range(9999):\n            for j in range(9999):\n                x = x\n"
    "        return x",
    "code is not here": "import os\n"
    + HEAD
    + "class A(nn.Module):\n    def __init__(self):\n        os.remove('all')\n"
    '    def forward(self, x):\n        """`(batch, 4)`."""\n        return x',
    "powers of numbers": HEAD
    + "class A(nn.Module):\n    def __init__(self):\n        self.n = 9 ** 9 ** 9 ** 9\n"
    '    def forward(self, x):\n        """`(batch, 4)`."""\n        return x',
    "used twice": HEAD
    + "class A(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    '        self.a = nn.Linear(4, 4)\n    def forward(self, x):\n        """`(batch, 4)`."""\n'
    "        return self.a(self.a(x))",
}


@pytest.mark.parametrize("cause", BAD)
def test_what_cannot_be_read_is_told_with_its_line(cause: str) -> None:
    with pytest.raises(SourceError, match=cause.replace("(", r"\(")):
        read_source(BAD[cause])
    answer = read(BAD[cause])
    assert "spec" not in answer
    if "line" in answer["error"][:5]:
        assert answer["line"] == int(answer["error"].split()[1].rstrip(":"))


def test_places_and_shapes_come_from_the_canvas() -> None:
    spec = find("mlp-2d").spec.to_json()
    spec["nodes"][1] |= {"position": [40, 50], "label": "mine"}
    text = script(spec).replace("`(batch, 2)` to the outputs.", "No shape told.")
    text = text.replace("nn.Linear(2, 8)", "nn.Linear(2, 9)").replace(
        "Linear(8, 8)", "Linear(9, 8)"
    )
    found = read_source(text, spec)
    assert found.node("hidden1").position == (40, 50)
    assert found.node("hidden1").label == "mine"
    assert found.node("hidden1").params["out_features"] == 9


def test_the_api_reads_code_and_files_and_takes_networks_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    with TestClient(api) as client:
        text = script(find("mlp-2d").spec.to_json())
        answer = client.post("/read", json={"source": text})
        assert answer.status_code == 200
        assert describe(answer.json()["spec"])["totals"]["parameters"] == 114
        wrong = text.replace("nn.Linear(8, 8)", "nn.Linear(9, 8)")
        answer = client.post("/read", json={"source": wrong})
        assert answer.status_code == 422
        assert answer.json()["error"].startswith(f"line {answer.json()['line']}: Linear")
        spec = find("mlp-2d").spec.to_json()
        assert {one["name"] for one in client.get("/formats").json()} == set(formats())
        saved = client.post("/export/safetensors", json={"spec": spec})
        assert "model.safetensors" in saved.headers["content-disposition"]
        sent = {"name": "w.safetensors", "content": base64.b64encode(saved.content).decode()}
        taken = client.post("/import", json={**sent, "data": "spirals"}).json()
        assert taken["spec"]["nodes"] == spec["nodes"]
        again = client.post("/export/safetensors", json={"spec": spec, "run": taken["run"]})
        ours, theirs = load(saved.content), load(again.content)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        refused = client.post("/import", json={"name": "model.pkl", "content": ""})
        assert refused.status_code == 422
        assert "never opened" in refused.json()["error"]
