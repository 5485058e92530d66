# %% [markdown]
# # A question that the reader will be able to answer
#
# 30 minutes · needs lesson 02 · says what is trained, and for how long
#
# Two sentences: what you will do, and what you will have seen by the end.

# %%
import torch

from lessons import cells, char_rnn, check, trace
from widgets import gates

# %% [markdown]
# **Guess first.** A puzzle with a number as its answer, before anything is explained. Replace the three dots.

# %%
reader = char_rnn.pretrained()
guess = check.predict("what the number counts", ..., low=0, high=10)

# %% [markdown]
# **The picture.** An explorer over a saved model, before any equation. Say what to look at; below the picture,
# say what it showed.

# %%
seen = trace(reader, "To be, or not to be")
gates.explore(seen)

# %% [markdown]
# ## From equations to code
#
# The equation in the letters of the code, with paper and section; then the step function; then one line that
# shows it equals what the fast layer computes.

# %%
with torch.no_grad():
    embedded = reader.embedding(reader.encode("To be"))
    fused, _ = reader.recurrent(embedded)
    h = c = torch.zeros(1, reader.recurrent.hidden_size)
    for x in embedded.unbind(1):
        i, f, g, o, c, h = cells.lstm_step(x, h, c, *reader.recurrent.parameters())
check.same(h, fused[:, -1])

# %% [markdown]
# ## Train
#
# `fit` with a live curve, the baseline drawn in. Name the preset, say what to watch.

# %% [markdown]
# ## Look inside
#
# A trace and an explorer, and one observation that the reader can check.

# %% [markdown]
# ## Experiment
#
# Guess, change one thing, compare. The lesson's claims over seeds: `every_seed(claims.load("name"))`.

# %% [markdown]
# ## Exercises
#
# At least three, one of them "find the bug". A stub returns `...`, and its check prints "not attempted yet".


# %%
def softmax_sample(logits, temperature, generator):
    return ...


check.softmax_sample(softmax_sample)

# %% [markdown]
# ## Recap
#
# What held, what did not; Keras's names beside PyTorch's; then `quiz.show("slug")`.

# %% [markdown]
# ## References
#
# - Author year, *title*, section: what it is cited for.
