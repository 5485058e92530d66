# %% [markdown]
# # How do you make a network forget on purpose, and not forget what it read?
#
# 45 minutes · needs lessons 02, 04 and 05 · trains an LSTM and a GRU on a short text, with dropout and without, in about two
# minutes
#
# A network that is given little text learns it by heart. **Dropout** keeps it from that: it hides a random part of what the
# network sees. In a recurrent network the question is where, and for how long. You will see nine answers at work.

# %%
import inspect

import torch

from lessons import cells, check, corpora, dropouts, fit, recurrent
from lessons import claims as ledger
from lessons import recurrent_dropout as lesson
from widgets import claims, gates, quiz, training
from widgets import recurrent_dropout as pictures

# %% [markdown]
# **Guess first.** At each of 24 steps a third of a network's units are set to 0, chosen anew each time. Which share of the units
# has come through all 24 steps without being hit once?

# %%
guess = check.predict("share of units never hit in 24 steps", ..., low=0, high=1)

# %% [markdown]
# **The picture.** Nine kinds of dropout on the same input, 16 units and 24 steps each. Roll the dice; move the rate. Which
# pictures are striped, which are speckled, and which are neither?

# %%
pictures.explore()

# %%
guess.reveal((2 / 3) ** 24)

# %% [markdown]
# Stripes are **locked** masks: drawn once for a sequence, the same at every step. Speckles are new at each step. *Weight drop*
# is grey, since every unit loses some of its incoming weights and none loses all. *Zoneout* hides nothing: in its dark cells the
# old state stays.
#
# Now one kind at a time. Look at *ways through h* for *state, new each step* and for *state, locked*; then take *training* off.

# %%
pictures.theatre()

# %% [markdown]
# A new mask at each step leaves $(1-p)^t$ of the ways through the state, a locked one $1-p$, however long the text. Candidate,
# input and output dropout cut none of them. Without *training* the third panel is empty: evaluation drops nothing. *Zoneout* is
# the exception, and mixes old and new.

# %% [markdown]
# ## From equations to code
#
# A mask $m$ has a 0 with probability $p$ and $1/(1-p)$ else, so that its mean is 1 (**inverted dropout**). What differs is what
# it multiplies:
#
# | kind | in the equations | mask | paper |
# |---|---|---|---|
# | input, output | $m \odot x_t$, $\; m \odot h_t$ on the way out | new, or locked | Zaremba et al. 2014; Gal & Ghahramani 2016 |
# | state | $R\,(m \odot h_{t-1})$ | locked | Gal & Ghahramani 2016 |
# | candidate | $c_t = f_t \odot c_{t-1} + i_t \odot (m_t \odot g_t)$ | new, or locked | Semeniuta et al. 2016 |
# | weight drop | $(M \odot R)\, h_{t-1}$ | one a pass | Merity et al. 2018 |
# | zoneout | $h_t = d_t \odot h_{t-1} + (1 - d_t) \odot \tilde h_t$ | new | Krueger et al. 2017 |

# %%
print(inspect.getsource(dropouts.kept))

# %% [markdown]
# The state's mask, by hand, with lesson 04's step: the recurrent product sees $m \odot h$, and nothing else changes.

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
x = torch.randn(2, 12, 3)
layer = recurrent.LSTM(3, 5, batch_first=True, dropouts=dropouts.Dropouts(recurrent=0.4))
masks = layer.draw_masks(steps=12, batch=2)
mask = masks[0][0].recurrent[0]
h = c = torch.zeros(2, 5)
for x_t in x.unbind(1):
    step = cells.lstm_step(x_t, mask * h, c, *layer.parameters())
    h, c = step.h, step.c
check.same(h, layer(x, masks=masks)[0][:, -1])

# %% [markdown]
# ## Which of them keep the fused kernel?
#
# A kernel that runs all steps at once cannot be stopped between two of them. But what can be written as other inputs or other
# weights, it can run: a locked input mask, weight drop, and a mask of the state that the whole batch shares, since
# $R\,(m \odot h) = (R\,\mathrm{diag}\, m)\, h$. A mask for each sequence would need a $R$ for each sequence.

# %%
# NBVAL_CHECK_OUTPUT
shared = recurrent.LSTM(3, 5, batch_first=True, dropouts=dropouts.Dropouts(recurrent=0.4, masks="batch"))
masks = shared.draw_masks(steps=12, batch=2)
columns = torch.nn.LSTM(3, 5, batch_first=True)
columns.load_state_dict(shared.state_dict())
columns.weight_hh_l0.data *= masks[0][0].recurrent[0]
check.same(shared(x, masks=masks)[0], columns(x)[0])
for name, kind in (("for each sequence", layer.dropouts), ("for the batch", shared.dropouts)):
    print(f"a mask of the state {name}: {kind.kernel}")

# %% [markdown]
# What does leaving the kernel cost? A training step of each kind beside one without dropout, here and now, taking turns:

# %%
preset = lesson.preset()
for name, ratio in lesson.costs(preset, rounds=5 if preset.name == "ci" else 9).items():
    print(f"{name:>32}: {ratio:5.2f} times the step without dropout")

# %% [markdown]
# ## Train
#
# Little text: the first lines of the training plays, read again and again. The network without dropout first. Watch the held-out
# line: where does it turn?

# %%
preset

# %%
plays = corpora.load(preset.corpus)
tasks = lesson.pairs(plays, preset)
plain, dropped = tasks["LSTM"]
runs = {"LSTM": [fit(plain, watch=training.live(temperatures=()))]}

# %% [markdown]
# Now the same network from the same first weights on the same batches, with dropout in three places at once: input and output
# locked, and weight drop inside. All three keep the kernel.

# %%
runs["LSTM"].append(fit(dropped, watch=training.live(temperatures=())))

# %%
runs["GRU"] = [fit(task, progress=False) for task in tasks["GRU"]]
pictures.curves(runs)

# %% [markdown]
# Dotted is the text that was trained on, solid is text never seen, both read with nothing dropped. Without dropout the two part
# early: what the network goes on to learn is this text and no other. With dropout it knows less by heart, and more of English.

# %%
for cell, pair in runs.items():
    for run, name in zip(pair, ("without", "with"), strict=True):
        gap = run.last[lesson.UNKNOWN] - run.last[lesson.KNOWN]
        print(f"{cell} {name} dropout: {gap:.2f} bits between known and unknown text at the end")

# %% [markdown]
# ## Look inside
#
# A trace under masks: the same network reads a line as in a training step, with weights of $R$ missing. The map shows the states
# themselves, and they are whole; what is dropped of them on the way out, the cell below counts.

# %%
seen = lesson.trace_masked(dropped.model, "To be, or not to be: that is the question.", seed=1)
gates.explore(seen, name="c")

# %%
gone = float((seen.output == 0).float().mean())
print(f"of the outputs {gone:.0%} are dropped; of the cells {float((seen['c'] == 0).float().mean()):.0%}")

# %% [markdown]
# ## Experiment
#
# Three pieces of advice, each a claim with its rule fixed before the first run. First: *"never put dropout before an RNN
# layer"*. Guess for each of the two texts.

# %%
claims.every_seed("dropout-before-a-layer-harms")

# %% [markdown]
# Second: *"use the same mask at every step"*, for what goes in and out, and for the state.

# %%
claims.every_seed("one-mask-for-all-steps")

# %% [markdown]
# Third: *"random between layers, but not between time steps"*.

# %%
claims.every_seed("random-between-layers")

# %% [markdown]
# Before you believe any of the three, look at the first column: what did the network read that dropped nothing?

# %%
for name in ("one-mask-for-all-steps", "random-between-layers"):
    for measure, conditions in ledger.load(name).spread.items():
        first, *others = (f"{kind} {over['mean']:.3f}" for kind, over in conditions.items())
        print(f"{measure}: {first}; {', '.join(others)}")

# %% [markdown]
# These two claims train briefly, 400 steps on 10,000 characters, and are judged where they did best. Where dropping nothing reads
# about as well, it can matter little *how* one drops: the advice may still be good for long trainings, wider layers and words,
# for which it was given. To run one again: `python -m lessons claim one-mask-for-all-steps --seeds 5`.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · a locked mask.** One row a sequence.


# %%
def locked_mask(x, p):
    """x (B, T, F), the share p to drop -> a mask (B, 1, F) to multiply x with; its mean is 1."""
    return ...


check.locked_mask(locked_mask)

# %% [markdown]
# **Exercise 2 · the scale.** Training and evaluation must agree in the mean.


# %%
def drop_state(h, keep, p, training):
    """h and keep (B, H), keep 1 or 0, the share p dropped -> what the recurrent product sees of h."""
    return ...


check.drop_state(drop_state)

# %% [markdown]
# **Exercise 3 · find the bug.** A network with this weight drop gives other bits per character each time the same plays are read.
# Mend it.


# %%
def dropped_weight(weight, p, training):
    """W_hh (rows, H), the share p, whether it trains -> the weight that this pass multiplies with."""
    return torch.nn.functional.dropout(weight, p)


check.dropped_weight(dropped_weight)

# %% [markdown]
# **Exercise 4 · zoneout.** Units that skip a step.


# %%
def zoneout(old, new, stay, p, training):
    """Old and new state (B, H), stay (1 with probability p, else 0) -> the state to go on with."""
    return ...


check.zoneout(zoneout)

# %% [markdown]
# ## Recap
#
# - A new mask of the state at each step cuts $(1-p)^T$; a locked one $1-p$; candidate dropout and zoneout never cut memory.
# - Masks that are other inputs or other weights keep the fused kernel; masks of the state for each sequence do not.
# - Evaluation drops nothing, and inverted dropout leaves it nothing to scale. Zoneout mixes.
# - Dropout worsens the training loss on purpose. Judge it on text that was not trained on.
# - Of three pieces of advice one held, and only where there was much text: no dropout before a layer. How masks were shared, over time or layers, made
#   no difference that the rules could see, in short trainings.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | `LSTM(units, dropout=0.3)` | `Dropouts(input=0.3)` | the same: locked, of the input |
# | `recurrent_dropout=0.3` | `Dropouts(recurrent=0.3, per_gate=True)` | Keras has a mask for each gate, then for the input, too |
# | `recurrent_dropout` > 0 | `.kernel == "loop"` | in Keras it takes the cuDNN kernel away; `dropout` alone does not |
# | `SpatialDropout1D(0.3)` before a layer | `Dropouts(input=0.3)` | the same mask at every step |
# | `Dropout(0.3)` before a layer | `Dropouts(input=0.3, masks="step")` | new at each step |
# | | `torch.nn.LSTM(dropout=0.3)` | new at each step, between layers only |
# | no counterpart | `candidate`, `weight`, `zoneout_h`, `zoneout_c` | |

# %%
quiz.show("recurrent_dropout")

# %% [markdown]
# ## References
#
# - Zaremba, Sutskever & Vinyals 2014, *Recurrent neural network regularization*: dropout everywhere but on the state.
# - Gal & Ghahramani 2016, *A theoretically grounded application of dropout in recurrent neural networks*: locked masks, also on the
#   state; figure 1 shows naive and variational masks side by side.
# - Semeniuta, Severyn & Barth 2016, *Recurrent dropout without memory loss*: the candidate.
# - Krueger et al. 2017, *Zoneout: regularizing RNNs by randomly preserving hidden activations*.
# - Merity, Keskar & Socher 2018, *Regularizing and optimizing LSTM language models*: weight drop, and locked masks around it.
# - The Keras documentation of `LSTM`: the requirements of the cuDNN implementation.
