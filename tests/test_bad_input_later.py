"""Wrong types and values, tried on what lessons 07 to 10 hand to a learner: a sentence, no traceback.

Asked in a process of its own, as in test_bad_input.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.test_bad_input import AFTER, ROOT, check

BEFORE = """
import itertools, json, math, sys, warnings
import torch
from lessons import bidirectional, cliff, deep_rnns, depth_study, dropouts, gradient_clipping, labelled
from lessons import mask_theatre, recurrent, recurrent_dropout, tagging, time_scales, trace
from lessons.dropouts import Dropouts
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary
from widgets import bidirectional as both_ways, cliff as cliffs, deep_rnns as stacks
from widgets import gradient_clipping as clips, labels, recurrent_dropout as masks

warnings.simplefilter("error")
torch.manual_seed(0)
vocabulary = Vocabulary.of("to be\\n")
g, w = [[torch.ones(2, 3), torch.ones(3)] for _ in range(2)]
ci = gradient_clipping.PRESETS["ci"]
task = gradient_clipping.prepare(ci.but(steps=2))
run = gradient_clipping.train(task, progress=False)
x, layer = torch.zeros(2, 5, 3), recurrent.LSTM(3, 4, batch_first=True, dropouts=Dropouts(recurrent=0.4))
small = recurrent_dropout.PRESETS["ci"]
reader = recurrent_dropout.build(vocabulary, small)


class Nobody:
    def as_dict(self):
        return {}


words = ["".join(letters) for letters in itertools.product("abcd<", repeat=3)]
pairs = [(word, tuple(word), (*word[1:], "-")) for word in words]
data = labelled.build("toy", "letter", "word", pairs, Nobody())
tags = bidirectional.PRESETS["ci"]
tasks = bidirectional.networks(data, tags)
tagger, two = tasks["both"].model, bidirectional.Bidirectional(3, 4)
tall = depth_study.PRESETS["ci"]
deep = deep_rnns.build(vocabulary, deep_rnns.PRESETS["ci"]).eval()
stack, seen = deep_rnns.Stack(3, 5, num_layers=3), trace(deep, "to be")
huge = 10**5000
"""

RAISES = {
    # 07
    "gradient_clipping.clip('by norm', g, w, huge)": "above 0",
    "gradient_clipping.clip('by norm', g, w, math.inf)": "above 0",
    "gradient_clipping.clip('by norm', [], [], 1.0)": "no gradient",
    "gradient_clipping.clip('by norm', ['x'], w, 1.0)": "gradients is a list",
    "gradient_clipping.clip('adaptive', g, w[:1], 1.0)": "weight of every gradient",
    "gradient_clipping.by_value(g, -1.0)": "threshold is a number from 0",
    "gradient_clipping.by_norm(None, 1.0)": "gradients is a list",
    "gradient_clipping.angle(g, g[:1])": "same tensors",
    "gradient_clipping.train(None)": "None is neither",
    "gradient_clipping.gradients(None, 0)": "task is",
    "gradient_clipping.gradients(task, -1)": "step is a whole number",
    "gradient_clipping.Angles({'by norm': 'x'})": "ways is a dict",
    "gradient_clipping.Angles({'x': 1.0})": "A way to clip",
    "gradient_clipping.Angles({'by norm': 1.0}).middle('by norm')": "Nothing was measured",
    "cliff.Cliff(starts=5)": "starts is a tuple",
    "cliff.Plane(None)": "task is a SequenceTask",
    "cliff.Plane(tasks['both'])": "task is a SequenceTask",
    "cliff.surface(None)": "A landscape is",
    "cliff.surface(cliff.ONE, 0)": "count is a whole number from 1",
    "cliff.descend(cliff.ONE, (1,))": "start is a tuple",
    "cliff.descend(cliff.ONE, (1.0, 0.0), rate=math.nan)": "rate is a number",
    "cliffs.explore('x')": "A landscape is",
    "cliffs.explore(start=(99.0, 0.0))": "lies outside",
    "cliffs.explore(nothing=5)": "no control 'nothing'",
    "cliffs.explore(rate='x')": "rate is a number",
    "cliffs.figure(cliff.ONE, step=-1)": "step is a whole number",
    "clips.clipped('by norm', length=math.nan)": "length is a number",
    "clips.history({'a': 5})": "runs is a dict",
    "clips.wall(task, 'x')": "step is a whole number",
    "clips.turns(None)": "angles is",
    "clips.thresholds('clipping-is-required')": "does not compare ways",
    # 08
    "layer.draw_masks(0, 2)": "steps is a whole number",
    "layer(x, masks=((dropouts.Masks(recurrent='x'),),))": "Masks hold tensors",
    "mask_theatre.scene(['x'])": "kind is a string",
    "mask_theatre.scene('candidate', seed=huge)": "seed is a whole number",
    "mask_theatre.scene('candidate', steps=2.5)": "steps is a whole number",
    "recurrent_dropout.build(vocabulary, 'ci')": "preset is a DropoutPreset",
    "recurrent_dropout.pairs('to be', small)": "Train on a corpus",
    "recurrent_dropout.costs(small, rounds=0)": "rounds is a whole number",
    "recurrent_dropout.trace_masked(reader, 5)": "x is",
    "recurrent_dropout.trace_masked(layer, 'x')": "a tensor in a layer",
    "recurrent_dropout.trace_masked(deep, 'to be')": "CharModel",
    "recurrent_dropout.trace_masked(layer, x, masks=5)": "masks is",
    "masks.curves({'a': (run, run)})": "runs of lessons.recurrent_dropout",
    "masks.curves({'a': 5})": "pairs is a dict",
    "masks.figure('candidate', seed='x')": "seed is a whole number",
    # 09
    "bidirectional.prepare('x')": "preset is a TagPreset",
    "bidirectional.networks(None, tags)": "data is a Labelled",
    "bidirectional.read(tagger, data, 'abc', blank=1.5)": "blank is a whole number",
    "bidirectional.occlusion(None, data, 'abc')": "model is a Tagger",
    "bidirectional.waiting(tasks['both'], waits=(-1,))": "waits is",
    "bidirectional.leak(tasks['both'], count=0)": "count is a whole number",
    "bidirectional.helped({'both': tasks['both']}, 'a')": "'forward' and 'both'",
    "bidirectional.guess(tasks['both'], 'x')": "no part 'x'",
    "bidirectional.Bidirectional(3, 2.5)": "hidden_size is a whole number",
    "bidirectional.Bidirectional(3, 4, cell=5)": "cell is a string or a function",
    "bidirectional.Bidirectional(3, 4, dropout=math.nan)": "dropout is a number",
    "two('x')": "input is a tensor",
    "two(x, lengths='x')": "lengths is",
    "two(x, hx='x')": "hx is",
    "tagging.Tagger(0, 3)": "symbols is a whole number",
    "tags.but(hidden_size=0)": "hidden_size is a whole number",
    "tags.but(blanks=5)": "blanks is a number from 0 to 1",
    "labelled.window(data, -1)": "left is a whole number",
    "labelled.window(data, 40, 40)": "too wide to count",
    "labelled.window(data, 0, 0, 'x')": "no part 'x'",
    "labels.scores({})": "nothing was given",
    "labels.patience({'both': tasks['both']})": "forward, both",
    "labels.leaks({'both': {}}, 5.0)": "lessons.bidirectional.leak",
    "both_ways.wired(None)": "word is a string",
    "both_ways.wired('')": "a word of 1 to 14",
    "both_ways.wiring('knight', step=-1)": "step is a whole number",
    "both_ways.influence(tasks['both'], 'abc', covered='x')": "covered is a whole number",
    "both_ways.influences(None)": "task is a Tagging",
    "both_ways.growing({})": "at least one network",
    # 10
    "stack(x, state=5)": "state is",
    "stack(x, lengths='x')": "lengths is",
    "deep_rnns.build(vocabulary, 'ci')": "preset is a DeepPreset",
    "deep_rnns.reading('x', tall)": "Train on a corpus",
    "depth_study.Entrant(0)": "num_layers is a whole number",
    "depth_study.compare('x', tall, ['x'])": "entrants is a list",
    "depth_study.at_equal_parameters(5, tall, vocabulary)": "depths is a list",
    "time_scales.spread(torch.nn.Linear(2, 2), 'to be', 0, 'o')": "model is a CharModel",
    "time_scales.spread(deep, '', 0, 't')": "empty text",
    "time_scales.mean_spread(deep, 't' * 200, 5, 3)": "one character only",
    "stacks.states(seen, unit='x')": "unit is a whole number",
    "stacks.changes(deep, None)": "text is a string",
    "stacks.scales({}, 5)": "after is a dict",
    "stacks.compare(['x'])": "outcomes is a list",
    "stacks.drawn(layers='x')": "layers is a whole number",
}


@pytest.fixture(scope="module")
def answers():
    """What each expression answered."""
    asked = json.dumps({"raises": list(RAISES)})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", BEFORE + AFTER]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["raises"]


@pytest.mark.parametrize("expression", RAISES)
def test_what_is_wrong_is_raised_as_one_sentence(expression, answers):
    check(answers[expression], "raised", RAISES[expression])
