"""Whoever brings data gets a network that takes it, and is told what the data are."""

import pytest
import torch

from engine.data import load, own
from engine.data.about import about
from engine.network.build import build
from engine.network.describe import describe
from engine.network.fitting import fitting
from engine.network.spec import NetworkSpec
from engine.training.door import refuse_misfit


@pytest.mark.parametrize(
    ("shape", "outputs"),
    [
        ((2,), 2),
        ((13,), 3),
        ((1,), 1),
        ((1, 8, 8), 10),
        ((3, 32, 32), 10),
        ((1, 1, 5), 2),
        ((4, 6), 2),
    ],
)
def test_a_fitting_network_takes_the_samples_and_gives_the_outputs(shape, outputs):
    spec = fitting(shape, outputs)
    assert build(spec)(torch.zeros(3, *shape)).shape == (3, outputs)
    problems = [p for node in describe(spec)["nodes"].values() for p in node["problems"]]
    assert not [p for p in problems if p["level"] == "error"]


@pytest.mark.parametrize(
    "name",
    [
        "scenes",
        "ink",
        "karate",
        "clouds",
        "function",
        "swiss_roll?aim=itself",
        "digits?aim=itself",
        "photographs?aim=itself",
        "clouds?aim=itself",
        "translation",
    ],
)
def test_a_fitting_network_gives_answers_in_the_shape_that_the_data_ask_for(name):
    told, data = about(name), load(name)
    names = ("shape", "outputs", "per_place", "parts", "kind", "per_pixel", "itself")
    spec = fitting(**{key: told[key] for key in names}, vocabulary=len(told["vocabulary"]))
    network = build(spec)
    refuse_misfit(NetworkSpec.parse(spec), network, data)
    assert network(*data.inputs(data.train_x[:2])).shape[1:] == data.answer


def test_one_number_from_another_is_no_autoencoder():
    assert not about("function")["itself"]
    assert not about("diabetes")["itself"]
    assert about("iris?aim=itself")["itself"]


def test_the_balance_of_the_classes_adds_up_to_the_training_samples():
    told = about("iris")
    assert sum(told["balance"].values()) == told["train"]
    assert told["train"] + told["valid"] == 150
    assert told["shape"] == [4]


def test_an_uploaded_table_is_found_again_with_its_columns(home):
    rows = [f"1.{n:02},{50.5 + n},{'ab'[n % 2]}" for n in range(20)]
    words = own.keep("\n".join(["height,weight,kind", *rows]).encode())
    assert own.columns(words) == ["height", "weight", "kind"]
    assert about(words)["outputs"] == 2
    assert about(f"{words}?target=weight")["task"] == "regression"


def test_a_table_that_was_never_uploaded_is_told(home):
    with pytest.raises(LookupError, match="upload it again"):
        own.columns("own:../../etc/passwd")
