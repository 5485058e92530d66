"""Lesson 16: its tasks say what is true, its networks learn, and its pictures show what they computed."""

import dataclasses
import itertools
import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from lessons import (
    checkpoints,
    code_trees,
    corpora,
    listops,
    logic,
    opinions,
    sources,
    tree_study,
    tree_tasks,
    tune_trees,
    word_ratings,
)
from lessons.errors import LessonError
from lessons.experiments import real_tree_beats_random
from lessons.recursive import Recursive
from lessons.token_reader import endings
from lessons.training import fit
from lessons.tree_study import RANDOM, READINGS, TOKENS, TREE
from lessons.trees import Tree, at_random
from widgets import esm, page, theme
from widgets import recursive as pictures
from widgets.tree_changes import aligned, negated, swapped

CI = tree_study.PRESETS["ci"].but(steps=4, evaluate_every=2, count=60, held_out=30)


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.fixture(scope="module")
def study():
    return tree_study.prepare(CI)


@pytest.fixture(scope="module")
def formulas():
    return tree_study.prepare(CI.but(task="logic", every=False))


# ------------------------------------------------------------------------------------------ ListOps


@pytest.mark.parametrize(
    ("text", "value"),
    {
        "7": 7, "[MAX 2 9 [MIN 4 7] 0]": 9, "[MED 1 9 5]": 5, "[MED 1 4]": 2, "[SM 7 8 9]": 4,
        "[min 3 [sm 9 9] 5]": 3, "[MED 9 1 4 [SM 9 9]]": 6,
    }.items(),
)  # fmt: skip
def test_listops_are_worth_what_they_say(text, value):
    assert listops.value(listops.parse(text)) == value


def test_listops_are_made_as_asked():
    task = listops.listops(80, 2, 20, seed=3)
    shallow = [example for part in ("train", "valid", "test") for example in task.parts[part]]
    assert len({str(example.tree) for example in shallow}) == 120
    assert max(example.tree.height for example in shallow) <= 2
    assert {example.tree.height for example in task.parts["deeper"]} == {3}
    for example in shallow[:20]:
        assert [task.labels[k] for k in example.labels] == [task.right(node) for node in example.tree.nodes()]
        assert task.parse(task.show(example.tree)) == example.tree
    assert listops.listops(80, 2, 20, seed=4).parts["train"] != task.parts["train"]


LISTOPS = {
    "": "Type an expression", "[MAX 2": "never closed", "2]": "without its", "[2 3]": "begins with one of",
    "MAX": "has no arguments", "[MAX]": "0 arguments", "[MAX 1 MIN]": "stands among", "1 2": "more than one",
    "[MAX <b>1</b>]": "'<b>1</b>' is no word", "[" * 60: "more than 50", "[MAX 1 " * 3000: "characters",
}  # fmt: skip
LOGIC = {
    "": "Type two formulas", "a and": "missing at the end", "(a or b": "never closed", "a b": "Nothing fits",
    "a ? b ? c": "one question mark", "q": "'q' is no word", "not " * 60 + "a": "more than 50",
    "a)": "Nothing",
    "a ?": "missing at the end", "a xor <i>": "'xor' is no word", "a and " * 600: "characters",
}  # fmt: skip
PHRASES = {
    "": "Type a phrase", "not": "missing at the end", "not zork": "'zork' is no word",
    "( WORD": "never closed",
    "WORD WORD": "Nothing fits", "WORD and": "missing at the end", "not " * 60 + "WORD": "more than 50",
    "WORD ) WORD": "Nothing fits",
}  # fmt: skip
LINES = {
    "": "Type a line", "x": "no operator", "x = (1": "no line of Python", "\0": "no line of Python",
    "x" * 2000: "characters", "+".join(["a"] * 450): "take a shorter one",
}  # fmt: skip
TUNES = {"": "Type a tune", "abc": "names its key", "K:D\n": "no notes", "K:D\n|: ? :|": "no sign of a tune"}


@pytest.mark.parametrize(
    ("parse", "cases"),
    [(listops.parse, LISTOPS), (logic.parse, LOGIC), (tune_trees.parse, TUNES)],
    ids=["listops", "logic", "tunes"],
)
def test_what_is_no_tree_is_said_in_one_sentence(parse, cases):
    for text, words in cases.items():
        refused(parse, text, words)
    refused(parse, None, "Type")
    refused(parse, 3, "Type")


def refused(parse, text, words):
    with pytest.raises(LessonError) as caught:
        parse(text)
    assert words in str(caught.value) and str(caught.value).count("\n") == 0, text


# ------------------------------------------------------------------------------------------ logic


def truths(formula: Tree) -> set[tuple[bool, ...]]:
    """Under which of the 64 assignments a formula is true, the slow way."""

    def holds(node: Tree, values: dict[str, bool]) -> bool:
        below = [holds(child, values) for child in node.children]
        return values[node.symbol] if not below else {
            "not": lambda: not below[0], "and": lambda: all(below), "or": lambda: any(below)
        }[node.symbol]()  # fmt: skip

    rows = itertools.product([False, True], repeat=6)
    return {row for row in rows if holds(formula, dict(zip(logic.LETTERS, row, strict=True)))}


def test_relations_are_those_of_the_sets_of_assignments():
    task = logic.logic(210, 3, 35, seed=1)
    everything = set(itertools.product([False, True], repeat=6))
    for example in task.parts["train"][:60]:
        one, other = map(truths, example.tree.children)
        told = {
            "≡": one == other, "⊏": one < other, "⊐": one > other,
            "^": not one & other and one | other == everything,
            "|": not one & other and one | other != everything,
            "∪": bool(one & other) and one | other == everything and not (one <= other or other <= one),
        }  # fmt: skip
        found = [sign for sign, holds in told.items() if holds] or ["#"]
        assert found == [task.labels[example.answer]], logic.show(example.tree)


def test_every_relation_is_as_frequent_and_longer_formulas_are_longer():
    task = logic.logic(210, 3, 35, seed=1)
    given = [example.answer for example in task.parts["train"]]
    assert {given.count(k) for k in range(7)} == {30}
    for example in task.parts["longer"]:
        assert max(map(logic.connectives, example.tree.children)) > 3
        assert logic.parse(logic.show(example.tree)) == example.tree


def test_not_binds_closest():
    assert str(logic.parse("not a and b or c")) == "[or [and [not a] b] c]"
    assert logic.right(logic.parse("a or not a ? b")) is None


# ------------------------------------------------------------------------------------------ opinions


def test_opinions_follow_the_grammar():
    words = {"good": 2.0, "dull": -1.0}
    for text, value in {
        "good": 2.0, "not good": -1.48, "very good": 2.8, "slightly dull": -0.2, "not not good": 1.0952,
        "good and dull": 0.5, "good but dull": -0.25, "dull but good": 1.25, "not (good but dull)": 0.185,
    }.items():  # fmt: skip
        tree = opinions.parse(tuple(words), text)
        assert opinions.rating(tree, words) == pytest.approx(value), text
        assert opinions.show(tree) == text
    assert opinions.right(words, Tree("great")) is None


def test_opinions_label_every_node_and_refuse_in_a_sentence():
    task = opinions.opinions(40, 10)
    for example in task.parts["longer"][:5]:
        assert all(label >= 0 for label in example.labels)
        assert task.parse(task.show(example.tree)) == example.tree
    word = task.swaps[0][0]
    for text, words in PHRASES.items():
        refused(task.parse, text.replace("WORD", word), words)


def test_words_rated_by_hand_stand_in(monkeypatch):
    def away(source, **_):
        if source.kind == "wheel":
            raise sources.Unavailable("there is no network")
        return found(source)

    found = sources.read
    monkeypatch.setattr(sources, "read", away)
    opinions.opinions.cache_clear()
    task = opinions.opinions(20, 5)
    opinions.opinions.cache_clear()
    assert task.provenance.source == "words-rated-by-hand" and "splendid" in task.symbols
    assert task.right(task.parse("not splendid")) == "very bad"


def test_the_lexicon_is_read_and_its_adjectives_are_a_fair_sample():
    text = corpora.load("words-rated-by-hand", quiet=True).text
    assert word_ratings.adjectives(text, 100, by_form=False)["wonderful"] == 3.1
    assert len(word_ratings.adjectives(text, 100, by_form=False)) == 60
    assert set(word_ratings.adjectives(text, 100, by_form=True)) <= {
        word for word in word_ratings.adjectives(text, 100, by_form=False) if len(word) > 3
    }
    assert "careful" in word_ratings.adjectives(text, 100, by_form=True)


# ------------------------------------------------------------------------------------------ code and tunes


def test_lines_of_code_hide_one_operator():
    kept = frozenset({"self", "len"})
    tree = code_trees.parse(kept, "if len(args) != 2 and self.x: pass")
    assert str(tree) == "[If [? [!= [Call len name] number] [.name self]]]".replace("number", "2")
    assert str(code_trees.parse(kept, "while a < b")) == "[While [? name name]]"
    for text, words in LINES.items():
        refused(lambda text: code_trees.parse(kept, text), text, words)


def test_questions_of_a_module_are_answered_by_it():
    import ast

    module = ast.parse("def f(x):\n    if x is None or x > 3:\n        return x + 1\n    y = [x % 2 == 0]\n")
    found = {str(tree): sign for tree, sign in code_trees.questions(module, frozenset("x"))}
    assert found["[If [? [is x None] [> x number]]]"] == "or"
    assert found["[If [or [? x None] [> x number]]]"] == "is"
    assert found["[Return [? x 1]]"] == "+" and found["[Assign name [List [== [? x 2] 0]]]"] == "%"


def test_tunes_are_strains_of_bars_of_beats():
    tree = tune_trees.parse("M:C\nL:1/8\nK:G\nGA|B2 d>B (3ABc d2:|\nG4 z4|]")
    assert str(tree) == (
        "[tune [strain [bar [beat do1 re1]] [bar [beat mi2] [beat so3/2 mi1/2] [beat re2/3 mi2/3 fa2/3] "
        "[beat so2]]] [strain [bar [beat do4] [beat rest4]]]]"
    )
    again = tune_trees.parse("M:C\nL:1/8\nK:D\nDE|F2 A>F (3EFG A2:|\nD4 z4|]")
    assert str(again) == str(tree)


# ------------------------------------------------------------------------------------------ reading


def test_nodes_end_where_their_last_token_stands():
    tree = listops.parse("[MAX 2 [MIN 4 7] 0]")
    tokens, ends = list(tree.tokens()), endings(tree)
    assert [tokens[end] for end in ends] == ["]", "2", "]", "4", "7", "0"]
    for node, end in zip(tree.nodes(), ends, strict=True):
        mine = list(node.tokens())
        assert tokens[end + 1 - len(mine) : end + 1] == mine
    pair = at_random(tree, 0)
    assert [*itertools.islice(pair.tokens(), endings(pair)[0] + 1)] == list(pair.tokens())


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("every", [False, True])
def test_every_way_to_read_is_trained_and_saved(reading, every, tmp_path):
    one = tree_study.prepare(CI.but(reading=reading, every=every))
    run = fit(one, progress=False)
    assert run.reason == "finished" and all(map(math.isfinite, run.losses))
    assert set(run.evaluations[-1]) == {"step", "valid", "right"}
    again = checkpoints.load(checkpoints.save(tmp_path / "m", one.model))
    other = tree_study.TreeStudy(again.eval(), one.data, one.preset)
    assert torch.equal(other.answered("test")[0], one.answered("test")[0])


def test_training_learns_two_digits():
    preset = CI.but(steps=120, learning_rate=3e-2, evaluate_every=120, hidden_size=16, count=300)
    one = tree_study.prepare(preset)
    losses = fit(one, progress=False).losses
    assert sum(losses[-10:]) < sum(losses[:10]) - 10


def test_a_batch_depends_on_step_and_seed_alone(study):
    first, again = study.batch(3), study.batch(3)
    assert torch.equal(first.labels, again.labels) and torch.equal(first.trees.children, again.trees.children)
    assert not torch.equal(study.batch(4).answers, first.answers)
    whole = [study.shard(k, 2).batch(3).answers for k in range(2)]
    assert torch.equal(torch.stack(whole, 1).flatten(), first.answers)
    with pytest.raises(LessonError, match="dealt to 3 processes"):
        study.shard(0, 3)


def test_networks_that_are_compared_have_as_many_weights():
    preset = CI.but(hidden_size=40)
    data = tree_study.load(preset)
    sizes = {
        way: sum(weight.numel() for weight in tree_study.build(data, preset.but(reading=way)).parameters())
        for way in READINGS
    }
    assert sizes[TREE] == sizes[RANDOM] and abs(sizes[TOKENS] / sizes[TREE] - 1) < 0.05


def test_a_random_tree_is_asked_at_its_root_only():
    one = tree_study.prepare(CI.but(reading=RANDOM))
    example, own = one.train[0], one.data.parts["train"][0]
    assert example.answer == own.answer and set(example.labels[1:]) == {-1}
    assert list(own.tree.tokens()) == [node.symbol for node in example.tree.nodes() if not node.children]


def test_wrong_settings_are_said():
    for wrong, words in (
        ({"task": "chess"}, "no task"),
        ({"reading": "backwards"}, "is none"),
        ({"cell": "x"}, "cell"),
    ):
        with pytest.raises(LessonError, match=words):
            tree_study.prepare(CI.but(**wrong))
    with pytest.raises(LessonError, match="no part"):
        tree_study.prepare(CI).evaluate("dreams")
    with pytest.raises(LessonError, match="no 2 different trees"):
        tree_tasks.distinct(lambda dice: Tree("a"), 0, train=2)


def test_the_third_claim_runs(monkeypatch):
    small = listops.listops(60, 2, 20)
    for name in ("opinions", "code", "tunes"):
        monkeypatch.setitem(tree_study.TASKS, name, lambda **_: small)
    figures = real_tree_beats_random.run(0, "ci")
    assert {name: set(own) for name, own in figures.items()} == {
        measure.name: set(measure.conditions) for measure in real_tree_beats_random.CLAIM.measures
    }


# ------------------------------------------------------------------------------------------ changes


def test_a_change_finds_what_each_node_was():
    old = logic.parse("(a and not b) ? (a or c)")
    turned = negated(old, 1, "not")
    assert logic.show(turned) == "not (a and not b) ? a or c"
    assert aligned(old, turned) == {0: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7}
    assert negated(turned, 1, "not") == old
    assert aligned(turned, old) == {new: old for old, new in aligned(old, turned).items()}
    other = swapped(old, 1, "or", [("and", "or")])
    assert logic.show(other) == "a or not b ? a or c" and len(aligned(old, other)) == old.size
    for symbol, groups, words in (
        ("b", [("and", "or")], "can become"),
        ("or", [], "stands for no other"),
        (7, [("and", "or")], "can become"),
    ):
        with pytest.raises(LessonError, match=words):
            swapped(old, 1, symbol, groups)
    with pytest.raises(LessonError, match="no word for"):
        negated(old, 1, "")


# ------------------------------------------------------------------------------------------ pictures


def test_the_tree_shows_what_the_network_computed(study):
    view = pictures.tree(study, "[MAX 2 [MED 9 1 4]]")
    tree = study.data.parse("[MAX 2 [MED 9 1 4]]")
    forest = study.model.forest([tree])
    h, _ = study.model.states(forest)
    drawn = view._tree["nodes"]
    assert np.allclose([node["h"] for node in drawn], h[forest.nodes].detach(), atol=6e-4)
    answers = study.model.readout(h[forest.nodes]).argmax(1).tolist()
    assert [node["a"] for node in drawn] == [study.data.labels[k] for k in answers]
    assert [node["r"] for node in drawn] == ["4", "2", "4", "9", "1", "4"]
    assert [node["p"] for node in drawn] == [-1, 0, 0, 2, 2, 2]
    assert not view._tree["edited"] and "root's answer" in view._tree["summary"]
    json.dumps(view._tree, allow_nan=False)
    distances = [distance for _, _, distance in drawn[2]["n"]]
    assert distances == sorted(distances) and len(distances) == 4


def test_changes_travel_up(study):
    view = pictures.tree(study, "[MAX 2 [MED 9 1 4] 5]")
    view.swap(2, "SM")
    assert view.text == "[MAX 2 [SM 9 1 4] 5]" and view._tree["edited"]
    moved = [node["m"] > 1e-4 for node in view._tree["nodes"]]
    assert moved == [True, False, True, False, False, False, False]
    assert "reached 2 of 7 states" in view._tree["summary"]
    view._ask = {"act": "swap", "node": 1, "symbol": "9", "number": 1}
    assert view.text == "[MAX 9 [SM 9 1 4] 5]"
    view._ask = {"act": "reset", "number": 2}
    assert view.text == "[MAX 2 [MED 9 1 4] 5]"


def test_a_not_is_put_in_and_taken_away(formulas):
    view = pictures.tree(formulas, "(a and b) ? a")
    view.negate(1)
    assert view.text == "not (a and b) ? a" and view._tree["nodes"][1]["m"] is None
    assert [node["r"] for node in view._tree["nodes"]] == ["∪", "", "", "", "", ""]
    view.negate(1)
    assert view.text == "a and b ? a" and view._tree["nodes"][0]["r"] == "⊏"


def test_wrong_input_is_a_sentence_and_the_tree_stays(study):
    view = pictures.tree(study, "[MAX 2 <script>]")
    assert "'<script>' is no word" in view.message and view.text == study.data.first and view._tree["nodes"]
    before = view._tree
    for wish in (
        {"act": "text", "text": "[MAX"}, {"act": "swap", "node": 99, "symbol": "MIN"},
        {"act": "negate", "node": 0},
        {"act": "swap", "node": "0", "symbol": "MIN"}, {"act": "text", "text": None},
        {"act": "swap", "node": 0},
    ):  # fmt: skip
        view._do(wish)
        assert view.message.endswith(".") and view._tree is before, wish
    view.read("[MIN 2 3]")
    assert view.message == "" and len(view._tree["nodes"]) == 3
    wide = Tree("MAX", tuple(Tree("MIN", tuple(map(Tree, "12345678901"))) for _ in range(12)))
    view.read(str(Tree("MAX", (wide, wide, wide))))
    assert "400 can be drawn" in view.message
    with pytest.raises(LessonError, match="reads tokens"):
        pictures.tree(tree_study.prepare(CI.but(reading=TOKENS)))


def test_the_view_lets_go_and_follows_the_theme(study):
    theme.use("dark")
    view = pictures.tree(study)
    assert view.theme == "dark" and repr(view).startswith("Tree: ")
    view.close()
    assert view._reading is None and not view._tree


def test_the_page_without_a_kernel_holds_the_tree(study, tmp_path):
    text = page.page(pictures.tree(study), tmp_path / "tree.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text and "createTreeDrawing" in text and '"summary"' in text


def test_the_modules_are_bundled_once():
    text = esm.bundle("tree.js")
    assert text.count("function layOut") == 1 and text.count("export default { render };") == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_layout_by_node():
    file = Path(__file__).parent / "js" / "tree.test.mjs"
    done = subprocess.run(["node", "--test", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-3000:]


def test_shares_are_drawn_as_they_are():
    shares = {"tree": {"MIN": 0.9, "SM": 0.5}, "tokens": {"MIN": 0.4, "SM": 0.1}}
    drawn = pictures.accuracy(shares, chance=0.1)
    assert [list(bar.y) for bar in drawn.data] == [[90, 50], [40, 10]]
    assert drawn.summary.startswith("tree has most right") and drawn.layout.shapes[0].y0 == 10
    assert drawn.layout.yaxis.title.text and drawn.layout.xaxis.title.text
    with pytest.raises(LessonError, match="at least one network"):
        pictures.accuracy({})


def test_a_recursive_network_is_rebuilt_from_its_config(study):
    again = Recursive(**study.model.config())
    assert again.config() == study.model.config() and again.cell == "in order"


@pytest.mark.parametrize(
    ("cell", "file", "least"), [("in order", "recursive", 0.9), ("child-sum", "recursive_sums", 0.7)]
)
def test_the_networks_that_come_with_the_course_have_learnt(cell, file, least):
    shipped = tree_study.pretrained(cell, listops.listops(60, held_out=100, seed=5))
    meta = checkpoints.describe(sources.data_folder() / "checkpoints" / file)
    settings = tree_study.PRESETS["shipped"].but(cell=cell)
    assert meta["run"]["settings"].items() >= dataclasses.asdict(settings).items()
    assert shipped.model.cell == cell and not shipped.model.training
    assert shipped.evaluate("test")["right"] > least


def test_there_is_no_network_of_another_cell():
    with pytest.raises(LessonError, match="in order and child-sum"):
        tree_study.pretrained("plain")
