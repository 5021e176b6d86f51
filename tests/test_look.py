"""Before anything is trained: a data set shows its samples, its balance and its split."""

import numpy as np
import pytest

from engine.data import datasets, load
from engine.data.look import look
from engine.views import Bars, Histogram, Note, Points, Sound, Tiles
from engine.words import describe

MADE = [
    name
    for name, entry in datasets.all().items()
    if name != "mnist" and not entry.facts.get("download")
]


@pytest.mark.parametrize("name", [*MADE, "digits?aim=itself", "plane?shape=waves"])
def test_every_data_set_shows_samples_a_balance_and_where_it_is_from(name):
    frame = next(look(name))
    assert frame.waits
    assert set(frame.views) >= {"samples", "balance", "origin"}
    for view in frame.views.values():
        assert describe(view)  # in words, too


def test_the_balance_counts_every_sample_once_in_each_part():
    data = load("iris?test=0.2")
    bars = next(look("iris?test=0.2")).views["balance"]
    assert isinstance(bars, Bars)
    assert {name: heights.sum() for name, heights in bars.series.items()} == {
        "to learn from": len(data.train_x),
        "validation": len(data.valid_x),
        "test": len(data.test_x),
    }
    assert isinstance(next(look("diabetes")).views["balance"], Histogram)


def test_later_samples_and_augmented_ones_are_shown_when_asked():
    run = look("digits")
    first = next(run).views["samples"]
    later = run.send({"first": 3}).views["samples"]
    assert isinstance(first, Tiles)
    np.testing.assert_array_equal(first.images[3], later.images[0])
    turned = run.send({"augmentation": "turn", "strength": 1.0}).views["samples"]
    assert np.abs(turned.images - later.images).mean() > 0.01
    again = run.send({"augmentation": "none"}).views["samples"]
    np.testing.assert_array_equal(again.images, later.images)


def test_an_augmentation_that_is_not_for_these_data_is_told():
    run = look("iris")
    next(run)
    notice = run.send({"augmentation": "mirror"}).views["notice"]
    assert isinstance(notice, Note)
    assert "no change for data of this kind (table)" in notice.text


def test_masks_stand_under_their_pictures_and_sounds_can_be_heard():
    tiles = next(look("scenes")).views["samples"]
    assert tiles.images.shape == (16, 32, 32, 3)
    sound = next(look("tones?given=wave")).views["sound"]
    assert isinstance(sound, Sound)
    assert sound.rate == 4000
    assert isinstance(next(look("karate")).views["samples"], Points)
