"""Downloads, against a server on loopback that has small files of the real formats."""

import gzip
import hashlib
import io
import struct
import tarfile
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from engine.data import load
from engine.data.download import fetch
from engine.data.sets import cifar, digits, text


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def site(tmp_path):
    """A folder, and the address under which a web server on loopback shows it."""
    folder = tmp_path / "site"
    folder.mkdir()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{httpd.server_port}/"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A home without files, and no folder of data."""
    monkeypatch.delenv("PLAYGROUND_DATA", raising=False)
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def md5(content):
    return "md5:" + hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_a_download_is_checked_kept_and_not_asked_for_again(site, tmp_path, kind):
    folder, address = site
    (folder / "file").write_bytes(b"hello")
    checksum = f"{kind}:{hashlib.new(kind, b'hello').hexdigest()}"
    target = tmp_path / "cache" / "file"
    got = fetch([f"{address}file"], target, checksum=checksum, largest=10)
    assert got.read_bytes() == b"hello"
    assert fetch(["http://127.0.0.1:9/"], target, checksum=checksum, largest=10) == target
    assert list(target.parent.iterdir()) == [target]


def test_another_file_or_too_large_a_one_is_refused(site, tmp_path):
    folder, address = site
    (folder / "file").write_bytes(b"hello")
    with pytest.raises(LookupError, match=r"sent another file \(MD5 5d41402abc4b"):
        fetch([f"{address}file"], tmp_path / "a", checksum=f"md5:{'0' * 32}", largest=10)
    with pytest.raises(LookupError, match="more than 4 bytes"):
        fetch([f"{address}file"], tmp_path / "a", checksum=md5(b"hello"), largest=4)
    with pytest.raises(LookupError, match="is no web address"):
        fetch(["file:///etc/passwd"], tmp_path / "a", checksum=md5(b""), largest=4)
    assert not (tmp_path / "a").exists()


def test_the_second_source_is_asked_where_the_first_sends_something_else(site, tmp_path):
    folder, address = site
    (folder / "bad").write_bytes(b"a page that says: not found")
    (folder / "good").write_bytes(b"hello")
    sources = [f"{address}bad", f"{address}good"]
    assert fetch(sources, tmp_path / "a", checksum=md5(b"hello"), largest=100).exists()


def packed(values):
    array = np.asarray(values, dtype=np.uint8)
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


def idx_site(folder, address, archive):
    """Small files of the archive's format on the site; the archive that finds them there."""
    random = np.random.default_rng(0)
    files = {}
    for part in ("train", "t10k"):
        pictures = packed(random.integers(0, 256, (1100, 28, 28)))
        labels = packed(np.arange(1100) % 10)
        for name, content in (
            (f"{part}-images-idx3-ubyte.gz", pictures),
            (f"{part}-labels-idx1-ubyte.gz", labels),
        ):
            (folder / name).write_bytes(content)
            files[name] = (md5(content), 5_000_000)
    return replace(archive, sources=(address,), files=files)


@pytest.mark.parametrize(
    ("name", "constant", "first"),
    [("fashion_mnist", "FASHION", "T-shirt"), ("kmnist", "KUZUSHIJI", "o")],
)
def test_the_likes_of_mnist_are_downloaded_once(site, bare, monkeypatch, name, constant, first):
    folder, address = site
    archive = idx_site(folder, address, getattr(digits, constant))
    monkeypatch.setattr(digits, constant, archive)
    data = load(f"{name}?size=600")
    assert data.train_x.shape == (600, 1, 28, 28)
    assert data.valid_x.shape == (1100, 1, 28, 28)
    assert data.classes[0] == first
    for file in folder.iterdir():
        file.unlink()
    again = load(f"{name}?size=600")  # from the cache
    assert torch.equal(again.train_x, data.train_x)


@pytest.mark.parametrize(
    ("name", "instead"),
    [("fashion_mnist", "digits"), ("kmnist", "digits"), ("cifar10", "photographs")],
)
def test_what_is_out_of_reach_is_told_with_what_needs_no_download(bare, monkeypatch, name, instead):
    nowhere = ("http://127.0.0.1:9/",)
    monkeypatch.setattr(cifar, "SOURCES", nowhere)
    for constant in ("FASHION", "KUZUSHIJI"):
        away = replace(getattr(digits, constant), sources=nowhere)
        monkeypatch.setattr(digits, constant, away)
    with pytest.raises(LookupError, match=rf"is not here: .*Tried http.*'{instead}'"):
        load(name)


def tar(files, kind=tarfile.REGTYPE):
    """A tar archive packed with gzip that holds these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.linkname = len(content), kind, "/etc/passwd"
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def batch(count, label=None):
    """Records of CIFAR-10's binary form."""
    random = np.random.default_rng(count)
    rows = random.integers(0, 256, (count, cifar.RECORD), dtype=np.uint8)
    rows[:, 0] = np.arange(count) % 10 if label is None else label
    return rows


def test_cifar_is_read_from_its_binary_archive(site, bare, monkeypatch):
    folder, address = site
    learn, judge = batch(700), batch(200)
    files = {
        "cifar-10-batches-bin/readme.html": b"<p>hello</p>",
        "cifar-10-batches-bin/data_batch_1.bin": learn.tobytes(),
        "cifar-10-batches-bin/test_batch.bin": judge.tobytes(),
    }
    content = tar(files)
    (folder / "archive").write_bytes(content)
    monkeypatch.setattr(cifar, "SOURCES", (f"{address}archive",))
    monkeypatch.setattr(cifar, "CHECKSUM", md5(content))
    data = load("cifar10?size=600")
    assert data.train_x.shape == (600, 3, 32, 32)
    assert data.valid_x.shape == (200, 3, 32, 32)
    first = int(np.flatnonzero(np.random.default_rng(0).permutation(700) == 0)[0])
    if first < 600:  # the first record, wherever it went
        red = torch.from_numpy(learn[0, 1:1025].astype(np.float32) / 255)
        torch.testing.assert_close(data.train_x[first, 0].flatten(), red)
    assert float(data.train_x.max()) <= 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"data_batch_1.bin": b"x" * 100}, "data_batch_1.bin: must have 1 to 10,000 records"),
        ({"data_batch_1.bin": batch(3, 77).tobytes()}, "record 1 .*must be 0 to 9; got 77"),
        ({"data_batch_1.bin": batch(3).tobytes()}, r"must hold test_batch\.bin"),
    ],
)
def test_a_wrong_archive_is_told_with_its_file(tmp_path, files, words):
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(tar(files))
    with pytest.raises(ValueError, match=words):
        cifar.records(path, 1)


def test_links_in_an_archive_are_not_followed_and_a_broken_one_is_told(tmp_path):
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(tar({"data_batch_1.bin": b"", "test_batch.bin": b""}, tarfile.SYMTYPE))
    with pytest.raises(ValueError, match=r"must hold data_batch_1\.bin, test_batch\.bin"):
        cifar.records(path, 1)
    path.write_bytes(tar({"data_batch_1.bin": batch(5).tobytes()})[:-200])
    with pytest.raises(ValueError, match="must be a tar archive packed with gzip"):
        cifar.records(path, 1)


def test_a_novel_is_read_in_small_letters(site, bare, monkeypatch):
    folder, address = site
    content = ("The Time Traveller (for so it will be...)\n" * 200).encode()
    (folder / "novel").write_bytes(content)
    monkeypatch.setattr(text, "TIME_MACHINE_SOURCES", (f"{address}novel",))
    monkeypatch.setattr(text, "TIME_MACHINE_CHECKSUM", md5(content))
    data = load("time_machine?length=16")
    assert data.vocabulary == tuple(" abcdefghijklmnopqrstuvwxyz")
    assert data.train_x.shape[1:] == (16,)
