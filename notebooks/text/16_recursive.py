# %% [markdown]
# # What is a sentence to a network that reads brackets?
#
# 45 minutes · needs lessons 04 and 09 · trains a Tree-LSTM to evaluate nested lists, then to judge opinions and to compare formulas, in about
# two minutes
#
# You will send a network up a tree instead of along a line, open it at every node, flip a *not* and watch what changes on the way to the root.

# %%
import torch

from lessons import check, fit, tree_study
from lessons import claims as ledger
from lessons.tree_trace import look, recurse
from lessons.trees import binary
from widgets import claims, quiz, training
from widgets import recursive as pictures

preset = tree_study.preset()

# %% [markdown]
# `[MAX 2 [MED 9 1 4] [SM 7 8]]` is a **ListOps** expression (Nangia & Bowman 2018): the maximum of 2, the median of 9, 1 and 4, and the last
# digit of 7 + 8. So it is 5.
#
# **Guess first.** Two networks of as many weights learn from as many such lists. One goes up the tree, the other reads the same signs from left
# to right, brackets among them. By how many expressions in a hundred is the first ahead?

# %%
guess = check.predict("points that the tree is ahead", ..., low=-20, high=80, unit="points")

# %% [markdown]
# **The picture.** Every node has a state, the coloured stripes in its box, made from the states of its children. Under its symbol stands the
# network's answer, and what is right where it is wrong. This network has learnt; yours follows below. Walk with the arrow keys; give an operator another symbol.

# %%
shipped = tree_study.pretrained()
pictures.tree(shipped)

# %% [markdown]
# Look which boxes are framed after a change: the node, and all that stand above it. No other state can have moved.

# %% [markdown]
# ## From equations to code
#
# The Child-Sum Tree-LSTM (Tai, Socher & Manning 2015, section 3.1) is an LSTM whose past is a set of children $k$:
#
# $$ i, g, o \;\text{from}\; x + U \textstyle\sum_k h_k \qquad f_k = \sigma(x_f + U_f h_k) $$
# $$ c = i \odot g + \textstyle\sum_k f_k \odot c_k \qquad h = o \odot \tanh c $$
#
# A forget gate for every child: one memory may be kept and another dropped. But a sum knows no order. The **n-ary** cell (section 3.2) has
# weights for every place, and each gate sees all children.

# %% [markdown]
# Four arguments would need four places, and a fifth would have none. So this network takes children **in order**: `MAX`, then *MAX of 2*, then *of 2 and
# 4*. Every step joins two states, and two places are enough.


# %%
def join(x, left, right, weight):
    """x (4H,), two pairs (h, c) of (H,), weight (5H, 2H) with the rows i g o f_left f_right -> (h, c)."""
    (h_left, c_left), (h_right, c_right) = left, right
    x_i, x_f, x_g, x_o = x.chunk(4)
    i, g, o, f_left, f_right = (weight @ torch.cat([h_left, h_right])).chunk(5)
    kept = torch.sigmoid(f_left + x_f) * c_left + torch.sigmoid(f_right + x_f) * c_right
    c = torch.sigmoid(i + x_i) * torch.tanh(g + x_g) + kept
    return torch.sigmoid(o + x_o) * torch.tanh(c), c


# %% [markdown]
# Applied to itself, from the leaves up, that is the whole network. A leaf is a join of nothing with nothing.
# Below it is tried on your own network, which has learnt nothing yet.


# %%
def climb(network, tree):
    """The state (h, c) at the root of a tree in pairs."""
    nothing = torch.zeros(2, network.hidden_size)
    below = [climb(network, child) for child in tree.children] or [nothing, nothing]
    number = torch.tensor(network.numbers[tree.symbol])
    x = network.input(network.embedding(number))
    return join(x, *below, network.weight_hh)


# %%
study = tree_study.prepare(preset)
print(study.data)
tree = study.data.parse("[MAX 2 [MED 9 1 4] [SM 7 8]]")
print(binary(tree.children[1]))
with torch.no_grad():
    own = climb(study.model, binary(tree))
    check.same(own, tuple(state[0] for state in recurse(study.model, binary(tree))))

# %% [markdown]
# ### A forest, level by level
#
# One node at a time is slow. But all nodes of the same **height** are ready at the same time, in all trees of a batch: their children are lower. So a
# forest is computed in as many matrix products as it has levels.

# %%
trees = [example.tree for example in study.data.parts["valid"][:64]]
forest = study.model.forest(trees)
print(forest)
print("nodes on each level:", [end - begin for begin, end, _ in forest.levels])
with torch.no_grad():
    states, _ = study.model.states(forest)
    alone = [recurse(study.model, binary(tree))[0][0] for tree in trees[:5]]
check.same(torch.stack(alone), states[forest.roots[:5]])

# %% [markdown]
# Leaves stand in no level: a leaf's state depends on its symbol alone, so each symbol is computed once. `python -m benchmarks recursive` measures what
# levels are worth, with the same weights: many times the speed of the recursion.

# %% [markdown]
# ## Train
#
# The network is asked at every node, so that it learns `[SM 7 8]` on its way to `[MAX 2 [SM 7 8]]`. The dashed line costs who knows only how
# often each digit is right.

# %%
print(preset)
run = fit(study, watch=training.live())

# %%
test, deeper = study.evaluate("test"), study.evaluate("deeper")
print(f"new expressions right: {test['right']:.0%}, after {run.seconds:.0f} s")
print(f"with one level of lists more than any in training: {deeper['right']:.0%}")

# %%
by_operator = study.right_by("test", lambda tree: tree.symbol)
pictures.accuracy({"tree in order": by_operator}, over="operator at the root", chance=0.1)

# %% [markdown]
# `SM` is the hardest: every single digit counts, and one that is wrong below makes the sum wrong. Of `MIN` most arguments do not matter.

# %% [markdown]
# ## Look inside
#
# Choose `MED` and change it to `MIN`. Then type an expression of your own, also one that is wrong: `[MAX 2`. On the right stand the subtrees with the
# nearest **states** out of trees that the network has never seen. Do they look alike, or are they *worth* alike?

# %%
pictures.tree(study, "[SM 4 [MAX 2 [MED 9 1 4] 3] [MIN 8 7]]")

# %% [markdown]
# All that the node above needs of a list is its value. Is the value all that the network keeps? The distance between states of the same answer, and of different
# answers, on average:

# %%
bank = pictures.Bank.of(study)
distances = torch.cdist(torch.tensor(bank.states), torch.tensor(bank.states))
alike = torch.tensor([[one == other for other in bank.answers] for one in bank.answers])
apart = ~torch.eye(len(alike), dtype=torch.bool)
print(
    f"same answer {distances[alike & apart].mean():.2f} apart, other answers {distances[~alike].mean():.2f}"
)

# %% [markdown]
# Nearer, and by no means the same: a state still tells more of its list than what it is worth, as the neighbours above show.

# %% [markdown]
# ### Opinions: flip a *not*
#
# Words whose ratings are people's (Hutto & Gilbert 2014), joined by *not, very, slightly, and, but*; a label at every node, as in Socher et al. (2013).
# The same network class, other trees. It knows no words but those that it was taught.

# %%
small = preset.but(task="opinions", count=min(preset.count, 6000), steps=max(2, preset.steps // 12))
views = tree_study.prepare(small.but(evaluate_every=small.steps))
fit(views, progress=False)
for part in ("test", "longer"):
    print(f"{part}: {views.evaluate(part)['right']:.0%} of whole phrases right")
words = views.data.swaps[0]
print(f"{len(words)} words to type, such as {', '.join(words[::16])}")

# %%
pictures.tree(views)

# %% [markdown]
# Choose a node and press *flip not*. Then swap the two sides of *but* in the text: the same words in another order. Does the answer follow?

# %% [markdown]
# ### Logic: how do two formulas lie to one another?
#
# Bowman, Potts & Manning (2015) compare two formulas: `≡` the same, `⊏` the first entails the second, `⊐` the other way round, `^` exactly one is true, `|` never
# both, `∪` always one, `#` nothing of these. Here the answer stands at the root alone.

# %%
pairs = small.but(task="logic", count=min(preset.count, 10_500), every=False, readout_size=32)
pairs = pairs.but(steps=max(2, preset.steps // 4), evaluate_every=preset.steps)
logic = tree_study.prepare(pairs)
fit(logic, progress=False)
shares = logic.right_by("test", lambda tree: logic.data.right(tree))
pictures.accuracy({"tree": shares}, "Which relations does it see?", "relation", chance=1 / 7)

# %%
pictures.tree(logic, "(a and b) ? (a or c)")

# %% [markdown]
# ## Experiment
#
# Is it the brackets? Rules fixed before the first run, five seeds. First the question that you guessed at; the child-sum cell is there as well.

# %%
claims.every_seed("tree-helps-on-listops")

# %%
result = ledger.load("tree-helps-on-listops")
print(result)
wrong = {name: found["mean"] for name, found in result.spread["answers wrong"].items()}
guess.reveal(wrong["tokens"] - wrong["tree in order"])

# %% [markdown]
# The LSTM sees every bracket. To use them it must learn to *count* them, and to put one list aside while it works on another: a stack. The tree gives
# that for nothing. The child-sum cell comes close in this short training: none of the four operators asks in which **order** its arguments stand.
#
# And in a longer one? Two networks of as many units come with the course, trained on the same lists for eight times as many steps.

# %%
summed = tree_study.pretrained("child-sum")
both = {"tree in order": shipped, "child-sum tree": summed}
shares = {name: one.right_by("test", lambda tree: tree.symbol) for name, one in both.items()}
for name, one in both.items():
    new, deeper = (one.evaluate(part)["right"] for part in ("test", "deeper"))
    print(f"{name}: {new:.0%} of new lists right, {deeper:.0%} of those one level deeper")
print(f"child-sum tree, on the lists that it learnt from: {summed.evaluate('train')['right']:.0%}")
pictures.accuracy(shares, over="operator at the root", chance=0.1)

# %% [markdown]
# Child-sum knows the lists that it learnt from, and has hardly found the rule behind `SM`. A likely reason: it gets all arguments in one sum of states, while in order `SM`
# is a chain of additions of two. (With as many units it has half as many weights. But it is new lists that it fails on, not its own.)
#
# Where the order itself decides, as with *but*, more time cannot help:

# %%
claims.every_seed("sums-lose-the-order")

# %%
print(ledger.load("sums-lose-the-order"))

# %% [markdown]
# A sum is the same both ways round. What is still right there is right for other reasons.

# %% [markdown]
# Are trees ahead where formulas get **longer** than any in training? Bowman, Manning & Potts (2015) found that LSTMs come near.

# %%
claims.every_seed("trees-reason-further")

# %%
print(ledger.load("trees-reason-further"))

# %% [markdown]
# Beyond training both lose; compare how much.

# %% [markdown]
# ### Any tree, or the right one?
#
# Shi et al. (2018) found that on real texts a tree without any grammar does as well as the parse. So here is a control: a binary tree **split at random**
# over the same tokens. Three tasks: opinions; an operator taken out of a line of Python; and reel or hornpipe, a tune as strains, bars, beats and notes.

# %%
claims.every_seed("real-tree-beats-random")

# %%
print(ledger.load("real-tree-beats-random"))

# %% [markdown]
# The parse matters most where an answer is made of the answers of the parts, as in opinions. In a line of code much of what tells an operator stands
# right beside it. And what makes a hornpipe is its rhythm, wherever it stands: look at what the LSTM makes of the tunes without any tree. On some seeds
# a hundred steps are too few for either tree to say more than "reel".

# %% [markdown]
# A tune's tree, read by a network that has seen the old books a few times. Close and open bars with Enter: beats that are written alike have the same state,
# wherever they stand.

# %%
dances = small.but(task="tunes", count=None, every=False, hidden_size=24, batch_size=16)
dances = dances.but(steps=max(2, preset.steps // 40), evaluate_every=preset.steps)
tunes = tree_study.prepare(dances)
fit(tunes, progress=False)
print(
    f"{tunes.evaluate('test')['right']:.0%} right; {tunes.data.commonest('test'):.0%} are the commoner dance"
)
pictures.tree(tunes)

# %% [markdown]
# ## Exercises
#
# **Exercise 1 · go up.** The recursion itself, for trees of any shape.


# %%
def go_up(tree, leaf, join):
    """tree: (symbol, children), a leaf has no children. leaf(symbol) -> state,
    join(symbol, states of the children in order) -> state. Returns the root's state (H,)."""
    return ...


check.go_up(go_up)

# %% [markdown]
# **Exercise 2 · child-sum.** The cell at one node.


# %%
def child_sum(x, h, c, u):
    """x (4, H): what the node's symbol adds to i, f, g, o. h, c (K, H) of its children.
    u (4, H, H): matrices of i, f, g, o, used as u[0] @ state. Returns the node's h (H,), c (H,)."""
    return ...


check.child_sum(child_sum)

# %% [markdown]
# **Exercise 3 · levels.** Which nodes can be computed together?


# %%
def heights(parents):
    """parents: for every node the number of its parent, -1 for the root; a parent stands before its children.
    Returns a list of as many whole numbers."""
    return ...


check.heights(heights)

# %% [markdown]
# **Exercise 4 · find the bug.** These sums of children are right for binary trees, and wrong as soon as a node has fewer children than another. Mend them.


# %%
def children_summed(states, children):
    """states (N, H) of lower levels. children (M, K): rows of each node's children, -1 where it has
    no further child. Returns the sums (M, H)."""
    return states[children].sum(1)


check.children_summed(children_summed)

# %% [markdown]
# **To try.** Hold a node at 0 and see who notices: `look(study.model, tree, edit={2: 0.0})`.

# %%
before, after = look(study.model, tree), look(study.model, tree, edit={2: 0.0})
moved = (before["h"] - after["h"]).norm(dim=1)
for node, distance in zip(before.nodes, moved.tolist(), strict=True):
    print(f"{distance:.2f}  {node}")

# %% [markdown]
# ## Recap
#
# - A recursive network is one cell at every node of a tree; a chain makes it the LSTM that you know.
# - Child-sum for sets of children, n-ary or in order where their order counts.
# - Nodes of the same height are computed at once, over all trees of a batch.
# - A change touches the nodes above it, and no other: states of all the rest can be kept.
# - Whether the right tree helps depends on the task. Ask a random tree before you thank the parser.

# %% [markdown]
# | Keras | here | differs in |
# |---|---|---|
# | none: Keras has no layer for trees | `Recursive(symbols, labels, cell=…)` | a Keras model would call a cell from a loop of its own |
# | `LSTMCell` | `lessons.tree_cells.child_sum_step` | with one child it is the same |
# | `RNN(cell)` | `Recursive.states(forest)` | levels instead of time steps |
# | `Masking` | row 0 of a `Forest` | no child is a row of zeros |
# | `return_sequences=True` | `states[forest.nodes]` | a state for every node |

# %%
quiz.show("recursive")

# %% [markdown]
# ## References
#
# - Goller & Küchler 1996, *Learning task-dependent distributed representations by backpropagation through structure*: slopes through a tree.
# - Socher, Lin, Ng & Manning 2011, *Parsing natural scenes and natural language with recursive neural networks*: the plain cell.
# - Socher et al. 2013, *Recursive deep models for semantic compositionality over a sentiment treebank*: a label at every node.
# - Tai, Socher & Manning 2015, *Improved semantic representations from tree-structured long short-term memory networks*, section 3: both cells.
# - Bowman, Potts & Manning 2015, *Recursive neural networks can learn logical semantics*: the seven relations.
# - Bowman, Manning & Potts 2015, *Tree-structured composition in neural networks without tree-structured architectures*: LSTMs on the same.
# - Nangia & Bowman 2018, *ListOps: a diagnostic dataset for latent tree learning*.
# - Shi, Zhou, Chen & Li 2018, *On tree-based neural sentence modeling*: trees without grammar.
# - Hutto & Gilbert 2014, *VADER*: the ratings. Lerdahl & Jackendoff 1983, *A generative theory of tonal music*: tunes as trees.
