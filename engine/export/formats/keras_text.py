"""What stands around the layers in a Keras script: reading the weights, and the command line."""

from __future__ import annotations

READ = {
    "conv": '''def _conv(read, path):
    """Torch has the filters first, Keras last."""
    kernel = np.moveaxis(read(f"{path}.weight"), (0, 1), (-1, -2))
    return [kernel, *bias(read, path)]''',
    "dense": """def _dense(read, path):
    return [read(f"{path}.weight").T, *bias(read, path)]""",
    "table": """def _table(read, path):
    return [read(f"{path}.weight")]""",
    "norm": """def _norm(read, path):
    return [read(f"{path}.weight"), *bias(read, path)]""",
    "batch": """def _batch(read, path):
    names = ("weight", "bias", "running_mean", "running_var")
    return [read(f"{path}.{name}") for name in names]""",
    "lstm": '''def _lstm(read, path):
    """Both have the gates in the order input, forget, cell, output; torch has two biases."""
    path, layer = path.split("|")
    both = read(f"{path}.bias_ih_l{layer}") + read(f"{path}.bias_hh_l{layer}")
    return [read(f"{path}.weight_ih_l{layer}").T, read(f"{path}.weight_hh_l{layer}").T, both]''',
    "gru": '''def _gru(read, path):
    """Torch has the gates in the order reset, update, new; Keras update first."""
    path, layer = path.split("|")

    def turned(name):
        reset, update, new = np.split(read(f"{path}.{name}_l{layer}"), 3)
        return np.concatenate([update, reset, new])

    biases = np.stack([turned("bias_ih"), turned("bias_hh")])
    return [turned("weight_ih").T, turned("weight_hh").T, biases]''',
}

MODULE = '''"""{title} in Keras 3.

python model_keras.py --weights model.safetensors --logits IN.npy OUT.npy

Images have their channels first, as in torch; KERAS_BACKEND may be torch or jax
(tensorflow computes that order on a GPU only).
"""

import argparse
import math
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras  # noqa: E402 - the backend is chosen first
import numpy as np  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

keras.config.set_image_data_format("channels_first")

WEIGHTS = {{
{places}
}}
"""Keras layer -> how its weights are laid out, and their name in the file."""


def network() -> keras.Model:
    """{title}: {parameters} parameters."""
{body}
    return keras.Model({given}, {result})


def bias(read, path):
    """The bias, if the layer has one."""
    found = read(f"{{path}}.bias")
    return [] if found is None else [found]


{readers}


KINDS = {{
{kinds}}}


def load(model: keras.Model, file: str) -> None:
    """Fill the model with weights that torch has learnt."""
    tensors = load_file(file)
    for name, (kind, path) in WEIGHTS.items():
        model.get_layer(name).set_weights(KINDS[kind](tensors.get, path))


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", help="weights to load, as safetensors")
    parser.add_argument("--logits", nargs={count}, metavar="FILE", help="IN.npy ... OUT.npy")
    options = parser.parse_args()
    model = network()
    model.summary()
    if options.weights:
        load(model, options.weights)
    if options.logits:
        *given, target = options.logits
        arrays = [np.load(path, allow_pickle=False) for path in given]
        answer = model(arrays if len(arrays) > 1 else arrays[0], training=False)
        listed = answer if isinstance(answer, list | tuple) else [answer]
        arrays = [keras.ops.convert_to_numpy(one) for one in listed]
        np.save(target, arrays[0]) if len(arrays) == 1 else np.savez(target, *arrays)


if __name__ == "__main__":
    main()
'''
