# %% [markdown]
# # Can you watch a network remember?
#
# 20 minutes · needs Python, nothing about networks · opens a network that has read Shakespeare
#
# A **recurrent network** reads a sequence one step at a time and keeps a **state**, a list of numbers that stands for
# everything it has read. In this course you train such networks, and each one has a glass lid.

# %%
from lessons import char_rnn, check, corpora, doctor, trace, units
from widgets import gates, quiz

# %% [markdown]
# **Guess first.** The network below has read plays typed in Markdown, where `**` opens and closes bold type. It has 128
# **units** to remember everything with. How many of them are enough to tell, at any character, whether
# bold type is open? Replace the three dots.

# %%
guess = check.predict("units needed", ..., low=1, high=200)

# %%
reader = char_rnn.pretrained()
script = (
    "**JAQUES**\nSing it: 'tis no matter how it be in tune.\n\n_Exeunt_\n\n**ROSALIND**\nHow say you now?"
)
passage = corpora.load("shakespeare-markdown").valid[:6000]
found = units.scores(trace(reader, passage), passage)
gates.microscope(reader, script, scores=found)

# %%
best = next(score for score in found if score.feature == "inside bold")
enough = 1 if best.strength > 0.9 else 2
guess.reveal(enough)
print(units.table(found, top=3, features=["inside bold"]))

# %% [markdown]
# **AUC** is the chance that the unit tells a character inside bold type from one outside: 0.5 is a coin toss, 1.0 is never wrong.
# ↓ says that the unit is low inside. *chance* is what the best of all units would reach if it knew nothing. The score is taken on
# text that did not choose the unit.

# %% [markdown]
# ## A tour in two minutes
#
# 1. The coloured text is the time axis. Click a character, or focus the text and press → and ←.
# 2. The lanes are one unit at every step: its gates, its cell state c and its hidden state h; the last one is how surprised the
#    network was, in bits.
# 3. The diagram is the same unit at the chosen step, with its numbers on the wires.
# 4. The map shows all units. Under *sort units by*, choose something else than *inside bold*.
# 5. Go back to unit and text of the start, hold the forget gate shut (*shut 0*), and walk through the first name: at its last letter,
#    the bars leave the lines. The network no longer knows that a name is open.

# %% [markdown]
# ## What is installed
#
# `doctor` looks at your installation and says what to do where something is wrong. The same in a terminal:
# `python -m lessons doctor`.

# %%
status = doctor.main()

# %% [markdown]
# ## Devices and presets
#
# The same code runs on a processor, on an NVIDIA card (`cuda`) and on Apple's (`mps`). What changes is the size. Each lesson
# has three **presets**: `ci` takes seconds and proves that the cells run; `cpu` trains a real model in at most three
# minutes on two cores; `gpu` is the size a paper would use. Your device chooses; the variable `UNROLLED_PRESET`
# overrules it. A notebook always prints which one it ran.

# %%
print(char_rnn.preset())

# %%
print(char_rnn.preset("gpu"))

# %% [markdown]
# ## Axes
#
# Every tensor in this course has its axes in one order: **batch, time, hidden**. A state that a layer returns keeps
# PyTorch's order, (layers, batch, hidden). A **trace** is what the network did, step by step. Texts of different lengths
# are **padded** to the longest; past a text's own length its trace is zero.

# %%
# NBVAL_CHECK_OUTPUT
seen = trace(reader, ["To be, or not to be", "Exeunt"])
print("names:", *seen.names)
print("sequences:", seen.batch_size, " steps:", seen.steps, " lengths:", seen.lengths.tolist())
print("axes of f:", tuple(seen["f"].shape) == (seen.batch_size, seen.steps, seen.hidden_size))

# %% [markdown]
# A trace can also be an experiment: `edit` holds a gate or a state while the network runs, which is called **clamping** it. What
# then changes depends on what was held. What does not change may still depend on it at another step or in another text: a clamp
# tells something about the place where it was tried. Here all forget gates are shut, and the network is asked what it expects after
# the same text:

# %%
# NBVAL_CHECK_OUTPUT
text = "To be, or not to b"
for name, edit in (("as learnt", None), ("forget gates shut", {"f": 0.0})):
    likely = trace(reader, text, edit=edit).probabilities[0, -1].topk(3)
    print(f"{name:>18}:", *(f"{reader.decode(k[None])!r} {p:.2f}" for p, k in zip(*likely, strict=True)))

# %% [markdown]
# | letter | axis | | letter | axis |
# |---|---|---|---|---|
# | B | batch: sequences side by side | | V | vocabulary: symbols to choose from |
# | T | time: steps of a sequence | | L | layers |
# | I | input: numbers that enter at a step | | S | source steps (lesson 12) |
# | H | hidden: units of a layer | | | |

# %% [markdown]
# ## Words
#
# | word | meaning |
# |---|---|
# | unit | one of the H numbers of a state, with its own gates |
# | hidden state `h` | what a layer shows to the next layer and to its own next step |
# | cell state `c` | what an LSTM keeps to itself from step to step |
# | gate | a number from 0 (closed) to 1 (open) that multiplies something |
# | forget gate `f`, input gate `i`, output gate `o` | keep c, write to c, show c |
# | candidate `g` | what would be written, from −1 to 1 |
# | cell equation | $c_t = f_t \cdot c_{t-1} + i_t \cdot g_t$: what is kept, plus what is written |
# | logits | one score for each symbol; **softmax** turns them into probabilities |
# | clamp | hold a gate or state at a value, to see what depends on it |
# | seed | the number that all chance in a training follows from |
# | trace | all gates and states at all steps |

# %% [markdown]
# Gates multiply at every step anew. A cell into which nothing is written ($i_t = 0$) and whose forget gate stays at 0.9 keeps 0.9 of
# its value after one step, 0.9 · 0.9 = 0.81 after two, and so on: what holds for long needs a gate much nearer to 1.

# %%
# NBVAL_CHECK_OUTPUT
for kept in (0.9, 0.99, 0.999):
    print(f"f = {kept}: after 10 steps {kept**10:.2f} of c is left, after 50 steps {kept**50:.2f}")

# %% [markdown]
# ## How a lesson is built
#
# | section | what you do |
# |---|---|
# | guess | commit to an answer before anything is explained |
# | picture | move the controls of a saved model |
# | equations to code | the maths, the step function, one line that shows it equals PyTorch |
# | train | a live curve with the opponent drawn in |
# | look inside | open the model you trained |
# | experiment | claims over several seeds, with the rule fixed before the result |
# | exercises | checks that say what is wrong; one is *find the bug* |
# | recap | what held and what did not, Keras names, a quiz |

# %% [markdown]
# **Seeds and claims.** All chance in a training follows from one number, the **seed**: the first weights, the order of the text.
# The same seed gives the same network; another gives one a little better or worse. So where a lesson says that one thing beats
# another, it trains with several seeds and counts on how many it does. How many are enough was written down before the first
# training. Such a sentence with its rule is a **claim**.

# %% [markdown]
# ## Two exercises, to try the checks
#
# **Exercise 1 · the last state.** The second sequence above is shorter than the first, and is padded. Return `h` at the last
# real step of every sequence.


# %%
def last_state(trace):
    """A Trace of B sequences with trace.lengths (B,) -> the last h of each sequence, (B, H)."""
    return ...


check.last_state(last_state)

# %% [markdown]
# **Exercise 2 · the longest memory.** A forget gate near 1 keeps what the cell holds. Which unit keeps at the most steps?


# %%
def longest_memory(trace):
    """A Trace of one sequence -> the number of the unit whose f is above 0.9 at the most steps."""
    return ...


check.longest_memory(longest_memory)

# %%
quiz.show("start_here")

# %% [markdown]
# ## Where next
#
# Lesson 02 trains a network like this one from nothing, in about two minutes. Everything you saw here, you can do
# with your own model and your own text.
