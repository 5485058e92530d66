"""Stories, families and maps of lesson 18: every answer is found again by somebody who works otherwise."""

import itertools
import random
from collections import Counter

import pytest
import torch
from torch import Generator

from lessons import families, graphs, stories, underground
from lessons.errors import LessonError
from lessons.fields import Fields, Step, episode

TASKS = {
    "traversal": (graphs, graphs.traversal, 6),
    "shortest path": (graphs, graphs.shortest_path, 6),
    "stories": (stories, stories.draw, 5),
    "whole sentences": (stories, stories.whole, 5),
    "families": (families, families.draw, 6),
    "underground, traversal": (underground, underground.traversal, 7),
    "underground, shortest path": (underground, underground.shortest_path, 7),
}


def seed(number):
    return Generator().manual_seed(number)


def inputs(module, draw):
    return stories.WHOLE_INPUTS if draw is stories.whole else module.INPUTS


def told(module, one, sequence):
    """What was said in a sequence, as words, and the answers by step; empty steps in front left out."""
    said = [module.caption(x) for x in one.x[sequence]]
    answers = {
        step: module.answer(one.target[sequence, step]) for step in one.asked.nonzero().flatten().tolist()
    }
    return said, answers


# ---------------------------------------------------------------------------------------------- the vectors


@pytest.mark.parametrize("name", TASKS)
def test_shapes_and_what_is_one(name):
    module, draw, size = TASKS[name]
    one = draw(5, size, seed(3))
    assert one.x.shape[2] == inputs(module, draw).size and one.target.shape[2] == module.OUTPUTS.size
    assert one.x.shape[:2] == one.target.shape[:2] and one.asked.shape == one.x.shape[1:2]
    assert one.x.device.type == "cpu" and one.x.dtype == one.target.dtype == torch.float32
    assert set(one.x.unique().tolist()) == {0.0, 1.0}
    for block in one.target.split(module.OUTPUTS.blocks, -1):
        assert torch.equal(block.sum(-1), one.asked.float().expand(5, -1))
    again, other = draw(5, size, seed(3)), draw(5, size, seed(4))
    assert torch.equal(again.x, one.x) and torch.equal(again.target, one.target)
    assert other.x.shape != one.x.shape or not torch.equal(other.x, one.x)


@pytest.mark.parametrize("name", TASKS)
def test_an_answer_does_not_stand_where_it_is_asked_for(name):
    """What is said at the steps of answers is the same distribution whatever is right: no `to`, no name."""
    module, draw, size = TASKS[name]
    one = draw(8, size, seed(1))
    for row in range(8):
        for step in one.asked.nonzero().flatten().tolist():
            said = inputs(module, draw).read(one.x[row, step])
            assert not {"to, tens", "relative"} & set(said)
            if module is families:
                assert said == {"sign": "?"}
            if module is stories:
                assert module.answer(one.target[row, step]) not in stories.caption(one.x[row, step]).split()


def test_fields_write_and_read():
    fields = Fields({"colour": ("red", "blue"), "shape": ("disc", "square", "star")})
    rows = [[{"colour": "blue", "shape": "star"}], [{"shape": "disc"}, {}, {"colour": "red"}]]
    vectors = fields.write(rows)
    assert vectors.tolist() == [
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 1]],
        [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]],
    ]
    assert [fields.read(vector) for vector in vectors[1]] == rows[1] and fields.blocks == (2, 3)
    assert fields.guess(torch.tensor([-1.0, -2.0, 0.0, 3.0, 2.0])) == {"colour": "red", "shape": "square"}
    for wrong in ({"colour": "green"}, {"size": "red"}):
        with pytest.raises(LessonError):
            fields.write([[wrong]])
    assert fields.write([[{}]]).sum() == 0


def test_sequences_end_together():
    fields = Fields({"a": ("x", "y")})
    long = [Step({"a": "x"}), Step({"a": "y"}), Step({}, {"a": "x"})]
    one = episode(fields, fields, [long[1:], long])
    assert one.asked.tolist() == [False, False, True] and one.x[0, 0].sum() == 0
    assert torch.equal(one.x[0, 1:], one.x[1, 1:])


# ------------------------------------------------------------------------------------------------- the maps


def triples(one, row):
    """The triples of a map, as tuples of words, and the steps that come after them."""
    steps = [graphs.INPUTS.read(x) for x in one.x[row]]
    found = {
        (s["from, tens"] + s["from, ones"], s["line"], s["way"]): s["to, tens"] + s["to, ones"]
        for s in steps
        if "to, tens" in s and "line" in s
    }
    return found, steps


WALKS = [(graphs.traversal, 4), (graphs.traversal, 8), (graphs.traversal, 30)]
WALKS += [(underground.traversal, 6), (underground.traversal, 65)]
WAYS = [(draw.shortest_path, size) for draw, size in ((graphs, 4), (graphs, 8), (underground, 9))]


@pytest.mark.parametrize(("draw", "size"), WALKS)
def test_walks_lead_where_the_triples_say(draw, size):
    one = draw(3, size, seed(size))
    for row in range(3):
        edges, steps = triples(one, row)
        assert len({place for place, *_ in edges}) == size
        for (start, line, way), end in edges.items():  # every stretch can be taken back
            assert edges[end, line, "down" if way == "up" else "up"] == start
        place, hops = None, 0
        for step in one.asked.nonzero().flatten().tolist():
            if "from, tens" in steps[step]:
                place, hops = steps[step]["from, tens"] + steps[step]["from, ones"], 0
            place, hops = edges[place, steps[step]["line"], steps[step]["way"]], hops + 1
            assert graphs.answer(one.target[row, step]) == place and hops <= graphs.FARTHEST


@pytest.mark.parametrize(("draw", "size"), [*WAYS, (underground.shortest_path, 65)])
def test_no_way_is_shorter_and_no_other_as_short(draw, size):
    """Powers of the matrix of neighbours count the ways of each length."""
    lengths = set()
    for number in range(6):
        one = draw(2, size, seed(number))
        lengths.add(int(one.asked.sum()))
        for row in range(2):
            edges, steps = triples(one, row)
            names = sorted({place for place, *_ in edges})
            near = torch.zeros(len(names), len(names), dtype=torch.long)
            for (start, *_), end in edges.items():
                near[names.index(start), names.index(end)] = 1
            first = int(one.asked.nonzero()[0])
            question = next(s for s in steps if "to, tens" in s and "line" not in s)
            assert steps.index(question) == first - graphs.PLANNING - 1
            way = [question["from, tens"] + question["from, ones"]]
            way += [graphs.answer(target) for target in one.target[row, one.asked]]
            assert way[-1] == question["to, tens"] + question["to, ones"]
            ways = torch.eye(len(names), dtype=torch.long)
            for k, (a, b) in enumerate(itertools.pairwise(way)):
                assert near[names.index(a), names.index(b)] == 1
                assert ways[names.index(way[0]), names.index(way[-1])] == 0, k
                ways = ways @ near
            assert ways[names.index(way[0]), names.index(way[-1])] == 1
    assert len(lengths) > 1 and max(lengths) <= graphs.FARTHEST


def test_neither_station_nor_line_alone_tells_where_an_edge_leads():
    dice = random.Random(0)
    for size in (4, 8, 60, 100):
        edges = graphs.random_map(size, dice)
        assert len(edges) == len({edge[:3] for edge in edges}) and len({edge.start for edge in edges}) == size
        assert max(Counter(edge.start for edge in edges).values()) > 1
        assert max(Counter(edge[1:3] for edge in edges).values()) > 1


def test_zone_1():
    """A few things that everybody in London knows, and that whoever typed the file may have got wrong."""
    lines, names = underground.lines(), underground.stations()
    assert tuple(lines) == graphs.LINES and len(names) == underground.ALL <= len(graphs.NAMES)
    assert all(len(set(stops)) >= len(stops) - (line == "Circle") for line, stops in lines.items())
    changes = {name: {line for line, stops in lines.items() if name in stops} for name in names}
    assert changes["Oxford Circus"] == {"Bakerloo", "Central", "Victoria"}
    assert changes["Green Park"] == {"Jubilee", "Piccadilly", "Victoria"}
    assert changes["Covent Garden"] == {"Piccadilly"} and changes["Temple"] == {"Circle", "District"}
    assert len(changes["King's Cross"]) == 6  # as many as anywhere, the Northern line once
    number = names.index("Holborn")
    ways = {names[int(edge.end)] for edge in underground.zone() if edge.start == f"{number:02d}"}
    assert ways == {"Tottenham Court Road", "Chancery Lane", "Covent Garden", "Russell Square"}
    only = graphs.shortest(underground.zone(), *(f"{names.index(name):02d}" for name in ("Angel", "Temple")))
    assert {len(path) for path in only} == {7}  # by Moorgate and Bank, or round the ring
    one = underground.traversal(1, 5, seed(2))
    words, answers = told(underground, one, 0)
    assert all(any(name in text for name in names) for text in words[: len(words) - graphs.ASKED])
    assert set(answers.values()) <= set(names)


# ---------------------------------------------------------------------------------------------- the stories


def solved(sentences, question):
    """An answer by reading backwards, as a person would who had forgotten everything."""
    before = [sentence.split() for sentence in reversed(sentences)]
    *_, what, _ = question.split()
    if question.startswith("where is") and what == "now":
        who = question.split()[2]
        return next(words[3] for words in before if words[0] == who and words[1] == "went")
    at, last = next((k, words) for k, words in enumerate(before) if what in words)
    holder = {"took": last[0], "gave": last[2], "dropped": "nobody"}[last[1]]
    if question.startswith("who has"):
        return holder
    earlier = before if holder != "nobody" else before[at:]
    who = holder if holder != "nobody" else last[0]
    return next(words[3] for words in earlier if words[0] == who and words[1] == "went")


@pytest.mark.parametrize("draw", [stories.draw, stories.whole])
def test_stories_are_answered_by_reading_backwards(draw):
    kinds, answers_seen = Counter(), Counter()
    for size in (1, 2, 7, 12):
        one = draw(40, size, seed(size))
        assert int(one.asked.sum()) == (size + 1) // 2
        for row in range(40):
            words, answers = told(stories, one, row)
            text = " ".join(words).replace(".", ".|").replace("?", "?|")
            sentences = [part.strip() for part in text.split("|") if part.strip()]
            assert all(len(sentence.split()) == stories.SENTENCE for sentence in sentences)
            statements, rights = [], iter(answers.values())
            for sentence in sentences:
                if sentence.endswith("?"):
                    right = next(rights)
                    assert right == solved(statements, sentence), sentences
                    kinds[stories.kind(sentence)] += 1
                    answers_seen[right] += 1
                else:
                    statements.append(sentence)
    assert set(kinds) == set(stories.KINDS) and min(kinds.values()) > 50
    assert set(answers_seen) == set(stories.OUTPUTS.alphabets["answer"])


def test_only_what_can_happen_happens():
    """Nobody takes what another holds or what lies elsewhere, gives what he has not, or to who is away."""
    for number in range(60):
        places, holds, lies = {}, {}, {}
        for words, _ in stories.story(12, random.Random(number)):
            who, verb, other, what, sign = words
            if sign == "?":
                continue
            if verb == "went":
                assert places.get(who) != what
                places[who] = what
            elif verb == "took":
                assert what not in holds and lies.get(what, places[who]) == places[who]
                holds[what] = who
                lies.pop(what, None)
            elif verb == "dropped":
                assert holds.pop(what) == who
                lies[what] = places[who]
            else:
                assert verb == "gave" and holds[what] == who != other and places[who] == places[other]
                holds[what] = other


# --------------------------------------------------------------------------------------------- the families


def test_relations_by_brute_force():
    """From the told triples alone, each relation spelled out with sets of pairs."""
    seen = Counter()
    for size in (1, 3, 5, 7):
        one = families.draw(30, size, seed(size))
        for row in range(30):
            steps = [families.INPUTS.read(x) for x in one.x[row]]
            is_parent = {(s["relative"], s["person"], s["relation"]) for s in steps if "relative" in s}
            assert len(is_parent) == 2 * size
            old = {
                who: {(p, kind) for p, child, kind in is_parent if child == who} for _, who, _ in is_parent
            }
            people = {p for p, *_ in is_parent} | set(old)

            def siblings(who, old=old):
                return {other for other in old if other != who and who in old and old[other] == old[who]}

            def parents(who, old=old):
                return {p for p, _ in old.get(who, ())}

            def holds(a, relation, b, old=old):
                if relation in families.PARENTS:
                    return (b, relation) in old.get(a, ())
                if "'s " in relation:
                    first, second = relation.split("'s ")
                    return any(holds(a, first, p) and holds(p, second, b) for p in parents(a))
                woman = b in families.WOMEN
                if relation in ("sister", "brother"):
                    return b in siblings(a) and woman == (relation == "sister")
                if relation == "cousin":
                    return any(q in siblings(p) for p in parents(a) for q in parents(b))
                return any(b in siblings(p) for p in parents(a)) and woman == (relation == "aunt")

            asked = [s for s in steps if "relation" in s and "relative" not in s]
            rights = [families.answer(target) for target in one.target[row, one.asked]]
            assert len(asked) == len(rights) == families.QUESTIONS
            for question, right in zip(asked, rights, strict=True):
                found = [b for b in people if holds(question["person"], question["relation"], b)]
                assert found == [right]
                seen[question["relation"]] += 1
    assert set(seen) == set(families.RELATIONS)


def test_mothers_are_women_and_nobody_is_an_ancestor_of_himself():
    for number in range(80):
        kin = families.family(7, random.Random(number))
        assert set(kin.mothers) == set(kin.fathers) and len(kin.mothers) == 7
        assert set(kin.mothers.values()) <= set(families.WOMEN)
        assert set(kin.fathers.values()) <= set(families.MEN)
        for child in kin.mothers:
            generation = {child}
            for _ in range(families.YOUNGEST):
                generation = {old for one in generation for old in kin.parents(one)}
                assert child not in generation
            assert not {old for one in generation for old in kin.parents(one)}


def test_captions():
    one = families.draw(1, 2, seed(0))
    words, answers = told(families, one, 0)
    assert sum(" is " in text for text in words) == 4 and words[-1] == "?" and words[-2] == ""
    assert words[-3].endswith(" ?") and set(answers.values()) <= {*families.WOMEN, *families.MEN}
    path, _ = told(graphs, graphs.shortest_path(1, 5, seed(1)), 0)
    assert any(" to " in text for text in path)


@pytest.mark.parametrize("name", TASKS)
def test_sizes_that_make_no_sense(name):
    _, draw, size = TASKS[name]
    for count, wrong in ((0, size), (1, 0), (1, "6"), (1.5, size)):
        with pytest.raises(LessonError):
            draw(count, wrong, None)
    assert len(draw(1, size).x) == 1
