"""Families told as triples, and relations that nobody told: after the family tree of Graves et al. (2016).

    elsa's mother is anna   elsa's father is otto   ...   who is elsa's mother's father?

Every child comes with its mother and its father, in random order; a question names a person and a relation
that only one person has to them. Names are given out anew in every family.
"""

import random
from dataclasses import dataclass, field
from typing import Annotated

from jaxtyping import Float
from torch import Generator, Tensor

from lessons.arguments import Between, Count, explained
from lessons.fields import Fields, Step, episode
from lessons.graphs import seeded
from lessons.memory_tasks import Episode

WOMEN = ("anna", "bella", "clara", "dora", "elsa", "frida", "greta", "hanna")
MEN = ("adam", "bruno", "carl", "david", "emil", "felix", "georg", "hugo")
PARENTS = ("mother", "father")
RELATIONS = (*PARENTS, "mother's mother", "mother's father", "father's mother", "father's father", "sister",
             "brother", "aunt", "uncle", "cousin")  # fmt: skip
INPUTS = Fields({"person": (*WOMEN, *MEN), "relation": RELATIONS, "relative": (*WOMEN, *MEN), "sign": ("?",)})
OUTPUTS = Fields({"person": (*WOMEN, *MEN)})
QUESTIONS = 4  # to a family
THINKING = 1  # empty steps between a question and its answer
YOUNGEST = 2  # generations below the first couple
Children = Annotated[int, Between(1, 7)]


@dataclass
class Family:
    """Who is whose mother and father, by child; and how many generations below the first couple."""

    mothers: dict[str, str] = field(default_factory=dict)
    fathers: dict[str, str] = field(default_factory=dict)

    def parents(self, person: str) -> set[str]:
        """The parents that are known: two or none."""
        return {whose[person] for whose in (self.mothers, self.fathers) if person in whose}

    def siblings(self, person: str) -> set[str]:
        """Who has the same parents."""
        mine = self.parents(person)
        return {other for other in self.mothers if mine and self.parents(other) == mine} - {person}

    def related(self, person: str, relation: str) -> set[str]:
        """All who are somebody's `relation`. Aunts and uncles are siblings of parents, not their spouses."""
        if relation in PARENTS:
            whose = self.mothers if relation == "mother" else self.fathers
            return {whose[person]} if person in whose else set()
        if "'s " in relation:
            first, second = relation.split("'s ")
            return {old for parent in self.related(person, first) for old in self.related(parent, second)}
        if relation in ("sister", "brother"):
            return self.siblings(person) & set(WOMEN if relation == "sister" else MEN)
        near = {other for parent in self.parents(person) for other in self.siblings(parent)}
        if relation == "cousin":
            return {child for child in self.mothers if self.parents(child) & near}
        return near & set(WOMEN if relation == "aunt" else MEN)


def family(size: int, dice: random.Random) -> Family:
    """A first couple and `size` descendants, children and grandchildren, whose partners come from outside."""
    women, men = dice.sample(WOMEN, len(WOMEN)), dice.sample(MEN, len(MEN))
    made, couples, single = Family(), [(women.pop(), men.pop(), 0)], []
    while len(made.mothers) < size:
        if single and dice.random() < 0.5:
            child, depth = single.pop(dice.randrange(len(single)))
            couples.append((child, men.pop(), depth) if child in WOMEN else (women.pop(), child, depth))
        mother, father, depth = dice.choice(couples)
        names = women if len(women) > len(men) or (len(women) == len(men) and dice.random() < 0.5) else men
        child = names.pop()
        made.mothers[child], made.fathers[child] = mother, father
        if depth + 1 < YOUNGEST:
            single.append((child, depth + 1))
    return made


def tell(kin: Family, dice: random.Random) -> list[Step]:
    """A family in triples in random order, and its questions."""
    triples = [
        Step({"person": child, "relation": relation, "relative": whose[child]})
        for relation, whose in zip(PARENTS, (kin.mothers, kin.fathers), strict=True)
        for child in whose
    ]
    dice.shuffle(triples)
    return triples + [step for _ in range(QUESTIONS) for step in _question(kin, dice)]


def _question(kin: Family, dice: random.Random) -> list[Step]:
    """A question that one person is the answer to, some time to think, and the step of the answer."""
    asked = [
        [(person, relation) for person in kin.mothers if len(kin.related(person, relation)) == 1]
        for relation in RELATIONS
    ]
    person, relation = dice.choice(dice.choice(list(filter(None, asked))))
    (right,) = kin.related(person, relation)
    wait = [Step({})] * THINKING
    return [Step({"person": person, "relation": relation}), *wait, Step({"sign": "?"}, {"person": right})]


@explained
def draw(count: Count, size: Children, generator: Generator | None = None) -> Episode:
    """`count` families with `size` children and grandchildren of a first couple."""
    dice = seeded(generator)
    return episode(INPUTS, OUTPUTS, [tell(family(size, dice), dice) for _ in range(count)])


def caption(x: Float[Tensor, " input"]) -> str:
    """The words of an input vector."""
    words = INPUTS.read(x)
    if "person" not in words:
        return words.get("sign", "")
    told = f"is {words['relative']}" if "relative" in words else "?"
    return f"{words['person']}'s {words['relation']} {told}"


def answer(logits: Float[Tensor, " output"]) -> str:
    """The person that an answer, or a target, names."""
    return OUTPUTS.guess(logits)["person"]
