# %% [markdown]
# # How does a network know that the k in knight is silent?
#
# 40 minutes · needs lessons 02 and 04 · trains eight small networks, in about three minutes
#
# You will read words from the front, from the back and from both ends, see what each label owes to either side, and find out
# when a network that reads both ways cannot be used at all.

# %%
from lessons import bidirectional as lesson
from lessons import check, claims, fit, labelled, recurrent, trace
from widgets import bidirectional as pictures
from widgets import claims as ledger
from widgets import labels, quiz, training

preset = lesson.preset()
data = lesson.load(preset)

# %% [markdown]
# Every letter of an English word gets a label: the sound that it makes. In *make* they are `M EY K -`; the dash is silence. (Without
# a network connection the course's Python code stands in, every name labelled with its role, and the line above says so.)
#
# **Guess first.** A table knows a letter's commonest label by the letter and four letters on one side of it. By how many points in a hundred
# is the table that sees the letters *behind* better than the one that sees the letters *before*?

# %%
guess = check.predict("points by which the future beats the past", ..., low=-20, high=20, unit="points")

# %%
labels.context(data)

# %%
past, future = (100 * labelled.window(data, *sides)[0] for sides in ((4, 0), (0, 4)))
guess.reveal(future - past)

# %% [markdown]
# No network yet: these are counts. Whether *k* is silent is decided by the *n* behind it, whether *a* is long by an *e* two letters later.
# **A network that reads forward gives its label before it has seen them.**

# %% [markdown]
# **The picture.** Input to forward states, input to backward states, both to the output (Schuster & Paliwal 1997). Step through a word
# and watch what is lit: all that one output can know. Then choose *forward only*.

# %%
pictures.wired("knight")

# %% [markdown]
# ## From equations to code
#
# Two layers with weights of their own read the same sequence. One goes from the first step to the last, the other from the last to the first:
#
# $$ \overrightarrow{h}_t = f(x_t, \overrightarrow{h}_{t-1}), \qquad \overleftarrow{h}_t = f(x_t, \overleftarrow{h}_{t+1}), \qquad y_t = [\overrightarrow{h}_t; \overleftarrow{h}_t]. $$
#
# Backward, a sequence that is padded starts at its own last step. That is all that is new:


# %%
def read_both_ways(forward_layer, backward_layer, x, lengths):
    """Two layers that read forward, x (B, T, I), lengths (B,) -> what both know at every step, (B, T, 2 H)."""

    def turned(rows):
        rows = rows.clone()
        for row, length in enumerate(lengths):
            rows[row, :length] = rows[row, :length].flip(0)
        return rows

    forward, _ = forward_layer(x, lengths=lengths)
    backward, _ = backward_layer(turned(x), lengths=lengths)
    return forward, turned(backward)


# %% [markdown]
# `Bidirectional` is that for any cell of the course, fused where torch has a kernel, with Keras's merge modes. Is it the same? On three
# sequences of 5, 2 and 4 steps:

# %%
import torch

both = lesson.Bidirectional(3, 4, "lstm", merge="concat")
x, lengths = torch.randn(3, 5, 3), [5, 2, 4]
parts = [recurrent.LSTM(3, 4, batch_first=True) for _ in range(2)]
for part, end in zip(parts, ("", "_reverse"), strict=True):
    own = {name: getattr(both.layers[0], f"{name}{end}") for name, _ in part.named_parameters()}
    part.load_state_dict(own)
ours = torch.cat(read_both_ways(*parts, x, lengths), -1)
check.same(ours, both(x, lengths=lengths)[0])

# %% [markdown]
# ## Train
#
# Three networks on the same words: forward only, backward only, both. The first two get more units, so that all three have about equally many
# weights. Words of one stem (*bake*, *baker*, *baking*) are never on both sides of the split.

# %%
print(preset)
tasks = lesson.networks(data, preset)
for way, task in tasks.items():
    weights = sum(weight.numel() for weight in task.model.parameters())
    print(f"{way:9s} {task.model.readout.in_features:4d} states to read out, {weights:,} weights")

# %%
learnt = fit(tasks["both"], watch=training.live())

# %% [markdown]
# The dashed line is what it costs to know how often each letter has each label, and to look at nothing around it. The other two, without their
# curves:

# %%
for way in ("forward", "backward"):
    print(fit(tasks[way], progress=False))

# %%
labels.scores(tasks)

# %% [markdown]
# A word counts as right when every one of its letters is; so a few points a letter are many points a word. Compare the network that reads both ways
# with the table of two letters on each side, which has counted all the words and comes close: on spelling a window goes a long way. It is the
# other task, below, where memory leaves the table far behind.

# %% [markdown]
# Which words need the future? Held-out ones that end in *e*, in which both directions make no mistake and the past alone does:

# %%
for signs, truth, guesses in lesson.helped(tasks, "e" if data.item == "word" else ")"):
    print(
        f"{' '.join(signs)}\n   right         {' '.join(truth)}\n   forward only  {' '.join(guesses['forward'])}"
    )

# %% [markdown]
# ## Look inside
#
# Type a word. Each row of the matrix is a label; each column a letter that is covered up; red is what the label loses. Left of the diagonal
# influence came forward, right of it backward. Cut the backward direction and see which labels change.

# %%
pictures.influences(tasks["both"])

# %% [markdown]
# Try *make* and *mak*, *knight* and *night*, *rough* and *through*. The arrows show one row; *slopes* measures the same by gradient. A label whose row is red
# on the right only is one that a network reading forward has to guess.

# %% [markdown]
# The same from the inside: how large the states of each direction are at every letter, in a trace of the network's first layer. The two begin at
# opposite ends.

# %%
text = pictures.example(data)
signs, ids = data.read(text)
seen = trace(tasks["both"].model.recurrent.layers[0], tasks["both"].model.embedding(ids))
for direction, name in enumerate(("forward", "backward")):
    sizes = seen["c", 0, direction][0].norm(dim=-1).tolist()
    print(f"{name:9s}", "  ".join(f"{sign} {size:.1f}" for sign, size in zip(signs, sizes, strict=True)))

# %% [markdown]
# ## Where it cannot be used
#
# **Streaming.** A word comes in letter by letter, and a label is wanted at once. Each row is what the network says after one more letter;
# vermilion is what it takes back later. Choose *forward only*: it takes nothing back, and is wrong more often.

# %%
pictures.growing(tasks)

# %% [markdown]
# How long would one have to wait? Every label is given when $k$ more letters are in:

# %%
labels.patience(tasks)

# %% [markdown]
# Asked at once, the network that reads both ways does worse than the one that reads forward: it has never learnt to do without its backward states,
# and they have nothing to read. A few letters of delay give most of it back. That is a way out for speech: not the whole future, a window of it.

# %% [markdown]
# **Generation.** Train a network that reads both ways to name the *next* letter. Guess its bits per letter before you look.

# %%
following = data.reading_on()
found = {}
for way in ("forward", "both"):
    task = lesson.prepare(lesson.next_sign(preset).but(direction=way), 0, following)
    print(fit(task, progress=False))
    found[way] = lesson.leak(task)

# %%
labels.leaks(found, lesson.uniform_bits(following), data.sign)

# %% [markdown]
# The backward states have read the next letter: the network copies it. **Such a loss says nothing.** Take away what has not been written yet, as in
# generating, and it knows less than the one that reads forward, for it has never learnt to guess.

# %% [markdown]
# ## Experiment
#
# *"Both directions beat either alone"*, fixed before the first run: at least 3 points fewer wrong letters and 10 fewer wrong words than
# forward and than backward, on every seed, at equal weights.

# %%
ledger.every_seed("both-directions-beat-either")

# %% [markdown]
# *"The future alone beats the past alone"*, whatever the cell:

# %%
ledger.every_seed("spelling-needs-the-future")

# %% [markdown]
# Is the future always the better half? Here is another task: what is each name in a line of Python (a parameter, an attribute, a variable that is set or read),
# with all names hidden. Guess the order of the three networks before you look.

# %%
sizes = lesson.on_code(preset)
code = lesson.networks(lesson.load(sizes), sizes)
for task in code.values():
    print(fit(task, progress=False))

# %%
labels.scores(code)

# %%
pictures.influences(code["both"])

# %%
ledger.every_seed("code-needs-both-sides")

# %%
for name in ("both-directions-beat-either", "spelling-needs-the-future", "code-needs-both-sides"):
    print(claims.load(name), end="\n\n")

# %% [markdown]
# In code neither side is much ahead: `x` in `f(x, y=1)` is a keyword or a variable by what stands behind it, a call or a definition by what stands before.
# Together they hardly leave a doubt.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · from the end.** Turn padded sequences round.


# %%
def reverse_by_length(x, lengths):
    """x (B, T, I) padded with zeros, lengths (B,) -> each sequence backwards, its padding still last."""
    return ...


check.reverse_by_length(reverse_by_length)

# %% [markdown]
# **Exercise 2 · merge.** Keras's wrapper has four ways to make one output of two.


# %%
def merge(forward, backward, mode):
    """Two outputs (B, T, H); mode "concat", "sum", "mul" or "ave" -> (B, T, 2 H) or (B, T, H)."""
    return ...


check.merge(merge)

# %% [markdown]
# **Exercise 3 · one vector of both ends.** To classify a whole sequence you want states that have read all of it. Which step do you take?


# %%
def both_ends(output, lengths):
    """Output (B, T, 2 H) of a layer that reads both ways, lengths (B,) -> one vector a sequence, (B, 2 H)."""
    return ...


check.both_ends(both_ends)

# %% [markdown]
# **Exercise 4 · find the bug.** This run reads each row from its end, and its outputs on the padding are 0. The short sequences come out wrong all the
# same.


# %%
def read_backward(x, lengths, weight_ih, weight_hh, bias):
    """x (B, T, I) padded with zeros, lengths (B,) -> states (B, T, H) of a tanh network that reads each
    sequence from its last step: place t holds the state after reading step t, and padding holds 0."""
    h = torch.zeros(len(x), len(bias), dtype=x.dtype)
    states = []
    for t in reversed(range(x.shape[1])):
        h = torch.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        states.insert(0, h * (t < lengths)[:, None])
    return torch.stack(states, 1)


check.read_backward(read_backward)

# %% [markdown]
# ## Recap
#
# - Two layers read the same sequence from both ends; an output knows the past by one and the future by the other.
# - On spelling the future tells more than the past, in code neither side does; both together beat either by far, at equal weights.
# - A padded sequence is read backward from its own end. At the last step the backward half has read one step only.
# - It needs the whole sequence: while it is still coming in, labels are taken back. As a language model it copies the answer.

# %% [markdown]
# | Keras | here | PyTorch |
# |---|---|---|
# | `Bidirectional(LSTM(h, return_sequences=True))` | `Bidirectional(i, h, "lstm")` | `nn.LSTM(i, h, bidirectional=True)` |
# | `merge_mode="concat"`, `"sum"`, `"mul"`, `"ave"` | `merge=`, the same names | concatenates; the rest by hand |
# | `merge_mode=None` | `output.chunk(2, -1)` | `output.chunk(2, -1)` |
# | `LSTM(h, go_backwards=True)` | `Backwards(layer)`, outputs in the order of the input | flip in, flip out |
# | `return_sequences=False` | `both.summary(state)` | `torch.cat([h_n[-2], h_n[-1]], -1)` |
# | `mask` | `lengths=` | `pack_padded_sequence` |

# %%
quiz.show("bidirectional")

# %% [markdown]
# ## References
#
# - Schuster & Paliwal 1997, *Bidirectional recurrent neural networks*: the idea, and its training.
# - Graves & Schmidhuber 2005, *Framewise phoneme classification with bidirectional LSTM and other neural network architectures*: the same with
#   LSTM, against either direction alone.
# - Sejnowski & Rosenberg 1987, *Parallel networks that learn to pronounce English text*: NETtalk, letters to phonemes from a window of seven letters.
# - The Carnegie Mellon Pronouncing Dictionary, whose words and sounds these are.
