# %% [markdown]
# # What should a network read while it learns to write?
#
# 40 minutes · needs lessons 02 and 04 · trains seven decoders of German number words in about two minutes
#
# A network that writes reads its own last symbol before it writes the next. While it learns it could read the truth instead:
# **teacher forcing**. You will set the switch between the two, see what one own mistake does, and measure whether it pays to take
# the truth away.

# %%
from dataclasses import replace

import torch

from lessons import check, curriculum, fit, waiting
from lessons.jordan import Jordan
from widgets import claims, quiz, training
from widgets import teacher_forcing as pictures

# %% [markdown]
# **Guess first.** A trained network writes a sentence of 30 symbols, always the likeliest one. Fed the truth, it makes its first
# mistake at symbol 12. Now nobody tells it the truth, and it reads what it wrote. Where is its first mistake?

# %%
guess = check.predict("place of the first mistake when alone", ..., low=0, high=30)

# %% [markdown]
# **The picture.** Above, one German number: each step is fed either the true symbol before it (blue) or the network's own (red).
# Below, the same switches at 41 moments of a training. Move *training step*, then *ratio at the end*; choose *constant*.

# %%
pictures.switches()

# %% [markdown]
# *Constant* with ratio 1 is teacher forcing: all blue. With ratio 0 all is red, from the first step of the training on, when the
# network writes nonsense and reads it again. The other three begin blue and end red: a **curriculum**, or **scheduled sampling**.

# %% [markdown]
# ## From equations to code
#
# The decoder's state sees the state before and the symbol fed, $h_t = f(x_t, h_{t-1})$, and its readout gives the chances of the
# next symbol. At training step $i$, with a schedule $\epsilon_i$ and $y^*$ the truth,
#
# $$ x_t = y^*_{t-1} \text{ with probability } \epsilon_i, \quad \text{else } x_t = \hat y_{t-1}, $$
#
# drawn for each sentence and step (Bengio et al. 2015). No gradient goes through $\hat y$.

# %%
preset = curriculum.preset()
task = curriculum.prepare(preset)
print(task.pairs)
print(task.train.source.shape, "letters of English sentences,", task.train.target.shape, "of German ones")

# %% [markdown]
# Teacher forcing by hand, one step after the other; then the same in one pass, since nothing that is fed depends on what is
# written.

# %%
batch = task.batch(0)
writer, carry = task.model.writer(task.model.read(batch.source, batch.lengths))
fed, rows = torch.ones_like(batch.target[:, 0]), []  # 1 begins a sentence
for truth in batch.target.unbind(1):
    written, carry = writer.step(fed, carry)
    rows.append(written.logits)
    fed = truth
at_once = task.model(batch.source, batch.lengths, batch.target).logits
check.same(torch.stack(rows, 1), at_once)

# %% [markdown]
# ## Who has to wait?
#
# **Jordan** (1986) fed a network's output back to its hidden layer; **Elman** (1990) fed back the hidden layer itself. The number
# in each box is the tick of a clock at which it can be there. Run the clock for all four choices.

# %%
pictures.recurrences()

# %% [markdown]
# Only Jordan's network, fed the truth, has nothing to wait for: teacher forcing cuts its only way back, and all steps of the
# training become one. Elman's hidden layer waits whatever is fed. In exchange, all that Jordan's network knows of the past must
# stand in its outputs.

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
layer = Jordan(3, 5, decay=0.5, dtype=torch.float64)
x = torch.randn(2, 12, 3, dtype=torch.float64)
at_once = waiting.gradients(lambda x: layer(x)[0], layer, x)
in_steps = waiting.gradients(lambda x: waiting.stepwise(layer, x), layer, x)
check.same(in_steps, at_once)

# %% [markdown]
# The same gradients. And the time, measured here and now, all three taking turns:

# %%
lengths = (8, 16) if preset.name == "ci" else (16, 32, 64, 128)
pictures.waiting(waiting.seconds(lengths), lengths)

# %% [markdown]
# ## How the truth is taken away
#
# Four schedules that end at the same ratio. Which keeps the truth longest? Which takes it away while the network can hardly write?

# %%
pictures.schedules()

# %% [markdown]
# The exponential withholds the truth earliest, the inverse sigmoid latest. **Professor forcing** (Lamb et al. 2016) keeps feeding
# the truth and instead trains a second network to tell the states of the two ways apart; the decoder learns to make that
# impossible.

# %% [markdown]
# ## Train
#
# Six decoders from the same first weights, on the same batches, numbers below a thousand. One vector carries the number from the
# encoder; where a decoder stands in its sentence, it knows only from its state and what it is fed. (Lesson 12 lets it look back, and
# goes on to a million.) The first is always fed the truth.

# %%
print(preset)

# %%
ways = {"always": {"ratio": 1.0}, "half": {"ratio": 0.5}, "never": {"ratio": 0.0}}
ways |= {fall: {"schedule": fall, "ratio": 0.1} for fall in ("linear", "exponential", "inverse sigmoid")}
tasks = {name: curriculum.prepare(preset.but(**way)) for name, way in ways.items()}
seen = {name: curriculum.Progress(every=max(1, preset.steps // 10)) for name in ways}
runs = {"always": fit(tasks["always"], watch=[training.live(), seen["always"]])}

# %% [markdown]
# The others cannot be trained in one pass: each step may need what the one before it wrote.

# %%
for name in list(ways)[1:]:
    runs[name] = fit(tasks[name], watch=seen[name], progress=False)
for name, run in runs.items():
    told, alone, whole = (
        seen[name].rows[-1][key] for key in (curriculum.TOLD, curriculum.ALONE, curriculum.WHOLE)
    )
    print(
        f"{name:>16}: {run.seconds:4.0f} s, {whole:3.0f} % of numbers right alone; "
        f"wrong of 100 symbols: {told:.1f} told, {alone:.1f} alone"
    )

# %% [markdown]
# What did each way do on its way there? Left, the truth is fed: how well does the decoder go on? Right, it is alone. Look at *never*
# on the left, and on the right at the schedules towards the end, when the truth is nearly gone.

# %%
pictures.progress(seen)

# %% [markdown]
# Who is told the truth learns German number words in a few dozen steps. Who never is reads its own nonsense first, and learns from
# it that what it reads means nothing. A schedule begins like the first. These are single runs; the claims below count seeds.

# %% [markdown]
# ## Look inside
#
# For mistakes we need a decoder that makes some: always fed the truth, for half as many steps. Fed the truth above, its own symbols
# below. The frame is the first mistake. What follows it in the one, and in the other?

# %%
early = curriculum.prepare(preset.but(steps=preset.steps // 2))
fit(early, progress=False)
pictures.two_runs(early.model, pictures.mistaken(early.model, early.held["valid"]))

# %%
exposed = curriculum.exposure(early)
forced = replace(exposed, right_free=exposed.right_forced).first
print(
    f"the first mistake stands elsewhere in {int((forced != exposed.first).sum())} of {len(forced)} sentences"
)
guess.reveal(12)

# %% [markdown]
# Up to its first mistake the network has read the same symbols either way, so it makes it at the same place. Hence **the share of
# whole sentences that are right is the same too**. What differs comes behind the mistake: told the truth, it comes back at once;
# alone, it goes on from its own symbol, with a prefix that it has never read while it learned. That is **exposure bias** (Ranzato
# et al. 2016).

# %%
pictures.after(exposed)

# %% [markdown]
# One caution: symbols are compared place by place. Who writes one letter too many is then wrong to the end of the word, although a
# reader would forgive it. The curves above and the claims below count **edits** instead. Now all six, place by place:

# %%
pictures.ways({name: curriculum.exposure(task) for name, task in tasks.items()})

# %% [markdown]
# And the decoder that learned on the inverse sigmoid, under the switches of its own training. Set the ratio at the end to 0:

# %%
pictures.switches(tasks["inverse sigmoid"].model)

# %% [markdown]
# ## Experiment
#
# Three claims, their rules fixed before the first run. First: *teacher forcing speeds early learning*. How many edits per 100
# symbols will each need after two fifths of the training?

# %%
claims.every_seed("teacher-forcing-speeds-early-learning")

# %% [markdown]
# On the right the truth is fed, and there who was always told is far ahead of who never was. On the left each is alone, and there is
# hardly a lead: so early, few whole numbers are right, and another number than was asked needs many edits, however well it
# is spelt. How words go on is learnt first and fast; **which** word to write, later.
#
# Second: *a curriculum closes the gap between fed the truth and alone*.

# %%
claims.every_seed("curriculum-closes-the-gap")

# %% [markdown]
# Follow the lines: where the one that was always told ended badly, the curriculum did better; where it ended well, worse. A curriculum
# spends its last steps nearly without the truth, and they are the ones in which whole numbers come right, or do not yet.
#
# Third: *who always reads its own output learns worse*.

# %%
claims.every_seed("always-sampling-hurts")

# %% [markdown]
# In Bengio et al.'s captions, too, always sampling did worst; a curriculum did best, with larger networks and longer trainings. One
# reason why it can hurt (Huszár 2015): the right answer stays the true symbol *of this place*, even behind an own symbol that it does
# not follow. Whoever has written *zwei* for *vier* is taught to end it as *zwer*.
#
# Run one again: `python -m lessons claim curriculum-closes-the-gap --seeds 5`.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · the switch.** One for each sentence of the batch.


# %%
def next_fed(truth, logits, told):
    """truth (B,), logits (B, V) of the step before, told (B,) True for the truth -> symbols (B,) to feed.

    Where told is False, the network is fed the symbol that it finds likeliest.
    """
    return ...


check.next_fed(next_fed)

# %% [markdown]
# **Exercise 2 · the schedule.** For any step, however late.


# %%
def inverse_sigmoid(step, k):
    """The chance of the truth at a training step, k / (k + exp(step / k)), for any step."""
    return ...


check.inverse_sigmoid(inverse_sigmoid)

# %% [markdown]
# **Exercise 3 · find the bug.** By this measure every network writes nearly as well alone as it does when it is told. Mend it.


# %%
def symbols_right(step, state, truth):
    """step(symbols (B,), state) -> logits (B, V), state; truth (B, T); 1 begins a sentence.

    -> the share of symbols that are right when the network writes alone.
    """
    symbol, right = torch.ones_like(truth[:, 0]), []
    for t in range(truth.shape[1]):
        logits, state = step(symbol, state)
        right.append(logits.argmax(-1) == truth[:, t])
        symbol = truth[:, t]
    return torch.stack(right, 1).float().mean()


check.symbols_right(symbols_right)

# %% [markdown]
# **Exercise 4 · the first mistake.** No loop is needed.


# %%
def first_mistakes(written, truth):
    """written and truth (B, T), symbols -> (B,) the place of each first mistake, T if there is none."""
    return ...


check.first_mistakes(first_mistakes)

# %% [markdown]
# ## Recap
#
# - Teacher forcing feeds the truth while the network learns. Alone, it reads its own symbols.
# - Up to its first mistake the two are the same; exposure bias is about what comes behind it.
# - With the truth fed, a network whose only way back leads through its output trains over all steps at once.
# - A schedule takes the truth away bit by bit. Whether that helps is to be measured alone, over seeds.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | decoder input = target moved by one step | `model(source, lengths, target)` | the same: teacher forcing |
# | a loop over `GRUCell` in inference | `decoding.translate(model, text)` | the same: alone |
# | TensorFlow Addons: `TrainingSampler` | `ratio=1.0` | always the truth |
# | TensorFlow Addons: `ScheduledEmbeddingTrainingSampler(sampling_probability=p)` | `ratio=1 - p` | p is the chance of its own |
# | TensorFlow Addons: `GreedyEmbeddingSampler` | `ratio=0.0, own="best"` | always its own |
# | `SimpleRNN` | `recurrent.RNN` | Elman; Keras has no Jordan network |

# %%
quiz.show("teacher_forcing")

# %% [markdown]
# ## References
#
# - Jordan 1986, *Serial order: a parallel distributed processing approach*: recurrence from the output.
# - Elman 1990, *Finding structure in time*: recurrence from the hidden layer.
# - Williams & Zipser 1989, *A learning algorithm for continually running fully recurrent neural networks*: teacher forcing.
# - Bengio, Vinyals, Jaitly & Shazeer 2015, *Scheduled sampling for sequence prediction with recurrent neural networks*, section 2.4:
#   the schedules.
# - Huszár 2015, *How (not) to train your generative model*: what scheduled sampling optimises is not the likelihood.
# - Ranzato et al. 2016, *Sequence level training with recurrent neural networks*: exposure bias.
# - Lamb et al. 2016, *Professor forcing: a new algorithm for training recurrent networks*.
# - Goodfellow, Bengio & Courville 2016, *Deep learning*, section 10.2.1: teacher forcing and output recurrence.
