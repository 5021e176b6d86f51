"""What all tests share: one thread, and the real digits where they are at hand."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes tells of the machine's load, not of the code.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")

HERE = Path(__file__).parent
DATA = [HERE.parent / "shared" / "data" / "mnist", HERE.parent.parent / "shared" / "data" / "mnist"]


@pytest.fixture(scope="session")
def mnist_folder():
    """The folder of real MNIST files, or a visible skip."""
    given = os.environ.get("PLAYGROUND_DATA")
    for folder in [Path(given)] if given else DATA:
        if (folder / "t10k-images-idx3-ubyte.gz").exists():
            return folder
    pytest.skip("no MNIST files: set PLAYGROUND_DATA to a folder with t10k-images-idx3-ubyte.gz")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A store of its own."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    return tmp_path
