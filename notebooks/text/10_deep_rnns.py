# %% [markdown]
# # Does a taller network read better?
#
# 45 minutes · needs lessons 02, 03 and 05 · trains twelve stacks of layers to read plays, in about two minutes
#
# The output of a recurrent layer is a sequence, so another layer can read it. You will stack layers, watch a tall stack stand still,
# make it learn with one plus sign, and measure how long each floor remembers.

# %%
import torch
from torch import nn

from lessons import check, corpora, deep_rnns, depth_study, fit, gradients, time_scales, trace
from lessons import claims as ledger
from widgets import claims, quiz, training
from widgets import deep_rnns as pictures

# %% [markdown]
# **Guess first.** One layer of 64 LSTM units, trained for 400 steps, needs a little more than 3 bits per character on plays that it has
# not seen. Who knows only how frequent each letter is needs a little less than 5. *Eight* such layers on each other, after as many
# steps?

# %%
guess = check.predict("bits per character of eight layers", ..., low=2, high=7)

# %% [markdown]
# **The picture.** A stack, unrolled: time runs to the right, layers upwards. In colour, the shortest way from what is read at one step to
# the answer. Add layers and watch it grow. Then tick *residual connections*.

# %%
pictures.stack()

# %% [markdown]
# Every layer passes its output on at *every* step, not only at its last one. A gradient walks the coloured way backwards, and each cell on it
# takes its toll, as in lesson 03. With residual connections the way no longer grows with the layers: there is a bypass round each of
# them.

# %% [markdown]
# ## From equations to code
#
# Layer $\ell$ reads what the layer below gives, and its own past (Graves 2013, section 2; Hermans & Schrauwen 2013):
#
# $$ h^\ell_t = \mathrm{cell}\big(x^\ell_t,\; h^\ell_{t-1}\big), \qquad x^{\ell+1}_t = h^\ell_t $$
#
# As code, a loop over layers around a loop over time. Three torch layers by hand are one torch layer with `num_layers=3`:

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
x = torch.randn(2, 9, 3)
deep = nn.LSTM(3, 5, num_layers=3, batch_first=True)
stack = deep_rnns.Stack(3, 5, num_layers=3, cell="lstm")
for k, layer in enumerate(stack.layers):
    layer.load_state_dict(
        {f"{name[:-1]}0": w for name, w in deep.named_parameters() if name.endswith(f"l{k}")}
    )

given = x
for layer in stack.layers:
    given, _ = layer(given)
check.same(given, deep(x)[0])
check.same(stack(x), deep(x))

# %% [markdown]
# Two things can stand between layers. A **residual connection** (Wu et al. 2016, section 3.1) adds what a layer has read to what it
# gives. **Layer norm** (Ba et al. 2016) brings the numbers at each step to mean 0 and deviation 1, then scales and shifts them. Here it stands
# at the entrance of a layer, inside the bypass:
#
# $$ x^{\ell+1}_t = x^\ell_t + \mathrm{cell}\big(\mathrm{norm}(x^\ell_t),\, h^\ell_{t-1}\big) $$

# %%
# NBVAL_CHECK_OUTPUT
stack = deep_rnns.Stack(3, 5, num_layers=3, residual=True, norm=True)
given, _ = stack.layers[0](x)
for layer, norm in zip(stack.layers[1:], stack.norms[1:], strict=True):
    given = given + layer(norm(given))[0]
check.same(given, stack(x)[0])

# %% [markdown]
# ## Where does `return_sequences` go?
#
# A Keras layer returns its last step unless you say `return_sequences=True`. A torch layer always returns both: `output` has all steps
# of the top layer, `h_n` the last step of all layers. So in torch you choose at the top, by an index:

# %%
# NBVAL_CHECK_OUTPUT
output, (h_n, _) = deep(x)
print("output:", tuple(output.shape), " h_n:", tuple(h_n.shape))
check.same(output[:, -1], h_n[-1])
padded = stack(x, lengths=[9, 4])[0]
print("sequence 1 ends after 4 steps; its output at the last column:", padded[1, -1].abs().sum().item())

# %% [markdown]
# With padding, the last column is not the last step: each sequence has its own. `DeepModel` picks it. What stands on top is up to you: a
# classifier at the last step, a language model at all steps, or anything that takes a vector of the top layer's size.

# %%
# NBVAL_CHECK_OUTPUT
classifier = deep_rnns.DeepModel(3, output_size=4, num_layers=3, readout="last")
language = deep_rnns.DeepModel(3, output_size=60, num_layers=3, readout="all", residual=True)
top = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
own = deep_rnns.DeepModel(3, top=top, num_layers=3, readout="last")
for model in (classifier, language, own):
    answers, _ = model(x, lengths=[9, 4])
    print(tuple(answers.shape))

# %% [markdown]
# ## Before training: what arrives at the bottom?
#
# Untrained stacks read a line, the loss is sent back, and we look at the lowest layer. The scale is logarithmic. Follow *plain* to
# twelve layers; then choose another cell.

# %%
preset = depth_study.preset()
plays = corpora.load(preset.corpus)
pictures.bottom(plays.vocabulary, plays.valid[:60], preset)

# %% [markdown]
# Plain stacks lose about the same factor with every layer, as lesson 03's network did with every step. Sums keep the gradient. Layer norm alone
# makes up for what gets *smaller* on the way; whether that is enough to learn, training will say.

# %% [markdown]
# ## Train
#
# Eight LSTM layers, plain. Watch where the loss stops. The gradient's norm below it is that of all weights together, the readout's included: it looks
# healthy all the time.

# %%
print(preset)

# %%
eight = depth_study.compare(plays, preset, [depth_study.Entrant(8)], watch=training.live(temperatures=()))

# %%
guess.reveal(eight[0].valid)

# %% [markdown]
# The same eight layers, from the same first weights, with a plus sign in seven of them:

# %%
skips = depth_study.Entrant(8, residual=True)
eight += depth_study.compare(plays, preset, [skips], watch=training.live(temperatures=()))

# %% [markdown]
# And the others, without their curves: one, two and four layers, plain and residual.

# %%
others = [
    depth_study.Entrant(n, residual) for residual in (False, True) for n in (1, 2, 4) if n > 1 or not residual
]
done = depth_study.compare(plays, preset, others, progress=False) + eight
for one in sorted(done, key=lambda one: one.valid):
    print(f"{one.name:>19}: {one.valid:.2f} bits, {one.parameters:>7,} weights, {one.seconds:5.1f} s")

# %%
pictures.compare(done)

# %% [markdown]
# Blue is low, vermilion high; dashed lines have residual connections. Switch to *gradient at the bottom*: what the norm above hid is that the
# lowest of eight plain layers starts with a small share and then loses even that. Then *over seconds*: height costs time in proportion.

# %% [markdown]
# ## Is it depth, or is it weights?
#
# The table above names the weights: a taller stack of the same width has more of them. To compare depth alone, narrow the stack
# until its weights are those of one layer, embedding and readout included.

# %%
equal = depth_study.at_equal_parameters((1, 2, 4), preset, plays.vocabulary)
for one in equal + depth_study.at_equal_parameters((8,), preset, plays.vocabulary):
    count = depth_study.weights(one.num_layers, one.hidden_size, preset, plays.vocabulary)
    print(f"{one.name:>9}: {one.hidden_size} units a layer, {count:,} weights")

# %%
narrow = equal[1:] + depth_study.at_equal_parameters((2, 4), preset, plays.vocabulary, residual=True)
level = [one for one in done if one.name == "1 layer"]
level += depth_study.compare(plays, preset, narrow, progress=False)
pictures.compare(level)

# %% [markdown]
# Five stacks of equally many weights, after equally many steps. Look at the ends of the lines, then at the same *over seconds*. But this is one
# seed, and a short training. Five seeds, with more steps, and a rule fixed beforehand:

# %%
claims.every_seed("depth-pays-at-equal-weights")

# %% [markdown]
# Read the rule, then the points: which of the four deeper stacks is better than one layer, and on how many seeds? The seconds were taken while
# the machine was busy with other things, so compare them with care.

# %% [markdown]
# ## Look inside
#
# Three GRU layers, trained a little longer, for the rest of the lesson.

# %%
reader = deep_rnns.reading(plays, deep_rnns.preset())
untrained = deep_rnns.build(plays.vocabulary, deep_rnns.preset()).eval()
run = fit(reader, watch=training.live(seed_text="The "))

# %% [markdown]
# All hidden states of all layers, over the same time. Scrub with the arrow keys. Click a row to follow one unit number through all layers:
# units of different layers have nothing to do with each other but their number.

# %%
line = "ROMEO: But soft, what light through yonder window breaks?"
line = "".join(symbol for symbol in line if symbol in plays.vocabulary)
seen = trace(reader.model, line)
pictures.states(seen)

# %% [markdown]
# Do the rows of the bottom layer flicker with the letters, and those further up change less often? The caption has the mean change from
# one step to the next. By eye it is hard to say more; it can be measured.

# %% [markdown]
# ## How slow is a layer?
#
# First measure: **autocorrelation**. How like itself is a layer's state $k$ steps later, on plays it has not seen? Second measure (Hermans &
# Schrauwen 2013): change one character, and look how far the states of both runs are apart, and for how long. Distance 1 is that of
# two unrelated moments.

# %%
pictures.changes(reader.model, line, place=14)

# %% [markdown]
# Click another place in the map, or type another character. The change enters all layers at the same step and leaves the lowest one
# first. Put the curves on a logarithmic scale: do they fall with the same slope?
#
# One place is an anecdote. The mean over many places and characters, before and after training:

# %%
text = plays.test[: 20_000 if preset.name != "ci" else 4_000]
before, after = (time_scales.curves(model, text, lags=40) for model in (untrained, reader.model))
pictures.scales(before, after)

# %%
for stage, curves in (("untrained", before), ("trained", after)):
    for measure, steps in time_scales.scales(curves).items():
        print(
            f"{stage:>9}, {measure:>17}:",
            "  ".join(f"layer {k} {s:4.1f}" for k, s in enumerate(steps)),
            "steps",
        )

# %% [markdown]
# Read the rows of *untrained* first: a stack is slower at the top before it has learnt anything, because each layer smooths what it
# reads. So the order of the layers alone does not show that something was learnt. What did training change: how slow the layers are, or
# how far apart?

# %%
claims.every_seed("higher-layers-are-slower")

# %%
slow = ledger.load("higher-layers-are-slower")
for measure, layers in slow.spread.items():
    print(f"{measure}:", "  ".join(f"{name} {over['mean']:.1f}" for name, over in layers.items()))

# %% [markdown]
# The rule asks for a rise from each layer to the next *after* training. Before it, the rise is there on every seed. One reading: the top
# layer stands right below the readout and has to say which letter comes next, and that changes with every letter. Hermans & Schrauwen saw
# slower layers higher up, in tanh networks of other sizes, trained for longer.

# %% [markdown]
# ## Experiment
#
# *"Residual connections let a stack of eight train that does not train without them."* For three cells, 32 units a layer. "Does not train" is fixed
# as less than 0.1 bits below letter frequencies, "trains" as at least a whole bit.

# %%
claims.every_seed("residuals-let-eight-layers-train")

# %%
result = ledger.load("residuals-let-eight-layers-train")
for name, over in result.spread["bits below letter frequencies"].items():
    print(f"{name:>18}: {over['mean']:.2f} ({over['low']:.2f} to {over['high']:.2f})")

# %% [markdown]
# ## Gradients, layer by layer
#
# `gradients.flow` knows stacks, residual connections and norms. Here is what arrives at each layer of the eight-layer stacks as they are now:

# %%
for one in eight:
    shares = depth_study.arriving(one.task.model, plays.valid[:100])
    print(f"{one.name:>19}:", "  ".join(f"{share:.0e}" for share in shares), " (layer 0 first)")

# %%
# NBVAL_CHECK_OUTPUT
stack = deep_rnns.Stack(3, 5, num_layers=4, residual=True, norm=True).double()
read = x.double().requires_grad_()
stack(read)[0].square().sum().backward()
flow = gradients.flow(stack, x.double(), lambda output: output.square().sum())
check.same(flow.input, read.grad, tolerance=1e-9)

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · a stack by hand.** Each layer reads the output of the one below, and starts from its own state.


# %%
def run_stack(layers, x, h_0):
    """GRU layers (batch first), lowest first; x (B, T, I); h_0 (L, B, H) -> output of the top layer
    (B, T, H), and every layer's last state (L, B, H). A layer takes (x, its h_0 of shape (1, B, H))."""
    return ...


check.run_stack(run_stack)

# %% [markdown]
# **Exercise 2 · where does it go?** In Keras, which layers of a stack must return sequences?


# %%
def return_sequences(num_layers, answers):
    """answers: "last" (one for a sequence) or "all" (one a step) -> a bool for each layer, lowest first."""
    return ...


check.return_sequences(return_sequences)

# %% [markdown]
# **Exercise 3 · find the bug.** With two layers this is a residual stack. With four it is not. Mend it.


# %%
def residual_stack(layers, x):
    """GRU layers, lowest first; x (B, T, I) -> what the top layer gives on, (B, T, H).
    Every layer but the lowest adds its output to what it has read."""
    x, _ = layers[0](x)
    below = x
    for layer in layers[1:]:
        x, _ = layer(x)
        x = x + below
    return x


check.residual_stack(residual_stack)

# %% [markdown]
# **Exercise 4 · find the bug.** Six layers are asked for, and six are in the list. Training takes as long as for six. The checkpoint has
# the size of one with two.


# %%
def make_layers(input_size, hidden_size, num_layers):
    """-> nn.ModuleList of GRU layers, batch first, for a stack; the lowest reads input_size numbers."""
    bottom = [nn.GRU(input_size, hidden_size, batch_first=True)]
    rest = [nn.GRU(hidden_size, hidden_size, batch_first=True)] * (num_layers - 1)
    return nn.ModuleList(bottom + rest)


check.make_layers(make_layers)

# %% [markdown]
# ## Recap
#
# - A layer's output at every step is the next layer's input; each layer has weights and a state of its own.
# - Depth is a second direction in which gradients vanish. Sums round the cells keep a way open; the norm alone does not always do.
# - Held for LSTM and GRU, and half for tanh: eight layers learn with sums and not without.
# - Compare depths at equal weights, and look at the seconds, too. Did not hold: that deeper is better then. Plain stacks read worse than one layer,
#   residual ones about as well.
# - Did not hold: that higher layers are slower. Before training they are; measure before and after.

# %% [markdown]
# | Keras | here and in PyTorch | differs in |
# |---|---|---|
# | `LSTM(64, return_sequences=True)`, one after the other | `LSTM(…, num_layers=n)`, or `Stack` | torch has one module for all plain layers |
# | `return_sequences=False` at the top | `output[:, -1]`, or `readout="last"` | with padding: each sequence's own last step |
# | `return_state` | `h_n`, always, of all layers | (L, B, H), lowest layer first |
# | `RNN([LSTMCell(64), LSTMCell(64)])`, `StackedRNNCells` | `num_layers=2` | Keras: all layers inside one step |
# | `Add()([x, LSTM(64, return_sequences=True)(x)])` | `Stack(…, residual=True)` | |
# | `LayerNormalization()` | `nn.LayerNorm`, `Stack(…, norm=True)` | between layers, not inside the cell |
# | `dropout=` of each layer | `dropout=`, between layers | torch leaves the top layer's output alone |

# %%
quiz.show("deep_rnns")

# %% [markdown]
# ## References
#
# - Graves 2013, *Generating sequences with recurrent neural networks*, section 2: stacks of LSTM layers.
# - Hermans & Schrauwen 2013, *Training and analysing deep recurrent neural networks*: time scales of the layers of a stack.
# - Pascanu, Gulcehre, Cho & Bengio 2014, *How to construct deep recurrent neural networks*: other places where a recurrent network can
#   be made deep.
# - Wu et al. 2016, *Google's neural machine translation system*, section 3.1: residual connections between LSTM layers.
# - Ba, Kiros & Hinton 2016, *Layer normalization*, sections 3 and 3.1.
