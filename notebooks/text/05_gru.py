# %% [markdown]
# # Is one state and two gates enough?
#
# 40 minutes · needs lessons 02 and 04 · trains an LSTM and two GRUs side by side in about half a minute
#
# A **gated recurrent unit** keeps one state where an LSTM keeps two, and has two gates where that has three. You will hold its
# gates by hand, put the reset gate in both places where books put it, and race it against an LSTM, in steps and in seconds.

# %%
import inspect

import torch

from lessons import cells, check, corpora, gru, trace
from lessons import claims as ledger
from widgets import claims, gates, quiz
from widgets import gru as pictures

# %% [markdown]
# **Guess first.** A GRU and an LSTM of equal size read plays on a CPU, taking turns, until both reach 3.3 bits a character.
# The GRU's layer has a quarter fewer weights. How many seconds does the GRU need for every second of the LSTM, in the mean over
# five seeds?

# %%
guess = check.predict("seconds of the GRU for each second of the LSTM", ..., low=0.25, high=2)

# %% [markdown]
# **The picture.** One unit, two pulses to read, its gates in your hand. The dashed line is the **candidate** n, where the
# state is drawn to; the **update gate** z says how slowly. Set z to 0.5, to 0.95, to 1. Then put it back to 0.7 and open the
# **reset gate** r: the candidate begins to see what the state was.

# %%
pictures.unit()

# %% [markdown]
# At z = 1 the unit keeps its state and reads nothing. With r = 0 it is a running mean of what it reads, and fades the sooner
# the smaller z is. With r = 1 its own state feeds the candidate, and one pulse can hold the unit up for as long as you like,
# even at a small z. There are two ways to remember here, and only one of them needs z near 1.

# %% [markdown]
# ## From equations to code
#
# The GRU of Cho et al. (2014, section 2.3), in torch's form; $\odot$ multiplies unit by unit:
#
# $$ r = \sigma(W_r x + R_r h_{-1} + b_r), \qquad z = \sigma(W_z x + R_z h_{-1} + b_z) $$
# $$ n = \tanh\!\big(W_n x + b_{in} + r \odot (R_n h_{-1} + b_{hn})\big), \qquad
#    h = (1 - z) \odot n + z \odot h_{-1} $$
#
# $z$ does the work of two LSTM gates: it keeps like $f$, and $1 - z$ lets in like $i$. What is kept is also what is shown.

# %%
print(inspect.getsource(cells.gru_step))

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
x, layer = torch.randn(2, 12, 3), torch.nn.GRU(3, 5, batch_first=True)
h = torch.zeros(2, 5)
for x_t in x.unbind(1):
    r, z, n, q, h = cells.gru_step(x_t, h, *layer.parameters())
check.same(h, layer(x)[0][:, -1])

# %% [markdown]
# ## Two places for the reset gate
#
# Cho et al. (equation 8) multiply the state *before* the product, $R_n (r \odot h_{-1})$: a closed r of one unit hides that unit
# from all the others. torch and cuDNN multiply *after* it, $r \odot (R_n h_{-1} + b_{hn})$: a closed r blinds one unit to all the
# others. Below, both layers have the same weights. Open all reset gates: bias 6. Close them: bias −6.

# %%
pictures.resets()

# %% [markdown]
# At bias 6 the two networks are almost one. In between they drift apart, and weights trained for one mean something else to the
# other. At −6 they differ almost only because torch's r also shuts off $b_{hn}$. Both are in this course, and in Keras as
# `reset_after`. With all reset gates wide open (bias 40) nothing is left between them:

# %%
# NBVAL_CHECK_OUTPUT
after, before = gru.twins(3, 5)
with torch.no_grad():
    apart = (after(x)[0] - before(x)[0]).abs().max() > 1e-3
    for layer in (after, before):
        gru.set_reset_bias(layer, 40.0)
    check.same(after(x)[0], before(x)[0])
print("with their own reset gates they differ:", bool(apart))

# %% [markdown]
# ## Train
#
# An LSTM, a GRU of the same size, and a GRU widened to the same number of weights read the same windows in turns, one step
# each. One thread works, and its processor time is counted, so that other programs do not decide the race.

# %%
preset = gru.preset()
print(preset)

# %%
plays = corpora.load(preset.corpus)
laps = gru.race(plays, preset, progress=True)
pictures.compare(laps)

# %%
for entrant, lap in zip(gru.entrants(preset), laps, strict=True):
    print(f"{lap.name:>20}: {entrant.hidden_size} units, {lap.parameters:,} weights in the layer")

# %% [markdown]
# Switch from steps to seconds. The curves move towards each other, and may cross: on a CPU a step of this GRU takes longer than
# one of the LSTM, although it computes less.

# %% [markdown]
# ## Look inside
#
# The GRU that you have just trained reads a line. Choose *update gate z*: bright rows keep, dark rows follow the text letter by
# letter. Then *reset gate r*.

# %%
seen = trace(laps[1].model, "To be, or not to be: that is the question.")
gates.explore(seen, name="z")

# %%
longest = (seen["z"][0] > 0.9).float().mean(0)
print(
    f"unit {int(longest.argmax())} has z above 0.9 at {longest.max():.0%} of the steps; the mean unit at {longest.mean():.0%}"
)

# %% [markdown]
# ## Why is less work not less time?
#
# On a CPU torch's LSTM is one fused kernel (oneDNN). torch's GRU is a loop over the steps, and autograd goes back through it
# step by step. The GRU of this course has its backward pass written by hand: faster than torch's, but no kernel either. Time
# of a training step here and now, the networks taking turns:

# %%
runners = [
    *gru.entrants(preset),
    gru.Entrant("GRU of torch.nn", "torch.nn.GRU", preset.hidden_size),
    gru.Entrant("GRU of Cho et al.", "gru_reset_before", preset.hidden_size),
]
seconds = gru.step_seconds(plays, preset, runners, steps=20)
for name, value in seconds.items():
    print(f"{name:>20}: {value / seconds['LSTM']:.2f} times the LSTM's step")

# %% [markdown]
# ## Experiment
#
# *"GRUs train faster."* Faster in what? The claim is taken apart into three: time of a step, steps to 3.3 bits, seconds to 3.3
# bits; each at equal size and with as many weights. Guess the six outcomes before you look.

# %%
claims.every_seed("gru-trains-faster")

# %%
result = ledger.load("gru-trains-faster")
for measure, conditions in result.spread.items():
    for name, over in conditions.items():
        print(f"{measure}: {name} {over['mean']:.2f} ({over['low']:.2f} to {over['high']:.2f})")
guess.reveal(result.spread["seconds to 3.3 bits"]["GRU, same size"]["mean"])

# %% [markdown]
# Fewer steps: yes, with these settings. A faster step: no, on a CPU, since the LSTM's kernel is fused. Fewer seconds: on some
# seeds, and on too few for the rule, at either size. On a GPU cuDNN fuses both; this course has not measured it there. To run
# it again: `python -m lessons claim gru-trains-faster --seeds 5`.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · the step.** The products with the weights are done; put the gates together.


# %%
def gru_cell(from_x, from_h, h):
    """W x + b_ih and W h + b_hh, each (B, 3H) with rows r z n, and the old h (B, H) -> the new h (B, H)."""
    return ...


check.gru_cell(gru_cell)

# %% [markdown]
# **Exercise 2 · find the bug.** Weights of `torch.nn.GRU` were loaded into this step. Units that should remember for a whole
# line forget at once. Mend it.


# %%
def update_state(z, n, h):
    """Update gate, candidate and old state, each (B, H) -> the new state (B, H), as in torch.nn.GRU."""
    return z * n + (1 - z) * h


check.update_state(update_state)

# %% [markdown]
# **Exercise 3 · find the bug.** This was meant to be the candidate of Cho et al.; with weights of a Keras layer made with
# `reset_after=False` it gives other numbers than Keras does. Mend it.


# %%
def candidate_of_cho(x_n, h, r, weight, bias):
    """x's share (B, H), old h (B, H), reset gate r (B, H), W_hn (H, H), b_hn (H,) -> candidate n (B, H)."""
    return torch.tanh(x_n + r * (h @ weight.T + bias))


check.candidate_of_cho(candidate_of_cho)

# %% [markdown]
# **Exercise 4 · equal parameters.** How wide must a GRU be to have as many weights as an LSTM? A layer's block of rows has
# `units * (inputs + units + 2)` numbers.


# %%
def equal_size(lstm_units, inputs):
    """Units of an LSTM layer and its inputs -> units of the GRU layer nearest to it in parameters."""
    return ...


check.equal_size(equal_size)

# %% [markdown]
# ## Recap
#
# - z keeps, 1 − z lets in, r decides what the candidate sees of the past; the state is memory and output in one.
# - The reset gate before or after the product makes two networks; with all r at 1 they are the same.
# - Comparing cells needs a word more: at equal size or at equal weights, in steps or in seconds, on which kernel.

# %% [markdown]
# | Keras | here and in PyTorch | differs in |
# |---|---|---|
# | `GRU(units)`, `reset_after=True` (the default) | `GRU(input_size, hidden_size)` | order of the gates: Keras z r h, torch r z n |
# | `GRU(units, reset_after=False)` | `ResetBeforeGRU`, not in torch | one bias vector instead of two |
# | `recurrent_activation`, `activation` | sigmoid, tanh | fixed in torch |
# | `implementation=1` or `2`: one product a gate, or one for all | one for all | same numbers, other speed |
# | z keeps: `z * h + (1 - z) * hh` | z keeps | some books exchange z and 1 − z |
# | `return_sequences`, `return_state` | `output, h_n`, always | no `c_n` |

# %%
quiz.show("gru")

# %% [markdown]
# ## References
#
# - Cho et al. 2014, *Learning phrase representations using RNN encoder–decoder*, section 2.3, equations 5 to 8: the unit.
# - Chung et al. 2014, *Empirical evaluation of gated recurrent neural networks on sequence modeling*, sections 3.2 and 5: the
#   GRU beside the LSTM, in updates and in wall-clock time.
# - Jozefowicz, Zaremba & Sutskever 2015, *An empirical exploration of recurrent network architectures*: GRU and LSTM beside
#   thousands of other cells.
# - Greff et al. 2017, *LSTM: a search space odyssey*, section III: coupled gates, the nearest relation of z.
# - The PyTorch documentation of `torch.nn.GRU`: the note on where the reset gate acts; the Keras documentation of `GRU`:
#   `reset_after`.
