"""Wrong types and values, tried on every public function of the first lessons: a sentence, no traceback.

Run in a process of its own: here, the checks of shapes that tests are run under would answer first.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BEFORE = """
import json, math, sys, warnings
from pathlib import Path
import numpy as np, torch
from lessons import CharModel, char_rnn, checkpoints, corpora, exercises, fit, sampling, trace
from lessons.errors import LessonError
from lessons.presets import Preset
from lessons.run import Run
from lessons.sequence_model import SequenceModel
from lessons.tracing import Edit, xray
from lessons.vocabulary import Vocabulary
from widgets import claims, export, gates, microscope, quiz, text, training
from widgets import sampling as dice

warnings.simplefilter("error")
torch.manual_seed(0)
vocabulary = Vocabulary.of("to be\\n")
model = CharModel(vocabulary, hidden_size=4, embedding_size=3)
other = SequenceModel(2, 1, hidden_size=4)
linear = torch.nn.Linear(2, 2)
seen = trace(model, "to be")
x = torch.zeros(1, 3, 2)
green = "".join(f"{n} green bottles on wall {n * n}.\\n" for n in range(4000))
bottles = corpora.user(green, "b", quiet=True)
ci = char_rnn.preset("ci")
huge = 10**5000
"""

# what is called -> words of the sentence
RAISES = {
    "sampling.generate(model, None)": "seed_text is a string",
    "sampling.generate(model, b'to')": "seed_text is a string",
    "sampling.generate(model, 'to', length=2.5)": "length is a whole number",
    "sampling.generate(model, 'to', length=-1)": "at least one",
    "sampling.generate(model, 'to', temperature='x')": "temperature is a number from 0 upwards",
    "sampling.generate(model, 'to', temperature=True)": "temperature is",
    "sampling.generate(model, 'to', temperature=None)": "temperature is",
    "sampling.generate(model, 'to', temperature=-0.1)": "temperature is",
    "sampling.generate(model, 'to', top_k=2.5)": "top_k is a whole number",
    "sampling.generate(model, 'to', top_k=0)": "top_k lies between",
    "sampling.generate(model, 'to', top_p='x')": "top_p is a number",
    "sampling.generate(model, 'to', top_p=math.nan)": "top_p is a number",
    "sampling.generate(model, 'to', seed=huge)": "seed is a whole number",
    "sampling.generate(model, 'to', seed=-1)": "seed is a whole number",
    "sampling.generate(model, 'to', greedy=1)": "greedy is True or False",
    "sampling.generate(other, 'to')": "CharModel",
    "sampling.generate('model', 'to')": "model is",
    "sampling.generate(CharModel, 'to')": "the class CharModel",
    "sampling.generate_at(model, 0.5)": "temperatures is a list of numbers",
    "sampling.generate_at(model, ['x'])": "temperatures is a list of numbers",
    "sampling.generate_at(model, [])": "at least one temperature",
    "sampling.stream(model, 5)": "seed_text is a string",
    "sampling.stream(other, 'to')": "CharModel",
    "sampling.distribution([1.0, 2.0])": "logits is a tensor",
    "sampling.distribution(torch.empty(0))": "empty",
    "sampling.distribution(torch.tensor([math.inf, 1.0]))": "no numbers",
    "sampling.distribution(torch.full((3,), -math.inf))": "no numbers",
    "sampling.distribution(torch.zeros(3), torch.tensor([-1.0]))": "temperature",
    "sampling.draw(torch.zeros(3))": "no probabilities",
    "sampling.draw(torch.tensor([0.5, -0.5, 1.0]))": "no probabilities",
    "sampling.draw(torch.tensor([math.nan, 1.0]))": "no probabilities",
    "sampling.draw(None)": "probabilities is a tensor",
    "corpora.user(None)": "text is a string, a path or bytes",
    "corpora.user('')": "no text",
    "corpora.user(5)": "text is",
    "corpora.user('x\\n', name=5)": "name is a string",
    "corpora.load(None)": "name is a string",
    "corpora.load(['shakespeare'])": "name is a string",
    "corpora.load('')": "no source",
    "corpora.split({'a': 'b'})": "lengths is a dict",
    "corpora.split(None)": "lengths is a dict",
    "corpora.fetch(5)": "names is a list",
    "corpora.fetch(['nothing'])": "nothing",
    "CharModel('to be')": "vocabulary is a Vocabulary",
    "CharModel(vocabulary, cell=5)": "cell is a string",
    "CharModel(vocabulary, hidden_size=0)": "hidden_size is a whole number from 1",
    "CharModel(vocabulary, hidden_size=2.5)": "hidden_size is a whole number",
    "CharModel(vocabulary, num_layers=-1)": "num_layers",
    "CharModel(vocabulary, embedding_size=None)": "embedding_size",
    "CharModel(vocabulary, dropout=1.5)": "dropout is a number from 0 to 1",
    "CharModel(vocabulary, forget_bias=math.nan)": "forget_bias is a number",
    "model.encode(None)": "text is a string",
    "model.decode(['t'])": "character's number",
    "model.decode([0.5])": "character's number",
    "model.task('to be')": "Train on a corpus",
    "char_rnn.preset(5)": "no preset 5",
    "char_rnn.preset(['ci'])": "no preset",
    "char_rnn.build('to be', ci)": "vocabulary is",
    "char_rnn.build(vocabulary, 'ci')": "preset is a CharPreset",
    "char_rnn.build(vocabulary, ci, seed=1.5)": "seed is a whole number",
    "char_rnn.prepare('ci')": "preset is a CharPreset",
    "char_rnn.bits_per_character(model, None)": "text is a string",
    "char_rnn.bits_per_character(linear, 'to be')": "model is a CharModel",
    "char_rnn.bits_per_character(model, 'to be', streams=0)": "streams is",
    "char_rnn.bits_per_character(model, '')": "at least two",
    "char_rnn.ngram_bits(bottles, 0, 'x')": "order is a whole number from 1",
    "char_rnn.ngram_bits(bottles, 2, None)": "text is a string",
    "char_rnn.pretrained(None)": "name is a string",
    "char_rnn.pretrained('nothing')": "no checkpoint",
    "ci.but(steps='many')": "steps is a whole number",
    "ci.but(learning_rate=None)": "learning_rate is a number",
    "ci.but(batch_size=2.5)": "batch_size is a whole number",
    "ci.but(precision=32)": "precision is a string",
    "fit(None)": "None is neither",
    "fit(linear)": "neither",
    "fit(model)": "something to train on",
    "fit(model, 'to be')": "Train on a corpus",
    "fit(model, bottles, 5)": "preset is",
    "fit(model, bottles, 'huge')": "no preset 'huge'",
    "fit(model, bottles, ci, seed=1.5)": "seed is a whole number",
    "fit(model, bottles, ci, seed=-1)": "seed is a whole number",
    "fit(model, bottles, ci, device=5)": "device is",
    "fit(model, bottles, ci, checkpoint=5)": "checkpoint is",
    "fit(char_rnn.build(bottles.vocabulary, ci), bottles, ci, checkpoint='')": "names no file",
    "fit(model, bottles, ci, resume='no')": "resume is True or False",
    "fit(model, bottles, ci, progress=None)": "progress is True or False",
    "checkpoints.save(5, model)": "path is",
    "checkpoints.save('', model)": "names no file",
    "checkpoints.save('x', 'model')": "model is",
    "checkpoints.save('x', linear)": "no config()",
    "checkpoints.save('x', model, note=torch.ones(1))": "plain value",
    "checkpoints.save('a\\0b', model)": "Could not save",
    "checkpoints.load(None)": "path is",
    "checkpoints.load('')": "names no file",
    "checkpoints.load('/')": "names no file",
    "checkpoints.load('a\\0b')": "no checkpoint",
    "checkpoints.load('x', model=5)": "model is",
    "checkpoints.describe(5)": "path is",
    "Run.load(None)": "path is",
    "trace(None, 'to')": "model is a model",
    "trace(linear, torch.zeros(1, 2))": "no recurrent layers",
    "trace(model, None)": "x is",
    "trace(model, 5)": "x is",
    "trace(model, b'to')": "x is",
    "trace(model, '')": "empty text",
    "trace(model, [5])": "x is",
    "trace(model, torch.tensor([99]))": "between 0 and 5",
    "trace(model, torch.tensor([-1]))": "between 0 and 5",
    "trace(model, torch.zeros(1, 2))": "whole",
    "trace(model, torch.zeros(1, 2, 3, dtype=torch.long))": "whole",
    "trace(model, torch.zeros(0, dtype=torch.long))": "whole",
    "trace(other, 'to')": "is for a CharModel",
    "trace(other, x, lengths='x')": "lengths is",
    "trace(other, x, lengths=[9])": "lengths must lie",
    "trace(other, x, state='x')": "state is",
    "trace(other, x, state=(x,))": "initial state",
    "trace(model, 'to', edit=5)": "edit is",
    "trace(model, 'to', edit=['f'])": "edit is",
    "trace(model, 'to', edit={'f': 'x'})": "edit is a dict",
    "trace(model, 'to', edit={'f': None})": "edit is a dict",
    "trace(model, 'to', edit={'f': lambda c, t: 'x'})": "must broadcast",
    "trace(model, 'to', edit={5: 0.0})": "name is a string",
    "Edit('f', 0.0, units=5)": "units is a list of whole numbers",
    "Edit('f', 0.0, units=['x'])": "units is a list of whole numbers",
    "Edit('f', 0.0, layer='x')": "layer is a whole number",
    "xray('x')": "output is a tensor",
    "xray(torch.ones(1))": "No readable",
    "seen['x']": "has no 'x'",
    "seen[None]": "name is a string",
    "seen['f', 'x']": "layer is a whole number",
    "seen['f', 0, 0, 0]": "Ask a trace for",
    "seen.select('x')": "sequence is a whole number",
    "seen.numpy('f', layer=0.5)": "layer is a whole number",
    "exercises.quiz(None)": "lesson is a string",
    "dice.chances(model, None)": "text is a string",
    "dice.chances(linear, 'to')": "model is a CharModel",
    "dice.temperatures(5)": "samples is",
    "dice.temperatures({'before': 5})": "samples is",
    "dice.temperatures(['x'])": "samples is",
    "gates.figure('x')": "trace is a Trace",
    "gates.figure(seen, name=5)": "name is a string",
    "gates.figure(seen, unit=1.5)": "unit is a whole number",
    "gates.figure(seen, unit=-1)": "no unit -1",
    "gates.figure(seen, step='x')": "step is a whole number",
    "gates.figure(seen, step=10**17)": "no step",
    "gates.figure(seen, step=huge)": "step is a whole number",
    "gates.figure(seen, layer=None)": "layer is a whole number",
    "gates.explore(None)": "Give the text",
    "gates.explore(model)": "Give the text",
    "gates.explore(model, 5)": "text is a string",
    "gates.explore(linear, 'to')": "no recurrent layers",
    "gates.explore(seen, name='zz')": "has no 'zz'",
    "gates.explore(seen, unit='x')": "unit is a whole number",
    "gates.words(5)": "no quantity",
    "training.curve(None)": "run is a Run",
    "training.live(temperatures=0.5)": "temperatures is a list of numbers",
    "training.live(temperatures=[-1])": "temperatures is a list of numbers",
    "training.live(length=0)": "length is a whole number",
    "training.live(5)": "text is a string",
    "training.live(seed_text=None)": "seed_text is a string",
    "export.animation(5, {'step': [0]}, 'x')": "figure_function is a function",
    "export.animation(gates.figure, None, 'x')": "sweep is a dict",
    "export.animation(gates.figure, {'step': 5}, 'x')": "sweep is a dict of lists",
    "export.animation(gates.figure, {'speed': [0]}, 'x')": "no parameter 'speed'",
    "export.animation(lambda step: gates.figure(seen, step=step), {'step': ['a']}, 'x')": "step is a whole",
    "export.animation(lambda step: gates.figure(seen, step=step), {'step': [0]}, 'x', pace=0)": "pace is",
    "export.animation(lambda step: gates.figure(seen, step=step), {'step': [0]}, 'a\\0b')": "not be written",
    "export.page('x', 'y')": "x is",
    "export.page(quiz.show('char_rnn'), 5)": "path is",
    "export.page(quiz.show('char_rnn'), 'y', title=5)": "title is a string",
    "export.page(quiz.show('char_rnn'), '/')": "not be written",
    "export.page(gates.explore(seen), 'y', sweep={'unit': 5})": "sweep is a dict of lists",
    "export.page(gates.explore(seen), 'y', sweep={'unit': ['x']})": "unit is a whole number",
    "claims.every_seed(None)": "result is",
    "claims.every_seed('nothing')": "no claim",
}

SAYS = {
    "dice.die(model, 'to', seed=1.5)": "seed is a whole number",
    "dice.die(model, 'to', seed=-1)": "seed is a whole number",
    "dice.die(model, 'to', temperature='x')": "temperature is a number",
    "dice.die(model, 'to', top_k=2.5)": "top_k is a whole number",
    "dice.die(model, 'to', top_p='x')": "top_p is a number",
    "dice.die(model, None)": "seed_text is a string",
    "dice.die(model, b'to')": "seed_text is a string",
    "dice.die(None, 'to')": "model is a CharModel",
    "microscope.microscope(model, None)": "text is a string",
    "microscope.microscope(model, 'to', unit=1.5)": "unit is a whole number",
    "microscope.microscope(model, 'to', unit=-1)": "no unit -1",
    "microscope.microscope(model, 'to', step='x')": "step is a whole number",
    "microscope.microscope(model, 'to', layer=None)": "layer is a whole number",
    "microscope.microscope(model, 'to', scores=5)": "scores is a list",
    "microscope.microscope(model, 'to', scores='abc')": "scores is a list",
    "microscope.microscope(model, 'to', scores=[{'feature': 'x'}])": "A score has no 'layer'",
    "microscope.microscope(model, 'to', names=5)": "names is a tuple of strings",
    "microscope.microscope(model, 'to', names=('a',))": "names is a tuple of strings",
    "microscope.microscope(model, 'to', compare=5)": "model is a CharModel",
    "text.strip(model, 5)": "text is a string",
    "text.strip(model, 'to', search=5)": "search is a string",
    "text.strip(model, 'to', unit=1.5)": "unit is a whole number",
    "text.strip(model, 'to', layer='x')": "layer is a whole number",
    "text.strip(model, 'to', name=5)": "name is a string",
    "text.strip(model, 'to', scores=[5])": "scores is a list",
    "text.strip(model, '日本語')": "'日', '本', '語'",
    "text.strip(None, 'to')": "model is a CharModel",
    "quiz.show(None)": "lesson is a string",
    "quiz.show(2)": "lesson is a string",
    "quiz.show('')": "no quiz",
}

AFTER = """
def answer(expression, shown):
    try:
        value = eval(expression)
        return ["said", value.message] if shown else ["returned", repr(type(value))]
    except LessonError as refused:
        return ["raised", str(refused)]
    except Exception as error:
        return ["TRACEBACK", f"{type(error).__name__}: {error}"]

asked = json.load(sys.stdin)
json.dump({kind: {e: answer(e, kind == "says") for e in asked[kind]} for kind in asked}, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each expression answered, all asked in one process, where nothing can be written by mistake."""
    asked = json.dumps({"raises": list(RAISES), "says": list(SAYS)})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    folder = tmp_path_factory.mktemp("asked")
    command = [sys.executable, "-c", BEFORE + AFTER]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == [], "nothing was written"
    return json.loads(done.stdout)


@pytest.mark.parametrize("expression", RAISES)
def test_what_is_wrong_is_raised_as_one_sentence(expression, answers):
    check(answers["raises"][expression], "raised", RAISES[expression])


@pytest.mark.parametrize("expression", SAYS)
def test_a_widget_says_what_is_wrong_in_its_message_line(expression, answers):
    check(answers["says"][expression], "said", SAYS[expression])


def check(answer, how, words):
    """A sentence that ends, in one line, with the words in it."""
    assert answer[0] == how and words in answer[1], answer
    assert answer[1].endswith((".", "?")) and "\n" not in answer[1], answer
