"""Data sets: the battery over the table, the IDX reader."""

import gzip
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.data import datasets, idx, load, own
from engine.data.sets import digits

MADE = [
    name
    for name, entry in datasets.all().items()
    if name != "mnist" and not entry.facts.get("download")
]


def _idx(values, path):
    array = np.asarray(values, dtype=np.uint8)
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), mtime=0))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with 1,500 made-up images of the kind that MNIST's t10k files hold."""
    random = np.random.default_rng(0)
    _idx(random.integers(0, 256, (1500, 28, 28)), tmp_path / "t10k-images-idx3-ubyte.gz")
    _idx(np.arange(1500) % 10, tmp_path / "t10k-labels-idx1-ubyte.gz")
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", MADE)
def test_a_data_set_is_what_its_entry_says(name):
    entry, data = datasets.find(name), load(name)
    assert list(data.shape) == entry.facts["shape"]
    assert list(data.classes) == entry.facts["classes"]
    assert data.kind == entry.facts["kind"]
    for x, y in ((data.train_x, data.train_y), (data.valid_x, data.valid_y)):
        assert x.dtype == (torch.int64 if data.vocabulary else torch.float32)
        assert x.shape == (len(y), *data.shape)
        assert bool(x.isfinite().all())
    assert data.note


@pytest.mark.parametrize("name", MADE)
def test_the_seed_fixes_a_data_set_and_another_changes_it(name):
    one, same, other = load(f"{name}?seed=1"), load(f"{name}?seed=1"), load(f"{name}?seed=2")
    assert torch.equal(one.train_x, same.train_x)
    assert torch.equal(one.valid_y, same.valid_y)
    # of a graph only which nodes are known changes
    assert not (torch.equal(one.train_x, other.train_x) and torch.equal(one.train_y, other.train_y))


@pytest.mark.parametrize("name", ["moons", "circles", "blobs", "xor", "spirals", "gauss"])
def test_plane_classes_are_balanced(name):
    data = load(name)
    counts = torch.bincount(torch.cat([data.train_y, data.valid_y]))
    assert int(counts.max() - counts.min()) <= 1


@pytest.mark.parametrize("arms", [2, 3, 4, 5])
def test_spirals_have_as_many_classes_as_arms(arms):
    data = load(f"spirals?arms={arms}&noise=0")
    assert len(data.classes) == arms
    assert set(data.train_y.tolist()) == set(range(arms))


def test_circles_without_noise_have_their_two_radii():
    data = load("circles?noise=0")
    radius = data.train_x.norm(dim=1)
    assert torch.allclose(radius, torch.where(data.train_y == 0, 1.1, 0.5), atol=1e-6)


def test_xor_is_the_sign_of_the_product():
    data = load("xor?noise=0")
    assert torch.equal(data.train_y, (data.train_x.prod(1) < 0).long())


def test_tables_are_scaled_by_their_training_part_alone():
    x = load("wine").train_x
    assert torch.allclose(x.mean(0), torch.zeros(13), atol=1e-5)
    assert torch.allclose(x.std(0, correction=0), torch.ones(13), atol=1e-5)


def test_iris_agrees_with_scikit_learn():
    from sklearn.datasets import load_iris

    data, bunch = load("iris"), load_iris()
    y = torch.cat([data.train_y, data.valid_y])
    assert torch.bincount(y).tolist() == np.bincount(bunch.target).tolist()
    assert data.classes == tuple(bunch.target_names)


def test_a_wrong_name_or_setting_is_told_with_the_nearest():
    with pytest.raises(LookupError, match="did you mean 'spirals'"):
        load("spiral")
    with pytest.raises(ValueError, match="did you mean 'arms'"):
        load("spirals?arm=3")
    with pytest.raises(ValueError, match="must lie in"):
        load("spirals?arms=9")


def test_t10k_files_alone_are_split_into_training_and_a_thousand(folder):
    data, again = load("mnist"), load("mnist")
    assert data.train_x.shape == (500, 1, 28, 28)
    assert data.valid_x.shape == (1000, 1, 28, 28)
    assert torch.equal(data.valid_x, again.valid_x)
    assert float(data.train_x.max()) == 1.0


def test_both_pairs_of_files_keep_the_test_images_for_validation(folder):
    _idx(np.zeros((1200, 28, 28)), folder / "train-images-idx3-ubyte.gz")
    _idx(np.arange(1200) % 10, folder / "train-labels-idx1-ubyte.gz")
    data = load("mnist?size=600")
    assert len(data.train_x) == 600
    assert float(data.train_x.max()) == 0
    assert len(data.valid_x) == 1500


def test_a_label_that_is_no_digit_is_told_with_its_byte(folder):
    labels = np.arange(1500) % 10
    labels[7] = 77
    _idx(labels, folder / "t10k-labels-idx1-ubyte.gz")
    with pytest.raises(ValueError, match="byte 15 must be a digit 0 to 9; got 77"):
        load("mnist")


def test_mnist_out_of_reach_says_what_was_tried_and_what_to_set(tmp_path, monkeypatch):
    monkeypatch.delenv("PLAYGROUND_DATA", raising=False)
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    nowhere = replace(digits.MNIST, sources=("http://127.0.0.1:9/",))
    monkeypatch.setattr(digits, "MNIST", nowhere)
    with pytest.raises(LookupError, match=r"Tried http.*Set PLAYGROUND_DATA to a folder"):
        load("mnist")


def test_the_real_t10k_files_give_nine_thousand_and_a_thousand(mnist_folder, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_DATA", str(mnist_folder))
    data = load("mnist")
    if len(data.train_x) + len(data.valid_x) != 10_000:
        pytest.skip("PLAYGROUND_DATA holds more than the t10k files")
    assert (len(data.train_x), len(data.valid_x)) == (9000, 1000)
    counts = torch.bincount(torch.cat([data.train_y, data.valid_y]))
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # LeCun


GOOD = bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 6])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "4 bytes of magic; got 0"),
        (b"PK\x03\x04 a zip file", "byte 0 .* must be 0; got 80"),
        (GOOD[:2] + b"\x0d" + GOOD[3:], "byte 2 .* must be 8; got 13"),
        (GOOD[:3] + b"\x09" + GOOD[4:], "byte 3, the number of axes"),
        (GOOD[:6], "sizes end at byte 8"),
        (GOOD[:-1], "ask for 2 bytes of data; got 1"),
        (GOOD + b"x", "ask for 2 bytes of data; got 3"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "ask for"),
        (gzip.compress(GOOD, mtime=0)[:-6], "break off or are corrupt"),
    ],
)
def test_a_corrupt_idx_file_is_told_with_the_byte(tmp_path, content, words):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        idx.read(path)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "LARGEST", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(10_000), mtime=0))
    with pytest.raises(ValueError, match="at most 1000 bytes"):
        idx.read(path)


IRISH = "length,kind,width,species\n" + "".join(
    f"{1 + i / 10},{'ab'[i % 2]},{'' if i == 3 else i},{['x', 'y', 'z'][i % 3]}\n"
    for i in range(30)
)


def test_a_table_of_ones_own_is_spread_out_scaled_and_told():
    data = own.read(IRISH.encode(), "mine")
    assert data.task == "classification"
    assert data.classes == ("x", "y", "z")
    assert data.features == ("length", "kind = a", "kind = b", "width")
    assert (len(data.train_x), len(data.valid_x)) == (24, 6)
    assert torch.allclose(data.train_x[:, 0].mean(), torch.tensor(0.0), atol=1e-6)
    assert "1 missing numbers of width set to its mean" in data.note
    assert "kind spread out into 2 columns" in data.note
    assert bool(data.train_x.isfinite().all())


def test_a_target_of_many_numbers_is_a_regression():
    data = own.read(IRISH.replace("length", "long").encode(), "mine", target="long")
    assert data.task == "regression"
    assert data.train_y.shape == (24, 1)
    assert "species = x" in data.features


def test_tabs_commas_for_points_and_no_names_are_understood():
    text = "".join(f"{i},5\t{i % 4}\n" for i in range(20))
    data = own.read(text.encode(), "mine")
    assert data.classes == ("0", "1", "2", "3")
    assert data.features == ("column 1",)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("1.7,", "1.7,extra,", "line 9: must have 4 cells as line 1; got 5"),
        ("1.7,", "oops,", "line 9, column 'length': must be a number like the others; got 'oops'"),
        (",7,y", ",7,", "line 9, column 'species': the target is missing"),
        ("kind", "length", "two columns are called 'length'"),
        ("length", "length\xff", "text in UTF-8; byte 6"),
    ],
)
def test_a_malformed_table_is_told_with_its_place(old, new, words):
    assert old in IRISH
    with pytest.raises(ValueError, match=words):
        own.read(IRISH.replace(old, new, 1).encode("latin-1"), "mine")


def test_a_column_of_names_is_refused_with_what_to_do():
    text = "id,a,species\n" + "".join(f"row{i},{i},{'xy'[i % 2]}\n" for i in range(60))
    with pytest.raises(ValueError, match=r"column 'id': has 60 different words.*take it out"):
        own.read(text.encode(), "mine")


def test_an_upload_is_found_again_by_its_words_alone(home):
    words = own.keep(IRISH.encode())
    assert load(words).classes == ("x", "y", "z")
    assert load(f"{words}?target=kind").classes == ("a", "b")
    with pytest.raises(LookupError, match="upload it again"):
        load("own:../../etc/passwd")
