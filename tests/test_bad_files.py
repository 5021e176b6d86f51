"""Thousands of broken, huge and hostile files at every importer: a network, or a sentence."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from functools import cache
from typing import Any

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from engine.export.script import script
from engine.export.table import Wanted, find
from engine.importing.table import READINGS, import_file, take
from engine.network.describe import describe
from engine.network.templates import find as template
from tests.test_formats import foreign
from tests.test_read_source import HEAD, RESNET, SHUFFLE

ENDINGS = [one.endings[0] for one in READINGS]
MANY = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
SOME = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def tried(name: str, content: bytes) -> None:
    """A network that can be described, or a sentence; anything else fails the test."""
    try:
        found = import_file(name, content)
    except ValueError as error:
        text = str(error)
        assert text
        assert len(text) < 600
        assert "Traceback" not in text
    else:
        assert describe(found.spec.to_json())["nodes"] is not None


@cache
def real(ending: str) -> bytes:
    """A file that can be read."""
    spec = template("mlp-2d").spec
    form = {".json": "json", ".pt2": "torch-export", ".py": "script"}.get(ending)
    if ending == ".onnx":
        return foreign()
    if form is None:
        form = "safetensors" if ending == ".safetensors" else "link"
    return find(form).make(Wanted(spec))


@pytest.mark.parametrize("ending", ENDINGS)
@MANY
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(ending: str, content: bytes) -> None:
    tried(f"file{ending}", content)


@pytest.mark.parametrize("ending", ENDINGS)
@SOME
@given(data=st.data())
def test_damaged_files_are_read_or_refused(ending: str, data: st.DataObject) -> None:
    content = bytearray(real(ending))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["change", "cut", "repeat"])):
            case "change":
                content[place] = data.draw(st.integers(0, 255))
            case "cut":
                del content[place : place + data.draw(st.integers(1, 40))]
            case _:
                content[place:place] = content[place : place + 30]
        content = content or bytearray(b"\0")
    tried(f"file{ending}", bytes(content))


TEXTS = [HEAD + RESNET, HEAD + SHUFFLE, script(template("mlp-2d").spec.to_json())]
WORDS = ["self", "x", "(", ")", ":", "nn.Linear", "[", "]", "**", "10**9", "for", "-1", "None", "="]


@SOME
@given(
    text=st.sampled_from(TEXTS),
    edits=st.lists(
        st.tuples(st.integers(0, 5_000), st.integers(0, 30), st.sampled_from(WORDS)), max_size=5
    ),
)
def test_edited_code_is_read_or_refused(text: str, edits: list[tuple[int, int, str]]) -> None:
    for place, length, word in edits:
        place %= len(text)
        text = text[:place] + word + text[place + length :]
    tried("model.py", text.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)


@SOME
@given(data=st.data())
def test_any_change_to_a_programs_json_is_read_or_refused(data: st.DataObject) -> None:
    names, parts = _unzipped()
    tree = json.loads(parts["models/model.json"])
    place: Any = tree["graph_module"]
    for _ in range(data.draw(st.integers(0, 6))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys)) if keys else None
        if key is None or not isinstance(place[key], dict | list) or not place[key]:
            break
        place = place[key]
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    place[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    tried("file.pt2", _zipped(names, {**parts, "models/model.json": json.dumps(tree).encode()}))


def _unzipped() -> tuple[str, dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(real(".pt2"))) as file:
        names = file.namelist()
        root = names[0].partition("/")[0]
        return root, {name.partition("/")[2]: file.read(name) for name in names}


def _zipped(root: str, parts: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as file:
        for name, part in parts.items():
            file.writestr(f"{root}/{name}", part)
    return content.getvalue()


def test_a_bomb_in_an_archive_is_refused_before_it_is_unpacked() -> None:
    root, parts = _unzipped()
    parts["models/model.json"] = b"[" + b" " * 60_000_000
    with pytest.raises(ValueError, match="would unpack to 60,000,001 bytes; refused"):
        import_file("file.pt2", _zipped(root, parts, zipfile.ZIP_DEFLATED))


def test_a_bomb_in_a_link_is_refused() -> None:
    packed = base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000, 9))
    with pytest.raises(ValueError, match=r"at most 200,000|holds more than a network"):
        import_file("file.txt", packed)


def test_pickled_parts_of_a_program_are_never_opened() -> None:
    root, parts = _unzipped()
    config = "data/weights/model_weights_config.json"
    listed = json.loads(parts[config])
    next(iter(listed["config"].values()))["use_pickle"] = True
    with pytest.raises(ValueError, match="is pickled; such numbers are never read here"):
        import_file("file.pt2", _zipped(root, {**parts, config: json.dumps(listed).encode()}))
    parts["data/sample_inputs/model.pt"] = b"cos\nsystem\n(S'false'\ntR."
    assert import_file("file.pt2", _zipped(root, parts)).weights  # and nobody looks at it


def tensor(**fields: Any) -> onnx.TensorProto:
    made = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 2])
    for name, value in fields.items():
        if isinstance(value, list):
            del getattr(made, name)[:]
            getattr(made, name).extend(value)
        else:
            setattr(made, name, value)
    return made


HOSTILE = {
    "says it has": tensor(dims=[1_000_000, 900], raw_data=b"1234"),
    "cannot be read": tensor(dims=[2**40, 2**40]),
    "lies in another file": tensor(data_location=TensorProto.EXTERNAL),
    "must hold finite numbers": tensor(float_data=[1.0, float("nan"), 1.0, 1.0]),
}


@pytest.mark.parametrize("cause", HOSTILE)
def test_what_a_stored_tensor_claims_is_checked_first(cause: str) -> None:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
    )
    graph.initializer.append(HOSTILE[cause])
    with pytest.raises(ValueError, match=f"tensor 'w': .*{cause}"):
        import_file("file.onnx", helper.make_model(graph).SerializeToString())


def test_circles_huge_inputs_and_inner_graphs_are_refused() -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    huge = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2**31, 2**31])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])
    circle = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "i", [], [y])
    loop = [helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)]
    for nodes, entry, cause in (
        (circle, x, "comes from nowhere before it"),
        ([helper.make_node("Relu", ["x"], ["y"])], huge, "at most"),
        (loop, x, "no layer does what If does"),
    ):
        model = helper.make_model(helper.make_graph(nodes, "g", [entry], [y]))
        with pytest.raises(ValueError, match=cause):
            import_file("file.onnx", model.SerializeToString())


DEEP = {
    "brackets": "(" * 5_000 + ")" * 5_000,
    "signs": "-" * 50_000 + "1",
    "sums": "x = " + "+".join(["1"] * 20_000),
    "dots": "x" + ".x" * 30_000,
    "lists": "x = " + "[" * 150 + "]" * 150,
    "names": "class " + "A" * 100_000 + ": pass",
    "multiplied": HEAD + "class A(nn.Module):\n def __init__(self):\n  self.a = [0] * 10 ** 12\n"
    ' def forward(self, x):\n  """`(batch, 2)`."""\n  return x',
    "doubled": HEAD + "class A(nn.Module):\n def __init__(self):\n  a = [1]\n"
    "  for i in range(60): a = a + a\n  self.a = a\n"
    ' def forward(self, x):\n  """`(batch, 2)`."""\n  return x',
    "starred": HEAD + "class A(nn.Module):\n def __init__(self):\n  a = [1]\n"
    "  for i in range(60): a = [*a, *a]\n  self.a = a\n"
    ' def forward(self, x):\n  """`(batch, 2)`."""\n  return x',
    "wide": HEAD + "class A(nn.Module):\n def __init__(self):\n  self.a = nn.Linear(2, 10 ** 12)\n"
    ' def forward(self, x):\n  """`(batch, 2)`."""\n  return self.a(x)',
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_and_growing_code_is_refused_in_time(kind: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        import_file("model.py", DEEP[kind].encode())


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="nested"):
        import_file("file.json", b"[" * 100_000)


def test_what_is_sent_must_be_base64_and_bounded() -> None:
    with pytest.raises(ValueError, match="must be base64"):
        take("file.json", "no base64!")
    with pytest.raises(ValueError, match="40 MB"):
        take("file.onnx", "A" * 54_000_000)
