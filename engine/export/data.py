"""How a script that stands alone gets its data."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Literal
from urllib.parse import parse_qsl

from engine.data import load as load_data
from engine.data import recast
from engine.data.dataset import IGNORED, DataSet, datasets
from engine.data.tokens import NOTHING
from engine.export.inline import definitions, imports
from engine.forms import Value
from engine.network.shapes import literal

_SPLIT = '''
def split(_name, x, y, classes, *, seed, valid, vocabulary=(), latest=False, **_rest) -> Data:
    """Shuffled samples in two parts: to learn from and, the last ones, to judge by."""
    order = np.random.default_rng(seed).permutation(len(x) - valid * latest)
    order = np.concatenate([order, np.arange(len(order), len(x))])
    whole = np.int64 if vocabulary else np.float32
    samples = torch.from_numpy(np.ascontiguousarray(x[order], dtype=whole))
    kind = np.int64 if classes else np.float32
    answers = torch.from_numpy(np.ascontiguousarray(y[order], dtype=kind))
    cut = len(x) - valid
    return samples[:cut], answers[:cut], samples[cut:], answers[cut:]
'''

_DIGITS = Template('''
def load() -> Data:
    """The digits of scikit-learn: 1,797 of 8 x 8 pixels, grey in [0, 1]."""
    bunch = load_digits()
    x = bunch.images[:, None] / 16
    return split("digits", x, bunch.target, "0123456789", seed=$seed, valid=360)
''')

_MNIST = Template('''
def read_idx(folder: Path, stem: str) -> np.ndarray | None:
    """An array in MNIST's own format, packed or not; None where there is none."""
    for path in sorted(folder.glob(f"**/{stem}*ubyte*")):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        shape = np.frombuffer(content, ">u4", content[3], offset=4)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)
    return None


def load() -> Data:
    """MNIST from the folder of IDX files that PLAYGROUND_DATA names, grey in [0, 1]."""
    folder = Path(os.environ.get("PLAYGROUND_DATA", "."))
    pairs = {
        part: (read_idx(folder, f"{part}-images"), read_idx(folder, f"{part}-labels"))
        for part in ("train", "t10k")
    }
    found = {part: pair for part, pair in pairs.items() if pair[0] is not None}
    if not found:
        raise SystemExit("set PLAYGROUND_DATA to a folder with MNIST's IDX files")
    x, y = found.get("train", next(iter(found.values())))
    alone = len(found) == 1
    order = np.random.default_rng($seed).permutation(len(x))[: $size + (1_000 if alone else 0)]
    pair = grey(x[order]), y[order]
    if alone:  # the last thousand judge
        return split("mnist", *pair, "0123456789", seed=$seed, valid=1_000)
    learn = split("mnist", *pair, "0123456789", seed=$seed, valid=0)
    x, y = found["t10k"]
    judge = split("mnist", grey(x), y, "0123456789", seed=$seed, valid=len(x))
    return *learn[:2], *judge[2:]


def grey(images: np.ndarray) -> np.ndarray:
    """Bytes `(n, 28, 28)` as grey in [0, 1], `(n, 1, 28, 28)`."""
    return images[:, None].astype(np.float32) / 255
''')

_FILE = '''
def load() -> Data:
    """Your own samples: a file data.npz with train_x, train_y, valid_x and valid_y."""
    with np.load("data.npz", allow_pickle=False) as file:
        parts = [torch.from_numpy(file[n]) for n in ("train_x", "train_y", "valid_x", "valid_y")]
    return tuple(parts)
'''


Answers = Literal["classes", "places", "numbers"]
"""Whether a sample's answer is one class, a class for each place of a sequence, or numbers."""


def loading(data: str) -> tuple[list[str], str, Answers]:
    """The imports and the text that define `load()`, and what the answers are.

    Args:
        data: What the data set is asked for by, `"spirals?arms=3"`, or "" for one's own file.
    """
    if not data:
        return [], f"{_HEAD}{_FILE}", "classes"
    name, _, query = data.partition("?")
    changed = any(key in recast.CHANGES for key, _ in parse_qsl(query))
    if ":" in name or changed or _alone(name):
        return [], f"{_HEAD}{_FILE}", _answers(load_data(data))
    entry = datasets.find(name)
    settings = entry.form.fill({key: _plain(word) for key, word in parse_qsl(query)})
    if name == "digits":
        lines = ["from sklearn.datasets import load_digits"]
        return lines, f"{_HEAD}{_SPLIT}\n{_DIGITS.substitute(settings)}", "classes"
    if name == "mnist":
        lines = ["import gzip", "import os", "from pathlib import Path"]
        return lines, f"{_HEAD}{_SPLIT}\n{_MNIST.substitute(settings)}", "classes"
    return *_copied(name, settings), _answers(load_data(data))


def _alone(name: str) -> bool:
    """Whether a data set cannot be made by a copy of its function: a download, or a graph."""
    facts = datasets.find(name).facts
    return bool(facts.get("download")) or facts["kind"] == "graph"


def _answers(data: DataSet) -> Answers:
    if data.task == "regression":
        return "numbers"
    return "places" if data.per_place else "classes"


_HEAD = "Data = tuple[torch.Tensor, ...]\n\n"


def _copied(name: str, settings: Mapping[str, Value]) -> tuple[list[str], str]:
    """The data set's own function, out of its file, with what it needs."""
    function = datasets.find(name).function
    path = Path(inspect.getfile(function))
    texts = definitions(path, [function.__name__])
    aliases = dict(re.findall(r"^(\w+) = Annotated\[(\w+),", "\n".join(texts), flags=re.MULTILINE))
    parts = [_without_controls(text, aliases) for text in texts if " = Annotated[" not in text]
    for name, value in (("IGNORED", IGNORED), ("NOTHING", NOTHING)):
        if any(re.search(rf"\b{name}\b", part) for part in parts):
            parts.insert(0, f"{name} = {literal(value)}")
    chosen = ", ".join(f"{key}={literal(value)}" for key, value in settings.items())
    parts.append(
        f'def load() -> Data:\n    """Samples to learn from and to judge by."""\n'
        f"    return {function.__name__}({chosen})"
    )
    text = _HEAD + _SPLIT + "".join(f"\n\n{part}\n" for part in parts)
    return [line for line in imports(path, text) if "numpy as np" not in line], text


def _without_controls(text: str, aliases: Mapping[str, str]) -> str:
    """A function's text with plain types in place of the controls of its form."""
    text = re.sub(r"Annotated\[(\w+), .*?\)\]", r"\1", text, flags=re.DOTALL)
    text = re.sub(r": Literal\[[^\]]*\]", ": str", text)
    for alias, kind in aliases.items():
        text = re.sub(rf": {alias}\b", f": {kind}", text)
    return text.replace("-> DataSet", "-> Data")


def _plain(word: str) -> object:
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        return word
