# %% [markdown]
# # Where does a network look while it translates?
#
# 45 minutes · needs lessons 04, 09 and 11 · trains a translator of numbers, a small copy of Google's network and three kinds of attention, in
# about three minutes
#
# You will watch a decoder look back at what it was given, letter by letter, cover its eyes at one place, and see how far it comes without looking
# at all.

# %%
import torch

from lessons import attention, beam, check, crossing, decoding, fit, length_study, translation
from lessons import claims as ledger
from lessons.attention_trace import Edit, look
from widgets import attention as pictures
from widgets import claims, gnmt, quiz, training

preset = translation.preset()

# %% [markdown]
# *twenty-one* is *einundzwanzig* in German: one-and-twenty. A network reads the English letters, then writes the German ones.
#
# **Guess first.** Two networks of as many weights learn such numbers for as many steps. One must remember the whole sentence in its state, the
# other may look back. Of the longest sentences, by how many in a hundred more does the second get right?

# %%
guess = check.predict(
    "points that looking back is worth on the longest sentences", ..., low=0, high=100, unit="points"
)

# %% [markdown]
# **The picture.** No network has been trained yet, so this one looks everywhere alike. Step through it once: the question it asks (1, **energies**), the
# shares it deals out (2, **weights**), what it gets (3, **context**), what it would write (4).

# %%
task = translation.prepare(preset)
print(task.pairs)
pictures.translations(task.model, "twenty-one")

# %% [markdown]
# ## From equations to code
#
# The encoder leaves a vector $k_s$ at every place of the source. At every step the decoder's state $q$ asks all of them (Bahdanau et al. 2015,
# section 3.1; Luong et al. 2015, section 3.1):
#
# $$ e_s = v^\top \tanh(W q + U k_s) \quad\text{or}\quad e_s = q^\top k_s \quad\text{or}\quad e_s = q^\top W k_s $$
# $$ a = \mathrm{softmax}(e), \qquad \mathrm{context} = \sum_s a_s\, k_s $$
#
# The first is called **additive**, the second **dot**, the third **general**.


# %%
def attend(query, keys, lengths):
    """Dot attention. query (B, H), keys (B, S, H), lengths (B,) -> weights (B, S), context (B, H)."""
    energies = (keys @ query[:, :, None])[:, :, 0]
    padding = torch.arange(keys.shape[1]) >= lengths[:, None]
    weights = energies.masked_fill(padding, -torch.inf).softmax(-1)
    return weights, (weights[:, None] @ keys)[:, 0]


# %% [markdown]
# Places that are only padding get an energy of $-\infty$ *before* the softmax: no weight, and no share in the sum. Is it the same as the course's layer?

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
query, keys, lengths = torch.randn(2, 5), torch.randn(2, 4, 5), torch.tensor([4, 2])
layer = attention.Attention("dot", 5, 5)
looked = layer(query, layer.remember(keys, lengths))
check.same(attend(query, keys, lengths), (looked.weights, looked.context))
print("weights of the padding:", looked.weights[1, 2:].tolist())

# %% [markdown]
# Where attention stands decides what training costs. Asked by the state *before* (Bahdanau), each step waits for the last context: a loop. Asked by the
# *new* state (Luong), no state needs a context: all steps of a known translation are one pass. This lesson trains the second.

# %%
print(preset)
print("all steps in one pass:", task.model.decoder.fused)

# %% [markdown]
# ## Train
#
# English number words below a million into German ones, letter by letter. An answer counts as right when every letter is. The dashed line is what it costs to know
# how often each letter is written, and nothing else.

# %%
run = fit(task, watch=training.live())

# %%
found = task.scores("test")
print(
    f"{len(task.pairs.parts['test'])} numbers below a million, none of them in training: {found['exact']:.1%} right, after {run.seconds:.0f} s"
)
print(
    f"numbers of seven digits, longer than all in training: {task.scores('seven digits')['exact']:.1%} right"
)

# %% [markdown]
# Below a million almost nothing is left to learn, at the cpu preset. One digit more, and that is worth little: the network has learnt to look, and not to count beyond
# what it saw. Attention is no cure for that.

# %% [markdown]
# ## Look inside
#
# Now look again. A row of the map is a written letter, a column a letter of the source; the dotted line is where most weight lies. Step to *zwanzig*: the gaze
# jumps **back** to the front of the English word.

# %%
pictures.translations(task.model, "twenty-one")

# %% [markdown]
# Click on a bright cell and choose *shut the place out*: its energy goes to $-\infty$ for that step, and the others share its weight. Then *at every step*. Then set the
# weight of a wrong place to 1. Type 45, 99, or words of your own; a letter that the network has never seen is refused.

# %% [markdown]
# Does the gaze cross for every number, or just for this one? Where it looks on average while it writes the units, minus the same for the tens, in letters:

# %%
back = crossing.crossings(task.model)
print(
    f"it goes back in {sum(places > 0 for places in back.values())} of {len(back)} numbers, by {sum(back.values()) / len(back):.1f} letters on average"
)
for number in (21, 45, 99):
    print(number, f"{back[number]:.1f}")

# %% [markdown]
# And if it may look nowhere but at the *t* of *twenty* while it writes its first letter?

# %%
only_t = torch.eye(len("twenty-one"))[0]
for edit in (None, Edit("weights", only_t, steps=[0])):
    print(look(task.model, "twenty-one", edit=edit).texts[0])

# %% [markdown]
# Other units, then, were taken from the wrong word; the same again means that the state alone knew them.
#
# A bright cell need not be the letter you expect. The vector of a place comes from a network that has read the whole word both ways, so a neighbour often knows as much:
# shutting one place out mostly changes little, shutting it out at every step more. **A weight says where was read, not what was needed.**

# %% [markdown]
# ### Kinds of attention
#
# Numbers below a thousand, four networks that differ in one word. *location* computes its energies from the state alone: it cannot see what stands at a place, only count.

# %%
few = {"below": 1000, "beyond": 0, "count": 1, "hidden_size": preset.hidden_size // 2}
small = preset.but(steps=preset.steps // 3, evaluate_every=preset.steps, **few)
kinds = {}
for kind in ("general", "dot", "additive", "location"):
    one = translation.prepare(small.but(attention=kind))
    learnt = fit(one, progress=False)
    kinds[kind] = one.model
    print(
        f"{kind:9s} {one.scores('test')['exact']:.0%} of numbers that it never saw, in {learnt.seconds:.0f} s"
    )

# %%
pictures.translations(kinds, "45")

# %% [markdown]
# ### One network, several languages
#
# The network need not change to write another language: it is enough to ask. Johnson et al. (2017) put an artificial **tag** at the
# front of the source, one symbol that is learnt like any other. Numbers below a thousand, three languages, one network:

# %%
many = translation.prepare(small.but(task="tagged", steps=preset.steps, learning_rate=8e-3, batch_size=32))
print(fit(many, progress=False))
for tag in many.pairs.tags:
    rows = [pair for pair in many.pairs.parts["test"] if pair[0].startswith(tag)]
    written = decoding.translate(many.model, [source for source, _ in rows])
    print(
        f"{tag} {translation.exact(written, [right for _, right in rows]):.0%} of {len(rows)} numbers right;",
        *written[:2],
    )

# %% [markdown]
# German and Danish say the units first, French does not. Type `<2fr> 45`, `<2da> 45`, `<2de> 45`, and watch the gaze. Is the tag
# looked at when the first letter is written?

# %%
for language, name in (("de", "German"), ("da", "Danish")):
    back = crossing.crossings(many.model, language=language, tag=f"<2{language}> ")
    print(f"{name}: it goes back in {sum(places > 0 for places in back.values())} of {len(back)} numbers")
pictures.translations(many.model, "<2fr> 45")

# %% [markdown]
# ## Why one vector is not enough
#
# Without attention all that the decoder knows of the source is its first state: as many numbers for nine letters as for seventy. Bahdanau et al. (2015, figure 2) show
# how sentences fare by their length. Here is your network:

# %%
pictures.lengths({"your network": length_study.by_length(task.model, task.pairs.parts["test"])})

# %% [markdown]
# And the claim, its rule fixed before the first run: two networks of as many weights, as many steps, numbers below a hundred thousand, several seeds.

# %%
claims.every_seed("attention-holds-with-length")

# %%
result = ledger.load("attention-holds-with-length")
print(result)
ahead = result.spread[list(result.spread)[-1]]
guess.reveal(ahead[list(ahead)[-1]]["mean"])

# %% [markdown]
# Look at the points without attention: in the steps that teach the other network to translate, this one gets a few of the shortest numbers right, or none, and the long
# ones never. So its curve has hardly any height to fall from; Bahdanau's belongs to networks trained to the end. What looking back buys here is learning at all. (Short
# numbers are rare: two dozen make the first band, so one of them is four points there.)

# %% [markdown]
# ## Google's network, scaled down
#
# GNMT (Wu et al. 2016) translated for millions: eight layers each side, 1024 units, weeks on many GPUs. The plan fits on any machine: only the **bottom** encoder layer
# reads both ways, **residual** sums let gradients through the stacks, the lowest decoder layer asks, and all layers above get the answer.

# %%
deep = small.but(num_layers=3, reading="bottom", attention="additive", place="bottom", residual=True)
google = translation.prepare(deep.but(steps=preset.steps // 2, learning_rate=8e-3, batch_size=32))
print(fit(google, progress=False))
print(f"{google.scores('test')['exact']:.0%} right of numbers below a thousand that it never saw")

# %%
gnmt.network(google.model, "forty-five")

# %% [markdown]
# Bright boxes are strong outputs; with residual sums they grow from layer to layer. The vermilion lines are the weights of this step, and the lines to the
# right the context on its way to the upper layers and to the letters.

# %% [markdown]
# ### Real sentences, and few of them
#
# JupyterLab's menus in English and French. There is no one right answer here, so **BLEU** (shared word sequences) and **chrF** (shared letter sequences) compare with the
# translators' words, 0 to 100. Guess how far some two thousand sentences carry.

# %%
sizes = translation.PRESETS["gnmt"].but(steps=min(preset.steps, 300), evaluate_every=1000)
menus = translation.prepare(sizes)
print(menus.pairs)
print(fit(menus, progress=False))

# %%
for part in ("train", "test"):
    menus.held[part] = menus.pairs.parts[part][:100]
    print(
        part,
        {
            name: round(100 * value if name == "exact" else value, 1)
            for name, value in menus.scores(part).items()
        },
    )
for source, target in menus.held["test"][:4]:
    print(f"{source}\n   {decoding.translate(menus.model, source)}\n   right: {target}")

# %% [markdown]
# Compare the two lines: what it has trained on it writes better than what is new, and few new sentences come out as the translators wrote them. Often only the noun
# is another. Two thousand sentences hold each word a few times; Wu et al. trained English to French on 36 million pairs (section 8.1). Longer training (`python
# -m lessons train attention --preset gnmt`) closes little of the gap. `--preset gpu` is the large network, for numbers.

# %% [markdown]
# ### Beams
#
# The likeliest piece at each step need not give the likeliest sentence. A **beam** keeps several beginnings. Its scores are log-probabilities, which every piece makes smaller, so GNMT
# divides by a penalty of the length, and adds one for places that were hardly looked at (section 7, equation 14). What are they worth on a hundred new sentences?

# %%
sources, right = (list(side) for side in zip(*menus.held["test"], strict=True))
for alpha, beta in ((0.0, 0.0), (0.2, 0.0), (1.0, 0.0), (0.2, 0.2), (1.0, 0.2)):
    best = beam.beam_search(menus.model, sources, width=4, alpha=alpha, beta=beta).best
    figures = translation.quality(best, right)
    letters = sum(map(len, best)) / sum(map(len, right))
    print(
        f"alpha {alpha}, beta {beta}: BLEU {figures['BLEU']:4.1f}, chrF {figures['chrF']:4.1f}, "
        f"{letters:.0%} of the letters; {best[1]!r}"
    )

# %% [markdown]
# Without a penalty the likeliest translations are too short; alpha makes up for it. Beta supposes that whatever is said must have been looked at. For pieces of words that
# is nearly so. For letters it is not:

# %%
numbers, words = (list(side) for side in zip(*task.held["test"][:100], strict=True))
for beta in (0.0, 0.2):
    best = beam.beam_search(task.model, numbers, width=4, alpha=0.6, beta=beta).best
    wrong = next((pair for pair in zip(words, best, strict=True) if pair[0] != pair[1]), None)
    print(f"beta {beta}: {translation.exact(best, words):.0%} of numbers right; a wrong one: {wrong}")

# %% [markdown]
# The network of numbers passes over most letters of a word with good reason. Each of them now costs, and a translation that goes on, or says something twice, until all have been
# looked at wins. The penalty is as in the paper; what it takes for granted does not hold here.

# %% [markdown]
# Who looks at a place twice often writes it twice. See et al. (2017, equation 12) let that cost something while the network learns; here it is `coverage_loss=1.0` in
# a preset. How much of the weight falls where some has fallen before?

# %%
for name, network, source in (("numbers", task.model, "forty-five"), ("menus", menus.model, sources[1])):
    seen = look(network, source)
    print(f"{name}: {float(attention.coverage_loss(seen.weights)[0]) / seen.steps:.0%}")

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · energies.** Additive attention, before the softmax.


# %%
def additive_energies(query, keys, w_query, w_key, v):
    """query (B, Q), keys (B, S, K), matrices (A, Q) and (A, K), v (A,) -> energies (B, S)."""
    return ...


check.additive_energies(additive_energies)

# %% [markdown]
# **Exercise 2 · attend.** Dot attention with values of their own, for sources of several lengths.


# %%
def dot_attention(query, keys, values, lengths):
    """query (B, H), keys (B, S, H), values (B, S, F), lengths (B,) -> weights (B, S), context (B, F)."""
    return ...


check.dot_attention(dot_attention)

# %% [markdown]
# **Exercise 3 · find the bug.** Padding gets no weight here. Yet the same sentence is translated otherwise when a longer one is in its batch. Mend it.


# %%
def masked_weights(energies, real):
    """energies (B, S), real (B, S): False on padding -> weights (B, S)."""
    return torch.softmax(energies, dim=-1) * real


check.masked_weights(masked_weights)

# %% [markdown]
# **Exercise 4 · beams of several lengths.** Score translations as GNMT does (Wu et al. 2016, equation 14, without coverage).


# %%
def beam_scores(log_probabilities, lengths, alpha):
    """log P (N,), symbols with END (N,), alpha -> scores (N,): log P / lp, lp = ((5 + |Y|) / 6) ** alpha."""
    return ...


check.beam_scores(beam_scores)

# %% [markdown]
# ## Recap
#
# - Attention gives the decoder a memory as long as the source: a question, weights that sum to 1, a mean.
# - It looks by content, so it can go back and forth: units before tens.
# - Masks come before the softmax. Weights say where was read; covering a place says what it was needed for.
# - It learns long sentences sooner. It does not make a network count beyond what it has seen.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | `AdditiveAttention()([query, value, key])` | `Attention("additive", q, k)` | Keras has the scale $v$ only; $W$ and $U$ are layers before it |
# | `Attention()` | `Attention("dot", h, h)` | `use_scale=True` there learns one factor |
# | `Attention(score_mode="concat")` | `Attention("concat", q, k)` | Keras adds query and key as they are, without a matrix |
# | `mask=[query_mask, value_mask]` | `remember(values, lengths)` | both before the softmax |
# | `return_attention_scores=True` | `attended.weights` | always there |
# | `Bidirectional(LSTM)`, `LSTM(initial_state=…)` | `Seq2Seq(…)` | a bridge between different sizes |
# | `MultiHeadAttention` | not in this lesson | several looks at once, without recurrence: lesson 20 |

# %%
quiz.show("attention")

# %% [markdown]
# ## References
#
# - Bahdanau, Cho & Bengio 2015, *Neural machine translation by jointly learning to align and translate*, section 3: additive attention; figure 2: length.
# - Luong, Pham & Manning 2015, *Effective approaches to attention-based neural machine translation*, section 3: dot, general, concat, input feeding.
# - Sutskever, Vinyals & Le 2014, *Sequence to sequence learning with neural networks*: translation through one vector.
# - Wu et al. 2016, *Google's neural machine translation system*, sections 3 and 7: the network, its beam.
# - Johnson et al. 2017, *Google's multilingual neural machine translation system*, section 3: the tag.
# - See, Liu & Manning 2017, *Get to the point: summarization with pointer-generator networks*: coverage.
# - Jain & Wallace 2019, *Attention is not explanation*: what weights do not say.
# - Papineni et al. 2002, *BLEU*; Popović 2015, *chrF*; computed by sacrebleu (Post 2018).
