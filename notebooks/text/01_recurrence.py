# %% [markdown]
# # How can a network with fixed weights read a sentence of any length?
#
# 35 minutes · needs lesson 00 · trains an Elman network to tell which of two letters came first, in seconds
#
# You will step through an unrolled network, send a gradient back through it by hand, and watch a state move through a plane while
# the network reads.

# %%
import inspect

import torch

from lessons import cells, check, trace
from lessons import recurrence as lesson
from widgets import claims, quiz, training
from widgets import recurrence as pictures

# %% [markdown]
# **Guess first.** A recurrent layer has two units and reads one of eight letters at each step. It has 24 weights. You give it words of 20
# letters instead of 6. How many weights does it need then?

# %%
guess = check.predict("weights for words of 20 letters", ..., low=1, high=500)

# %% [markdown]
# **The picture.** Two units read a word. Press ▶ to read a letter, or click the slider and use → and ←. A box is the **state** $h$, one number
# a unit, and all that the network knows; each new state is made from the letter below and the state before. Watch the line above the
# picture: it names the matrix of every step. Type a word of your own from the letters E B X Y a b c d.

# %%
small = lesson.small_network()
pictures.step_through(small, "EXaYbB")

# %%
guess.reveal(sum(weight.numel() for weight in small.parameters()))

# %% [markdown]
# The drawing grows with the word; the weights do not. **Unrolling** draws one cell many times. All blue arrows are one matrix, $W_{hh}$,
# and all green ones another, $W_{ih}$. That is **weight sharing**, and the reason that a network can read words longer
# than any that it was trained on.

# %% [markdown]
# ## From equations to code
#
# The simple recurrent network of Elman (1990), in torch's letters. In its code, `affine(x, W, b)` is $W x + b$ for each row of a batch.
#
# $$ h_t = \tanh(W_{ih}\, x_t + b_{ih} + W_{hh}\, h_{t-1} + b_{hh}), \qquad h_0 = 0. $$

# %%
print(inspect.getsource(cells.rnn_step))

# %% [markdown]
# Is that what the layer computes? Over a whole word:

# %%
# NBVAL_CHECK_OUTPUT
x = lesson.one_hot("EXaYbB")
h = torch.zeros(1, 2)
with torch.no_grad():
    for x_t in x:
        (h,) = cells.rnn_step(x_t[None], h, *small.parameters())
    check.same(h[0], small(x[None])[0][0, -1])

# %% [markdown]
# ## The way back
#
# Let the loss $L$ be read off the last state. Unrolled, the network is an ordinary deep one, so the chain rule goes through it
# (**backpropagation through time**, Werbos 1990): with $d_t = (1 - h_t^2) \odot \partial L / \partial h_t$,
#
# $$ \frac{\partial L}{\partial h_{t-1}} = W_{hh}^\top d_t, \qquad
#    \frac{\partial L}{\partial W_{hh}} = \sum_{t=1}^{T} d_t\, h_{t-1}^\top. $$
#
# The sum is weight sharing again: one matrix, used $T$ times, hears from all of its uses.

# %%
unrolled = lesson.unroll(small, "EXaYbB")
word = pictures.step_through(small, "EXaYbB")
word.value(way="backward", step=4)
word

# %% [markdown]
# Here $L$ is the sum of the last state's two numbers, so the gradient enters as (1, 1). Step to the left: it walks back. Above each
# step stands the length of the matrix that the step adds to the one gradient of $W_{hh}$. Lengths do not add up as numbers do: two
# of these matrices can point against each other. By hand, against autograd:

# %%
# NBVAL_CHECK_OUTPUT
small.zero_grad()
small(x[None])[0][0, -1].sum().backward()
check.same(unrolled.shares.sum(0), small.weight_hh_l0.grad)

# %% [markdown]
# ## Train
#
# **Temporal order** (Hochreiter & Schmidhuber 1997, section 5.6). A word begins with E and ends with B; two letters in it are X or Y, one at 10 to
# 20 % of the way, one at 50 to 60 %; all others are noise. After the last letter, name the order: XX, XY, YX or YY. Four words:

# %%
preset = lesson.preset()
task = lesson.prepare(preset, seed=2)
words, answers = task.held_out()
for row, answer in zip(words[:4], answers[:4], strict=True):
    print(lesson.letters(row), "→", lesson.ORDERS[int(answer)])

# %% [markdown]
# Nobody tells the network which letters matter, or that it should remember any. The dashed line is a uniform guess, two bits.

# %%
before = lesson.plane(task)
print(f"preset {preset.name}: {preset.hidden_size} units, words of {preset.length} letters,")
print(f"{preset.steps:,} steps of {preset.batch_size} words each, learning rate {preset.learning_rate}")

# %%
run = lesson.train(task, watch=training.live())

# %% [markdown]
# ## Look inside
#
# The state has as many numbers as the layer has units; a picture has two. Below is the plane in which the states of 200 words differ
# most. Each point is one word's state at the chosen step, coloured by the order that will be asked for; the black line is one word's
# last six steps. The slider stands at the last step. Press *reset*, go to the right again, and stop after a quarter of the steps and
# after two thirds.

# %%
seen = lesson.plane(task)
pictures.follow(seen)

# %% [markdown]
# After a quarter all words have shown their first X or Y, and the points part into two kinds of two colours each: the network cannot know
# more yet. After two thirds there are four. The line above counts how far the two nearest are apart, in **spreads**: the typical
# distance of a group's points from its middle. The noise moves all points about at every step, and the groups stay apart. That is
# memory: a place in the state that noise does not undo.

# %%
for step in (preset.length // 4, 2 * preset.length // 3, preset.length - 1):
    then, now = pictures.spread(before, step), pictures.spread(seen, step)
    print(f"step {step:>2}: the nearest orders are {then:.1f} spreads apart untrained, {now:.1f} trained")
x, target = task.held_out()
right = (task.model(x)[0].argmax(-1) == target).float().mean()
print(f"{float(right):.1%} of the held-out words are named rightly")

# %% [markdown]
# It is not the only way to remember. Prepare the task with another seed: some networks let the groups wander through one another, and
# part them only when the last letter is read.
#
# Every state is in the trace too, as in all lessons: `trace(model, x)["h"]`, with axes batch, time, hidden.

# %%
h = trace(task.model, x[:1])["h"]
print("batch, time, hidden:", tuple(h.shape))

# %% [markdown]
# ## Experiment
#
# How long does it remember? The same network, words of 20, 40 and 60 letters. Fixed before the first run: on at least 4 of 5 seeds it
# names more than 99 % of the orders rightly at 20 letters, and on at least 4 of 5 it does not at 60. It has 1,500 steps, and a second
# try at a lower learning rate. Guess what happens at 40.

# %%
claims.every_seed("elman-remembers-for-a-while")

# %% [markdown]
# Chance is a quarter. The network has the same weights to learn at 60 letters as at 20, and room enough in its state for two letters. What it
# lacks is word from the end about the beginning: lesson 03 measures how much of it arrives. To run it again:
# `python -m lessons claim elman-remembers-for-a-while --seeds 5`.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · the whole layer.** From letters to states, with one bias.


# %%
def elman_states(x, weight_ih, weight_hh, bias):
    """x (T, I), W_ih (H, I), W_hh (H, H), b (H,) -> h after each step, (T, H); the start is zeros."""
    return ...


check.elman_states(elman_states)

# %% [markdown]
# **Exercise 2 · how many weights?** Of `torch.nn.RNN`, both biases counted.


# %%
def count_weights(inputs, hidden, steps):
    """Sizes of a torch.nn.RNN and the steps of its sequences -> how many numbers the layer learns."""
    return ...


check.count_weights(count_weights)

# %% [markdown]
# **Exercise 3 · one bit of memory.** A single unit hears one pulse, x = 1 or x = −1, and then only zeros. After 20 of them it must still
# know which pulse it was. No training: choose the weights yourself. Many answers are right.


# %%
def remember():
    """-> w, u of h = tanh(w x + u h): at all 20 steps after one x = 1, h > 0.5; after x = −1, h < −0.5."""
    w, u = ..., ...
    return w, u


check.remember(remember)

# %% [markdown]
# **Exercise 4 · find the bug.** This backpropagation through time runs, returns a matrix of the right shape, and is wrong on every word of more
# than one letter.


# %%
def weight_gradient(h, weight, last):
    """h (T + 1, H) with the start first, W_hh (H, H), dL/dh_T (H,) -> dL/dW_hh (H, H)."""
    gradient = last
    for t in range(len(h) - 1, 0, -1):
        through_tanh = (1 - h[t] ** 2) * gradient
        total = torch.outer(through_tanh, h[t - 1])
        gradient = weight.T @ through_tanh
    return total


check.weight_gradient(weight_gradient)

# %% [markdown]
# ## Recap
#
# - A recurrent network is one cell, used again at every step; its state is all that it keeps of the past.
# - Unrolled, it is a deep network whose layers share their weights; the shares of all steps add up.
# - Trained, its states gather in places that stand for what must be remembered.
# - It remembers over 20 steps, and does not learn to over 60 with this budget.

# %% [markdown]
# | Keras | here and in PyTorch | differs in |
# |---|---|---|
# | `SimpleRNN(units)` | `RNN(input_size, hidden_size)` | input size is given |
# | `kernel`, `recurrent_kernel` | `weight_ih_l0`, `weight_hh_l0` | transposed |
# | `bias` | `bias_ih_l0 + bias_hh_l0` | two vectors, added |
# | `return_sequences=True` | `output`, always | |
# | `return_state=True` | `h_n`, always | shape (layers, batch, hidden) |
# | `activation="relu"` | `nonlinearity="relu"` | |
# | `unroll=True` | no such switch | a matter of speed in Keras; the same numbers |

# %%
quiz.show("recurrence")

# %% [markdown]
# ## References
#
# - Elman 1990, *Finding structure in time*: the network, and words whose states lie near each other.
# - Elman 1991, *Distributed representations, simple recurrent networks, and grammatical structure*: states as paths in a plane.
# - Werbos 1990, *Backpropagation through time: what it does and how to do it*, section III.
# - Bengio, Simard & Frasconi 1994, *Learning long-term dependencies with gradient descent is difficult*: a latch in one unit,
#   as in exercise 3.
# - Hochreiter & Schmidhuber 1997, *Long short-term memory*, section 5.6: temporal order.
# - Goodfellow, Bengio & Courville 2016, *Deep learning*, sections 10.1 and 10.2: unrolling, and sharing.
