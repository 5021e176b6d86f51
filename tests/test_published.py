"""The language and vision templates compute what the published implementations compute.

Small networks of the same build, with the weights of `transformers`' own classes put into ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import pytest
import torch
from torch import Tensor, nn

from engine.network.build import build
from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import recurrences
from engine.network.templates import transformers as language
from engine.network.templates import vision_transformers as vision

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

State = Mapping[str, Tensor]
Named = Iterator[tuple[str, Tensor]]


def given(spec: NetworkSpec, weights: Named, *inputs: Tensor) -> Tensor:
    """What a network of ours gives with these weights, of which none may be missing."""
    net = build(spec).eval()
    tied = {node.id for node in spec.nodes if node.tied}
    state = dict(weights)
    wanted = [name for name in net.state_dict() if name.split(".")[0] not in tied]
    assert sorted(state) == sorted(wanted)
    net.load_state_dict(state, strict=False)
    with torch.no_grad():
        result = net(*inputs)
    return result if isinstance(result, Tensor) else next(iter(result.values()))


def shaken(model: nn.Module) -> State:
    """A model's weights after each was moved, so that none is simply 0 or 1."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model.eval().state_dict()


def renamed(state: State, table: list[tuple[str, str]]) -> Named:
    """Weights under our names: the first pattern that fits a name says what it is called."""
    for name, value in state.items():
        for pattern, ours in table:
            if re.fullmatch(pattern, name):
                if ours:
                    yield re.sub(pattern, ours, name), value
                break
        else:
            raise AssertionError(f"nothing is said of {name}")


def gpt2() -> tuple[Tensor, Tensor]:
    config = transformers.GPT2Config(
        vocab_size=40,
        n_positions=12,
        n_embd=16,
        n_layer=2,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    theirs = transformers.GPT2LMHeadModel(config)
    table = [
        (r"transformer.wte.weight", "words.weight"),
        (r"transformer.wpe.weight", "positions.weight"),
        (r"transformer.h.(\d).ln_1.(\w+)", r"layers.\1.layernorm1.\2"),
        (r"transformer.h.(\d).attn.c_attn.(\w+)", r"layers.\1.attention.qkv.\2"),
        (r"transformer.h.(\d).attn.c_proj.(\w+)", r"layers.\1.attention.out.\2"),
        (r"transformer.h.(\d).ln_2.(\w+)", r"layers.\1.layernorm2.\2"),
        (r"transformer.h.(\d).mlp.c_fc.(\w+)", r"layers.\1.widen.\2"),
        (r"transformer.h.(\d).mlp.c_proj.(\w+)", r"layers.\1.narrow.\2"),
        (r"transformer.ln_f.(\w+)", r"norm.\1"),
        (r"lm_head.weight", ""),
    ]
    turned = (  # theirs are (in, out)
        (n, w.T if re.search(r"(qkv|out|widen|narrow).weight", n) else w)
        for n, w in renamed(shaken(theirs), table)
    )
    text = torch.randint(0, 40, (2, 12))
    ours = given(language._gpt(40, 12, 2, 16, 4), turned, text)
    return ours, theirs(text).logits.detach()


T5 = {"q": "query", "k": "key", "v": "value", "o": "out", "wi": "widen", "wo": "narrow"}


def t5_name(name: str) -> str:
    """Our name for a weight of T5."""
    side, last = f"{name[:2]}coder", name.split(".")[-2]
    if last == "shared":
        return "words.weight"
    if last == "relative_attention_bias":
        return "distances.weight" if side == "encoder" else "past_distances.weight"
    if last == "final_layer_norm":
        return "read.weight" if side == "encoder" else "norm.weight"
    block, place = re.findall(r"\.(\d)", name)
    if last == "layer_norm":
        return f"{side}.{block}.rmsnorm{int(place) + 1}.weight"
    home = "look." if "EncDec" in name else "attention."
    return f"{side}.{block}.{'' if last in ('wi', 'wo') else home}{T5[last]}.weight"


def t5() -> tuple[Tensor, Tensor]:
    config = transformers.T5Config(
        vocab_size=40, d_model=16, d_kv=4, d_ff=24, num_layers=2, num_heads=4, dropout_rate=0.0
    )
    theirs = transformers.T5ForConditionalGeneration(config)
    state = shaken(theirs)
    again = ("lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight")
    named = ((t5_name(name), value) for name, value in state.items() if name not in again)
    source, target = torch.randint(0, 40, (2, 9)), torch.randint(0, 40, (2, 7))
    ours = given(language._t5(40, (9, 7), 2, 16, 4, 24), named, source, target)
    result = theirs(input_ids=source, decoder_input_ids=target)
    return ours, result.logits.detach()


def joined(named: Named) -> Named:
    """Query, key and value, called `...q.`, `...k.` and `...v.`, as the one matrix that ours is."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in named:
        if found := re.fullmatch(r"(.*)@([qkv])@(.*)", name):
            parts.setdefault(found[1] + found[3], {})[found[2]] = value
        else:
            yield name, value
    for name, three in parts.items():
        yield name, torch.cat([three[one] for one in "qkv"])


def bert() -> tuple[Tensor, Tensor]:
    config = transformers.BertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=20,
    )  # fmt: skip
    theirs = transformers.BertModel(config)
    layer = r"encoder.layer.(\d)."
    table = [
        (r"embeddings.word_embeddings.weight", "words.weight"),
        (r"embeddings.position_embeddings.weight", "positions.weight"),
        (r"embeddings.token_type_embeddings.weight", "kinds.weight"),
        (r"embeddings.LayerNorm.(\w+)", r"layernorm1.\1"),
        (layer + r"attention.self.([qkv])\w+.(\w+)", r"encoder.\1.attention.in_proj_@\2@\3"),
        (layer + r"attention.output.dense.(\w+)", r"encoder.\1.attention.out_proj.\2"),
        (layer + r"attention.output.LayerNorm.(\w+)", r"encoder.\1.layernorm1.\2"),
        (layer + r"intermediate.dense.(\w+)", r"encoder.\1.widen.\2"),
        (layer + r"output.dense.(\w+)", r"encoder.\1.narrow.\2"),
        (layer + r"output.LayerNorm.(\w+)", r"encoder.\1.layernorm2.\2"),
        (r"pooler.dense.(\w+)", r"pooler.\1"),
    ]
    text, kinds = torch.randint(0, 40, (2, 9)), torch.randint(0, 2, (2, 9))
    named = joined(renamed(shaken(theirs), table))
    ours = given(language._bert(40, 9, 20, 2, 16, 4), named, text, kinds)
    return ours, theirs(text, token_type_ids=kinds).last_hidden_state.detach()


def mamba() -> tuple[Tensor, Tensor]:
    config = transformers.MambaConfig(
        vocab_size=40, hidden_size=16, state_size=4, num_hidden_layers=2, expand=2, conv_kernel=4
    )
    theirs = transformers.MambaForCausalLM(config)
    table = [
        (r"backbone.embeddings?.weight", "words.weight"),
        (r"backbone.layers.(\d).norm.weight", r"layers.\1.rmsnorm1.weight"),
        (r"backbone.layers.(\d).mixer.(.+)", r"layers.\1.mixer.\2"),
        (r"backbone.norm_f.weight", "norm.weight"),
        (r"lm_head.weight", ""),
    ]
    text = torch.randint(0, 40, (2, 11))
    spec = recurrences._mamba(11, 40, 2, 16, 4)
    return given(spec, renamed(shaken(theirs), table), text), theirs(text).logits.detach()


def rwkv() -> tuple[Tensor, Tensor]:
    config = transformers.RwkvConfig(
        vocab_size=40, context_length=16, hidden_size=16, num_hidden_layers=2, rescale_every=0
    )
    theirs = transformers.RwkvForCausalLM(config)
    table = [
        (r"rwkv.embeddings.weight", "words.weight"),
        (r"rwkv.blocks.0.pre_ln.(\w+)", r"first_norm.\1"),
        (r"rwkv.blocks.(\d).ln(\d).(\w+)", r"layers.\1.layernorm\2.\3"),
        (r"rwkv.blocks.(\d).attention.time_mix_key", r"layers.\1.time.time_mix_k"),
        (r"rwkv.blocks.(\d).attention.time_mix_value", r"layers.\1.time.time_mix_v"),
        (r"rwkv.blocks.(\d).attention.time_mix_receptance", r"layers.\1.time.time_mix_r"),
        (r"rwkv.blocks.(\d).attention.(.+)", r"layers.\1.time.\2"),
        (r"rwkv.blocks.(\d).feed_forward.time_mix_key", r"layers.\1.channels.time_mix_k"),
        (r"rwkv.blocks.(\d).feed_forward.time_mix_receptance", r"layers.\1.channels.time_mix_r"),
        (r"rwkv.blocks.(\d).feed_forward.(.+)", r"layers.\1.channels.\2"),
        (r"rwkv.ln_out.(\w+)", r"norm.\1"),
        (r"head.weight", "scores.weight"),
    ]
    text = torch.randint(0, 40, (2, 11))
    flat = ((n, w.flatten() if "time_mix" in n else w) for n, w in renamed(shaken(theirs), table))
    with torch.no_grad():
        expected = theirs(text, use_cache=False).logits
    return given(recurrences._rwkv(11, 40, 2, 16), flat, text), expected


def vit() -> tuple[Tensor, Tensor]:
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        image_size=8, patch_size=2, num_channels=1, layer_norm_eps=1e-6, num_labels=10,
    )  # fmt: skip
    theirs = transformers.ViTForImageClassification(config)
    layer = r"vit.\w+(?:.layer)?.(\d)."
    table = [
        (r"vit.embeddings.cls_token", "classtoken1.weight"),
        (r"vit.embeddings.position_embeddings", "positions.weight"),
        (r"vit.embeddings.patch_embeddings.projection.(\w+)", r"patches.proj.\1"),
        (layer + r"layernorm_before.(\w+)", r"layers.\1.layernorm1.\2"),
        (layer + r"layernorm_after.(\w+)", r"layers.\1.layernorm2.\2"),
        (
            layer + r"attention.(?:attention.)?([qkv])(?:uery|ey|alue|_proj).(\w+)",
            r"layers.\1.attention.qkv.@\2@\3",
        ),
        (layer + r"attention.(?:output.dense|o_proj).(\w+)", r"layers.\1.attention.out.\2"),
        (layer + r"(?:intermediate.dense|mlp.fc1).(\w+)", r"layers.\1.widen.\2"),
        (layer + r"(?:output.dense|mlp.fc2).(\w+)", r"layers.\1.narrow.\2"),
        (r"vit.layernorm.(\w+)", r"norm.\1"),
        (r"classifier.(\w+)", r"scores.\1"),
    ]
    named = joined(renamed(shaken(theirs), table))
    bare = ((n, w[0] if n in ("classtoken1.weight", "positions.weight") else w) for n, w in named)
    image = torch.rand(2, 1, 8, 8)
    ours = given(vision._vit(Sketch(1, 8, 8), 2, 2, 16, 4), bare, image)
    return ours, theirs(image).logits.detach()


def swin() -> tuple[Tensor, Tensor]:
    config = transformers.SwinConfig(
        image_size=16, patch_size=1, num_channels=1, embed_dim=8, depths=[2, 2], num_heads=[2, 4],
        window_size=4, drop_path_rate=0.0, num_labels=10,
    )  # fmt: skip
    theirs = transformers.SwinForImageClassification(config)
    layer = r"swin.encoder.layers.(\d).blocks.(\d)."

    def ours_of(name: str) -> str:
        if found := re.match(layer, name):
            stage, shifted = int(found[1]), found[2] == "1"
            block = ("pair_", "pair_2")[stage] + ".0."
            kind = name.rsplit(".", 1)[1]
            window = block + ("shifted" if shifted else "windows")
            rest = name[found.end() :]
            for pattern, place in {
                r"layernorm_before": f"{block}layernorm{3 if shifted else 1}.{kind}",
                r"layernorm_after": f"{block}layernorm{4 if shifted else 2}.{kind}",
                r".*relative_position_bias_table": f"{window}.bias",
                r"attention.q_proj": f"{window}.qkv.@q@{kind}",
                r"attention.k_proj": f"{window}.qkv.@k@{kind}",
                r"attention.v_proj": f"{window}.qkv.@v@{kind}",
                r"attention.o_proj": f"{window}.out.{kind}",
                r"mlp.fc1": f"{block}widen{2 if shifted else ''}.{kind}",
                r"mlp.fc2": f"{block}narrow{2 if shifted else ''}.{kind}",
            }.items():
                if re.match(pattern, rest):
                    return place
        return name

    table = [
        (r"swin.embeddings.patch_embeddings.projection.(\w+)", r"patches.\1"),
        (r"swin.embeddings.norm.(\w+)", r"layernorm1.\1"),
        (r"swin.encoder.layers.0.downsample.norm.(\w+)", r"layernorm2.\1"),
        (r"swin.encoder.layers.0.downsample.reduction.(\w+)", r"merge.\1"),
        (r"swin.layernorm.(\w+)", r"layernorm3.\1"),
        (r"classifier.(\w+)", r"scores.\1"),
        (r"swin.*relative_position_index", ""),
        (r"(pair.*)", r"\1"),
    ]
    state = {ours_of(name): value for name, value in shaken(theirs).items()}
    # Theirs puts four neighbours as (0,0), (1,0), (0,1), (1,1), each with all its channels.
    order = torch.arange(32).view(2, 2, 8).permute(2, 1, 0).flatten()
    merged = (
        (n, w[..., order] if n.startswith(("merge", "layernorm2")) else w)
        for n, w in joined(renamed(state, table))
    )
    image = torch.rand(2, 1, 16, 16)
    ours = given(vision._swin(Sketch(1, 16, 16), 1, 8, (1, 1), 2, 4), merged, image)
    return ours, theirs(image).logits.detach()


PAIRS: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
    "gpt2": gpt2,
    "bert": bert,
    "swin": swin,
    "t5": t5,
    "mamba": mamba,
    "rwkv": rwkv,
    "vit": vit,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PAIRS)
def test_computes_what_the_published_implementation_computes(name: str) -> None:
    torch.manual_seed(1)
    ours, theirs = PAIRS[name]()
    assert theirs.std() > 0.01
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
