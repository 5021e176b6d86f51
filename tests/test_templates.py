"""The templates are the published networks: parameters to the unit, operations, and shapes.

Parameter counts are those of the papers' reference weights as torchvision's and timm's model pages
list them ("num_params"), or of the paper where it says so; multiply-adds likewise, for one picture
of the size the template takes.
"""

import functools

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from engine.data import load
from engine.network import shapes
from engine.network.build import build
from engine.network.describe import describe
from engine.network.templates import find, templates
from engine.network.twins import NETWORKS, gap
from engine.training.door import refuse_misfit
from engine.training.objective import Objective
from engine.training.settings import Settings

TORCHVISION = "torchvision model zoo, num_params"
TIMM = "timm, results table"
HUB = "model card of the published weights: "
PUBLISHED = [  # name, parameters, multiply-adds [million] or None, where it is published
    ("lenet", 61_706, None, "sum over layers of LeCun et al. 1998 with full C3"),
    ("alexnet", 61_100_840, 714.2, TORCHVISION),
    ("alexnet-original", 60_965_224, None, "Krizhevsky et al. 2012: 60 million; sum over layers"),
    ("vgg11", 132_863_336, 7_609, TORCHVISION),
    ("vgg13", 133_047_848, 11_308, TORCHVISION),
    ("vgg16", 138_357_544, 15_470, TORCHVISION),
    ("vgg19", 143_667_240, 19_632, TORCHVISION),
    ("googlenet", 6_624_904, 1_498, TORCHVISION),
    ("googlenet-auxiliary", 13_004_888, None, TORCHVISION + " with aux_logits"),
    ("inception-v3", 27_161_264, 5_713, TORCHVISION),
    ("resnet18", 11_689_512, 1_814, TORCHVISION),
    ("resnet34", 21_797_672, 3_664, TORCHVISION),
    ("resnet50", 25_557_032, 4_089, TORCHVISION),
    ("resnet101", 44_549_160, 7_801, TORCHVISION),
    ("resnet152", 60_192_808, 11_514, TORCHVISION),
    ("resnext50", 25_028_904, 4_230, TORCHVISION),
    ("wide-resnet50", 68_883_240, 11_398, TORCHVISION),
    ("densenet121", 7_978_856, 2_834, TORCHVISION),
    ("densenet161", 28_681_000, 7_728, TORCHVISION),
    ("densenet169", 14_149_480, 3_360, TORCHVISION),
    ("densenet201", 20_013_928, 4_291, TORCHVISION),
    ("mobilenet-v1", 4_231_976, 568.7, "Howard et al. 2017, table 8: 4.2 M, 569 M; " + TIMM),
    ("mobilenet-v2", 3_504_872, 300.8, TORCHVISION),
    ("mobilenet-v3-small", 2_542_856, 56.5, TORCHVISION),
    ("mobilenet-v3-large", 5_483_032, 216.6, TORCHVISION),
    ("shufflenet-v2-half", 1_366_792, 40.5, TORCHVISION),
    ("shufflenet-v2", 2_278_604, 144.9, TORCHVISION),
    ("shufflenet-v2-wide", 3_503_624, 295.8, TORCHVISION),
    ("shufflenet-v2-double", 7_393_996, 583.3, TORCHVISION),
    ("efficientnet-b0", 5_288_548, 385.8, TORCHVISION),
    ("efficientnet-b1", 7_794_184, 686.8, TORCHVISION),
    ("efficientnet-b2", 9_109_994, 1_088, TORCHVISION),
    ("efficientnet-b3", 12_233_232, 1_827, TORCHVISION),
    ("efficientnet-b4", 19_341_616, 4_394, TORCHVISION),
    ("efficientnet-b7", 66_347_960, 37_746, TORCHVISION),
    ("regnet-x-400mf", 5_157_512, 400, "Radosavovic et al. 2020, table 8: 5.2 M, 400 MF; " + TIMM),
    ("regnet-y-400mf", 4_344_144, 402, TORCHVISION),
    ("regnet-y-800mf", 6_432_512, 834, TORCHVISION),
    ("convnext-tiny", 28_589_128, 4_456, TORCHVISION),
    ("convnext-small", 50_223_688, 8_684, TORCHVISION),
    ("convnext-base", 88_591_464, 15_355, TORCHVISION),
    (
        "unet",
        31_030_658,
        None,
        "Ronneberger et al. 2015, figure 1: sum over layers, 1 to 2 channels",
    ),
    ("fcn-resnet50", 32_957_013, None, TORCHVISION + " without the auxiliary head"),
    ("deeplab-resnet50", 39_638_869, None, TORCHVISION + " without the auxiliary head"),
    ("autoencoder", 2_837_314, None, "Hinton & Salakhutdinov 2006, figure 1: sum over layers"),
    ("dcgan-generator", 3_576_704, None, "PyTorch's DCGAN tutorial, netG"),
    ("dcgan-discriminator", 2_765_568, None, "PyTorch's DCGAN tutorial, netD"),
    ("char-lstm-shakespeare", 240_321, None, "char-rnn's own log for its default of 2 × 128"),
    ("transformer", 63_082_496, None, "Vaswani et al. 2017, table 3: 65 million; sum over layers"),
    ("bert-base", 109_482_240, None, HUB + "bert-base-uncased (BertModel)"),
    ("gpt2", 124_439_808, None, HUB + "gpt2, tied"),
    ("t5-small", 60_506_624, None, HUB + "t5-small, tied"),
    ("vit-tiny", 5_717_416, 1_254, TIMM),
    ("vit-small", 22_050_664, 4_599, TIMM),
    ("vit-base", 86_567_656, 17_564, TORCHVISION),
    ("deit-tiny", 5_910_800, None, TIMM),
    ("deit-small", 22_436_432, None, TIMM),
    ("deit-base", 87_338_192, None, TIMM),
    ("swin-tiny", 28_288_354, 4_491, TORCHVISION),
    ("swin-small", 49_606_258, 8_741, TORCHVISION),
    ("mamba-130m", 129_135_360, None, HUB + "state-spaces/mamba-130m, tied"),
    ("rwkv-169m", 169_342_464, None, HUB + "RWKV/rwkv-4-169m-pile"),
    ("gcn-cora", 23_063, None, "Kipf & Welling 2016, section 5: 1433 · 16 + 16 + 16 · 7 + 7"),
    ("gat-cora", 92_373, None, "Veličković et al. 2017, section 3.3: sum over layers"),
    ("pointnet", 3_480_049, None, "Qi et al. 2016, table 6: 3.5 million; sum over layers"),
    ("perceptron-digits", 650, None, "64 · 10 + 10"),
    ("xor-by-hand", 9, None, "Rumelhart et al. 1986: 2 · 2 + 2 + 2 + 1"),
]
every_published = pytest.mark.parametrize(
    ("name", "parameters", "operations", "source"), PUBLISHED, ids=[row[0] for row in PUBLISHED]
)
pictured = [
    name
    for name, one in templates().items()
    if one.data == "digits" and one.family != "Transformers"
]
others = [
    name
    for name, one in templates().items()
    if one.data.partition("?")[0] not in ("", "mnist", "shakespeare") and name not in pictured
]
alone = [n for n, one in templates().items() if not one.data and one.parameters is None]


@every_published
def test_has_the_published_number_of_parameters(name, parameters, operations, source):
    told = describe(find(name).spec.to_json())
    wrong = [
        p["text"] for n in told["nodes"].values() for p in n["problems"] if p["level"] == "error"
    ]
    assert not wrong
    assert told["totals"]["parameters"] == parameters, source
    assert find(name).parameters == parameters
    if operations is not None:  # the sources round to a few digits
        assert told["totals"]["flops"] / 2e6 == pytest.approx(operations, rel=0.01), source


@pytest.mark.parametrize("name", pictured)
def test_small_networks_learn_a_batch_of_digits(name):
    torch.manual_seed(0)
    net = build(find(name).spec)
    picture = torch.rand(16, 1, 8, 8)
    label = torch.arange(16) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(net(picture), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(p.grad is not None for p in net.parameters())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("name", others)
def test_small_networks_learn_a_batch_of_the_data_they_are_for(name):
    torch.manual_seed(0)
    net, data = build(find(name).spec), samples(find(name).data)
    refuse_misfit(net.spec, net, data)
    x, y = data.inputs(data.train_x[:16]), data.train_y[:16]
    objective = Objective(data, Settings())
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
    losses = []
    while len(losses) < 250 and losses[-1:] >= [0.7 * first for first in losses[:1]]:
        loss = objective.loss(net(*x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(p.grad is not None for p in net.parameters())
    assert losses[-1] < 0.7 * losses[0]


@functools.cache
def samples(name):
    return load(name)


@pytest.mark.parametrize("name", alone)
def test_networks_without_data_of_their_own_run_when_they_are_small(name):
    spec = find(name).spec
    told = describe(spec.to_json())
    wrong = [p for n in told["nodes"].values() for p in n["problems"] if p["level"] == "error"]
    assert not wrong
    if told["totals"]["parameters"] > 100_000 or told["totals"]["memory"] > 1_000_000:
        return  # too much to run here
    sizes = [node.params["shape"] for node in spec.nodes if node.type == "Input"]
    result = build(spec)(*[torch.rand(2, *size) for size in sizes])
    assert list(result.shape[1:]) == told["nodes"][spec.outputs[0]]["output"]
    assert result.isfinite().all()


def test_xor_by_hand_is_xor():
    points = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    given = build(find("xor-by-hand").spec)(points)
    torch.testing.assert_close(given, torch.tensor([[0.0], [1], [1], [0]]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["char-lstm", "gpt-small", "mamba-small", "rwkv-small"])
def test_writers_do_not_see_what_comes_later(name):
    torch.manual_seed(0)
    net = build(find(name).spec).eval()
    text = torch.randint(0, 31, (1, 64))
    other = text.clone()
    other[0, 40:] = (other[0, 40:] + 1) % 31
    with torch.no_grad():
        one, two = net(text), net(other)
    torch.testing.assert_close(one[:, :40], two[:, :40])
    assert not torch.allclose(one[:, 40:], two[:, 40:])


@pytest.mark.parametrize(
    "name",
    ["seq2seq-bahdanau-small", "seq2seq-luong-small", "transformer-small", "t5-tiny"],
)
def test_translators_see_the_whole_source_and_only_what_they_wrote(name):
    torch.manual_seed(0)
    net = build(find(name).spec).eval()
    source, target = torch.randint(0, 45, (1, 7)), torch.randint(0, 45, (1, 8))
    with torch.no_grad():
        given = net(source, target)
        later = net(source, torch.cat([target[:, :5], (target[:, 5:] + 1) % 45], 1))
        elsewhere = net((source + 1) % 45, target)
    torch.testing.assert_close(given[:, :5], later[:, :5])
    assert not torch.allclose(given[:, 0], elsewhere[:, 0])


class Largest(TorchDispatchMode):
    """Remembers how large a tensor with real memory was made [byte]."""

    bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in torch.utils._pytree.tree_leaves(made):
            if isinstance(one, torch.Tensor) and one.device.type != "meta":
                self.bytes = max(self.bytes, one.numel() * one.element_size())
        return made


@pytest.mark.parametrize("name", ["gpt2", "retnet-large", "seq2seq-luong"])
def test_what_is_only_looked_at_is_never_allocated(name):
    spec = find(name).spec.to_json()
    shapes._measure.cache_clear()
    with Largest() as largest:
        told = describe(spec)
    assert told["totals"]["weights"] > 400_000_000
    assert largest.bytes < 100_000


def test_unet_gives_388_pixels_for_572():
    told = describe(find("unet").spec.to_json())
    assert told["nodes"]["scores"]["output"] == [2, 388, 388]


@pytest.mark.parametrize("name", NETWORKS)
def test_computes_what_a_hand_written_twin_computes_with_its_weights(name):
    assert gap(name) < 1e-5
