# %% [markdown]
# # What came after the LSTM?
#
# 50 minutes · needs lessons 04 and 12, and 17 for the memory · trains three readers and a matrix memory in about a minute
#
# You will see what recurrent networks gave up in the years after the LSTM, what they got for it, and which of them can do what.

# %%
import inspect

import torch

from lessons import cell_costs, check, fit, minimal, scan, state_space, tasks, trace, what_came_next, xlstm
from lessons import claims as ledger
from widgets import cell_costs as cost_pictures
from widgets import claims, gates, matrix_memory, quiz, training
from widgets import what_came_next as cells

preset, pairs = what_came_next.preset(), what_came_next.pairs()

# %% [markdown]
# An LSTM's gates look at the input *and at the state*. So step 1,000 cannot begin before step 999 has ended, however many processors wait. Most cells that came later cut that
# wire: their gates see the input alone.
#
# **Guess first.** Below, each cell is taught **parity** (is the number of ones so far odd?) over 20 steps, and asked over 40. Which share of the answers does a cell without
# that wire get right?

# %%
guess = check.predict("answers on parity that a minLSTM gets right", ..., low=0, high=100, unit="%")

# %% [markdown]
# **The picture.** Six cells on tasks of lessons before this one, each with as many weights as the LSTM, five seeds each. Large: the mean. Small: the lowest and the highest seed. Where is
# the LSTM ahead, and where is it far behind?

# %%
cells.who_can()

# %%
parity = ledger.load(cells.ASKED["parity"])
guess.reveal(100 * parity.spread[cells.measured(parity)]["minLSTM"]["mean"])

# %% [markdown]
# Two things stand out, and the lesson is about them. A **matrix** for a memory recalls pairs that a vector of as many weights does not (a selective state space holds one, too: some numbers a unit). And a state that every step must *turn over* is
# out of reach for cells whose gates do not see it and keep between none and all of it.

# %% [markdown]
# ## From equations to code
#
# **minLSTM** (Feng et al. 2024) is what is left of an LSTM without the wire. Both gates (sigmoids) and the candidate come from $x_t$ alone, the gates share out one whole, the candidate is not squashed:
#
# $$ h_t = \frac{f_t}{f_t + i_t}\, h_{t-1} + \frac{i_t}{f_t + i_t}\, g_t $$
#
# This is the cell that runs, one step of it, and the gates that it uses:

# %%
print(inspect.getsource(minimal.MinLSTMFloor.step))
print(inspect.getsource(minimal.MinLSTMFloor.gates))

# %% [markdown]
# Everything but $h$ is known before the first step. What remains is $h_t = a_t h_{t-1} + b_t$, and two steps of that are one step of the same kind, with $a = a_2 a_1$ and $b = a_2 b_1 + b_2$.
# So a **scan** can put steps together in any order: all pairs at once, then all fours, then all eights.


# %%
def doubling(a, b, h0):
    """h_t = a_t h_{t-1} + b_t for all t, in log2(T) rounds: a, b (T, H), h0 (H,) -> (T, H)."""
    b = torch.cat([(a[0] * h0 + b[0])[None], b[1:]])
    reach = 1
    while reach < len(b):
        b = torch.cat([b[:reach], a[reach:] * b[:-reach] + b[reach:]])
        a = torch.cat([a[:reach], a[reach:] * a[:-reach]])
        reach *= 2
    return b


# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
a, b, h0 = torch.rand(100, 8), torch.randn(100, 8), torch.randn(8)
check.same(doubling(a, b, h0), scan.scan(a, b, h0))
check.same(scan.by_doubling(a, b, h0), scan.scan(a, b, h0))

# %% [markdown]
# And the cell? One step at a time, in a loop, and all at once must give the same:

# %%
# NBVAL_CHECK_OUTPUT
layer, x = minimal.MinLSTM(8, 16), torch.randn(200, 2, 8)
all_at_once, _ = layer(x)
layer.in_parallel = False
one_at_a_time, _ = layer(x)
check.same(all_at_once, one_at_a_time)

# %% [markdown]
# ## What it buys
#
# A training step, forward and backward, as the sequence grows; and, beside it, one more character after so many. Left: the same minLSTM in a loop and by the scan, and torch's
# fused LSTM kernel. Right: cells that carry a state, and an attention that keeps all it has read.

# %%
small = preset.name == "ci"
lengths = [16, 64] if small else [64, 256, 1024, 2048]
steps = {
    f"minLSTM, {way}": found
    for way, found in cell_costs.training_costs("minlstm", lengths, 1 if small else 3).items()
}
steps["LSTM, fused kernel"] = {n: cell_costs.seconds(cell_costs.training_step("lstm", n), 3) for n in lengths}
before = [16, 64] if small else [64, 1024, 16384]
more = {name: cell_costs.character_costs(name, before) for name in ("minlstm", "mlstm", "attention")}
cost_pictures.costs(steps, more)

# %% [markdown]
# On a processor with two cores the scan leaves the *loop* far behind, and a kernel written by hand for the LSTM is about as fast: what a scan needs is a machine with many cores, where the
# kernel, too, has to wait for each step. What holds anywhere is on the right. Whoever carries a state pays the same for every character.

# %% [markdown]
# ## Train
#
# Three readers of plays, alike but for the cell: an LSTM, a minLSTM, and a **selective state space**, the layer inside Mamba (Gu & Dao 2023).

# %%
print(preset)
readers = {}
for name, cell in what_came_next.BESIDE.items():
    task = what_came_next.prepare(preset.but(cell=cell))
    run = fit(task, watch=training.live() if name == "minLSTM" else None, progress=False)
    readers[name] = task.model
    print(f"{name:10s} {run.seconds:4.0f} s, {run.last['valid']:.2f} bits per character")

# %% [markdown]
# ## Look inside
#
# The same line through all three. Top row: how much each unit keeps of what it holds. Step through it: whose gates change with the letter, and whose hardly ever?

# %%
line = "To be, or not to be, that is the question"
traces = {name: trace(model, line) for name, model in readers.items()}
cells.beside(traces)

# %% [markdown]
# The explorer of lesson 04 takes the new cells, too. Here the selective layer, one unit: **d** is the length of the step that the unit takes through time, and that one number does the work of
# two gates.

# %%
gates.explore(traces["selective"], name="d", unit=3)

# %% [markdown]
# ### What became of the forget gate
#
# A state space holds $N$ numbers a unit that fade at rates $A$, and $d_t$ says for how long:
#
# $$ c_t = e^{d_t A}\, c_{t-1} + d_t\, B_t\, g_t \qquad\qquad h_t = C_t \cdot c_t + D\, g_t $$
#
# A long step forgets and takes in; a step of length 0 keeps and takes in nothing. With one number a unit, $A = -1$ and
# $d = \mathrm{softplus}(s)$, $e^{-d} = 1 - \sigma(s)$ is a forget gate. Sampled exactly, with $B = 1$, the input would enter by $1 - e^{-d} = \sigma(s)$: two gates that share out one whole, as in
# the minLSTM (theorem 1 of the paper). The $d_t$ above is that for short steps.

# %%
print(inspect.getsource(state_space.SelectiveFloor.step))

# %% [markdown]
# You can hold the gates of the new cells as you held those of lesson 04. Keep everything from step 10 on, let nothing in, and the reader no longer hears the line:

# %%
held = trace(
    readers["minLSTM"],
    line,
    edit={"f": lambda f, t: f if t < 10 else f * 0 + 1, "i": lambda i, t: i if t < 10 else i * 0},
)
for name, seen in (("as it is", traces["minLSTM"]), ("held", held)):
    guesses = seen.probabilities[0].argmax(-1)
    print(f"{name:9s}", "".join(seen.vocabulary[k] for k in guesses).replace("\n", "⏎"))

# %% [markdown]
# ## A matrix for a memory
#
# Leave the softmax out of attention, and it can be written as a recurrence (Katharopoulos et al. 2020): each step adds an outer product of a key and a value to a matrix, and a query reads it.
#
# $$ M_t = f_t\, M_{t-1} + i_t\, k_t\, v_t^\top \qquad\qquad h_t = q_t^\top M_t \big/ \text{its weights} $$
#
# With $f = i = 1$ that is linear attention; with gates, the input's exponential, and an output gate it is the **mLSTM** (Beck et al. 2024):

# %%
print(inspect.getsource(xlstm.MLSTMFloor.step))

# %% [markdown]
# Teach linear attention to recall: names with things, one pair a step, then names alone. Training ends when 99 % of the answers are right.

# %%
recalling = what_came_next.recalling(pairs)
run = fit(recalling, watch=tasks.UntilSolved(), progress=False)
print(pairs)
print(f"{run.step} steps, {run.seconds:.0f} s, {recalling.evaluate()['share right']:.0%} right")

# %% [markdown]
# Now open it as you opened the machine of lesson 17. A slot is a row of the matrix: what was stored under one number of the keys. Choose *empty the slot* and see which name is lost.

# %%
matrix_memory.recalled(recalling.model, pairs)

# %% [markdown]
# It is **associative memory** again, without heads that travel: a pair is spread over the slots its key names, so names that share a slot disturb each other, and an emptied slot may cost two
# answers, or none.

# %% [markdown]
# ## Experiment
#
# The rules were fixed before the first run. On **recall**: mLSTM and gated linear attention at least 0.1 ahead of the LSTM, on four of five seeds.

# %%
claims.every_seed("a-matrix-recalls-more")

# %% [markdown]
# On **parity**, asked over twice the length that was taught: above 0.9 with the state in the gates, below 0.9 without.

# %%
claims.every_seed("parity-needs-feedback")

# %% [markdown]
# And on the **depth of brackets**, which only has to be counted up and down:

# %%
claims.every_seed("depth-needs-feedback")

# %% [markdown]
# More claims ask whether the new cells hold a symbol, copy, leave out what does not count, and read plays as well as an LSTM of as many weights. All verdicts, as they came out:

# %%
for result in cells.kept().values():
    print(result, "\n")

# %% [markdown]
# Small networks, short sequences, minutes of training: nothing here says who wins at a billion weights. It says what a cell *can* learn, and at how many weights.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · two in one.** The whole trick of the scan.


# %%
def two_in_one(a1, b1, a2, b2):
    """First h -> a1 h + b1, then h -> a2 h + b2, all (H,). Returns a and b of the one step that does both."""
    return ..., ...


check.two_in_one(two_in_one)

# %% [markdown]
# **Exercise 2 · find the bug.** This scan takes two steps at a time. It is right on a whole text, and wrong on the second half of one. Mend it.


# %%
def scan_in_chunks(a, b, h0):
    """h_t = a_t h_{t-1} + b_t at all steps: a, b (T, H) with T even, h0 (H,) -> h (T, H)."""
    a, b, rows, h = a.unflatten(0, (-1, 2)), b.unflatten(0, (-1, 2)), [], torch.zeros_like(h0)
    second = a[:, 1] * b[:, 0] + b[:, 1]
    for k in range(len(a)):
        rows += [a[k, 0] * h + b[k, 0], a[k, 1] * a[k, 0] * h + second[k]]
        h = rows[-1]
    return torch.stack(rows)


check.scan_in_chunks(scan_in_chunks)

# %% [markdown]
# **Exercise 3 · a minLSTM.** Given what its gates get from the input.


# %%
def min_lstm(i, f, g, h0):
    """i, f, g (T, H): W x + b of each, not squashed yet; h0 (H,) -> the states (T, H)."""
    return ...


check.min_lstm(min_lstm)

# %% [markdown]
# **Exercise 4 · recall.** Store all pairs in one matrix, and read it.


# %%
def recall(keys, values, query):
    """keys (N, K) above 0, values (N, V), query (K,) above 0 -> what linear attention reads (V,)."""
    return ...


check.recall(recall)

# %% [markdown]
# ## Recap
#
# - Gates that see the input alone are known for all steps at once; what remains is a linear recurrence, and a scan runs it in parallel.
# - The forget gate is still there: as $f$, as the length $d$ of a step, as a fading of a whole matrix.
# - One more character costs the same, whatever came before; attention's costs grow.
# - A matrix memory binds pairs. A state that a step must turn over needs gates that see it, or factors below 0, which none of these cells has: here an LSTM or an sLSTM did it.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | `LSTM(units)` | `MinLSTM(inputs, units)` | gates without the state; no such layer in Keras or torch.nn |
# | `RNN(cell)` | any cell with `hoist` and `step` | Keras always loops; `parallel` has no counterpart |
# | `Attention()` | `LinearAttention(inputs, units)` | no softmax, a state in place of all keys and values |

# %%
quiz.show("what_came_next")

# %% [markdown]
# ## References
#
# - Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, *Were RNNs All We Needed?* (arXiv 2410.01201): minLSTM and minGRU.
# - Katharopoulos, Vyas, Pappas & Fleuret 2020, *Transformers are RNNs* (arXiv 2006.16236), section 3.4. Peng et al. 2021, *Random Feature Attention*: the gated form.
# - Gu, Goel, Gupta & Ré 2022, *On the Parameterization and Initialization of Diagonal State Space Models* (arXiv 2206.11893). Gu & Dao 2023, *Mamba* (arXiv 2312.00752), algorithm 2 and theorem 1.
# - Beck et al. 2024, *xLSTM: Extended Long Short-Term Memory* (arXiv 2405.04517): sLSTM and mLSTM. Peng et al. 2023, *RWKV* (arXiv 2305.13048): `RWKV`, of which the lesson says nothing more.
# - Blelloch 1990, *Prefix Sums and Their Applications*: the scan. Merrill, Petty & Sabharwal 2024, *The Illusion of State in State-Space Models*: what the missing wire costs.
