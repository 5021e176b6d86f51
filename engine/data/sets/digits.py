"""Handwritten digits, small and large, and two sets of pictures made in their likeness."""

from __future__ import annotations

from typing import Annotated, Any

from engine.data.archive import Archive
from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

CLASSES = tuple("0123456789")
LARGEST = (30_000_000, 60_000)  # bytes of a file of pictures, and of labels

Size = Annotated[int, Slider(500, 60_000, log=True, help="More training images")]
Seed = Annotated[int, Slider(0, 999, help="Another draw of training images")]

MNIST = Archive(
    "mnist",
    "MNIST",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    {
        "train-images-idx3-ubyte.gz": (
            "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
        ),
        "train-labels-idx1-ubyte.gz": (
            "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
        ),
        "t10k-images-idx3-ubyte.gz": (
            "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
        ),
    },
    CLASSES,
    alone=True,
)
# The MD5 that the data set's own page lists, as torchvision has them (FashionMNIST.resources).
FASHION = Archive(
    "fashion_mnist",
    "Fashion-MNIST",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    {
        "train-images-idx3-ubyte.gz": ("md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", LARGEST[0]),
        "train-labels-idx1-ubyte.gz": ("md5:25c81989df183df01b3e8a0aad5dffbe", LARGEST[1]),
        "t10k-images-idx3-ubyte.gz": ("md5:bef4ecab320f06d8554ea6380940ec79", LARGEST[0]),
        "t10k-labels-idx1-ubyte.gz": ("md5:bb300cfdad3c16e7a12a480ee83cd310", LARGEST[1]),
    },
    (
        *("T-shirt", "trousers", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
)
# The MD5 as torchvision has them (KMNIST.resources).
KUZUSHIJI = Archive(
    "kmnist",
    "Kuzushiji-MNIST",
    ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    {
        "train-images-idx3-ubyte.gz": ("md5:bdb82020997e1d708af4cf47b453dcf7", LARGEST[0]),
        "train-labels-idx1-ubyte.gz": ("md5:e144d726b3acfaa3e44228e80efcd344", LARGEST[1]),
        "t10k-images-idx3-ubyte.gz": ("md5:5c965bf0a639b31b8f53240b1b52f4d7", LARGEST[0]),
        "t10k-labels-idx1-ubyte.gz": ("md5:7320c461ea6c1c855c0b718fb2a4b134", LARGEST[1]),
    },
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)


@datasets.add("digits", shape=[1, 8, 8], classes=list(CLASSES), kind="image")
def digits(
    seed: Annotated[int, Slider(0, 999, help="Another split into training and validation")] = 0,
) -> DataSet:
    """1,797 handwritten digits of 8 x 8 pixels, always at hand.

    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI.
    """
    from sklearn.datasets import load_digits  # here: takes a second to import

    bunch: Any = load_digits()  # scikit-learn has no types
    x = bunch.images[:, None] / 16  # 17 levels of grey, (1797, 1, 8, 8)
    note = "UCI digits, grey levels scaled to [0, 1]; 360 are set aside for validation"
    return split("digits", x, bunch.target, CLASSES, seed=seed, valid=360, note=note)


@datasets.add("mnist", shape=[1, 28, 28], classes=list(CLASSES), kind="image")
def mnist(size: Size = 10_000, seed: Seed = 0) -> DataSet:
    """Handwritten digits of 28 x 28 pixels, from your folder of IDX files or downloaded once.

    Source: LeCun, Cortes & Burges (1998), The MNIST database of handwritten digits.
    """
    return MNIST.read(size, seed)


@datasets.add(
    "fashion_mnist",
    shape=[1, 28, 28],
    classes=list(FASHION.classes),
    kind="image",
    download=True,
)
def fashion_mnist(size: Size = 10_000, seed: Seed = 0) -> DataSet:
    """Clothes in ten kinds, 28 x 28 pixels, from your folder or downloaded once.

    Source: Xiao, Rasul & Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking.
    """
    return FASHION.read(size, seed)


@datasets.add(
    "kmnist", shape=[1, 28, 28], classes=list(KUZUSHIJI.classes), kind="image", download=True
)
def kmnist(size: Size = 10_000, seed: Seed = 0) -> DataSet:
    """Japanese letters in old handwriting, ten kinds, 28 x 28 pixels, downloaded once.

    Source: Clanuwat et al. (2018), Deep learning for classical Japanese literature.
    """
    return KUZUSHIJI.read(size, seed)


def at_hand() -> bool:
    """Whether MNIST can be read without the internet: from its folder or the cache."""
    return MNIST.at_hand()
