# %% [markdown]
# # Which parts of an LSTM could you leave out?
#
# 45 minutes · needs lessons 02 and 04 · trains a variant of your choice on 34 plays in half a minute
#
# An LSTM has three gates, two activations and, in some books, peepholes. You will take them out one at a time, say
# beforehand which one is missed, and then look at what nine cells did on two tasks with five seeds each.

# %%
import inspect

import torch

from lessons import check, corpora, fit, lstm_variants, trace, variant_study, wiring
from lessons import claims as ledger
from widgets import claims, gates, quiz, training
from widgets import lstm_variants as pictures

# %% [markdown]
# **Guess first.** Eight cells read the same 200,000 characters of plays: seven are a full LSTM (with peepholes) that has
# one part taken out or two gates coupled, one is a GRU. How many of the eight end, in the mean over five seeds, at most
# 0.05 bits a character behind the full LSTM?

# %%
guess = check.predict("cells as good as the full LSTM", ..., low=0, high=8)

# %% [markdown]
# **The picture.** One unit, its weights set by hand. It reads noisy values; at two steps it is told to *write* the
# value, at one to *clear*, at four to *show*. All parts on, it does what it is told. Untick the input gate, then the
# forget gate, then the output gate, each alone. Which wish does the unit no longer hear?

# %%
pictures.switchboard()

# %% [markdown]
# Without the input gate the noise is written too. Without the forget gate the clearing is not heard, and the second value
# is added to the first. Without the output gate the unit shows all the time what it holds. With coupled gates it clears
# only by writing something new: look at step 15.

# %% [markdown]
# ## From equations to code
#
# The full LSTM of Greff et al. (2017, section II), in the letters of the code; $\odot$ multiplies unit by unit:
#
# $$ i = \sigma(W_i x + R_i h_{-1} + p_i \odot c_{-1} + b_i), \quad
#    f = \sigma(W_f x + R_f h_{-1} + p_f \odot c_{-1} + b_f) $$
# $$ g = \tanh(W_g x + R_g h_{-1} + b_g), \quad c = f \odot c_{-1} + i \odot g $$
# $$ o = \sigma(W_o x + R_o h_{-1} + p_o \odot c + b_o), \quad h = o \odot \tanh(c) $$
#
# A gate that is taken out becomes a 1; an activation that is taken out leaves its sum as it is. In the code `_gate` is the
# sigmoid, or 1, and `see` shows a quantity to whoever watches, a trace for instance, and hands it back.

# %%
print(inspect.getsource(wiring.WiredCell.step))

# %% [markdown]
# The layer that trains runs a faster loop with its backward pass written by hand. It must give the same numbers as the step
# above. Without peepholes it is PyTorch's own LSTM:

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
x, layer = torch.randn(12, 2, 3), lstm_variants.variant("V", 3, 5)
cell = layer.cell(0, 0)
h = c = torch.zeros(2, 5)
for from_x in cell.hoist(x):
    h, c = cell.step(from_x, (h, c), lambda name, value: value)
check.same(h, layer(x)[0][-1])
plain = torch.nn.LSTM(3, 5)
variant = lstm_variants.variant("NP", 3, 5)
variant.load_state_dict(plain.state_dict())
check.same(variant(x)[0], plain(x)[0])

# %% [markdown]
# What does each part cost? Numbers that a layer of 32 units with 16 inputs learns:

# %%
# NBVAL_CHECK_OUTPUT
for name, words in variant_study.NAMES.items():
    print(f"{name:>4}  {words:<22}{variant_study.cost(name):>6,}")

# %% [markdown]
# A gate is a quarter of the layer; peepholes are almost free, an activation is free. Coupled gates save as much as
# a gate taken out, and keep both jobs.

# %% [markdown]
# ## Train
#
# A cell of your choice learns plays, character by character as in lesson 02. The state is carried from window to window, so the
# text never ends for the cell: that is where forgetting matters. Keep `CIFG` at first, coupled gates: the next cells look into
# it. Then put other letters from the table in its place.

# %%
preset = variant_study.preset().but(cell="CIFG")
print(preset)

# %%
plays = corpora.load(preset.corpus)
task = variant_study.reading(preset.cell, plays, preset)
run = fit(task, watch=training.live(temperatures=(0.5,)))
run

# %% [markdown]
# ## Look inside
#
# With coupled gates what is kept and what is taken in add up to 1, at every step and in every unit. Look at *input gate i*,
# then at *forget gate f*: the same picture, light for dark.

# %%
seen = trace(task.model, "To be, or not to be: that is the question.")
gates.explore(seen, name="i")

# %%
# NBVAL_CHECK_OUTPUT
total = seen["f"] + seen["i"]
print("they add up to 1:", torch.allclose(total, torch.ones_like(total)))

# %% [markdown]
# ## Where forgetting starts
#
# A forget gate with bias $b$ starts near $\sigma(b)$, so after $t$ steps $\sigma(b)^t$ of the cell is left, and of its
# gradient too. How many steps until half is gone?

# %%
# NBVAL_CHECK_OUTPUT
for bias in (0.0, 1.0, 2.0, 3.0):
    gate = torch.sigmoid(torch.tensor(bias))
    half = torch.log(torch.tensor(0.5)) / torch.log(gate)
    print(f"bias {bias:g}: the gate starts at {gate:.2f}, half is gone after {half:.1f} steps")

# %% [markdown]
# **Chrono initialisation** (Tallec & Ollivier 2018) asks how long the longest memory must be, $T$, and
# draws $b_f = \log u$ with $u$ uniform between 1 and $T - 1$, and $b_i = -b_f$: some units for every time scale. The task
# below is a **latch**: name the first of eight symbols after a stretch of noise. Guess which starts learn it.

# %%
sizes = variant_study.latch()
starts = {
    "bias 1": {"forget_bias": 1.0},
    "bias 3": {"forget_bias": 3.0},
    "chrono": {"initialise": {"chrono": sizes.length}},
}
for name, start in starts.items():
    steps = variant_study.steps_until_solved("lstm", sizes.but(**start), task="latch")
    print(
        name,
        "is not solved in" if steps > sizes.steps else "is solved after",
        min(steps, sizes.steps),
        "steps",
    )

# %% [markdown]
# ## Experiment
#
# Four claims, five seeds each, their rules fixed before the runs that are shown. All cells have 32 units, one learning rate
# and equal steps. Greff et al. searched the settings for each variant anew; this comparison does not, and says less.

# %%
result = ledger.load("variants-perform-alike")
print(f"Rule: {result.rule}.\n\n{result}")

# %%
pictures.explore(result)

# %%
bits = result.spread["bits per character on held-out plays"]
guess.reveal(sum(bits[name]["mean"] <= bits["V"]["mean"] + 0.05 for name in bits) - 1)
for name, over in bits.items():
    print(f"{name:>4}: {over['mean']:.2f} bits in the mean, {over['low']:.2f} to {over['high']:.2f}")

# %% [markdown]
# Switch the task to reading: the axis is logarithmic, because a cell that is shown without its tanh can end anywhere.
# Sort by cost: neither task is won by a cell with the most parameters; the GRU, with the fewest, is first in both. Two caveats
# belong to *alike*: the full LSTM, to which all are compared, reads worse here than most; and the seeds of neighbours mostly
# overlap, so the order within the crowd means little.

# %%
claims.every_seed("forget-gate-is-crucial")

# %% [markdown]
# V is the full LSTM, NFG the one without a forget gate. Adding has sequences of 20 steps, each begun with an empty cell: there
# is nothing to forget. Reading never begins anew. A claim about a part is a claim about a task.

# %%
claims.every_seed("forget-bias-one-suffices")

# %%
claims.every_seed("rnns-are-harder-to-train")

# %% [markdown]
# The window model sees all 20 steps at once, as one long row of numbers. On the latch it learns at every rate, the recurrent
# networks at half of the rates or fewer; on adding it learns at none in 400 steps, and the LSTM is ahead. Of a play it would
# never see more than its window. To run a claim again: `python -m lessons claim forget-bias-one-suffices --seeds 5`.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · peepholes.** The gates look at the cell: i and f at the old one, o at the new one.


# %%
def peephole_cell(total, c, peephole):
    """total (B, 4H): sums before i f g o; old c (B, H); peephole (3, H) for i f o -> new h, new c."""
    return ...


check.peephole_cell(peephole_cell)

# %% [markdown]
# **Exercise 2 · find the bug.** Somebody coupled two gates to save a quarter of the weights. The network forgets everything
# that it does not write again. Say in one sentence what is wrong; then mend it.


# %%
def coupled_cell(i, g, c):
    """Input gate, candidate and old cell, each (B, H) -> the new cell (B, H), one gate for both jobs."""
    f = i
    return f * c + i * g


check.coupled_cell(coupled_cell)

# %% [markdown]
# **Exercise 3 · where forgetting starts.** `torch.nn.LSTM` has no option for it. Set it by hand.


# %%
def open_forget_gates(lstm, value):
    """Change a torch.nn.LSTM so that bias_ih + bias_hh of its forget gates is value; return it."""
    return ...


check.open_forget_gates(open_forget_gates)

# %% [markdown]
# **Exercise 4 · what a part costs.** Compute the table of costs above.


# %%
def count_parameters(inputs, hidden, blocks, peepholes):
    """Sizes, blocks of rows (4 for i f g o), gates with a peephole -> the layer's number of parameters."""
    return ...


check.count_parameters(count_parameters)

# %% [markdown]
# ## Recap
#
# The verdicts, as the ledger holds them:

# %%
for name in (
    "variants-perform-alike",
    "forget-gate-is-crucial",
    "forget-bias-one-suffices",
    "rnns-are-harder-to-train",
):
    print(f"{name}: {ledger.load(name).verdict}")

# %% [markdown]
# | Keras | here | in PyTorch |
# |---|---|---|
# | `unit_forget_bias=True`: bias 1, the default | `LSTM(…, forget_bias=1.0)` | set the rows yourself: exercise 3 |
# | `activation=` changes g and the way out together | `input_activation`, `output_activation` | fixed |
# | `recurrent_activation=` for all gates | sigmoid | fixed |
# | no peepholes, nothing coupled | `VariantLSTM(peepholes=True, coupled=True)` | none |
# | `GRU(reset_after=False)` | `ResetBeforeGRU` (lesson 05) | none |
# | `implementation=1` or `2`: one product a gate, or one for all | one for all | one for all |

# %%
quiz.show("lstm_variants")

# %% [markdown]
# ## References
#
# - Hochreiter & Schmidhuber 1997, *Long short-term memory*, section 4: input and output gate, no forget gate.
# - Gers & Schmidhuber 2000, *Recurrent nets that time and count*: peepholes.
# - Gers, Schmidhuber & Cummins 2000, *Learning to forget*, sections 2 and 3: the forget gate, and why endless input needs it.
# - Pascanu, Mikolov & Bengio 2013, *On the difficulty of training recurrent neural networks*, sections 1 and 2.
# - Jozefowicz, Zaremba & Sutskever 2015, *An empirical exploration of recurrent network architectures*: the forget bias.
# - Greff et al. 2017, *LSTM: a search space odyssey*, sections II (the full cell), IV-C (the variants) and V (what came out).
# - Tallec & Ollivier 2018, *Can recurrent neural networks warp time?*: chrono initialisation.
