"""Lesson 16 in pictures: a tree with what a recursive network holds at every node, and how methods compare.

tree(study)                         # type, flip a "not", change an operator; the change travels up
accuracy({"tree": …, "tokens": …})  # what share is right, by size or operator
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
import plotly.graph_objects as go
import torch
import traitlets

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.recursive import Recursive
from lessons.tree_study import TreeStudy
from lessons.tree_tasks import TreeTask
from lessons.tree_trace import TreeTrace, look
from lessons.trees import Forest, Tree
from widgets import esm, slots, theme
from widgets.page import Answers
from widgets.tree_changes import aligned, negated, swapped

LONGEST = 60  # letters of a subtree's text
NEAR, BANK, BANK_SIZE = 4, 120, 14  # nearest shown; held-out trees they are looked for in; nodes of a subtree
DRAWN = 400  # nodes of a tree that is drawn
ONE_CHANGE = (
    "This page holds one change of this tree at a time: start again for another; the notebook reads any."
)


class TreeView(anywidget.AnyWidget):
    """What `tree` displays; setting its traits moves the view, `.read(text)` reads another text.

    text: what is read. node: the chosen node, from 0, a parent before its children. closed: nodes whose part
    below is folded away. theme: "auto", "light" or "dark". message: a sentence for the reader.
    """

    _esm = esm.bundle("tree.js")
    _css = f"{esm.style()}\n{esm.read('tree.css')}"
    _tree = traitlets.Dict().tag(sync=True)
    _ask = traitlets.Dict().tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    node = traitlets.Int(0, min=0).tag(sync=True)
    closed = traitlets.List(traitlets.Int()).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)

    def __init__(self, reading: "Reading | None" = None, **traits: Any) -> None:
        super().__init__(**traits)
        self._reading, self._first = reading, self.text
        self.observe(self._asked, names="_ask")
        if reading is not None:
            self.read(self.text)

    def __repr__(self) -> str:
        return f"Tree: {self._tree.get('summary') or self.message}"

    def read(self, text: str) -> None:
        """Read a text as a tree; what is wrong with it is said in `message`, and the tree stays."""
        self._do({"act": "text", "text": text})

    def swap(self, node: int, symbol: str) -> None:
        """Give a node another symbol of its kind."""
        self._do({"act": "swap", "node": node, "symbol": symbol})

    def negate(self, node: int) -> None:
        """Put the task's `not` over a node, or take it away."""
        self._do({"act": "negate", "node": node})

    def recorded(self) -> Answers | None:
        """For a page without a kernel: every single change of the tree that is shown, and the way back."""
        if self._reading is None or not self._tree:
            return None
        now = {"text": self.text, "message": ""}
        given = [({"_ask": {"act": "reset"}}, {**now, "_tree": self._reading.alone(self.text)})]
        for wish in self._reading.wishes(self.text):
            drawn, text = self._reading.wished(wish, self.text)
            given.append(({"text": self.text, "_ask": wish}, {**now, "_tree": drawn, "text": text}))
            self._reading.alone(self.text)
        return Answers(given, ONE_CHANGE)

    def close(self) -> None:
        """Close, and let go of the network."""
        super().close()
        self._reading, self._tree = None, {}

    def _asked(self, change: Mapping[str, Any]) -> None:
        if change["new"]:
            self._do(change["new"])

    def _do(self, wish: Mapping[str, Any]) -> None:
        if self._reading is None:
            return
        try:
            drawn, text = self._reading.wished(wish, self._first)
        except LessonError as problem:
            self.message = str(problem)
            return
        self.message = ""
        self.text = text
        self.node = min(self.node, len(drawn["nodes"]) - 1) if "node" in wish else 0
        self._tree = drawn


@explained
def tree(study: TreeStudy, text: str | None = None) -> TreeView:
    """The tree of a text with the state and the answer of a trained network at every node.

    Without a text, the task's own example. What cannot be read is said in the widget's message line;
    nothing is raised for it. Raises LessonError for a network that reads no trees.
    """
    if not isinstance(study.model, Recursive):
        raise LessonError("This network reads tokens; take one that reads trees.")
    mode = "dark" if theme.tokens() is theme.DARK else "auto"
    start = study.data.first if text is None else text
    view = TreeView(Reading(study), text=start, theme=mode)
    if not view._tree:  # the text was no tree: something must be there to go on from
        said = view.message
        view.read(study.data.first)
        view.message = said
    slots.keep(view)
    return view


class Reading:
    """The kernel's side of a TreeView: texts and edits to trees, trees to what is drawn."""

    def __init__(self, study: TreeStudy) -> None:
        self.network, self.task = study.model, study.data
        self.bank = Bank.of(study)
        self.seen: TreeTrace | None = None

    def wished(self, wish: Mapping[str, Any], first: str) -> tuple[dict[str, Any], str]:
        """The tree that a wish of the reader leads to, ready to be drawn, and its text."""
        act, task = wish.get("act"), self.task
        if act in ("swap", "negate") and self.seen is not None:
            node = wish.get("node")
            if not isinstance(node, int) or not 0 <= node < len(self.seen.nodes):
                raise LessonError(f"There is no node {node!r}; the tree has {len(self.seen.nodes)}, from 0.")
            old = self.seen.tree
            new = (
                swapped(old, node, wish.get("symbol"), task.swaps)
                if act == "swap"
                else negated(old, node, task.negation)
            )
            return self.drawn(new), task.show(new)
        text = first if act == "reset" else wish.get("text", "")
        return self.drawn(task.parse(text)), text

    def alone(self, text: str) -> dict[str, Any]:
        """A text's tree as it is drawn when nothing was shown before."""
        self.seen = None
        return self.drawn(self.task.parse(text))

    def wishes(self, text: str) -> list[dict[str, Any]]:
        """Every single change that the view offers for a text's tree."""
        found: list[dict[str, Any]] = []
        for number, node in enumerate(self.alone(text)["nodes"]):
            others = self.task.swaps[node["k"]] if node["k"] >= 0 else ()
            swaps = [symbol for symbol in others if symbol != node["s"]]
            found += [{"act": "swap", "node": number, "symbol": symbol} for symbol in swaps]
            found += [{"act": "negate", "node": number}] if self.task.negation else []
        return found

    def drawn(self, tree: Tree) -> dict[str, Any]:
        """A tree with everything that the view shows."""
        if tree.size > DRAWN:
            raise LessonError(
                f"This tree has {tree.size} nodes, and {DRAWN} can be drawn; take a part of it."
            )
        seen, before = look(self.network, tree, self.task.labels), self.seen
        pairs = aligned(before.tree, tree) if before else {}
        moved = {new: float((seen["h"][new] - before["h"][old]).norm()) for new, old in pairs.items()}
        self.seen = seen
        near = self.bank.nearest(seen)
        nodes = [self.node(seen, k, moved.get(k), near[k]) for k in range(len(seen.nodes))]
        return {
            "nodes": nodes, "groups": [list(group) for group in self.task.swaps],
            "negation": self.task.negation, "edited": bool(before) and bool(pairs),
            "shape": ",".join(map(str, seen.parents.tolist())),
            "title": f"{self.task.name}: the network's state at every node, from the leaves up",
            "summary": told(seen, self.task, nodes, before),
        }  # fmt: skip

    def node(self, seen: TreeTrace, k: int, moved: float | None, near: list) -> dict[str, Any]:
        """A node's symbol, parent, text, answer, chance, right answer, state, change and neighbours."""
        below, task = seen.nodes[k], self.task
        asked = task.every or k == 0
        right = (task.right(below) or "") if asked else ""
        chances = seen.probabilities[k]
        best = chances.topk(min(3, len(task.labels)))
        groups = [number for number, group in enumerate(task.swaps) if fits(below, group, task)]
        return {
            "s": below.symbol, "p": int(seen.parents[k]), "t": shortened(task.show(below)),
            "a": seen.answers[k] if asked else "", "c": round(float(chances.max()), 4), "r": right,
            "h": [round(value, 3) for value in seen["h"][k].tolist()],
            "m": None if moved is None else round(moved, 5), "n": near, "k": groups[0] if groups else -1,
            "b": [
                [task.labels[label], round(chance, 4)]
                for chance, label in zip(best.values.tolist(), best.indices.tolist(), strict=True)
            ] if asked else [],
        }  # fmt: skip


def fits(node: Tree, group: Sequence[str], task: TreeTask) -> bool:
    """Whether a node's symbol may be exchanged within a group."""
    return node.symbol in group and len(group) > 1


def shortened(text: str) -> str:
    """A subtree's text, cut in the middle where it is long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 + 3 :]}"


def told(seen: TreeTrace, task: TreeTask, nodes: list[dict], before: TreeTrace | None) -> str:
    """The tree in a sentence, and what the last change did to it."""
    root = nodes[0]
    verdict = (
        f" Right is {root['r']}." if root["r"] and root["r"] != root["a"] else " Right." if root["r"] else ""
    )
    asked = [node for node in nodes if node["r"]]
    known = sum(node["r"] == node["a"] for node in asked)
    counted = (
        f" It is right at {known} of the {len(asked)} nodes whose answer is known." if len(asked) > 1 else ""
    )
    change = ""
    if before is not None and str(before.tree) != str(seen.tree):
        kept = sum(node["m"] is not None and node["m"] <= 1e-4 for node in nodes)
        change = (
            f"The change reached {len(nodes) - kept} of {len(nodes)} states; the others stayed as they were. "
        )
    return f"{change}The root's answer is {root['a']} with {root['c']:.0%}.{verdict}{counted}"


@dataclass(frozen=True, eq=False)
class Bank:
    """Subtrees of held-out trees with the states that the network has there."""

    texts: tuple[str, ...]
    answers: tuple[str, ...]
    states: np.ndarray

    @classmethod
    @torch.no_grad()
    def of(cls, study: TreeStudy) -> "Bank":
        """The different subtrees of at most BANK_SIZE nodes in the first held-out trees."""
        network, task = study.model, study.data
        found = {}
        for example in task.parts["valid"][:BANK]:
            for below in example.tree.nodes():
                part = task.every or below is not example.tree
                if part and below.children and below.size <= BANK_SIZE:
                    found.setdefault(str(below), below)
        trees = list(found.values())
        if not trees:
            return cls((), (), np.zeros((0, network.hidden_size), np.float32))
        forest = Forest.of([network.plan(one) for one in trees], network.weight_hh.device)
        states = network.states(forest)[0][forest.roots]
        labels = [task.labels[k] for k in network.readout(states).argmax(1).tolist()]
        answers = labels if task.every else [""] * len(trees)
        texts = tuple(shortened(task.show(one)) for one in trees)
        return cls(texts, tuple(answers), states.cpu().float().numpy())

    def nearest(self, seen: TreeTrace) -> list[list]:
        """For every node the subtrees with the nearest states, itself aside: [text, answer, distance]."""
        found = []
        for node, state in zip(seen.nodes, seen.numpy("h"), strict=True):
            if not node.children or not len(self.texts):
                found.append([])
                continue
            distances = np.sqrt(((self.states - state) ** 2).sum(1))
            order = [k for k in np.argsort(distances) if distances[k] > 1e-6][:NEAR]
            found.append([[self.texts[k], self.answers[k], round(float(distances[k]), 3)] for k in order])
        return found


@explained
def accuracy(
    shares: Mapping[str, Mapping[Any, float]],
    title: str = "Which trees does it get right?",
    over: str = "part of the trees",
    chance: float | int | None = None,
) -> theme.Figure:
    """What share of the answers each network gets right, group by group; `chance` is drawn as a dotted line.

    shares: {network: {group: share}}, the same groups for all of them.
    """
    if not shares or not all(shares.values()):
        raise LessonError("Give at least one network with at least one share: {network: {group: share}}.")
    tokens = theme.tokens()
    colours = [tokens.f, tokens.i, tokens.g, tokens.o, tokens.ink]
    groups = list(dict.fromkeys(group for own in shares.values() for group in own))
    places = {group: str(group) for group in groups}
    bars = [
        go.Bar(
            x=[places[group] for group in own], y=[100 * share for share in own.values()], name=name,
            marker={"color": colours[k % len(colours)], "pattern": {"shape": "/.x-\\"[k % 5] if k else ""}},
            hovertemplate=f"{theme.escape(name)}, %{{x}}: %{{y:.0f}} %<extra></extra>",
            text=[f"{100 * share:.0f}" for share in own.values()], textposition="outside", cliponaxis=False,
        )
        for k, (name, own) in enumerate(shares.items())
    ]  # fmt: skip
    means = {name: sum(own.values()) / len(own) for name, own in shares.items()}
    best = max(means, key=means.get)
    ranked = ", ".join(f"{name} {mean:.0%}" for name, mean in means.items())
    summary = f"Answers right on average over the groups: {ranked}"
    if len(means) > 1:
        summary = f"{best} has most right on average over the groups: {ranked}"
    lines = [] if chance is None else [_level(100 * float(chance))]
    return theme.figure(
        *bars, title=title, summary=f"{summary}.", x=over, y="answers right (%)", height=440,
        barmode="group", yaxis={"range": [0, 108], "tickvals": [0, 25, 50, 75, 100]},
        xaxis={"type": "category", "categoryarray": list(places.values())}, shapes=lines,
        annotations=[_named(line) for line in lines],
        showlegend=len(shares) > 1, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip


def _named(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "x": 1, "xref": "paper", "xanchor": "right", "y": line["y0"], "yanchor": "bottom", "showarrow": False,
        "text": "guessing", "font": {"color": theme.tokens().card, "size": 12},
        "bgcolor": theme.tokens().soft, "borderpad": 1,
    }  # fmt: skip


def _level(at: float) -> dict[str, Any]:
    return {
        "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": at, "y1": at,
        "line": {"color": theme.tokens().soft, "dash": "dot", "width": 2},
    }  # fmt: skip
