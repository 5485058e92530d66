# %% [markdown]
# # Can a network learn to use a memory?
#
# 45 minutes · needs lessons 04 and 12 · teaches a Neural Turing Machine to copy, with an LSTM beside it, in about two minutes
#
# You will watch a network write vectors into a memory slot by slot and find them again, change a slot behind its back, move its heads by hand, and see how far it goes
# beyond what it was taught.

# %%
import torch

from lessons import check, fit, memory_tasks, memory_training
from lessons import claims as ledger
from lessons.addressing import Where, address
from lessons.memory_trace import Edit, look
from widgets import addressing, claims, memory_tape, ntm, quiz, training

preset = memory_training.preset()

# %% [markdown]
# An LSTM remembers in its state: as many numbers for two vectors as for two hundred. A **Neural Turing Machine** (Graves, Wayne & Danihelka 2014) is an LSTM with a memory
# beside it, rows of numbers that it can read and write. Nobody tells it how. It must learn to use them, by gradients.
#
# **Guess first.** Both are taught to repeat up to 20 random vectors of 8 bits. Then they get 60. Which share of the LSTM's bits is wrong?

# %%
guess = check.predict("of the LSTM's bits at 60 vectors that are wrong", ..., low=0, high=50, unit="%")

# %% [markdown]
# **The picture.** A machine that has learnt to copy. At the top what it is told: begin, twelve vectors, end, then nothing. Below, where its two **heads** are: a row is a
# **slot** of the memory. Step through it; then choose *empty the slot*.

# %%
machine = memory_training.pretrained()
memory_tape.tape(machine)

# %% [markdown]
# Two staircases. While it listens, the write head goes from slot to slot and leaves something in each; while it speaks, the read head takes the same stairs. A slot that
# is emptied in between costs the one vector that stood there, and the others stay. That is not how the state of an LSTM breaks.

# %% [markdown]
# ## From equations to code
#
# A head never picks a slot. It deals out weights $w$ over all $N$ slots that sum to 1, as attention does, so that gradients get through (section 3.1 and 3.2 of the paper):
#
# $$ r = \sum_i w_i\, M_i \qquad\qquad M_i \leftarrow M_i \,(1 - w_i\, e) + w_i\, a $$
#
# The read head takes a mean. The write head **erases** with $e$ between 0 and 1, and then **adds** $a$.

# %% [markdown]
# Where do the weights come from? Four steps (section 3.3). By content: a key $k$, compared with each slot by its cosine, with strength $\beta$. A **gate** $g$: that, or where
# the head was before. A **turn** $s$: some slots to the side, round a circle. And $\gamma$, to **sharpen** what the turn has blurred.
#
# $$ c_i = \mathrm{softmax}_i\big(\beta \cos(k, M_i)\big), \quad v = g\, c + (1-g)\, w^{t-1}, \quad \tilde w_i = \sum_j v_j\, s_{i-j}, \quad w_i = \tilde w_i^\gamma \Big/ \sum_j \tilde w_j^\gamma $$


# %%
def head(memory, before, key, strength, gate, turn, power):
    """One head: memory (N, M), weights before (N,), key (M,), turn (3,) for -1, 0, +1 -> weights (N,)."""
    content = (strength * torch.cosine_similarity(memory, key, dim=-1)).softmax(-1)
    gated = gate * content + (1 - gate) * before
    turned = turn[0] * gated.roll(-1) + turn[1] * gated + turn[2] * gated.roll(1)
    sharp = turned**power
    return sharp / sharp.sum()


# %% [markdown]
# The course's version does all heads of all sequences at once, and cannot end in 0 / 0. On ordinary numbers it must give the same:

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
memory, before, key = torch.randn(6, 4), torch.randn(6).softmax(0), torch.randn(4)
strength, gate, turn, power = (
    torch.tensor(5.0),
    torch.tensor(0.3),
    torch.tensor([0.1, 0.2, 0.7]),
    torch.tensor(2.0),
)
asked = Where(*(part.reshape(1, 1, -1) for part in (key, strength, gate, turn, power)))
ours = address(memory[None], before[None, None], asked)[0, 0]
check.same(head(memory, before, key, strength, gate, turn, power), ours)

# %% [markdown]
# ### One step, taken apart
#
# The same four steps on real numbers, from a machine that copies. The sliders show what the head asks for at this step; move one, and the outline keeps what the machine did. Can you
# send the head back to the slot where the first vector stands, by its key?

# %%
addressing.taken_apart(machine)

# %% [markdown]
# As key take the slot's number, then open the gate, then raise the strength: one of the three is never enough. And mind the turn. Now set the turn to half a slot and step the power up
# from 1: what a turn blurs, sharpening makes narrow again.

# %% [markdown]
# ## Train
#
# Now yours, from nothing. Copy 1 to 20 vectors; the loss counts the bits it says after *end*, and a coin pays 1 for each. Training ends when three checks in a row are below
# half a wrong bit of the 160 of the longest sequences.

# %%
print(preset)
task = memory_training.prepare(preset)
run = fit(task, watch=[training.live(), memory_training.UntilLearnt()])

# %% [markdown]
# Such a curve is rough: it falls when the heads find their stairs, and may jump back to a coin's 1 when a step of the optimizer takes them off again. Two settings matter. The optimizer is RMSprop
# with momentum, as in the paper; with Adam a seed now and then stays on the plateau. And the memory starts **constant**, 0.000001 everywhere, as Collier & Beel (2018) advise, so that what
# it finds there it has written itself. The LSTM below has about as many weights, and the optimizer that suits it better:

# %%
plain = memory_training.prepare(preset.but(network="lstm", optimiser="adam", learning_rate=3e-3))
beside = fit(plain, progress=False)
for name, one, record in (("machine", task, run), ("LSTM", plain, beside)):
    count = memory_training.parameters(one.model)
    print(
        f"{name:8s} {count} weights, {record.step} steps, {record.seconds:.0f} s: {record.last['wrong bits']:.1f} wrong bits"
    )

# %% [markdown]
# ## Look inside
#
# Your machine's tape. Its stairs may go down where the other's went up, or begin elsewhere: it found a way of its own. (If yours is one of those that still guess at the end of the budget, take `machine` for it below.) Change a slot in mid-run, or swap two.

# %%
memory_tape.tape(task.model)

# %% [markdown]
# Is one slot one vector? Empty each slot once, after the last vector was heard, and see which answers suffer:

# %%
length = 8
episode = memory_training.example(task.model, memory_tasks.COPY, length)
right = episode.target[0, episode.asked] > 0.5
slots = look(task.model, episode.x).places(margin=1)
for slot in slots:
    edit = Edit("memory", 0.0, units=[slot], steps=[length])
    said = look(task.model, episode.x, edit).logits[0, episode.asked] > 0
    bad = (said != right).any(1).nonzero().flatten() + 1
    print(f"slot {slot} emptied: wrong in vector {', '.join(map(str, bad.tolist())) or 'none'}")

# %% [markdown]
# What do the heads ask for as they climb? The average of the gate, and of the turn in slots, while it listens and while it speaks:

# %%
seen = look(task.model, episode.x)
heard = slice(1, length + 1)
for k, name in enumerate(seen.heads):
    for when, steps in (("listening", heard), ("speaking", episode.asked)):
        gate = seen["gate"][0, steps, k].mean()
        turn = seen["turn"][0, steps, k] @ torch.tensor([-1.0, 0.0, 1.0])
        print(f"{name:5s} head, {when:9s}: gate {gate:.2f}, turn {turn.mean():+.2f} slots a step")

# %% [markdown]
# While a head writes or speaks, its gate is low and its turn near one slot, up or down: a loop over places, with no counter and no program. The read head waits until *end*. The key has little to say in all this.

# %% [markdown]
# ## Beyond what it was taught
#
# A loop does not know how long it runs. Pull the length to 60, then to 120, six times the longest of training.

# %%
ntm.beyond({"machine": task.model, "LSTM": plain.model}, preset)

# %% [markdown]
# The share of wrong bits, on sequences that neither has seen:

# %%
shares = ntm.shares({"machine": task.model, "LSTM": plain.model}, preset, (20, 40, 60, 120))
for name, by_length in shares.items():
    print(f"{name:8s}", "   ".join(f"{length}: {share:4.1f} %" for length, share in by_length.items()))
guess.reveal(shares["LSTM"][60])

# %% [markdown]
# In so few steps the LSTM has not learnt 20 vectors either: it gets some of the first ones, and fewer the longer the sequence. Trained for very long it would (Graves et al. 2014, figure 5), holding each in units
# of its own, and it would have no more of them. The machine has learnt what to do with *the next* vector. There are 128 slots; what happens beyond them is for you to find out.

# %% [markdown]
# ## Experiment
#
# One machine is an anecdote. The rule was fixed before the first run: at least seven of eight seeds learn to copy within 2,500 steps.

# %%
claims.every_seed("ntm-learns-copy")

# %%
print(ledger.load("ntm-learns-copy"))

# %% [markdown]
# And beyond what it was taught? Taught with up to 20 vectors, the machine should have fewer than 5 % of the bits wrong at 40, 60 and 120, and an LSTM of as
# many weights more than 25 %.

# %%
claims.every_seed("ntm-copies-on")

# %%
print(ledger.load("ntm-copies-on"))

# %% [markdown]
# ## Four more tasks
#
# The paper has five (sections 4.1 to 4.5), and all of them are here: repeat copy, associative recall, N-grams, priority sort. A sequence of each; the last rows say *begin* or *how often*, *what follows this?*, or *how
# urgent*:

# %%
dice = torch.Generator().manual_seed(1)
for name in memory_tasks.TASKS:
    one = memory_tasks.draw(name, 1, 6, 6, 2, dice)
    steps, inputs = one.x.shape[1:]
    print(
        f"{name:18s} reads {steps} steps of {inputs} numbers, is asked at {int(one.asked.sum())}, says {one.target.shape[2]}"
    )

# %% [markdown]
# N-grams have an answer that nobody can better: count what followed the same five bits (equation 10 there). What is it worth, in bits a bit, as the sequence goes on?

# %%
one = memory_tasks.draw(memory_tasks.NGRAMS, 300, 200, generator=dice)
chance = memory_tasks.best_guess(one)[:, one.asked]
target = one.target[:, one.asked, 0]
bits = torch.nn.functional.binary_cross_entropy(chance, target, reduction="none").mean(0) / torch.log(
    torch.tensor(2.0)
)
for begin in (0, 40, 80, 160):
    print(f"bits {begin:3d} to {begin + 40:3d}: {bits[begin : begin + 40].mean():.2f}")

# %% [markdown]
# A machine that predicts them must count, in its memory. These four take longer than a lesson: `python -m lessons train ntm --preset associative-recall`, or `repeat-copy`, `n-grams`, `priority-sort`. The course
# ships the copying machine only; of the others it makes no claim.
#
# Options to try: `controller="feed-forward"`, `read_heads=2`, `start="random"`, `optimiser="adam"`; `compiled=True` translates the step by `torch.compile`, which pays in long trainings.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · find by content.** The first of the four steps, for a whole batch.


# %%
def content_weights(memory, key, strength):
    """memory (B, N, M), key (B, M), strength (B, 1) -> weights (B, N); an empty slot has cosine 0."""
    return ...


check.content_weights(content_weights)

# %% [markdown]
# **Exercise 2 · find the bug.** The machine writes its vectors forwards, and this head goes the other way. Mend it.


# %%
def turn_weights(weights, turn):
    """weights (B, N); turn (B, 3): shares of -1, 0 and +1 slots -> weights (B, N), on a circle."""
    down, stay, up = turn.split(1, dim=1)
    return down * torch.roll(weights, 1, 1) + stay * weights + up * torch.roll(weights, -1, 1)


check.turn_weights(turn_weights)

# %% [markdown]
# **Exercise 3 · sharpen.** For any power. `head` above fails at 300: why?


# %%
def sharpen_weights(weights, power):
    """weights (B, N), power (B, 1), at least 1 -> weights to that power, which sum to 1; never 0 / 0."""
    return ...


check.sharpen_weights(sharpen_weights)

# %% [markdown]
# **Exercise 4 · write.** Erase, then add.


# %%
def write_memory(memory, weights, erase, add):
    """memory (B, N, M), weights (B, N), erase (B, M) in 0 ... 1, add (B, M) -> the new memory (B, N, M)."""
    return ...


check.write_memory(write_memory)

# %% [markdown]
# ## Recap
#
# - Reading is a mean by weights; writing erases and adds by weights. So gradients get through, and a network can learn where to look.
# - Four steps make weights: content, gate, turn, sharpen. Two ways to find a place: by what stands there, or from where you were.
# - Copying becomes a loop over places. What it does with the next vector does not hang on how many there were.
# - How it starts decides whether it learns: constant memory, RMSprop with momentum.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | none | `lessons.ntm.NTM(inputs, outputs)` | Keras and torch.nn have no layer with an outside memory |
# | `RNN(cell)` with a cell of your own | `NTM.step` | the nearest: write `call(inputs, states)` with memory, weights and reads as states |
# | `Attention()` | `lessons.addressing.by_content` | attention reads a memory that the encoder wrote once; a machine writes its own |

# %%
quiz.show("ntm")

# %% [markdown]
# ## References
#
# - Graves, Wayne & Danihelka 2014, *Neural Turing Machines* (arXiv 1410.5401), section 3: reading, writing, addressing; section 4: the tasks, the optimizer.
# - Collier & Beel 2018, *Implementing Neural Turing Machines*: the start of the memory.
# - Hochreiter & Schmidhuber 1997, *Long short-term memory*: the controller, and the network beside it.
# - Graves et al. 2016, *Hybrid computing using a neural network with dynamic external memory*: what came of it, lesson 18.
