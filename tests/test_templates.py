"""The templates are the published networks: parameters to the unit, operations, and shapes.

Parameter counts are those of the papers' reference weights as torchvision's and timm's model pages
list them ("num_params"), or of the paper where it says so; multiply-adds likewise, for one picture
of the size the template takes.
"""

import pytest
import torch

from engine.network.build import build
from engine.network.describe import describe
from engine.network.templates import find, templates
from engine.network.twins import NETWORKS, gap

TORCHVISION = "torchvision model zoo, num_params"
TIMM = "timm, results table"
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
]
every_published = pytest.mark.parametrize(
    ("name", "parameters", "operations", "source"), PUBLISHED, ids=[row[0] for row in PUBLISHED]
)
trainable = [name for name, one in templates().items() if one.data == "digits"]


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


@pytest.mark.parametrize("name", trainable)
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


def test_unet_gives_388_pixels_for_572():
    told = describe(find("unet").spec.to_json())
    assert told["nodes"]["scores"]["output"] == [2, 388, 388]


@pytest.mark.parametrize("name", NETWORKS)
def test_computes_what_a_hand_written_twin_computes_with_its_weights(name):
    assert gap(name) < 1e-5
