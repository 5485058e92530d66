"""Lesson 17: copying more vectors than were ever taught, by a machine and by an LSTM of as many weights.

Both see sequences of 1 to 20 vectors, 16 a step. The machine stops when it has learnt, as in ntm-learns-copy;
the LSTM trains for the whole budget. Its optimizer is the better of two, RMSprop as for the machine and Adam
at ten times that rate, on seed 100 after 2,000 steps.
"""

from __future__ import annotations

from dataclasses import asdict

from lessons import memory_training
from lessons.experiments.bound import Bound
from lessons.experiments.claim import Claim, Figures, Measure
from lessons.memory_training import ADAM, MACHINE, PLAIN, PRESETS, MemoryPreset, UntilLearnt
from lessons.training import fit

NTM, LSTM = "NTM", "LSTM"
LENGTHS = (20, 40, 60, 120)
BEYOND = tuple(map(str, LENGTHS[1:]))
FEW, MANY = 5, 25  # % of the bits; a coin gets 50 % wrong
FRESH = 50  # sequences that what counts is measured on


def sizes(preset: str) -> dict[str, MemoryPreset]:
    """The lesson's own for the machine, and the same for the LSTM but for its optimizer."""
    own = PRESETS["ci"] if preset == "ci" else PRESETS["cpu"]
    plain = own.but(network=PLAIN, optimiser=ADAM, learning_rate=3e-3, evaluate_every=own.steps)
    return {NTM: own.but(network=MACHINE), LSTM: plain}


def settings(preset: str) -> dict:
    """Everything that decides the result."""
    networks = {name: asdict(one) for name, one in sizes(preset).items()}
    return {"networks": networks, "lengths": LENGTHS, "fresh sequences": FRESH}


def run(seed: int, preset: str) -> Figures:
    """Train both; the share of wrong bits, in %, at each length."""
    figures = {}
    for name, one in sizes(preset).items():
        task = memory_training.prepare(one, seed)
        fit(task, watch=UntilLearnt() if name == NTM else None, seed=seed, progress=False)
        wrong = memory_training.by_length(task.model, one.but(held_out=FRESH), list(LENGTHS), fresh=True)
        figures[name] = {str(length): 100 * wrong[length] / (length * one.bits) for length in LENGTHS}
    return figures


CLAIM = Claim(
    name="ntm-copies-on",
    lesson="17_ntm",
    statement="Taught with up to 20 vectors, a Neural Turing Machine copies 40, 60 and 120 with fewer than "
    "5 % of the bits wrong; an LSTM of as many weights gets more than 25 % of them wrong.",
    source="Graves, Wayne & Danihelka 2014, Neural Turing Machines, section 4.1, figures 4 and 5; lengths, "
    "bounds and budget are ours, and far below the paper's.",
    budget="two trainings of at most 2,500 steps a seed, at most two and a half minutes on one core",
    measures=tuple(
        Measure(name, "% of bits wrong", tuple(map(str, LENGTHS)), along="vectors") for name in (NTM, LSTM)
    ),
    rules=(
        Bound(NTM, BEYOND, FEW, "below", share=0.8, along="vectors"),
        Bound(LSTM, BEYOND, MANY, "above", share=0.8, along="vectors"),
    ),
    run=run,
    settings=settings,
)
