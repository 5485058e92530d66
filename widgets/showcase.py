"""What a teacher shows of each lesson: its explorers over saved models, none of them trained on the spot.

`TOPICS` maps a lesson to its pictures. Each makes its explorer when it is called, in seconds, and keeps the
models that it has loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from lessons import char_rnn, corpora, units
from lessons.tracing import trace

SCRIPT = (
    "**JAQUES**\nSing it: 'tis no matter how it be in tune.\n\n_Exeunt_\n\n**ROSALIND**\nHow say you now?"
)


@dataclass(frozen=True)
class Picture:
    """One explorer: its name in a list, and what makes it (an explorer, an ES-module widget or a figure)."""

    name: str
    make: Callable[[], Any]


@cache
def reader() -> char_rnn.CharModel:
    """The character network that comes with the course."""
    return char_rnn.pretrained()


@cache
def passage() -> str:
    """A stretch of plays that it never read."""
    return corpora.load("shakespeare-markdown", quiet=True).valid[:6000]


@cache
def scores() -> list[units.Score]:
    """What its units follow, over that passage."""
    return units.scores(trace(reader(), passage()), passage())


def microscope() -> Any:
    from widgets import gates

    return gates.microscope(reader(), SCRIPT, scores=scores())


def unrolled() -> Any:
    from lessons import recurrence
    from widgets import recurrence as pictures

    return pictures.step_through(recurrence.small_network(), "EXaYbB")


def die() -> Any:
    from widgets import sampling

    return sampling.die(reader(), seed_text="**KING ")


def strip() -> Any:
    from widgets import text

    return text.strip(reader(), passage()[:3000], scores=scores())


@cache
def untrained() -> Any:
    from lessons import vanishing_gradients as lesson

    return lesson.networks(lesson.preset("cpu"))


def arriving() -> Any:
    from lessons import vanishing_gradients as lesson
    from widgets import vanishing_gradients as pictures

    return pictures.explore(lesson.decays(untrained()))


def radius() -> Any:
    from widgets import vanishing_gradients as pictures

    return pictures.radius(untrained())


def remembered() -> Any:
    from widgets import vanishing_gradients as pictures

    return pictures.remembered("rnn-forgets-lstm-remembers")


def diagram() -> Any:
    from widgets import lstm

    return lstm.diagram(reader(), SCRIPT, step=12, scores=scores())


def gru_unit() -> Any:
    from widgets import gru

    return gru.unit()


def resets() -> Any:
    from widgets import gru

    return gru.resets()


def switchboard() -> Any:
    from widgets import lstm_variants

    return lstm_variants.switchboard()


def variants() -> Any:
    from widgets import lstm_variants

    return lstm_variants.explore("variants-perform-alike")


def cliff() -> Any:
    from widgets import cliff

    return cliff.explore(step=18)


def clipping() -> Any:
    from widgets import gradient_clipping

    return gradient_clipping.ways()


def masks() -> Any:
    from widgets import recurrent_dropout

    return recurrent_dropout.explore()


def theatre() -> Any:
    from widgets import recurrent_dropout

    return recurrent_dropout.theatre()


def both_ways() -> Any:
    from widgets import bidirectional

    return bidirectional.wired("knight")


def stack() -> Any:
    from widgets import deep_rnns

    return deep_rnns.stack()


def switches() -> Any:
    from widgets import teacher_forcing

    return teacher_forcing.switches()


def schedules() -> Any:
    from widgets import teacher_forcing

    return teacher_forcing.schedules()


def feedback() -> Any:
    from widgets import teacher_forcing

    return teacher_forcing.recurrences()


def studio() -> Any:
    from widgets import studio

    return studio.explore("figure")


def songs() -> Any:
    from lessons import songs
    from widgets import song_book

    return song_book.book(songs.pretrained(), dance="jig", metre="6/8", key="D", temperature=0.7, seed=3)


def handwriting() -> Any:
    from lessons import penmanship
    from widgets import handwriting

    return handwriting.write(penmanship.pretrained(), "To write by hand", bias=1.0)


def tree() -> Any:
    from lessons import tree_study
    from widgets import recursive

    return recursive.tree(tree_study.pretrained())


@cache
def machine() -> Any:
    from lessons import memory_training

    return memory_training.pretrained()


def tape() -> Any:
    from widgets import memory_tape

    return memory_tape.tape(machine())


def addressing() -> Any:
    from widgets import addressing

    return addressing.taken_apart(machine())


def walker() -> Any:
    from lessons import dnc_training
    from widgets import dnc

    return dnc.debugger(dnc_training.pretrained("traversal"), "traversal", size=4, least=3)


def stories() -> Any:
    from lessons import dnc_training
    from widgets import dnc

    return dnc.debugger(dnc_training.pretrained("sentences"), "sentences", size=6)


def who_can() -> Any:
    from widgets import what_came_next

    return what_came_next.who_can()


TOPICS: dict[str, tuple[Picture, ...]] = {
    "start_here": (Picture("microscope", microscope),),
    "recurrence": (Picture("step by step", unrolled),),
    "char_rnn": (Picture("die", die), Picture("text strip", strip)),
    "vanishing_gradients": (
        Picture("what arrives", arriving),
        Picture("spectral radius", radius),
        Picture("who remembers", remembered),
    ),
    "lstm": (Picture("cell", diagram), Picture("microscope", microscope)),
    "gru": (Picture("one unit", gru_unit), Picture("reset gate", resets)),
    "lstm_variants": (Picture("wired by hand", switchboard), Picture("eight cells", variants)),
    "gradient_clipping": (Picture("cliff", cliff), Picture("three ways", clipping)),
    "recurrent_dropout": (Picture("nine kinds", masks), Picture("theatre", theatre)),
    "bidirectional": (Picture("both ways", both_ways),),
    "deep_rnns": (Picture("stack", stack),),
    "teacher_forcing": (
        Picture("switches", switches),
        Picture("feedback", feedback),
        Picture("schedules", schedules),
    ),
    "generation": (Picture("studio", studio),),
    "songs": (Picture("song book", songs),),
    "handwriting": (Picture("writing", handwriting),),
    "recursive": (Picture("tree", tree),),
    "ntm": (Picture("tape", tape), Picture("addressing", addressing)),
    "dnc": (Picture("walks", walker), Picture("stories", stories)),
    "what_came_next": (Picture("who can", who_can),),
}
