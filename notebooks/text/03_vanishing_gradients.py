# %% [markdown]
# # Why does a network forget what it read fifty steps ago?
#
# 40 minutes · needs lessons 01 and 02 · trains six networks to add two numbers, in about a minute
#
# You will watch a gradient travel back through a hundred steps, see where it is lost and where it explodes, and
# find out which networks can learn from a distance and which cannot.

# %%
import torch

from lessons import check, gradients, trace
from lessons import claims as ledger
from lessons import vanishing_gradients as lesson
from widgets import quiz, training
from widgets import vanishing_gradients as pictures

# %% [markdown]
# **Guess first.** A tanh network reads 100 steps and learns at the last one how wrong it was. The gradient of that loss
# walks back. At step 0, how long is it, as a share of its length at step 99? Give the power of ten: −3 for a thousandth.

# %%
guess = check.predict("power of ten of what arrives at the first step", ..., low=-30, high=3)

# %% [markdown]
# **The picture.** Six untrained networks, the median of 64 sequences, a loss at the last step only. The vertical axis is
# logarithmic: from one grid line to the next are several powers of ten. The LSTM has two lines, since it has two states, `h` and `c`
# (lesson 04). Drag the time slider to the left and read the numbers.

# %%
preset = lesson.preset()
drawn = lesson.networks(preset)
first = lesson.decays(drawn)
pictures.explore(first)

# %%
guess.reveal(first["tanh RNN"]["h"][0].log10())

# %% [markdown]
# The lines are nearly straight. On a logarithmic axis that means one thing: **at every step the gradient is multiplied by
# about the same number.** A number below 1 and a hundred steps leave nothing. The two dashed lines are networks of the
# same kind as the tanh and ReLU lines; only their recurrent matrix starts elsewhere: at a random **orthogonal** matrix, which turns a
# vector and keeps its length, and at the identity.

# %% [markdown]
# ## From equations to code
#
# The tanh network's state is $h_t = \tanh(W_{ih} x_t + W_{hh} h_{t-1} + b)$. One step back, the gradient passes the slope of
# tanh, then the matrix, transposed (Pascanu, Mikolov & Bengio 2013, equation 5, for the state
# before tanh):
#
# $$ \frac{\partial L}{\partial h_{t-1}} = W_{hh}^\top \, \mathrm{diag}(1 - h_t^2) \, \frac{\partial L}{\partial h_t}. $$
#
# A loss at the last step $T$ reaches step $t$ through $T - t$ such **Jacobians** in a row.


# %%
def back(h, weight, gradient):
    """h (T, H), W_hh (H, H), dL/dh_T (H,) -> dL/dh_t at every step, (T, H)."""
    found = [gradient]
    for state in h.flip(0)[:-1]:
        found.append(weight.T @ ((1 - state**2) * found[-1]))
    return torch.stack(found).flip(0)


# %% [markdown]
# Is that what autograd computes? `gradients.flow` gives every $\partial L / \partial h_t$ in one sweep, and is tested against
# autograd. The loop above, on one sequence and in double precision:

# %%
task = lesson.in_double(drawn["tanh RNN"])
x, target = (part[:1] for part in task.held_out())
flow = gradients.flow(task.model, x, lambda answer: task.cost(answer, target))
h = trace(task.model, x)["h"][0]
ours = back(h, task.model.recurrent.weight_hh_l0.detach(), flow["h"][0, -1])
check.same(ours, flow["h"][0], tolerance=1e-9)

# %% [markdown]
# ## One number that decides: the spectral radius
#
# Multiply by the same matrix again and again, and its largest eigenvalue wins. Its absolute value is the **spectral radius**
# ρ; without the slopes, the gradient would change by about ρ a step (dotted line). Put the tanh network at 0.5, 1.0, 1.5: where does
# most arrive? Then choose *identity RNN* and go to 1.1 and 1.2: that is where it explodes.

# %%
pictures.radius(drawn)

# %% [markdown]
# Three things to check. The dotted law and the tanh line part: the slope $1 - h^2$ is at most 1, so a tanh network can vanish
# at a radius above 1. The ReLU network's slopes are 0 or 1: about half its units pass nothing, and its line falls faster than
# the law. The units of the identity network that are on stay on, so it follows the law, and above 1 it
# **explodes**.

# %% [markdown]
# ## Train
#
# The **adding problem** (Hochreiter & Schmidhuber 1997, section 5.4): each step brings a number and a mark, two steps are marked,
# and the network must give the sum of the two marked numbers after the last step. Who always says 1 has an error of 1/6. First the
# tanh network:

# %%
print(f"preset {preset.name}: {preset.hidden_size} units, sequences of {preset.length} steps,")
print(
    f"at most {preset.steps:,} training steps of {preset.batch_size} sequences, learning rate {preset.learning_rate}"
)

# %%
trained = lesson.networks(preset)
forgets = lesson.train(trained["tanh RNN"], watch=training.live())

# %% [markdown]
# The loss finds the dashed line, where nothing of the sequence is used, and stays there. Nothing is broken: no nan, a calm gradient
# norm. Now a GRU of the same size, on the same sequences, at the same learning rate:

# %%
remembers = lesson.train(trained["GRU"], watch=training.live())

# %% [markdown]
# A plateau, and then it falls below the line: it has found out what the marks are for. The other four, without their curves:

# %%
for name in ("orthogonal RNN", "ReLU RNN", "identity RNN", "LSTM"):
    print(f"{name}:", lesson.train(trained[name], progress=False))

# %% [markdown]
# ## Look inside
#
# The same picture as at the beginning, after training. Switch *networks* between the two, and find the line that moved most.

# %%
after = lesson.decays(trained)
pictures.explore(first, after)

# %%
print("powers of ten that arrive at the first step:")
for name in first:
    then, now = (float(decays[name]["h"][0].log10()) for decays in (first, after))
    print(f"{name:>14}: {then:6.1f} untrained, {now:6.1f} trained")

# %% [markdown]
# The GRU started no better than the tanh network. Training moved both lines up; only the GRU's reached the top. A gate can learn to
# stay near 1, whatever the state is; a tanh has a slope near 1 only for a unit near 0. The LSTM's `c` line is the same idea: along the
# cell a gradient meets forget gates and no matrix.
#
# And the good starts? Orthogonal and identity networks began with a gradient that arrives. See in the last column how much of it
# training has left.

# %% [markdown]
# ## How far does a nudge travel?
#
# The loss has one direction of its own; other directions may travel farther. The largest factor by which *any* nudge of the state at step
# $t$ arrives at the end is the norm of the product of Jacobians. `gradients.reach` has all of them for one sequence.

# %%
pictures.nudge(trained, "GRU")

# %% [markdown]
# No gradient can lie above the upper line. For the trained GRU the two lines stay together over the whole sequence. Choose *tanh RNN*: there
# the upper line falls too, so no loss at the end, whatever it is, gets word from the beginning.

# %% [markdown]
# ## Experiment
#
# *"A simple recurrent network forgets, an LSTM remembers."* Fixed before the first run: at 10 steps the tanh network solves the task on at least
# 4 of 5 seeds, at 50 and 100 it does not; an LSTM with forget bias 1 and a GRU solve it at all three. The tanh network gets
# a second try at a fifth of the learning rate. Guess what forget bias 0 does.

# %%
pictures.remembered("rnn-forgets-lstm-remembers")

# %%
ledger.load("rnn-forgets-lstm-remembers")

# %% [markdown]
# It holds for this task, these sizes and this budget of 2,000 steps. Two things it does not say. Forget bias 0 did no worse than 1 here: lesson
# 06 has tasks where the bias matters. And a start can do the work of a gate: Le, Jaitly & Hinton (2015) report that, at their sizes
# and budgets, a ReLU network from the identity learned to add over long sequences as well as an LSTM.
# To run it again: `python -m lessons claim rnn-forgets-lstm-remembers --seeds 5`.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · the way back.** Only the lengths, this time from your own hand.


# %%
def gradient_norms(h, weight, last):
    """States h (T, H), W_hh (H, H), dL/dh_T (H,) -> the length of dL/dh_t at every step t, (T,)."""
    return ...


check.gradient_norms(gradient_norms)

# %% [markdown]
# **Exercise 2 · set the radius.** This is what the slider above does.


# %%
def to_radius(weight, radius):
    """W (H, H) and a number above 0 -> W times a factor, so that its largest |eigenvalue| is `radius`."""
    return ...


check.to_radius(to_radius)

# %% [markdown]
# **Exercise 3 · along the cell.** An LSTM's cell is $c_t = f_t \odot c_{t-1} + i_t \odot g_t$. With the gates held as they are, how much of a nudge of
# $c_t$ is left in $c_T$?


# %%
def cell_path(f):
    """Forget gates f (T, H) -> dc_T/dc_t along the cell alone (gates held as they are), (T, H)."""
    return ...


check.cell_path(cell_path)

# %% [markdown]
# **Exercise 4 · find the bug.** All states of this network are right, to the last digit. It learns nothing from any step but the last. Mend
# it.


# %%
def read_sequence(x, weight_ih, weight_hh):
    """x (T, I), W_ih (H, I), W_hh (H, H) -> the last state of a tanh network, (H,)."""
    h = torch.zeros(len(weight_hh), dtype=x.dtype)
    for x_t in x:
        h = torch.tanh(weight_ih @ x_t + weight_hh @ h.detach())
    return h


check.read_sequence(read_sequence)

# %% [markdown]
# ## Recap
#
# - Back through time, a gradient is multiplied by a slope and a matrix at every step: straight lines on a logarithmic axis.
# - Where the two together shorten it, it vanishes; where they lengthen it, it explodes. Slopes below 1 pull it down even at a radius above 1.
# - A vanished gradient does not show in the loss or in the gradient's norm. It shows in `flow`, step by step.
# - Gates need not start better: the GRU did not. They can learn to let a gradient through.

# %% [markdown]
# | Keras | here and in PyTorch | differs in |
# |---|---|---|
# | `SimpleRNN(units)` | `RNN(input_size, hidden_size)` | start of the recurrent matrix: Keras orthogonal, torch uniform |
# | `recurrent_initializer="orthogonal"` | `initialise={"orthogonal": 1.0}` | `nn.init.orthogonal_` in torch |
# | `recurrent_initializer="identity"`, `activation="relu"` | `initialise={"identity": 1.0}`, `cell="rnn_relu"` | |
# | `unit_forget_bias=True` (the default) | `forget_bias=1.0` | torch's own LSTM starts near 0 |
# | `tf.GradientTape` on the states | `gradients.flow`, `gradients.reach` | no hook, all steps in one sweep |

# %%
quiz.show("vanishing_gradients")

# %% [markdown]
# ## References
#
# - Hochreiter 1991, *Untersuchungen zu dynamischen neuronalen Netzen*: the gradient's decay, first described.
# - Bengio, Simard & Frasconi 1994, *Learning long-term dependencies with gradient descent is difficult*.
# - Hochreiter & Schmidhuber 1997, *Long short-term memory*, sections 3.1 and 5.4: the analysis, and the adding problem.
# - Pascanu, Mikolov & Bengio 2013, *On the difficulty of training recurrent neural networks*, section 2, equation 5.
# - Le, Jaitly & Hinton 2015, *A simple way to initialize recurrent networks of rectified linear units*, section 2: the identity
#   start.
