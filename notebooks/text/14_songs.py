# %% [markdown]
# # Can a network write a tune you can dance to?
#
# 50 minutes · needs lessons 02 and 04 · trains an LSTM on 3,300 dance tunes in two or three minutes, and plays what it writes
#
# You will ask for a jig in D and hear one, find out what can be checked about a tune and what cannot, and open the network to
# find the unit that knows when the bar is full.

# %%
from lessons import abc_reader, check, corpora, fit, song_study, songs, trace, tune_scores, units
from lessons import claims as ledger
from widgets import claims, gates, quiz, training
from widgets import songs as pictures

# %% [markdown]
# **Guess first.** A tune is cut into *bars*, and its *metre* says how long each must last: in 6/8, the metre of the dance
# called *jig*, six eighths. A small LSTM has read old tune books, character by character. It is given dance, metre and key of
# tunes it has never seen, and writes on, at temperature 1. Of a hundred of its bars, how many are as long as they must be? And
# of a 5-gram's, which sees the last four characters?

# %%
network_bars = check.predict("bars of the LSTM that add up, of 100", ..., low=0, high=100)
counted_bars = check.predict("bars of the 5-gram that add up, of 100", ..., low=0, high=100)

# %% [markdown]
# **The picture.** A *key* is the notes a tune keeps to, named after the one it comes to rest on, its *tonic*: D, or A in Am (A
# minor). Choose dance, metre and key, press *write a tune*, then play: the note that sounds is marked. A bright note is one
# that the network held probable, a dark one surprised it. Change the seed for another tune.

# %%
player = songs.pretrained()
pictures.book(player, dance="jig", metre="6/8", key="D", temperature=0.7, seed=3)

# %% [markdown]
# Where are the dark notes? More often at the beginnings of bars, where many things may follow, than inside a run. Now write a
# beginning of your own into the box, keep its first four lines, and press *go on from the box*.

# %% [markdown]
# ## A tune is a text
#
# **ABC** is how musicians on the net have written tunes since the 1990s: letters for notes (`c` lies an
# octave above `C`, at twice its frequency), `z` for silence, numbers for lengths, `|` between bars, `|:` and `:|` around a
# *repeat*, which is played twice. Four lines stand in front here, always in this order: the dance `R:`, the metre `M:`, the
# unit of length `L:`, the key `K:`. A note is as long as its number says, times the unit.

# %%
# NBVAL_CHECK_OUTPUT
written = "R:jig\nM:6/8\nL:1/8\nK:D\n|:A|dAF DFA|d>ef g2e:|\n"
tune = abc_reader.parse(written)
for bar in tune.bars:
    print(f"{bar.left or ' ':2s}", [(note.pitches[0], str(note.length)) for note in bar.notes], bar.right)

# %% [markdown]
# A pitch is a number of semitones, twelve to the octave; 69 is the `A` that orchestras tune to. The key of D has two *sharps*:
# `F` and `C` are a semitone higher, so `F` is 66 and not 65.
# `>` lends a half of the second note to the first. The first bar is a **pick-up**, one eighth; the last bar should leave room
# for it, and does not: it lasts six eighths, where five would be right.

# %% [markdown]
# ## From equations to code
#
# The network of lesson 02 gives $p(x_t \mid x_1 \dots x_{t-1})$. If the first characters are a header $k$, the same numbers are
#
# $$ p(x_1 \dots x_T \mid k) = \prod_{t=1}^{T} p(x_t \mid k, x_1 \dots x_{t-1}), $$
#
# so a condition needs no new equation and no new input: it is read first, and lives on in the state. How sure was the
# network of a note? The product of the probabilities of its characters:

# %%
chances = songs.chances(player, written)
note = tune.notes[5]
letters = [(written[k], round(float(chances[k]), 3)) for k in range(note.begin, note.end)]
print(letters, "together", round(songs.certainty(player, tune)[5], 3))

# %%
pictures.roll(written, player, repeats=True)

# %% [markdown]
# ## Train
#
# Three books: James Aird (1778 to 1801), William Ryan (1883), Francis O'Neill (1903), typed by volunteers, all in the public
# domain. The books share tunes. A copy in another key or with a few notes changed is taken out *before* tunes are held out;
# otherwise the network would be tested on what it was trained on.

# %%
books = corpora.load("tunes")
preset = songs.preset()
print(books, preset, sep="\n")

# %%
task = songs.prepare(preset)
jig = songs.Condition("jig", "6/8", "D").header
watch = training.live(temperatures=(0.7, 1.0), seed_text=jig)
run = fit(task, watch=watch)
run

# %%
for name, bits in task.report().items():
    print(f"{name:>14}: {bits:.3f} bits per character")

# %% [markdown]
# ## What can be checked
#
# A tune is not right or wrong, but its notation is. Does it *parse*, can this lesson's reader read it? (Only what it has read,
# written anew, reaches the program that draws the score.) Do its bars add up, pick-ups allowed for? Does every repeat that
# opens close? Does it end on the tonic of its key? The network that you have just trained, and people:

# %%
held = songs.bodies(books, "test")
asked = [songs.header(text) for text in held][: 24 if preset.name == "ci" else 96]
longest = 200 if preset.name == "ci" else songs.LONGEST
yours = songs.write(task.model, asked, temperature=1.0, longest=longest)
people = tune_scores.judge_all(held)
for measure, share in tune_scores.judge_all(yours).items():
    print(f"{measure:28s} your network {share:.2f}   people {people[measure]:.2f}")

# %% [markdown]
# Not even people's bars all add up: printers erred, and so did typists. Temperature decides what becomes of a network's. Each
# point below is 96 tunes, of the network that comes with the course or of the 5-gram; the file behind it was made by
# `python -m lessons.song_study`.

# %%
study = song_study.load()
at_one = study.temperatures.index(1.0)
network_bars.reveal(100 * study.figures["LSTM"]["bars that add up"][at_one])
counted_bars.reveal(100 * study.figures["5-gram"]["bars that add up"][at_one])

# %%
pictures.curves(study)

# %% [markdown]
# A cool network keeps the rules best, and copies most: its tunes walk along phrases that stand in many tunes. Look at the last
# panel: the dotted line is how much people's tunes share with the others. Where the network lies above it, it repeats more
# than a tradition does.

# %% [markdown]
# ## What was copied
#
# The longest span of your network's last tune that also stands in the training tunes:

# %%
from lessons import novelty

source = novelty.Source(books.train)
body = yours[-1][len(songs.header(yours[-1])) :]
copied = source.longest(body)
print(f"{copied.length} of {len(body)} characters: {copied.text!r}")

# %% [markdown]
# ## Look inside
#
# To put a bar line in its place, something must know how much of the bar is over. Score every unit of the shipped network
# against what a musician knows: is the bar full, how far is the tune, how many sharps has the key? A *strain* is a part of a
# tune, often eight bars; three eighths make a beat in 6/8, 9/8 and 12/8. As in lesson 02, a unit is chosen on the first half
# of each tune and scored on the second.

# %%
from lessons import tune_features

read = held[:60]
found = units.scores(trace(player, read), read, describe=tune_features.features)
print(units.table(found, top=2))

# %% [markdown]
# Take the unit that follows *the bar is full* and look at it over one tune. Dotted lines are bar lines. An AUC near 0 tells as
# much as one near 1, upside down: that is the ↓ of the table, which shows what is missing to 1.

# %%
full = next(score for score in found if score.feature == "the bar is full")
short = min((text for text in held if "M:6/8" in text), key=len)
seen = trace(player, short)
pictures.follow(seen, full)

# %%
gates.explore(seen, name="c", unit=full.best)

# %% [markdown]
# The unit swings once a bar: up in the first half, down towards the bar line. Which way round it swings is chance; that it is
# low where the bar is full is what ↓ in the table says. Is it more than a clock that each bar line winds up? Give the network
# a bar that is too long, and guess where the unit is when the bar *should* be over:

# %%
late = "R:jig\nM:6/8\nL:1/8\nK:D\nABc def|ABc def gab|ABc def|"
pictures.follow(trace(player, late), full)

# %% [markdown]
# It is down after six eighths, as in any other bar, and it stays down through the three that are too many, until the bar line
# comes. But does it follow lengths, or count characters? `A6|` is full after two of them: write it in place of the long bar,
# and look where the unit is. Then try twelve short notes, `A/B/c/d/e/f/ g/f/e/d/c/B/|`: a single unit is no perfect meter.

# %% [markdown]
# ## Experiment
#
# Three claims, their rules fixed before any seed ran. Guess each verdict first.
#
# 1. An LSTM's bars add up, and its tunes end on their tonic, more often than a 5-gram's, by 0.15.
# 2. Exchange nothing but the key in the header: more than half of the tunes end on the new tonic, in each of five keys.
# 3. Training makes a unit that tells full bars better than any unit did before, by 0.05 of AUC.

# %%
claims.every_seed("tunes-keep-the-metre")

# %%
claims.every_seed("tunes-follow-the-key")

# %%
claims.every_seed("a-unit-counts-the-bar")

# %%
for name in ("tunes-keep-the-metre", "tunes-follow-the-key", "a-unit-counts-the-bar"):
    print(ledger.load(name))

# %% [markdown]
# The bar is kept, and the key is not. A bar is about nine characters long, and every bar line winds its clock up again. The key
# stands once, a hundred characters and more before the last note, and little in between asks for it: `f` means F sharp in D
# without anybody remembering D. The shipped network, larger and trained for longer, ends on the tonic more often (see the
# curves above); people do it far more often still.

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · find the bug.** A reader of ABC plays tunes in L:1/16 at half their speed. Mend the function.


# %%
def note_length(written, unit):
    """What stands behind a note ("", "2", "/", "3/2", "/4") and L: (1/8) -> its length in whole notes."""
    whole, slash, below = written.partition("/")
    units = int(whole or 1) / (int(below or 2) if slash else 1)
    return units / 8


check.note_length(note_length)

# %% [markdown]
# **Exercise 2 · bars that add up.** A strain begins with a pick-up; the bar that leaves room for it is its last.


# %%
def full_bars(lengths, metre):
    """Lengths of a strain's bars, length of a full bar -> a list, 1.0 for right and 0.0 for wrong.

    A short first bar and a short last bar are both right if they make one full bar together.
    """
    return ...


check.full_bars(full_bars)

# %% [markdown]
# **Exercise 3 · find the bug.** The held-out figures of this split are better than anybody believes. Mend it.


# %%
def split_tunes(tunes, held):
    """Tunes, some of them twice, number to hold out -> training tunes, held-out tunes, each joined by spaces.

    Of a tune that is there twice the first copy stays; the last `held` of what stays are held out.
    """
    train, test = tunes[: len(tunes) - held], tunes[len(tunes) - held :]
    return " ".join(dict.fromkeys(train)), " ".join(dict.fromkeys(test))


check.split_tunes(split_tunes)

# %% [markdown]
# **Exercise 4 · the memorisation meter.** How much of a tune is copied, at most, in one piece?


# %%
def longest_copy(written, source):
    """Two texts -> the length of the longest run of characters of `written` that also stands in `source`."""
    return ...


check.longest_copy(longest_copy)

# %% [markdown]
# ## Recap
#
# - A condition that is read first needs no new input: the state carries it.
# - Notation can be checked: it parses, bars add up, repeats close, the end is the tonic. None of it says that a tune is good.
# - What is renewed all the time (the bar) is remembered better than what is said once (the key).
# - Validity and novelty pull apart as the temperature changes; held-out tunes by people are the measure for both.
# - What a network wrote is read by a parser first, and written anew before any other program gets to see it.

# %% [markdown]
# | Keras | here and in PyTorch | differs in |
# |---|---|---|
# | `StringLookup`, `TextVectorization` | `Vocabulary` | characters, no words |
# | `Embedding` → `LSTM(return_sequences=True)` → `Dense` | `CharModel` | the same three parts |
# | `LSTM(stateful=True)` | the state handed on | detached between windows |
# | a condition by `concatenate` or `initial_state` | a header that is read | nothing to build |
# | `Dropout` before `Dense` | `dropout=` of the model | acts on what is read out, as here |

# %%
quiz.show("songs")

# %% [markdown]
# ## References
#
# - Eck & Schmidhuber 2002, *A first look at music composition using LSTM recurrent neural networks*: blues, and what an LSTM
#   keeps of its form.
# - Sturm, Santos, Ben-Tal & Korshunova 2016, *Music transcription modelling and composition using deep learning*: folk-rnn, the
#   same kind of tunes, 23,000 of them, with metre and key in front.
# - Karpathy, Johnson & Fei-Fei 2016, *Visualizing and understanding recurrent networks*, section 4.2: cells that track lengths.
# - Walshaw 2011, *The abc music standard 2.1*, sections 3 and 4: the notation.
# - Todd 1989, *A connectionist approach to algorithmic composition*: melodies from a recurrent network.
