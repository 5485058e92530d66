# %% [markdown]
# # Why does training suddenly fall off a cliff?
#
# 40 minutes · needs lessons 01 and 03 · trains a ReLU network to repeat what it read eight steps ago, in seconds
#
# You will see the cliff, walk off it, and stop falling by changing one line. Then you will find out when that line does
# nothing, and when it does harm.

# %%
import torch

from lessons import check, fit
from lessons import claims as ledger
from lessons import cliff as landscapes
from lessons import gradient_clipping as lesson
from widgets import claims, cliff, quiz, training
from widgets import gradient_clipping as pictures

# %% [markdown]
# **Guess first.** Ten networks train without clipping, ten with it. Same task, same sizes, one line of difference. The task
# counts as learnt at 99 % right answers. How many of the first ten learn it?

# %%
guess = check.predict("networks of ten that learn it without clipping", ..., low=0, high=10)

# %% [markdown]
# **The picture.** The smallest network that has the problem: one tanh unit, weight $w$, bias $b$, no input. It starts at 0.5 and must be at 0.7 after
# fifty steps. Its loss is a landscape. Two descents walk down the plain towards the wall, in step until now. Press ▶ once, and again.

# %%
cliff.explore(step=18)

# %% [markdown]
# The orange arrow is what the gradient asks for, the blue one what clipping leaves of it. The unclipped descent is thrown over
# the plain into a place where the unit is at 1 whatever you do to it: flat, no way back. The clipped one bounces off and finds the valley.
#
# Now choose *one memory, 10 steps*. Where is the wall? Then *two memories*, from a few starts: there clipping does not always save the descent.

# %% [markdown]
# ## From equations to code
#
# The wall is a product. With $h_t = \tanh(w h_{t-1} + b)$, the derivative by $w$ goes forward beside the state:
#
# $$ \frac{\partial h_t}{\partial w} = (1 - h_t^2) \Big( h_{t-1} + w \frac{\partial h_{t-1}}{\partial w} \Big). $$
#
# Where $w(1 - h^2)$ stays above 1 for many steps, it grows like a power (Pascanu, Mikolov & Bengio 2013, sections 2.2 and 2.3).


# %%
def slope(w, b, steps=50, start=0.5, target=0.7):
    """Loss and its derivative by w, for one tanh unit."""
    h, h_w = torch.tensor(start, dtype=torch.float64), 0.0
    for _ in range(steps):
        after = torch.tanh(w * h + b)
        h_w = (1 - after**2) * (h + w * h_w)
        h = after
    return (h - target) ** 2, 2 * (h - target) * h_w


loss, by_w = slope(1.3, -0.105)
print(f"loss {loss:.3f}, slope {by_w:.1f}")

# %% [markdown]
# Is this torch's recurrent layer? The landscape can build it. One unit, fifty inputs of zero, autograd:

# %%
# NBVAL_CHECK_OUTPUT
layer = landscapes.ONE.network(1.3, -0.105)
h_50 = layer(torch.zeros(1, 50, 1, dtype=torch.float64), torch.full((1, 1, 1), 0.5, dtype=torch.float64))[0][
    0, -1, 0
]
((h_50 - 0.7) ** 2).backward()
check.same(by_w, layer.weight_hh_l0.grad[0, 0])

# %% [markdown]
# ## Clip, in three ways
#
# **By norm**: with $g$ all gradients laid end to end and $\theta$ the threshold, $g \leftarrow g \cdot \min(1, \theta / \lVert g \rVert)$ (Pascanu et al.,
# algorithm 1). **By value**: each number cut to $[-\theta, \theta]$. **Adaptive** (Brock et al. 2021, equation 3): each unit's gradient at most $\theta$ times as long
# as its weights.


# %%
def by_norm(gradients, threshold):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients))
    return [g * (threshold / (norm + 1e-6)).clamp(max=1.0) for g in gradients]


def by_value(gradients, threshold):
    return [g.clamp(-threshold, threshold) for g in gradients]


def adaptive(gradients, weights, threshold):
    """Each tensor here is a vector, and counts as one unit."""
    limits = [threshold * w.norm().clamp(min=1e-3) for w in weights]
    return [g * (most / g.norm()).clamp(max=1.0) for g, most in zip(gradients, limits, strict=True)]


# %% [markdown]
# torch has the first two. They work in place, on the `.grad` of parameters:

# %%
# NBVAL_CHECK_OUTPUT
weights = [torch.nn.Parameter(torch.randn(n)) for n in (3, 5)]
for ours, theirs in ((by_norm, torch.nn.utils.clip_grad_norm_), (by_value, torch.nn.utils.clip_grad_value_)):
    gradients = [torch.randn(3), 4 * torch.randn(5)]
    for w, g in zip(weights, gradients, strict=True):
        w.grad = g.clone()
    theirs(weights, 1.0)
    check.same(ours(gradients, 1.0), [w.grad for w in weights])

# %% [markdown]
# What do they do to the direction? Turn the gradient and change the way. The shaded ground is what is left alone. At which
# angles does clipping by value turn a gradient most, and where not at all?

# %%
pictures.ways()

# %% [markdown]
# By norm: 0°, always. By value pulls towards the nearest corner of its box, and leaves the diagonal alone. So does adaptive with its own box,
# which is wide where the weight is large: its corners lie near that weight's axis.

# %% [markdown]
# ## Train
#
# Sixty-four ReLU units read bits and must repeat each **eight steps later**. Their recurrent matrix starts orthogonal, times 1.1: every direction
# grows by a tenth a step. Plain descent with momentum. First without clipping:

# %%
preset = lesson.preset()
preset

# %%
fell = fit(lesson.prepare(preset), watch=training.live())

# %% [markdown]
# Watch the loss just before it ends, or before it jumps back to 1 bit, which is guessing. It was falling. The loss does not
# warn you. Now the one line:

# %%
held = fit(lesson.prepare(preset.but(clip=1.0)), watch=training.live())

# %%
pictures.history({"no clipping": fell, "clip 1": held})

# %% [markdown]
# Dots mark the clipped gradients. They stand among the early steps, and end when the task is learnt. Where the orange loss
# jumps, its **gradient norm** has risen first. That is the curve to watch.

# %% [markdown]
# ## Look inside
#
# The longest gradient of the unclipped run that was still a number. Here is the network at that moment. Take a step along it, of any length
# you like, and read the loss:

# %%
lengths = [norm if norm < float("inf") else 0.0 for norm in fell.gradient_norms[1:]]
before = lengths.index(max(lengths)) + 1
edge = lesson.prepare(preset.but(steps=before))
lesson.train(edge, progress=False)
pictures.wall(edge, before)

# %% [markdown]
# The gradient points the right way: a short step lowers the loss. Its length says nothing about how far that way goes on.
#
# The cliff of one unit was a toy. Here is that of the network, where its unclipped training was at its best: all its recurrent weights times a
# **gain**, all its biases plus a **shift**. It stands at gain 1, shift 0. Two descents start a little up the wall.

# %%
best = fell.losses.index(min(fell.losses)) + 1
peak = lesson.prepare(preset.but(steps=best))
lesson.train(peak, progress=False)
cliff.explore(landscapes.Plane(peak, best), start=(1.3, 0.1), rate=0.02, momentum=0.5, step=8)

# %% [markdown]
# Heights are powers of ten here. Turn the view; try thresholds; click on the map to start somewhere else. How near can you
# bring the unclipped descent to the wall before it is thrown out?

# %% [markdown]
# ## How far are real gradients turned?
#
# The same training again. On the way every tenth gradient is clipped in four ways, each at a threshold at which it can learn the task, and the turn
# is measured. *Each by norm* gives every tensor its own factor.

# %%
angles = lesson.Angles({"by norm": 1.0, "by value": 0.001, "adaptive": 0.1, "each by norm": 0.1})
lesson.train(lesson.prepare(preset.but(clip=1.0)), watch=angles, progress=False)
pictures.turns(angles)

# %% [markdown]
# ## A network that does not need it
#
# An LSTM reads plays with AdamW, unclipped. Look at the lower curve: how often would a threshold of 1 have done anything?

# %%
read = fit(lesson.reader(), watch=training.live(temperatures=()))

# %%
longer = sum(norm > 1 for norm in read.gradient_norms)
print(f"{longer} of {read.step} gradients were longer than 1")

# %% [markdown]
# ## Experiment
#
# *"For some recurrent networks clipping is required."* Fixed before the first run: without clipping the ReLU network fails on at least 4 of 5 seeds, clipped at 1 it
# learns the echo on at least 4 of 5. The other thresholds have no rule: what do you expect at 100? At 0.1?

# %%
required = ledger.load("clipping-is-required")
claims.every_seed(required)

# %%
guess.reveal(sum(value >= 0.99 for value in required.values("held-out answers right", "none")))

# %% [markdown]
# **Which threshold, then?** Look at the lengths before anything goes wrong, over many steps (Pascanu et al., section 3.2, who found training not
# very sensitive to the number). Here are the first hundred gradients of the unclipped run, and what became of each threshold on all seeds:

# %%
early = torch.tensor([norm for norm in fell.gradient_norms[:100] if norm < float("inf")])
print(f"half of them are longer than {early.median():.2f}")
for name in ("100", "10", "3", "1", "0.3", "0.1"):
    learnt = sum(value >= 0.99 for value in required.values("held-out answers right", name))
    cut = (early > float(name)).float().mean()
    print(f"threshold {name:>3}: {cut:4.0%} are longer; learnt on {learnt} of {len(required.seeds)} seeds")

# %% [markdown]
# A threshold far above the usual length comes too late. One near it, up to a few times as long, leaves most healthy steps as they are and stops
# the rare long one. Lower still works, but slows every step. So: log, begin at one to five times the median (1 is a common first try where the
# loss is a mean), and divide by three while the loss still jumps.

# %% [markdown]
# *"For other networks it changes nothing."* A tanh network and an LSTM learn the same echo, an LSTM reads plays: with and without, within a margin
# fixed beforehand.

# %%
claims.every_seed("clipping-changes-nothing")

# %% [markdown]
# *"By value turns the gradient, and yet works as well"*, as the textbook says (Goodfellow et al. 2016, section 10.11.1). Each way had
# four thresholds, and counts at its best one.

# %%
pictures.thresholds("both-ways-work-alike")

# %%
ledger.load("both-ways-work-alike")

# %% [markdown]
# It did not work as well here, and the direction was not all: look how far a threshold ten times too high gets you, whichever way. And compare *by norm* with *each by
# norm* at 1: Keras's `clipnorm`, a factor for each tensor, is not `clip_grad_norm_` at the same number. To run it again: `python -m lessons claim both-ways-work-alike --seeds 5`.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · by norm.** For any number of tensors of any shape.


# %%
def clip_by_norm(gradients, threshold):
    """A list of tensors and a number -> the list, together at most `threshold` long, not turned."""
    return ...


check.clip_by_norm(clip_by_norm)

# %% [markdown]
# **Exercise 2 · by value.**


# %%
def clip_by_value(gradients, threshold):
    """A list of tensors and a number -> the list, every number in it between -threshold and threshold."""
    return ...


check.clip_by_value(clip_by_value)

# %% [markdown]
# **Exercise 3 · adaptive.** A matrix has a unit in each row, and each row its own limit.


# %%
def clip_rows(gradient, weight, threshold, floor=1e-3):
    """Both (rows, columns) -> each row at most `threshold` times max(its weights' length, `floor`) long."""
    return ...


check.clip_rows(clip_rows)

# %% [markdown]
# **Exercise 4 · find the bug.** It trains, it never returns nan, and it is not clipping by norm.


# %%
def clip_each(gradients, threshold):
    """A list of tensors and a number -> the list, together at most `threshold` long, direction kept."""
    return [gradient * min(1.0, threshold / gradient.norm()) for gradient in gradients]


check.clip_each(clip_each)

# %% [markdown]
# **Exercise 5 · find the bug.** No error, no warning, and no clipping.


# %%
def clipped_step(model, optimizer, loss, threshold):
    """One step with the gradient clipped by norm -> the gradient's length before clipping."""
    optimizer.zero_grad()
    value = loss()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), threshold)
    value.backward()
    optimizer.step()
    return float(norm)


check.clipped_step(clipped_step)

# %% [markdown]
# ## Recap
#
# - A long product of slopes makes walls in the loss. At a wall the gradient is right about the direction and wrong about the distance.
# - Clipping by norm keeps the first and limits the second. By value, by tensor and adaptive clipping turn the gradient too.
# - It only ever shortens: it does nothing against vanishing gradients, and cannot repair one that is inf or nan.
# - Log the norm, and begin with a threshold of one to five times its median. If the norm never reaches it, nothing is clipped; if it always does, the
#   threshold is a second learning rate.
# - Held: one network needs clipping, three others do as well without. Did not hold: that clipping by value works as well as by norm.

# %% [markdown]
# | Keras | PyTorch | what it does |
# |---|---|---|
# | `global_clipnorm=1.0` | `clip_grad_norm_(model.parameters(), 1.0)` | one factor for all: direction kept |
# | `clipnorm=1.0` | `clip_grad_norm_(weight, 1.0)` for each weight | a factor for each variable: turned |
# | `clipvalue=1.0` | `clip_grad_value_(model.parameters(), 1.0)` | each number on its own: turned |
# | an argument of the optimiser | a call between `backward` and `step` | here: `clip=1.0` in a preset |

# %%
quiz.show("gradient_clipping")

# %% [markdown]
# ## References
#
# - Pascanu, Mikolov & Bengio 2013, *On the difficulty of training recurrent neural networks*, sections 2 and 3.2, figure 6, algorithm 1: the cliff,
#   clipping by norm, and where to begin with the threshold.
# - Brock, De, Smith & Simonyan 2021, *High-performance large-scale image recognition without normalization*, equation 3: adaptive
#   clipping.
# - Goodfellow, Bengio & Courville 2016, *Deep learning*, section 10.11.1: by value and by norm side by side.
# - Bengio, Simard & Frasconi 1994, *Learning long-term dependencies with gradient descent is difficult*: why gradients explode or vanish.
