# %% [markdown]
# # What can a character network write?
#
# 45 minutes · needs lessons 02 and 04 · trains a network that draws icons, in about two minutes
#
# Pages, journals, drawings, programs, plays: all of them are characters. You will see what one and the same network makes of each, ask a judge
# whether it is well formed, and a meter how much of it is copied.

# %%
import torch

from lessons import check, corpora, fit, generation, judges, media, nesting, sampling, trace, units, writing
from lessons import claims as ledger
from widgets import claims, contact_sheet, quiz, sanitised, studio, text, training
from widgets import generation as pictures

preset = generation.preset()

# %% [markdown]
# An icon is a few lines of SVG, such as `<path d="m2 2 20 20" />`. A quote that is not closed, and nothing is drawn.
#
# **Guess first.** A network trains for a minute or two on some sixteen hundred icons, character by character. Of a hundred drawings that it then writes
# at temperature 0.6, how many are well formed?

# %%
guess = check.predict("well-formed drawings of a hundred", ..., low=0, high=100, unit="drawings")

# %% [markdown]
# **The picture.** This network was trained before, on plays as HTML pages. Roll the dice, change the temperature, begin a page yourself, then choose another
# medium. On the left the source with its longest copied span marked, on the right what it looks like.

# %%
studio.explore("html")

# %% [markdown]
# Two sentences below it say what can be checked. The **judge** reads the document as a browser, LaTeX or Python would, and names the first fault. The **memorisation meter**
# looks for every span of twelve characters in the training text.
#
# Nothing of it is acted on: code is parsed and never run, and what you see has gone through a sanitiser first.

# %%
# NBVAL_CHECK_OUTPUT
print(sanitised.html("<p>A <strong>page<script>alert('ran')</script> <img src=x onerror=alert(1)></p>"))
print(judges.html("<article><p>A <strong>page</p></strong></article>"))
print(judges.python("def f(x):\n    return (x + 1"))

# %% [markdown]
# ## From equations to code
#
# Writing is lesson 02's loop. With scores $s$ of all characters and temperature $T$, the next character is drawn from
#
# $$ p_k = \frac{e^{s_k / T}}{\sum_j e^{s_j / T}} $$
#
# and read in its turn. A **document** ends at the first blank line: the network says itself when it is done. Before it begins, it reads a held-out document,
# the *lead*: from the zero state, which it hardly ever saw in training, it would begin in the middle of something.


# %%
def write_one(model, lead, begin, temperature, dice):
    """One document, character by character, after another one has been read."""
    logits, state = model(model.encode(lead + begin))
    scores, written = logits[:, -1], begin
    while not written.endswith("\n\n"):
        p = torch.softmax(scores / temperature, dim=-1)
        number = sampling.place(p, torch.rand(1, generator=dice))
        written += model.decode(number)
        scores, state = model.step(number, state)
    return written[:-1]


# %% [markdown]
# Is it what the course's writer does? That one writes many documents side by side, each with dice of its own.

# %%
# NBVAL_CHECK_OUTPUT
pages, lead = generation.pretrained("html"), media.lead(media.text("html"))
with torch.no_grad():
    mine = write_one(pages, lead, "<article>", 0.8, torch.Generator().manual_seed(3))
theirs = writing.write(pages, 1, 0.8, "<article>", seed=3, lead=lead)[0]
print("the same page:", mine == theirs.text)

# %% [markdown]
# ## Train
#
# The icons are those of Lucide. What all of them begin and end with is taken off, and put back before a drawing is shown. Each row below is drawn with the same dice, after
# more training. A green frame is well formed; an empty one is no XML at all.

# %%
task = generation.prepare(preset)
print(task.corpus)
print(task.corpus.documents[0][1])

# %%
run = fit(task, watch=[training.live(temperatures=(0.6,), seed_text="<"), contact_sheet.growing()])

# %%
drawings = writing.write(task.model, 100, 0.6, longest=700, seed=1, lead=media.lead(task.corpus))
well = sum(one.ended and not judges.figure(one.text) for one in drawings)
kept, drawn = map(sum, zip(*(judges.framed(one.text) for one in drawings), strict=True))
print(f"{well} of 100 drawings are well formed; {kept} of their {drawn} shapes stay inside the frame")
guess.reveal(well)

# %% [markdown]
# Look at the rows. The form comes early: brackets and quotes of `<path d="…" />`, and numbers that a path can take. What takes longer is shapes that belong together. What it
# never learns is what a *bell* is: no drawing has a name.

# %%
studio.explore("figure", {"figure": task.model})

# %% [markdown]
# ## Validity against novelty
#
# Turn the temperature down and the likeliest characters win. One would expect fewer faults, and more of what the training text says. Below, thirty documents at every point. Dashed is a
# **5-gram** of the same text, at the same temperatures. Dotted is what people's own documents come to that nobody trained on.

# %%
pictures.curves()

# %% [markdown]
# Read the lower row from the dotted line. Icons are made of the same pieces over and over, so held-out icons are largely "copied", too; a network is a parrot only where
# it lies *above* the dots. In the upper row very cold dice can fail, too: a document that goes round in a circle never ends, and counts as a fault.
#
# Does the trade hold in every medium? The rule was fixed beforehand; the seeds are those of the dice. Where it fails, look at the upper row again: what is it
# that cold dice do to a page?

# %%
result = ledger.load("heat-costs-validity-everywhere")
print(result)
claims.every_seed("heat-costs-validity-everywhere")

# %% [markdown]
# ### At equal bits
#
# Perhaps the network only writes better because it predicts better. To be fair, train it briefly and give the n-gram every advantage: the lowest order whose bits on
# held-out text are *no more* than the network's. Then let both write at temperature 0.7.

# %%
result = ledger.load("networks-nest-better")
print(result)
claims.every_seed("networks-nest-better")

# %% [markdown]
# Bits are a mean over characters, and nearly all characters can be guessed from the last few. A document is judged as a whole: one end tag that is due
# five hundred characters after its start tag decides it, and for that one an n-gram has nothing to go by.

# %% [markdown]
# ## Look inside
#
# So something in the network keeps what is open. Which units? They are chosen on one half of some held-out pages and scored on the other half, beside what the best of as many
# units reaches by chance (lesson 02).

# %%
held = media.text("html").valid[:6000]
scores = units.scores(trace(pages, held), describe=nesting.features)
asked = [one for one in scores if one.feature.startswith(("inside <", "depth of el"))]
print(units.table(asked))

# %% [markdown]
# Colour a page by the best of them. What to look at: does it change at the `>` of a tag, and hold until the partner of that tag?
# In `<strong>` stand names in capitals, so a unit that knows capitals scores well, too, and lights up in headings. Sort by `inside <article>`: no letter gives that away.

# %%
text.strip(pages, held[:900], search=held, scores=asked, name="c")

# %% [markdown]
# ## Your own text
#
# Any text with blank lines between its parts is a medium. Here it is this course's own notebooks; put a file into `data/user` and give its name to `corpora.user` instead. There
# is no judge for it, so only the meter speaks.

# %%
from pathlib import Path

lessons = "\n\n".join(path.read_text("utf-8") for path in sorted(Path("text").glob("*.py")))
own = corpora.user(lessons.encode(), "the lessons", quiet=True)
brief = preset.but(steps=max(preset.steps // 8, 20), evaluate_every=preset.steps, baseline_order=None)
learnt = generation.prepare(brief, corpus=own)
print(fit(learnt, progress=False))

# %%
studio.explore("own", own=(learnt.model, own))

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · a judge.** Does it nest?


# %%
def nests(tags):
    """Tags such as ["<p>", "<em>", "</em>", "</p>"] -> True if all are closed, in turn."""
    return ...


check.nests(nests)

# %% [markdown]
# **Exercise 2 · the meter.** How long is the longest copied span?


# %%
def longest_copy(written, training):
    """What a network wrote, what it was trained on (strings) -> characters of the longest span in both."""
    return ...


check.longest_copy(longest_copy)

# %% [markdown]
# **Exercise 3 · find the bug.** With this line the n-gram's curve is flat: it writes the same at every temperature.


# %%
def at_temperature(probabilities, temperature):
    """An n-gram's probabilities (V,), a temperature above 0 -> the probabilities (V,) that it draws from."""
    heated = probabilities / temperature
    return heated / heated.sum()


check.at_temperature(at_temperature)

# %% [markdown]
# **Exercise 4 · find the bug.** The source of a page is to be read in a browser. It is safe, and wrong.


# %%
def escaped(text):
    """What a network wrote -> HTML that shows exactly these characters and does nothing."""
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("&", "&amp;")


check.escaped(escaped)

# %% [markdown]
# ## Recap
#
# - One network writes any medium that is characters; a blank line lets it say when it is done.
# - Form can be judged: parse it. What it means is nobody's business here, least of all the network's.
# - A meter of copies needs a zero: what held-out documents share with the training text.
# - At equal bits a network closes what it opens far more often than an n-gram; some units tell what is open.
# - What a network wrote is foreign text. It is parsed, rebuilt or escaped, and never run.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | `TextVectorization(split="character")` | `corpus.vocabulary` | order and unknown characters are the corpus's |
# | `LSTM(256, return_sequences=True, stateful=True)` | `CharModel(…)` with its carried state | here the state is handed over, not hidden in the layer |
# | a callback that samples (`on_epoch_end`) | `watch=contact_sheet.growing()` | a watch also sees steps, and can stop the training |
# | `keras.random.categorical(logits / T, 1)` | `sampling.distribution`, `sampling.place` | here the dice are given, so two runs can share them |
# | `keras_hub` samplers (`TopKSampler`) | `writing.write` | many documents at once, each to its own end |

# %%
quiz.show("generation")

# %% [markdown]
# ## References
#
# - Karpathy 2015, *The unreasonable effectiveness of recurrent neural networks*: plays, LaTeX, XML and C by characters; temperature.
# - Karpathy, Johnson & Li 2016, *Visualizing and understanding recurrent networks*: cells that keep quotes and brackets, and n-grams beside them.
# - Sutskever, Martens & Hinton 2011, *Generating text with recurrent neural networks*: characters, before LSTMs were common for it.
# - Graves 2013, *Generating sequences with recurrent neural networks*: Wikipedia with its markup; handwriting (lesson 15).
# - Carlini et al. 2019, *The secret sharer*: unintended memorisation, measured.
# - Ha & Eck 2018, *A neural representation of sketch drawings*: drawings as pen strokes instead of characters.
