"""What stands around the layers in a Flax script: reading the weights, and the command line."""

from __future__ import annotations

HELPERS = {
    "over_channels": '''def over_channels(layer, x):
    """Apply what wants the channels last to `(batch, channels, ...)`."""
    return jnp.moveaxis(layer(jnp.moveaxis(x, 1, -1)), -1, 1)''',
}

READ = {
    "conv": '''def _conv(layer, read, path):
    """Torch has the filters first, Flax last."""
    layer.kernel[...] = jnp.moveaxis(read(f"{path}.weight"), (0, 1), (-1, -2))
    _bias(layer, read, path)''',
    "transposed": '''def _transposed(layer, read, path):
    """Flax slides the kernel as it is; torch turns it round."""
    kernel = jnp.moveaxis(read(f"{path}.weight"), (0, 1), (-2, -1))
    layer.kernel[...] = jnp.flip(kernel, range(kernel.ndim - 2))
    _bias(layer, read, path)''',
    "linear": """def _linear(layer, read, path):
    layer.kernel[...] = jnp.asarray(read(f"{path}.weight").T)
    _bias(layer, read, path)""",
    "table": """def _table(layer, read, path):
    layer.embedding[...] = jnp.asarray(read(f"{path}.weight"))""",
    "scale": """def _scale(layer, read, path):
    layer[...] = jnp.asarray(read(f"{path}.weight"))""",
    "norm": """def _norm(layer, read, path):
    layer.scale[...] = jnp.asarray(read(f"{path}.weight"))
    _bias(layer, read, path)""",
    "batch": """def _batch(layer, read, path):
    layer.scale[...] = jnp.asarray(read(f"{path}.weight"))
    layer.mean[...] = jnp.asarray(read(f"{path}.running_mean"))
    layer.var[...] = jnp.asarray(read(f"{path}.running_var"))
    _bias(layer, read, path)""",
}

MODULE = '''"""{title} in JAX, as a Flax nnx module.

python model_flax.py --weights model.safetensors --logits IN.npy OUT.npy

Images have their channels first, as in torch.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors.numpy import load_file

jax.config.update("jax_default_matmul_precision", "highest")

WEIGHTS = {{
{places}
}}
"""Attribute -> how its weights are laid out, and their name in the file."""


{helpers}class Network(nnx.Module):
    """{title}: {parameters} parameters."""

    def __init__(self, rngs: nnx.Rngs) -> None:
{built}

    def __call__(self{given}):
        """The inputs, batch first, to the outputs."""
{called}
        return {result}


def network(seed: int = 0) -> Network:
    """The network with its first weights, ready to be asked."""
    made = Network(nnx.Rngs(seed))
    made.eval()
    return made


def _bias(layer, read, path):
    """The bias, if the layer has one."""
    found = read(f"{{path}}.bias")
    if found is not None:
        layer.bias[...] = jnp.asarray(found)


{readers}


KINDS = {{
{kinds}}}


def load(model: Network, file: str) -> None:
    """Fill the network with weights that torch has learnt."""
    tensors = load_file(file)
    for name, (kind, path) in WEIGHTS.items():
        KINDS[kind](getattr(model, name), tensors.get, path)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", help="weights to load, as safetensors")
    parser.add_argument("--logits", nargs={count}, metavar="FILE", help="IN.npy ... OUT.npy")
    options = parser.parse_args()
    model = network()
    if options.weights:
        load(model, options.weights)
    if options.logits:
        *given, target = options.logits
        answer = model(*[jnp.asarray(np.load(path, allow_pickle=False)) for path in given])
        if isinstance(answer, dict):
            np.savez(target, **{{name: np.asarray(one) for name, one in answer.items()}})
        else:
            np.save(target, np.asarray(answer))


if __name__ == "__main__":
    main()
'''
