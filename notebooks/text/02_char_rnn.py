# %% [markdown]
# # What does a network learn from reading plays one character at a time?
#
# 50 minutes · needs lesson 00 · trains an LSTM on 34 plays in about two minutes, and judges it on four others
#
# You will roll the die that writes text, train the network that loads the die, and then open it and find
# the unit that knows it is inside a stage direction.

# %%
import inspect

import torch

from lessons import cells, char_rnn, check, corpora, fit, sampling, trace, units
from widgets import claims, gates, quiz, text, training
from widgets import sampling as dice

# %% [markdown]
# **Guess first.** A small network has read Shakespeare's plays, typed in Markdown, and nothing else. It now sees `**KING ` and must
# name the next character. How many of its characters get a probability above one in a hundred? Replace
# the three dots by your guess.

# %%
reader = char_rnn.pretrained()
guess = check.predict("characters above 1 %", ..., low=0, high=len(reader.vocabulary))

# %% [markdown]
# **The picture.** The bars are the network's answer: one bar a character, the probability that it comes next.
# Writing is rolling this die, adding the character, and asking again. Roll. Then force a character that the
# network did not expect (click its bar) and watch the next die change.

# %%
dice.die(reader, seed_text="**KING ")

# %%
logits, _ = reader(reader.encode("**KING "))
likely = int((logits[0, -1].softmax(-1) > 0.01).sum())
guess.reveal(likely)

# %% [markdown]
# Most of the die is almost blank. The network is sure of a few characters and has ruled out the rest: that is
# what reading taught it. Now set the temperature to 0.2, roll ten times, then to 1.5 and roll ten times.
#
# **Temperature** divides the scores before they become probabilities. It does not change which character is
# first. It changes how often the others get a turn.

# %% [markdown]
# ## From equations to code
#
# A text $x_1 x_2 \dots x_T$ has, by the chain rule, the probability
#
# $$ p(x_1 \dots x_T) = \prod_{t=1}^{T} p(x_t \mid x_1 \dots x_{t-1}). $$
#
# No approximation so far. The network's one assumption is that everything worth knowing about
# $x_1 \dots x_{t-1}$ fits into a **state** of fixed size, here two vectors of the hidden size, $h$ and $c$.

# %% [markdown]
# Three parts make the model (Graves 2013, section 2): an **embedding** turns a character into a vector $x_t$, a
# **recurrent layer** folds it into the state, and a **readout** turns the state into one score for each character,
#
# $$ h_t, c_t = \mathrm{LSTM}(x_t, h_{t-1}, c_{t-1}), \qquad
#    p(\cdot \mid x_1 \dots x_t) = \mathrm{softmax}\!\left(\frac{W h_t + b}{\tau}\right). $$
#
# $\tau$ is the temperature, 1 in training.

# %% [markdown]
# The LSTM step itself is lesson 04's subject. Here it is enough to see that it fits on a page. Three **gates** decide what
# the cell state $c$ forgets (f), takes in (i) and shows (o); the **candidate** g is what it may take in. `affine` is $Wx + b$.

# %%
print(inspect.getsource(cells.lstm_step))

# %% [markdown]
# In training, PyTorch runs all steps in one compiled piece, a **fused kernel**. Does it compute the same? Walk through a line
# step by step, and compare the last hidden state:

# %%
# NBVAL_CHECK_OUTPUT
with torch.no_grad():
    embedded = reader.embedding(reader.encode("Exeunt all but HAMLET."))
    fused, _ = reader.recurrent(embedded)
    h = c = torch.zeros(1, reader.recurrent.hidden_size)
    for x in embedded.unbind(1):
        i, f, g, o, c, h = cells.lstm_step(x, h, c, *reader.recurrent.parameters())
check.same(h, fused[:, -1])

# %% [markdown]
# Softmax with a temperature, on three scores that you can check on paper, 2, 1 and 0:

# %%
# NBVAL_CHECK_OUTPUT
scores = torch.tensor([2.0, 1.0, 0.0])
for temperature in (0.0, 0.5, 1.0, 2.0):
    probabilities = sampling.distribution(scores, temperature=temperature)
    print(f"temperature {temperature}:", " ".join(f"{p:.2f}" for p in probabilities))

# %% [markdown]
# At 0 the first character takes all: that is **greedy** choice, the limit of the formula. At 2 the three have come closer, and at
# a very high temperature the die would be fair. No temperature lets the second character overtake the first.

# %% [markdown]
# ## How good is a guess? Bits
#
# A network that gives the true next character the probability $p$ pays $-\log_2 p$ **bits**: 1 bit for a coin toss, 3
# for an eight-sided die. **Bits per character** is the mean over a text that it has not seen,
#
# $$ \mathrm{bpc} = -\frac{1}{T} \sum_{t=1}^{T} \log_2 p(x_t \mid x_1 \dots x_{t-1}). $$
#
# PyTorch's `cross_entropy` uses the natural logarithm: divide by $\ln 2$.

# %%
preset = char_rnn.preset()
plays = corpora.load(preset.corpus)
plays

# %% [markdown]
# The plays are split by play, never by position: `plays.valid` holds whole plays from which the network sees no
# line in training. What must it beat? A uniform guess; the letter frequencies; and a **5-gram**, which counts
# what followed the last four characters and backs off to three, two, one where it has seen too little
# (Kneser & Ney 1995, with the three discounts of Chen & Goodman 1999).

# %%
model = char_rnn.build(plays.vocabulary, preset)
task = model.task(plays, preset)
for name, bits in task.baselines().items():
    print(f"{name:>18}: {bits:.2f} bits per character")

# %% [markdown]
# ## Train
#
# The text is cut into parallel **streams**, and each training step reads the next window of every stream. The state at
# the end of one window is the start of the next: carried forward, but cut off from the gradient. This is
# **truncated backpropagation through time** (Williams & Peng 1990). How much of it, your machine chose:

# %%
print(preset)

# %%
before = sampling.generate_at(model, (0.4, 0.7, 1.0), length=160)
dice.temperatures(before)

# %% [markdown]
# That is an untrained network: all characters are about equally likely, at any temperature. Now train it. *Stop* keeps
# what was learnt. Watch three things: whether the held-out curve crosses the lowest dashed line (at the `cpu` preset, the
# 5-gram), what the samples learn first, and whether the gradient norm stays calm.

# %%
watch = training.live(temperatures=(0.4, 0.7, 1.0))
run = fit(task, watch=watch)
run

# %% [markdown]
# The curve is drawn on plays that chose the settings. The last figure comes from plays that chose nothing, not even those:

# %%
for name, bits in task.report().items():
    print(f"{name:>14}: {bits:.3f} bits per character")

# %% [markdown]
# The samples after training, at the same temperatures as before. At 0.4 the network repeats its safest phrases; at 1.0
# it invents words. Compare the columns: which came first, spelling, words, or the layout of a play? Sense did not come at
# all. The network has never seen a meaning, only characters.

# %%
halfway = sorted(watch.samples)[len(watch.samples) // 2]
after = sampling.generate_at(model, (0.4, 0.7, 1.0), length=240)
dice.temperatures({"before": before, f"after {halfway:,} steps": watch.samples[halfway], "trained": after})

# %% [markdown]
# ## Look inside
#
# `trace` runs the fused kernel and returns every gate and state at every step. `seen["f"]` has the axes
# (batch, time, hidden). Below: all units of the saved model that read plays as Markdown. Choose *forget gate f*; then
# *cell state c*; then step through time with the arrow keys.

# %%
script = (
    "**JAQUES**\nSing it: 'tis no matter how it be in tune.\n\n_Exeunt_\n\n**ROSALIND**\nHow say you now?"
)
seen = trace(reader, script)
gates.explore(seen)

# %% [markdown]
# Some rows change with every character, others hold their colour for a whole line. A unit that holds its colour
# is remembering something. What? Do not trust the eye: **score** each unit against facts of the text. An AUC of 0.5
# says "knows nothing of it", 1.0 says "its cell state separates the two cases completely"; ↓ says that the unit is low
# where the fact holds. The score is taken on text that did not choose the unit, and stands beside what chance reaches.

# %%
markdown_plays = corpora.load("shakespeare-markdown")
passage = markdown_plays.valid[:6000]
found = units.scores(trace(reader, passage), passage)
print(units.table(found, top=1))

# %% [markdown]
# Open the unit that follows bold type, `**SPEAKER**`. The microscope runs the model in your browser: click a
# character, type your own text, and then **hold its forget gate shut**. The lines mark the prediction
# as learnt, the bars the prediction with your edit.

# %%
gates.microscope(reader, script, scores=found)

# %% [markdown]
# One observation to check: at almost every character the unit keeps what it holds, its forget gate at 1. Where is it shut?

# %%
# NBVAL_CHECK_OUTPUT
bold = next(score.best for score in found if score.feature == "inside bold")
shut = seen["f"][0, :, bold] < 0.1
print("".join(f"[{sign}]" if gate else sign for sign, gate in zip(script, shut, strict=True)))

# %% [markdown]
# In brackets: the forget gate is below 0.1. In this text that happens at asterisks, and beside one. There the cell is emptied,
# and starts anew: how far does it then come inside a name, and how far outside?

# %%
# NBVAL_CHECK_OUTPUT
inside = torch.tensor(units.features(script)["inside bold"] > 0.5)
cell = seen["c"][0, :, bold]
for name, where in (("inside", inside), ("outside", ~inside)):
    print(f"{name:>8}: c from {cell[where].min():.1f} to {cell[where].max():.1f}")

# %% [markdown]
# Below zero on most of a name, above zero and rising outside. One number, and a threshold on it, tells whether bold type is
# open; the AUC in the table says how well that does on text that did not choose the unit.
#
# A caution: a high score says that the unit carries the fact, not that training put it there. Lesson 04 scores an untrained
# network beside the trained one; on bold type it does well, too.

# %% [markdown]
# Where else does this unit fire? The strip colours a longer text by any unit and finds its loudest places.

# %%
text.strip(reader, passage[:3000], scores=found)

# %% [markdown]
# ## Experiment
#
# Three claims, each with a pass rule fixed before the judged seeds ran, five of them. Guess each verdict
# before you run the cell that shows it.
#
# 1. The LSTM of this lesson needs fewer bits per character on held-out plays than the 5-gram, on every seed.
# 2. Carrying the state from window to window helps, against starting each window from zero.
# 3. A higher temperature trades validity (share of words that occur in the plays) for variety.

# %%
claims.every_seed("char-lstm-beats-5gram")

# %%
claims.every_seed("carried-state-helps")

# %%
claims.every_seed("temperature-trades-novelty-for-validity")

# %% [markdown]
# Every point is one seed. The files under `data/claims` hold the command, versions and date behind each. To run one again
# on your machine: `python -m lessons claim carried-state-helps --seeds 5`.

# %% [markdown]
# ## Exercises
#
# Each stub returns `...`, which prints "not attempted yet". `check.hint("name")` gives a first hint, then a second;
# `check.solution("name")` shows one way to do it.
#
# **Exercise 1 · softmax sampling.** Large scores must not overflow, and temperature 0 must be greedy.


# %%
def softmax_sample(logits, temperature, generator):
    """logits (batch, vocab) -> indices (batch,), drawn from softmax(logits / temperature)."""
    return ...


check.softmax_sample(softmax_sample)

# %% [markdown]
# **Exercise 2 · bits per character.** The mean cost of the true characters, in bits.


# %%
def bits_per_character(logits, targets):
    """logits (batch, time, vocab), targets (batch, time) -> mean of −log2 p(target), one number."""
    return ...


check.bits_per_character(bits_per_character)

# %% [markdown]
# **Exercise 3 · find the bug.** With this window the loss falls to 0 within seconds, and the samples are nonsense. Say in
# one sentence what the network learnt; then mend it.


# %%
def next_window(stream, start, length):
    """stream (characters,) -> inputs (length,), and targets (length,): the character after each input."""
    inputs = stream[start : start + length]
    targets = stream[start : start + length]
    return inputs, targets


check.next_window(next_window)

# %% [markdown]
# **Exercise 4 · find the bug.** This step trains, the loss falls, and still the network never learns anything longer than
# a window. Mend it; there is a second trap right behind the first.


# %%
def train_window(model, optimizer, inputs, targets, state):
    """One training step on a window; returns the loss and the state for the next window."""
    logits, state = model(inputs)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), state


check.train_window(train_window)

# %% [markdown]
# **Exercise 5 · the nucleus.** Top-p sampling (Holtzman et al. 2020, section 3.1) rolls only among the likeliest characters
# that together reach the share `top_p`. Keep the smallest such set.


# %%
def nucleus(probabilities, top_p):
    """probabilities (vocab,) -> probabilities (vocab,): zero outside the nucleus, adding up to 1."""
    return ...


check.nucleus(nucleus)

# %% [markdown]
# ## Recap
#
# - A character network is a loaded die, loaded again after each roll by a state that has read everything so far.
# - Bits per character say how well it is loaded; a 5-gram is the opponent to beat.
# - Temperature reshapes the die and never reorders it.
# - Some single units follow facts of the text. Most do not: look down the table of scores before you
#   generalise.

# %% [markdown]
# | Keras | here and in PyTorch | differs in |
# |---|---|---|
# | `LSTM(units)` | `LSTM(input_size, hidden_size)` | input size is given |
# | `return_sequences=True` | the output, always | |
# | `return_state=True` | `(h_n, c_n)`, always | shape (layers, batch, hidden) |
# | `stateful=True` | pass the state yourself | detach it between windows |
# | `kernel`, `recurrent_kernel` | `weight_ih`, `weight_hh` | transposed |
# | gate order `i f c o` | `i f g o` | Keras's c is the candidate g |
# | `bias` | `bias_ih + bias_hh` | two vectors, added |
# | `unit_forget_bias=True` | `forget_bias=1.0` | torch's own layer has no such option |
# | `SparseCategoricalCrossentropy` | `cross_entropy` | both in nats: divide by ln 2 |

# %%
quiz.show("char_rnn")

# %% [markdown]
# ## References
#
# - Shannon 1951, *Prediction and entropy of printed English*: humans guess at about one bit per letter.
# - Kneser & Ney 1995, *Improved backing-off for m-gram language modeling*; Chen & Goodman 1999, *An empirical study of
#   smoothing techniques*, section 3: the n-gram's smoothing.
# - Williams & Peng 1990, *An efficient gradient-based algorithm for on-line training of recurrent network
#   trajectories*: truncation.
# - Sutskever, Martens & Hinton 2011, *Generating text with recurrent neural networks*.
# - Graves 2013, *Generating sequences with recurrent neural networks*, sections 2 and 3.
# - Karpathy, Johnson & Fei-Fei 2016, *Visualizing and understanding recurrent networks*, section 4: units that
#   follow quotes and line length.
# - Holtzman et al. 2020, *The curious case of neural text degeneration*, section 3.1: top-p.
