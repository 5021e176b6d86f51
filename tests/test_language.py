"""Language by pieces and by blanks: byte pair encoding, masked words, filling."""

import itertools

import numpy as np
import pytest
import torch

from engine.data import load, pieces
from engine.data.dataset import IGNORED
from engine.data.sets.blanks import BLANK, KEPT, OTHER, WORDS
from engine.data.sets.plays import PIECES, TEXTS
from engine.data.tokens import NOTHING, decode, encode
from engine.generate import fill as filling
from engine.models.kept import Kept
from engine.network.spec import NetworkSpec

TEXT = (TEXTS / "plays.txt").read_text(encoding="utf-8")


def test_the_papers_example_is_joined_as_in_the_paper():
    # Sennrich et al., figure 1: e s, then es t, then l o (there with an end-of-word sign)
    text = " ".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)
    learnt = pieces.learn(text, 14)
    assert set(learnt[: len(set(text))]) == set(text)
    joined = learnt[len(set(text)) :]
    assert set(joined[:2]) <= {"es", "est", "st"}
    assert "est" in joined


def test_the_shipped_pieces_are_what_is_learnt_from_the_shipped_text():
    assert len(PIECES) == 512
    assert pieces.learn(TEXT, 80) == PIECES[:80]


def test_pieces_put_together_are_the_text_again_and_fewer_than_its_characters():
    cut = pieces.cut(TEXT[:20_000], PIECES)
    assert "".join(cut) == TEXT[:20_000]
    assert len(cut) < len(TEXT[:20_000]) / 2
    numbers = encode("What, ho! the gods", PIECES)
    assert decode(numbers, PIECES) == "What, ho! the gods"


def test_a_text_is_cut_as_the_tokenizers_library_cuts_it():
    tokenizers = pytest.importorskip("tokenizers", reason="the extra `transformers` has it")
    letters = len(set(TEXT))
    merges = [
        tuple(pieces.cut(piece, PIECES[: letters + number]))
        for number, piece in enumerate(PIECES[letters:])
    ]
    assert all(len(pair) == 2 for pair in merges)
    theirs = tokenizers.Tokenizer(
        tokenizers.models.BPE({piece: n for n, piece in enumerate(PIECES)}, merges)
    )
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.Split(
        tokenizers.Regex(r" ?\S+|\s"), behavior="isolated"
    )
    assert theirs.encode(TEXT[:30_000]).tokens == pieces.cut(TEXT[:30_000], PIECES)


def test_each_place_is_asked_for_the_next_piece():
    data = load("plays_pieces?characters=20000")
    rows = torch.cat([data.train_x, data.valid_x])
    answers = torch.cat([data.train_y, data.valid_y])
    assert torch.equal(rows[:, 1:], answers[:, :-1])


def test_blanks_are_chosen_and_changed_as_often_as_bert_says():
    data = load("blanks?size=20000")
    x, y = torch.cat([data.train_x, data.valid_x]), torch.cat([data.train_y, data.valid_y])
    chosen, words = y != IGNORED, x != WORDS.index(NOTHING)
    assert bool(chosen.any(1).all())  # each sample asks something
    assert float(chosen.sum() / words.sum()) == pytest.approx(0.15, abs=0.02)
    blank = x[chosen] == WORDS.index(BLANK)
    assert float(blank.float().mean()) == pytest.approx(1 - KEPT - OTHER, abs=0.01)
    assert bool((x[~chosen] != WORDS.index(BLANK)).all())


class _Says(torch.nn.Module):
    """Is surer of a word the further to the right it stands."""

    def forward(self, x):
        scores = torch.zeros(*x.shape, len(WORDS))
        for place in range(x.shape[1]):
            scores[:, place, WORDS.index("cat")] = float(place + 1)
        return scores


def _kept():
    spec = NetworkSpec.parse(
        {
            "version": 1,
            "nodes": [{"id": "text", "type": "Input", "params": {"shape": [20], "dtype": "token"}}],
            "edges": [],
            "outputs": ["text"],
        }
    )
    return Kept(spec, _Says(), summary={"vocabulary": WORDS})


def test_the_surest_blank_is_filled_first_and_none_is_left():
    blank = WORDS.index(BLANK)
    steps = list(filling.fill(_kept(), [WORDS.index("the"), blank, blank, blank]))
    assert [one.place for _, one in steps[1:]] == [3, 2, 1]
    assert blank not in steps[-1][0]
    chances = [one.chance for _, one in steps[1:]]
    # softmax of one score s among the words that may be said, all others 0
    others = len(WORDS) - 3
    assert chances == pytest.approx([np.exp(s) / (np.exp(s) + others) for s in (4, 3, 2)])
    assert all(a > b for a, b in itertools.pairwise(chances))


def test_a_text_that_is_too_long_or_unknown_is_told():
    asked = filling._Asked(_kept(), " ".join(["the _"] * 15), 0)
    assert "at most 20" in next(iter(asked.frames())).views["note"].text
    asked = filling._Asked(_kept(), "the dragon _", 0)
    assert "dragon" in next(iter(asked.frames())).views["note"].text
