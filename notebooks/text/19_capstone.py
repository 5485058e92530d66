# %% [markdown]
# # What will a network make of your own sequences?
#
# 45 minutes · needs lessons 02 and 04 · trains four small networks in about two minutes
#
# Text, numbers, tunes, strokes: all are sequences, and one and the same kind of network learns them. You will bring something of your own,
# choose a cell, train, look inside, and leave with a page that runs your network for anyone who opens it.

# %%
from tempfile import mkdtemp

import torch

from lessons import LessonError, capstone, check, forecast, sampling, sketching, trace
from lessons import claims as ledger
from widgets import capstone as front
from widgets import claims, export, gates, ink, quiz, training
from widgets import forecast as pictures

preset = capstone.preset()
folder = mkdtemp()  # pages go here; the front door keeps its own in data/user/pages

# %% [markdown]
# **Guess first.** Three series: tides, spots on a star, and a random walk. A small LSTM trains on each for a few seconds. In how many of the three will it forecast the
# next value better than "the same as now"?

# %%
guess = check.predict("series on which the network gains", ..., low=0, high=3)

# %% [markdown]
# **The picture.** The front door. Take a sample or bring a file of yours, then *train*, then *open it*. What you bring is
# read on this machine and goes nowhere; Git ignores `data/user`, where pages are kept.

# %%
front.door()

# %% [markdown]
# Everything that the door does, the rest of this lesson does in code. First, four things to bring.

# %%
tides, play, tunes, pen = (capstone.bring(name) for name in ("tides", "shakespeare", "tunes", "pen"))
for mine in (tides, play, tunes, pen):
    print(mine, end="\n\n")

# %% [markdown]
# With a file it is the same: `capstone.bring("my_diary.txt")`, `bring("rainfall.csv", column="mm")`, `bring("book.abc")`, or `bring("own hand")` for
# what you wrote on the pad of lesson 15. It says what it has recognised. What it cannot read, it refuses in one sentence:

# %%
# NBVAL_CHECK_OUTPUT
for content in (
    "day,mm\n" + "1,2.5\n" * 220 + "221,\n",
    "day,mm\n1,2\n2,3\n",
    "a,b\n" + "1,2\n" * 220 + "1,2,3\n",
):
    try:
        capstone.bring(content.encode(), "rain.csv")
    except LessonError as problem:
        print(problem)

# %% [markdown]
# ## Numbers: a density of the next value
#
# A forecast that is one number is nearly always wrong. So the network answers as in lesson 15, with a mixture of Gaussians:
#
# $$ p(x_{t+1} \mid x_{\le t}) = \sum_j \pi_j\, \mathcal N\!\left(x_{t+1};\; x_t + \mu_j,\; \sigma_j\right) $$
#
# The means are counted from the last value $x_t$. A network that knows nothing says "as now, give or take": that is the rule it must beat.


# %%
def cost(numbers, last, value):
    """numbers (..., 3 M), last and next value (...) -> nats."""
    weights, means, deviations = numbers.chunk(3, -1)
    z = (value[..., None] - last[..., None] - means) / deviations.exp()
    each = weights.log_softmax(-1) - deviations - z**2 / 2 - 0.5 * torch.log(torch.tensor(2 * torch.pi))
    return -each.logsumexp(-1)


# %%
# NBVAL_CHECK_OUTPUT
numbers, last, value = torch.randn(4, 9), torch.randn(4), torch.randn(4)
check.same(cost(numbers, last, value), forecast.nats(forecast.density(numbers, last), value))

# %% [markdown]
# Two things must not leak. The parts are cut **in time**: the last tenth is for testing, and never shuffled. And the **scale** is that of the
# training part alone: a mean over all values would tell the network how high the future goes.

# %%
data = tides.data
print(f"training part: mean {data.mean:.3f}, deviation {data.deviation:.3f}; season {data.season} steps")
for name, nats in forecast.baselines(data, "test").items():
    print(f"{name}: {nats:.2f} nats per value")

# %% [markdown]
# ### Train
#
# Choose any cell of the course. `mine.fit` is `fit` with one addition: at the end it puts back the weights that did best on the validation part.

# %%
forecaster = tides.model(cell="lstm", hidden_size=min(48, preset.hidden_size))
run = tides.fit(forecaster, preset, watch=training.live())

# %%
report = tides.task(forecaster).report()
print(*(f"{name}: {value:.2f} nats per value" for name, value in report.items()), sep="\n")

# %% [markdown]
# ### Open it
#
# The network draws a value, reads it as if it were true, draws the next: a path. Many paths are a **fan**. Drag one of the last values and watch
# what the network takes it for, a wave or a slip. Then choose a unit that swings and *hold* it.

# %%
pictures.fan(forecaster, data)

# %% [markdown]
# How much of what came lies inside a fan that should hold nine of ten? Fans that start at every tenth place of the test part:

# %%
inside, horizon = [], 12
for now in range(data.cuts[1], len(data.values) - horizon, 10):
    paths = forecast.forecast(forecaster, data.values[max(0, now - 200) : now], horizon, 100)
    low, *_, high = forecast.fan(paths)
    truth = data.values[now : now + horizon]
    inside.append(((low <= truth) & (truth <= high)).double())
each = torch.stack(inside).mean(0)
print(f"inside, 1 step ahead: {each[0]:.0%}; {horizon} steps ahead: {each[-1]:.0%}")

# %% [markdown]
# Far below nine of ten the network is too sure of itself; all inside, it is too shy. The gates, as in every lesson:

# %%
seen = tides.trace(forecaster, 100)
gates.explore(seen, name="f")

# %% [markdown]
# Look for units whose forget gate swings with the tide, and for some that hardly move.
#
# What does one of them carry? Shut the forget gate of the unit that swings most, and compare costs:

# %%
values = forecaster.standard(data.test)[None]
unit = int(seen["h"].std(1)[0].argmax())
others = torch.arange(forecaster.recurrent.hidden_size) != unit
held = trace(forecaster, values[:, :-1], edit={"f": lambda f, step: f * others}).logits
plain, shut = (
    float(forecast.nats(forecast.density(told, values[:, :-1, 0]), values[:, 1:, 0]).mean())
    for told in (forecaster(values[:, :-1])[0].detach(), held)
)
print(f"unit {unit}: {plain:.2f} nats per value as learnt, {shut:.2f} with its forget gate shut")

# %% [markdown]
# ## The same with text, tunes and strokes
#
# One line each. Text and tunes are characters, strokes are offsets of a pen with the mixture of lesson 15 (without a text to write).

# %%
writer = play.model("gru", hidden_size=preset.hidden_size)
print(play.fit(writer, preset.but(steps=preset.steps * 2 // 3), progress=False))
print(sampling.generate(writer, "ROMEO\n", 160, temperature=0.6, seed=1))

# %%
player = tunes.model("lstm")
print(tunes.fit(player, preset.but(steps=preset.steps * 2 // 3), progress=False))
print(sampling.generate(player, "R:jig\nM:6/8\nL:1/8\nK:D\n", 160, temperature=0.5, seed=1))

# %%
sketcher = pen.model("gru")
print(pen.fit(sketcher, preset.but(steps=preset.steps * 2 // 3), progress=False))
drawn = {f"seed {seed}": sketching.draw_on(sketcher, points=150, bias=1.0, seed=seed) for seed in range(3)}
ink.sheet(drawn, "Strokes by a network that was told no text")

# %% [markdown]
# Seconds of training are little: the text has the look of a play and hardly a word of sense, the strokes look like writing from afar. More steps
# help first; then more data.

# %% [markdown]
# ## Take it home
#
# `export.live_page` writes one HTML file with the weights in it. Whoever opens it, from a disk and without a network, runs *your* model: rolls
# its die, opens its gates, drags its values, goes on from its strokes.

# %%
for name, model, mine in (
    ("tides", forecaster, tides),
    ("play", writer, play),
    ("tunes", player, tunes),
    ("pen", sketcher, pen),
):
    path = export.live_page(model, f"{folder}/{name}.html", mine)
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")

# %% [markdown]
# The arithmetic in such a page is `widgets/js/rnn.js`, some three hundred lines, tested against torch to 1e-5. Where weights would make
# a page larger than 2 MB they are kept in half precision.

# %% [markdown]
# ## Does it hold?
#
# Does a forecast beat the last value? Fixed beforehand: a gain of 0.5 nats on the tides and 0.1 on the spots, and at most 0.02 on the walk.

# %%
claims.every_seed("a-forecast-beats-the-last-value")

# %%
result = ledger.load("a-forecast-beats-the-last-value")
print(result)
gained = next(iter(result.spread.values()))
guess.reveal(sum(one["mean"] > 0.02 for one in gained.values()))

# %% [markdown]
# On a random walk the best forecast *is* the last value, and a good network finds just that.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · find the bug.** Held-out figures are better than they will ever be on values still to come. Mend the scale.


# %%
def standardised(values, cut):
    """values (T,): the first `cut` are for training -> all values in standard deviations, (T,)."""
    return (values - values.mean()) / values.std(correction=0)


check.standardised(standardised)

# %% [markdown]
# **Exercise 2 · one season ago.** The forecast that costs nothing, however far ahead.


# %%
def seasonal(history, season, horizon):
    """history (T,), season in steps, horizon in steps -> forecasts (horizon,); season is at most T."""
    return ...


check.seasonal(seasonal)

# %% [markdown]
# **Exercise 3 · windows.** A series as its own teacher.


# %%
def windows(values, length):
    """values (T,) -> inputs (T - length, length) and targets of the same shape: a window from every start."""
    return ..., ...


check.windows(windows)

# %% [markdown]
# **Exercise 4 · going on.** One path of the fan.


# %%
def go_on(step, last, state, noise):
    """step(value, state) -> mean, deviation, state; noise (H,) standard normal -> path (H,)."""
    return ...


check.go_on(go_on)

# %% [markdown]
# **Then your own.** Bring something that you know better than we do, and ask of the network what you know: is it wrong where you would be?

# %% [markdown]
# ## Recap
#
# - One loop, `read, keep a state, answer with a density of what comes next`, learns text, numbers, tunes and strokes.
# - Cut in time, scale by the training part, compare with the rule that costs nothing: three habits that decide whether a result is one.
# - A fan says how sure a forecast is; drag its beginning to see what it rests on.
# - A network is a few hundred kilobytes of weights and three hundred lines of arithmetic. It fits into a page.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | `timeseries_dataset_from_array` | `WindowTask.batch` | windows are drawn from the training part alone |
# | `Normalization().adapt(train)` | `Series.mean`, `Series.deviation` | the same, if you adapt on the training part only |
# | `Dense(3 * M)` with a loss of your own | `Forecaster`, `forecast.nats` | means counted from the last value |
# | `EarlyStopping(restore_best_weights=True)` | `keep_best.KeepBest` | trains to the end, then goes back |
# | `model.save` and a server | `export.live_page` | one file, runs in the browser |

# %%
quiz.show("capstone")

# %% [markdown]
# ## References
#
# - Bishop 1994, *Mixture density networks*: a network that answers with a density.
# - Graves 2013, *Generating sequences with recurrent neural networks* (arXiv 1308.0850), section 4: the density of a pen's next offset.
# - Hyndman & Athanasopoulos, *Forecasting: principles and practice*: simple forecasts, seasons, and how to judge a forecast.
# - Greff et al. 2017, *LSTM: a search space odyssey*: how little the variants of a cell differ.
# - Sturm et al. 2016, *Music transcription modelling and composition using deep learning*: tunes as text.
