"""What a learner reads when something cannot be done."""

import subprocess
import sys

from IPython.core.interactiveshell import InteractiveShell

from lessons.errors import LessonError

SETTING = """
import torch
from torch import nn
from lessons import gru, initialisation, lstm, lstm_variants, tasks, variant_study, wiring
from lessons.errors import LessonError
from lessons.gradients import flow, reach
from lessons.recurrent import GRU, LSTM, RNN
from lessons.sequence_model import SequenceModel
x, small = torch.randn(1, 4, 2), tasks.SequencePreset("ci", steps=2, length=20)
swapped = lstm.SwappedLSTM(2, 3, batch_first=True, gates="tanh")
"""
# What a learner may type by mistake in lessons 04 to 06.
MISTAKES = """
lstm.SwappedLSTM(2, 3, gates=[])
lstm.SwappedLSTM(2, 3, candidate=None)
flow(swapped, x, lambda output: output.sum())
reach(swapped, x)
lstm.from_keras(None)
lstm.from_keras("abc")
lstm.from_keras([1])
lstm.from_keras([torch.zeros(3, 8), torch.zeros(8)])
lstm.from_keras([torch.zeros(3, 8), torch.zeros(2, 8), "x"])
lstm.timing([])
gru.equal_parameters(-3, 2)
gru.equal_parameters("64", 32)
gru.twins(0, 3)
gru.set_reset_bias(LSTM(2, 3), 1.0)
gru.set_reset_bias(GRU(2, 3, bias=False), 1.0)
gru.set_reset_bias(GRU(2, 3), "open")
wiring.Wiring(coupled="yes")
wiring.Wiring(input_gate=0)
lstm_variants.VariantLSTM(2, 3, peepholes=None)
lstm_variants.VariantLSTM(2, 3, forget_bias="one", peepholes=True)
lstm_variants.VariantLSTM(2, 3, forget_bias=float("nan"), peepholes=True)
lstm_variants.variant([], 2, 3)
variant_study.known([])
variant_study.cost("V", -1, 3)
variant_study.cost("V", 1.5, 3)
initialisation.forget_bias(LSTM(2, 3), "one")
initialisation.forget_bias(LSTM(2, 3), float("inf"))
initialisation.chrono(LSTM(2, 3), "long")
initialisation.chrono(LSTM(2, 3), float("nan"))
initialisation.chrono(nn.Linear(2, 3), 9)
initialisation.orthogonal(nn.Linear(2, 3))
initialisation.orthogonal(LSTM(2, 3), "two")
initialisation.identity(RNN(2, 3), float("nan"))
initialisation.spectral_radius(RNN(2, 3), None)
initialisation.spectral_radius(RNN(2, 3), -1)
initialisation.apply(LSTM(2, 3), ["orthogonal"])
SequenceModel(2, 3, cell=[])
SequenceModel(2, 3, hidden_size="64")
SequenceModel(2, 3, num_layers=0)
SequenceModel(2, 3, dropout=2)
SequenceModel(2, 3, forget_bias="x")
SequenceModel(2, 3, initialise=["chrono"])
tasks.build([], small)
tasks.build(3, small)
tasks.build("adding", "cpu")
tasks.build("adding", small, "a")
tasks.build("adding", small, 10**15)
tasks.build("adding", small, length="20")
tasks.build("adding", small, batch_size=0)
tasks.build("latch", small, held_out=0)
tasks.build("latch", small, symbols=1)
tasks.build("echo", small, symbols=0)
tasks.build("adding", small).shard(0, 0)
"""


def test_a_notebook_shows_the_sentence_and_no_traceback(capsys):
    shell = InteractiveShell()
    done = shell.run_cell("from lessons.errors import LessonError\nraise LessonError('Give a longer text.')")
    printed = capsys.readouterr().out
    assert isinstance(done.error_in_exec, LessonError)
    assert printed.strip() == "LessonError: Give a longer text."
    shell.run_cell("1 / 0")
    assert "Traceback" in capsys.readouterr().out  # other errors keep theirs


def test_mistakes_are_answered_in_one_sentence():
    """In a process of its own, where no test's type checker speaks first."""
    lines = MISTAKES.split("\n")[1:-1]
    code = f"""{SETTING}
for line in {lines!r}:
    try:
        eval(line)
    except LessonError as problem:
        sentence = str(problem)
        if "\\n" in sentence or not sentence.endswith("."):
            print(line, sentence)
    except Exception as problem:
        print(line, type(problem).__name__, problem)
    else:
        print(line, "was taken")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
