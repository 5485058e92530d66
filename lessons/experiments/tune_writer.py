"""The LSTM that the claims of lesson 14 are about, trained once a seed in a process that judges several."""

from __future__ import annotations

from functools import lru_cache

from lessons import char_rnn, corpora, songs
from lessons.char_rnn import CharModel
from lessons.corpora import Corpus
from lessons.experiments.excerpt import excerpt
from lessons.training import fit

FIRST_SEED = 20  # 0 and 100 were used to size the experiments
SIZES = songs.PRESETS["cpu"].but(
    steps=1500, evaluate_every=1500, valid_characters=2_000, threads=1, baseline_order=None
)


def steps(preset: str) -> int:
    """How long to train."""
    return 6 if preset == "ci" else SIZES.steps


@lru_cache(maxsize=2)
def corpus(preset: str) -> tuple[Corpus, Corpus]:
    """The tunes to train on, and the whole corpus, whose held-out tunes are asked for."""
    whole = corpora.load("tunes", quiet=True)
    return (excerpt(whole, documents=60) if preset == "ci" else whole), whole


def untrained(seed: int, preset: str) -> CharModel:
    """The network before its first step."""
    return char_rnn.build(corpus(preset)[0].vocabulary, SIZES, FIRST_SEED + seed).eval()


@lru_cache(maxsize=8)
def trained(seed: int, preset: str) -> CharModel:
    """The network of a seed after its training, in eval mode; not to be changed by who gets it."""
    model, sizes = untrained(seed, preset), SIZES.but(steps=steps(preset))
    task = songs.SongTask(model, corpus(preset)[0], sizes, FIRST_SEED + seed)
    fit(task, seed=FIRST_SEED + seed, progress=False)
    return model.eval()
