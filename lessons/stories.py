"""Stories of people, places and things, with questions: after the bAbI tasks of Weston et al. (2015).

    anna went to school . anna took the milk . where is the milk ? (school)

Our own little world and our own words. Every sentence has four words and a sign; a question follows every
second statement, and its answer is asked for at its question mark. Some answers need one statement, some two:
who has the milk, and where that person went.
"""

import random
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Generator, Tensor

from lessons.arguments import Count, explained
from lessons.fields import Fields, Step, episode
from lessons.graphs import seeded
from lessons.memory_tasks import Episode

PEOPLE = ("anna", "ben", "clara", "david")
PLACES = ("school", "market", "church", "work", "town")
THINGS = ("milk", "bread", "tea")
NOBODY = "nobody"
VERBS = ("went", "to", "took", "the", "dropped", "gave", "where", "is", "now", "who", "has")
SIGNS = (".", "?")
WORDS = (*PEOPLE, *PLACES, *THINGS, *VERBS, *SIGNS)
SENTENCE = 5  # words of a sentence, its sign among them
EVERY = 2  # statements before a question
INPUTS = Fields({"word": WORDS})
WHOLE_INPUTS = Fields({f"word {k + 1}": WORDS for k in range(SENTENCE - 1)} | {"sign": SIGNS})
OUTPUTS = Fields({"answer": (*PEOPLE, *PLACES, NOBODY)})
SOMEBODY, SOMETHING, WHO = "where is somebody", "where is something", "who has it"
KINDS = (SOMEBODY, SOMETHING, WHO)  # of questions; the second needs two statements, the others one
Sentence = tuple[str, ...]


@dataclass
class World:
    """Where people are, who holds what, where things lie. What was never told of is in none of them."""

    places: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    lying: dict[str, str] = field(default_factory=dict)

    def happen(self, dice: random.Random) -> Sentence:
        """Something that can happen does; returns the sentence that tells of it."""
        verb = dice.choice([verb for verb, cases in self.possible().items() if cases])
        case = dice.choice(self.possible()[verb])
        if verb == "went":
            who, place = case
            self.places[who] = place
            return who, "went", "to", place, "."
        if verb == "took":
            who, thing = case
            self.held[thing] = who
            self.lying.pop(thing, None)
            return who, "took", "the", thing, "."
        if verb == "dropped":
            who, thing = case
            self.lying[thing] = self.places[self.held.pop(thing)]
            return who, "dropped", "the", thing, "."
        giver, taker, thing = case
        self.held[thing] = taker
        return giver, "gave", taker, thing, "."

    def possible(self) -> dict[str, list[tuple[str, ...]]]:
        """All that can happen next, by verb: people take and drop, give and get things where they are."""
        places, held, lying = self.places, self.held, self.lying
        return {
            "went": [(who, to) for who in PEOPLE for to in PLACES if places.get(who) != to],
            "took": [
                (who, thing)
                for who, here in places.items()
                for thing in THINGS
                if thing not in held and lying.get(thing, here) == here
            ],
            "dropped": [(who, thing) for thing, who in held.items()],
            "gave": [
                (giver, taker, thing)
                for thing, giver in held.items()
                for taker, there in places.items()
                if taker != giver and there == places[giver]
            ],
        }

    def question(self, dice: random.Random) -> tuple[Sentence, str]:
        """A question that can be answered from what was told, and its answer."""
        known = list(self.held) + list(self.lying)
        kinds = {
            SOMEBODY: [((("where", "is", who, "now", "?")), place) for who, place in self.places.items()],
            SOMETHING: [(("where", "is", "the", thing, "?"), self.where(thing)) for thing in known],
            WHO: [(("who", "has", "the", thing, "?"), self.held.get(thing, NOBODY)) for thing in known],
        }
        return dice.choice(dice.choice([cases for cases in kinds.values() if cases]))

    def where(self, thing: str) -> str:
        """Where a thing is: with whoever holds it, or where it lies."""
        return self.lying.get(thing) or self.places[self.held[thing]]


@explained
def draw(count: Count, size: Count, generator: Generator | None = None) -> Episode:
    """`count` stories of `size` statements, a word a step."""
    dice = seeded(generator)
    sequences = [
        [step for said, right in story(size, dice) for step in _one_by_one(said, right)] for _ in range(count)
    ]
    return episode(INPUTS, OUTPUTS, sequences)


@explained
def whole(count: Count, size: Count, generator: Generator | None = None) -> Episode:
    """The same stories, a sentence a step: its words stand side by side."""
    dice = seeded(generator)
    sequences = [
        [Step(_side_by_side(said), _as_answer(right)) for said, right in story(size, dice)]
        for _ in range(count)
    ]
    return episode(WHOLE_INPUTS, OUTPUTS, sequences)


def story(size: int, dice: random.Random) -> list[tuple[Sentence, str | None]]:
    """Statements, and after every second one and the last a question with its answer."""
    world, told = World(), []
    for statement in range(1, size + 1):
        told.append((world.happen(dice), None))
        if statement % EVERY == 0 or statement == size:
            told.append(world.question(dice))
    return told


def _one_by_one(said: Sentence, right: str | None) -> list[Step]:
    *words, sign = said
    return [*(Step({"word": word}) for word in words), Step({"word": sign}, _as_answer(right))]


def _side_by_side(said: Sentence) -> dict[str, str]:
    return dict(zip(WHOLE_INPUTS.alphabets, said, strict=True))


def _as_answer(right: str | None) -> dict[str, str] | None:
    return None if right is None else {"answer": right}


def caption(x: Float[Tensor, " input"]) -> str:
    """The words of an input vector: one word, or a sentence."""
    fields = INPUTS if len(x) == INPUTS.size else WHOLE_INPUTS
    return " ".join(fields.read(x).values())


def kind(question: str) -> str:
    """Which of KINDS a question in words is."""
    if question.startswith("who"):
        return WHO
    return SOMETHING if " the " in question else SOMEBODY


def answer(logits: Float[Tensor, " output"]) -> str:
    """The word that an answer, or a target, says."""
    return OUTPUTS.guess(logits)["answer"]
