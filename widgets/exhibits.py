"""What the gallery shows, lesson by lesson: how each explorer is opened, which values its page keeps."""

from functools import cache

from lessons import (
    CharModel,
    bidirectional,
    capstone,
    char_rnn,
    corpora,
    curriculum,
    deep_rnns,
    depth_study,
    dnc_training,
    fit,
    gru,
    memory_tasks,
    memory_training,
    penmanship,
    recurrence,
    songs,
    time_scales,
    trace,
    translation,
    tree_study,
    units,
    vanishing_gradients,
    what_came_next,
)
from lessons.tagging import Tagging
from lessons.tasks import UntilSolved
from lessons.tracing import Trace
from lessons.translation import Translation
from widgets import (
    addressing,
    attention,
    cliff,
    dnc,
    exposure,
    feedback,
    forecast,
    gates,
    gnmt,
    gradient_clipping,
    handwriting,
    lstm,
    lstm_variants,
    matrix_memory,
    memory_tape,
    ngrams,
    ntm,
    pad,
    recurrent_dropout,
    recursive,
    sampling,
    sketching,
    song_book,
    studio,
    switchboard,
    text,
    two_ways,
    underground,
)
from widgets import bidirectional as tags
from widgets import (
    deep_rnns as stacks,
)
from widgets import gru as gru_pictures
from widgets import recurrence as elman
from widgets import vanishing_gradients as vanishing
from widgets import what_came_next as later
from widgets.gallery import BRIEF, READY, UNTRAINED, exhibit

SCRIPT = (
    "**JAQUES**\nSing it: 'tis no matter how it be in tune.\n\n_Exeunt_\n\n**ROSALIND**\nHow say you now?"
)
LINE = "To be, or not to be: that is the question."
WORDS = ("knight", "through", "psychology", "make")
NUMBERS = ("twenty-one", "four hundred and five", "ninety-nine")
SHORT = ("forty-five", "seven", "ninety-nine")
RATES = (0.0, 0.1, 0.3, 0.5, 0.9)


# Networks: those of the course, and small ones that learn in seconds


@cache
def reader() -> CharModel:
    """The network that has read the plays."""
    return char_rnn.pretrained()


@cache
def passage() -> str:
    """Held-out plays."""
    return corpora.load("shakespeare-markdown", quiet=True).valid[:6000]


@cache
def scores() -> tuple[units.Score, ...]:
    """What the reader's units follow."""
    return tuple(units.scores(trace(reader(), passage()), passage()))


@cache
def line() -> Trace:
    """The reader reading one line."""
    return trace(reader(), LINE)


@cache
def translator(attended: str = "general", **sizes: float | str) -> Translation:
    """English to German numbers below a thousand."""
    few = {"below": 1000, "beyond": 0, "count": 1, "hidden_size": 64, "steps": 250, "evaluate_every": 250}
    preset = translation.preset("cpu").but(**few, threads=1, attention=attended)
    return trained(translation.prepare(preset.but(**sizes)))


@cache
def google() -> Translation:
    """A small copy of Google's network on the same numbers."""
    like_google = {
        "num_layers": 3,
        "reading": "bottom",
        "place": "bottom",
        "residual": True,
        "batch_size": 32,
    }
    return translator("additive", learning_rate=8e-3, **like_google)


@cache
def decoder() -> Translation:
    """A decoder of numbers that still makes mistakes."""
    return trained(curriculum.prepare(curriculum.preset("cpu").but(steps=250, evaluate_every=250)))


@cache
def taggers() -> dict[str, Tagging]:
    """Letters to sounds, read both ways and one way."""
    sizes = bidirectional.preset("cpu").but(steps=300, evaluate_every=300, threads=1)
    tasks = bidirectional.networks(bidirectional.load(sizes, quiet=True), sizes)
    return {way: trained(task) for way, task in tasks.items()}


@cache
def stacked() -> deep_rnns.DeepTask:
    """Three GRU layers that have read plays for a few seconds."""
    sizes = deep_rnns.preset("cpu").but(steps=300, evaluate_every=300, threads=1)
    return trained(deep_rnns.prepare(sizes))


@cache
def adding() -> dict[str, vanishing_gradients.SequenceTask]:
    """Six networks that will have to add, before any training."""
    return vanishing_gradients.networks(vanishing_gradients.preset("cpu"))


def trained(task):
    """The task, once its network has learnt."""
    fit(task, progress=False)
    return task


# 00-02: reading


@exhibit("microscope", "start_here", "microscope.microscope", "Gate microscope", READY)
def _():
    return gates.microscope(reader(), SCRIPT, scores=scores())


@exhibit(
    "step-through",
    "recurrence",
    "recurrence.step_through",
    "A network unrolled",
    word=("EXaYbB", "EaYcXdB"),
    step=range(8),
)
def _():
    return elman.step_through(recurrence.small_network(), "EXaYbB")


@exhibit("follow", "recurrence", "recurrence.follow", "States of many words", BRIEF, sequence=range(8))
def _():
    preset = recurrence.preset("cpu").but(threads=1)
    task = recurrence.prepare(preset, seed=2)
    recurrence.train(task, progress=False)
    return elman.follow(recurrence.plane(task))


@exhibit("die", "char_rnn", "sampling.die", "The die", READY)
def _():
    return sampling.die(reader(), seed_text="**KING ")


@exhibit("gates", "char_rnn", "gates.explore", "Gates over time", READY, unit=(None, 57, 11))
def _():
    return gates.explore(line())


@exhibit("strip", "char_rnn", "text.strip", "Text strip", READY)
def _():
    return text.strip(reader(), passage()[:3000], scores=scores())


# 03-05: gradients and gates


@exhibit("gradients", "vanishing_gradients", "vanishing_gradients.explore", "Gradients over time", UNTRAINED)
def _():
    return vanishing.explore(vanishing_gradients.decays(adding()))


@exhibit("radius", "vanishing_gradients", "vanishing_gradients.radius", "Spectral radius", UNTRAINED)
def _():
    return vanishing.radius(adding())


@exhibit(
    "nudge",
    "vanishing_gradients",
    "vanishing_gradients.nudge",
    "A nudge of the state",
    UNTRAINED,
    sequence=range(5),
)
def _():
    return vanishing.nudge(adding())


@exhibit("diagram", "lstm", "lstm.diagram", "LSTM diagram", READY)
def _():
    return lstm.diagram(reader(), SCRIPT, step=12, scores=scores())


@exhibit("gru-unit", "gru", "gru.unit", "One GRU unit")
def _():
    return gru_pictures.unit()


@exhibit("resets", "gru", "gru.resets", "Where the reset gate acts", unit=(0, 1, 2, 3))
def _():
    return gru_pictures.resets()


@exhibit("race", "gru", "gru.compare", "A race of cells", BRIEF)
def _():
    preset = gru.preset("ci")
    return gru_pictures.compare(gru.race(corpora.load(preset.corpus, quiet=True), preset, progress=False))


# 06-08: variants, clipping, dropout


@exhibit("switchboard", "lstm_variants", "lstm_variants.switchboard", "Switchboard of an LSTM")
def _():
    return lstm_variants.switchboard()


@exhibit("variants", "lstm_variants", "lstm_variants.explore", "Eight variants")
def _():
    return lstm_variants.explore()


@exhibit(
    "cliff", "gradient_clipping", "cliff.explore", "The cliff", step=range(0, 61, 2), threshold=(0.3, 1.0),
    rate=(0.05, 0.2), momentum=(0.0, 0.9), first=None, second=None, turn=None, unit=None,
)  # fmt: skip
def _():
    return cliff.explore(step=18)


@exhibit(
    "ways", "gradient_clipping", "gradient_clipping.ways", "Ways to clip", length=(1.0, 2.0, 3.0, 4.0),
    degrees=range(0, 181, 15), threshold=(0.5, 1.0, 2.0),
)  # fmt: skip
def _():
    return gradient_clipping.ways()


@exhibit(
    "dropout-kinds",
    "recurrent_dropout",
    "recurrent_dropout.explore",
    "Kinds of dropout",
    p=RATES,
    seed=range(5),
)
def _():
    return recurrent_dropout.explore()


@exhibit(
    "dropout-theatre", "recurrent_dropout", "recurrent_dropout.theatre", "Dropout theatre", p=(0.1, 0.3, 0.6),
    seed=range(3), steps=None, layer=None,
)  # fmt: skip
def _():
    return recurrent_dropout.theatre()


# 09-12: both ways, deep, decoding, attention


@exhibit("two-ways", "bidirectional", "two_ways.wired", "Two directions", word=WORDS, step=range(10))
def _():
    return two_ways.wired("knight")


@exhibit(
    "influences", "bidirectional", "bidirectional.influences", "What a sound depends on", BRIEF, text=WORDS,
    step=range(10), covered=(None, 0, 1, 2),
)  # fmt: skip
def _():
    return tags.influences(taggers()["both"], "knight")


@exhibit("growing", "bidirectional", "bidirectional.growing", "A word, letter by letter", BRIEF, text=WORDS)
def _():
    return tags.growing(taggers(), "knight")


@exhibit("stack", "deep_rnns", "deep_rnns.stack", "A stack of layers", source=(0, 2, 5))
def _():
    return stacks.stack()


@exhibit("layers", "deep_rnns", "deep_rnns.states", "Layers over time", BRIEF, unit=(None, 0, 1))
def _():
    return stacks.states(trace(stacked().model, LINE))


@exhibit("change", "deep_rnns", "deep_rnns.changes", "One changed character", BRIEF, letter=("x", "q", "!"))
def _():
    return stacks.changes(stacked().model, LINE, place=14)


@exhibit("time-scales", "deep_rnns", "deep_rnns.scales", "Time scales of layers", BRIEF)
def _():
    held = corpora.load(stacked().preset.corpus, quiet=True).test[:4000]
    raw = deep_rnns.build(stacked().model.vocabulary, stacked().preset).eval()
    return stacks.scales(*(time_scales.curves(model, held, lags=40) for model in (raw, stacked().model)))


@exhibit("bottom", "deep_rnns", "deep_rnns.bottom", "What reaches the lowest layer")
def _():
    preset = depth_study.preset("cpu")
    plays = corpora.load(preset.corpus, quiet=True)
    return stacks.bottom(plays.vocabulary, plays.valid[:60], preset)


@exhibit("depths", "deep_rnns", "deep_rnns.compare", "Stacks compared", BRIEF)
def _():
    preset = depth_study.preset("ci")
    stacks_compared = [depth_study.Entrant(1), depth_study.Entrant(4), depth_study.Entrant(4, residual=True)]
    plays = corpora.load(preset.corpus, quiet=True)
    return stacks.compare(depth_study.compare(plays, preset, stacks_compared, progress=False))


@exhibit("feedback", "teacher_forcing", "feedback.explore", "Jordan and Elman")
def _():
    return feedback.explore()


@exhibit(
    "switches", "teacher_forcing", "switchboard.explore", "Fed the truth, or its own", BRIEF, end=(0.0, 0.1),
    step=range(0, 1001, 100), number=(21, 405), seed=(0, 1),
)  # fmt: skip
def _():
    return switchboard.explore(decoder().model, number=405)


@exhibit("schedules", "teacher_forcing", "switchboard.compare", "Schedules")
def _():
    return switchboard.compare()


@exhibit("two-runs", "teacher_forcing", "exposure.explore", "Told and alone", BRIEF)
def _():
    return exposure.explore(decoder().model, exposure.mistaken(decoder().model, decoder().held["valid"]))


@exhibit(
    "translations", "attention", "attention.translations", "Where it looks", BRIEF, text=NUMBERS,
    step=range(24), place=(0, 3, 7, 12), weight=None, always=(False,),
)  # fmt: skip
def _():
    return attention.translations(translator().model, NUMBERS[0])


@exhibit("gnmt", "attention", "gnmt.network", "Google's network", BRIEF, text=SHORT, step=range(20))
def _():
    return gnmt.network(google().model, SHORT[0])


# 13-15: writing


@exhibit(
    "studio",
    "generation",
    "studio.explore",
    "The studio",
    READY,
    temperature=(0.3, 0.6, 1.0),
    begin=None,
    roll=range(3),
)
def _():
    return studio.explore("html")


@exhibit("song-book", "songs", "song_book.book", "Song book", READY)
def _():
    return song_book.book(songs.pretrained(), dance="jig", metre="6/8", key="D", temperature=0.7, seed=3)


@exhibit("writing", "handwriting", "handwriting.write", "Writing by hand", READY)
def _():
    return handwriting.write(penmanship.pretrained(), "To write by hand", bias=1.0, seed=0)


@exhibit("pad", "handwriting", "pad.pad", "Your own hand")
def _():
    return pad.pad()


# 16-18: trees and memories


@exhibit("tree", "recursive", "recursive.tree", "A tree that is read", READY)
def _():
    return recursive.tree(tree_study.pretrained())


@exhibit(
    "tape",
    "ntm",
    "memory_tape.tape",
    "The tape",
    READY,
    step=range(26),
    length=None,
    seed=(0, 1),
    slot=(2, 4, 8),
    at=None,
)
def _():
    return memory_tape.tape(memory_training.pretrained())


@exhibit(
    "addressing", "ntm", "addressing.taken_apart", "A head taken apart", READY, key=None, strength=None,
    gate=None, turn=None, power=None,
)  # fmt: skip
def _():
    return addressing.taken_apart(memory_training.pretrained())


@exhibit(
    "beyond", "ntm", "ntm.beyond", "Longer than in training", READY, length=range(10, 121, 10), seed=range(3)
)
def _():
    return ntm.beyond({"machine": memory_training.pretrained()}, memory_training.preset("cpu"), (20, 40, 60))


# 17-20: later networks


@exhibit(
    "n-grams", "ntm", "ngrams.beside", "Counting, and the machine", READY, step=range(0, 200, 5), seed=(0, 1)
)
def _():
    return ngrams.beside(memory_training.pretrained(memory_tasks.NGRAMS))


@exhibit(
    "debugger", "dnc", "dnc.debugger", "Memory debugger", READY, step=range(30), size=None,
    seed=None, slot=None, at=None,
)  # fmt: skip
def _():
    return dnc.debugger(dnc_training.pretrained(dnc_training.SENTENCES), size=4)


@exhibit("walk", "dnc", "underground.walk", "A walk underground", READY, size=(6, 10), seed=range(3))
def _():
    return underground.walk(dnc_training.pretrained())


@exhibit("fan", "capstone", "forecast.fan", "A forecast as a fan", BRIEF)
def _():
    tides = capstone.bring("tides")
    preset = capstone.preset("cpu").but(threads=1, steps=200, evaluate_every=100)
    forecaster = tides.model(cell="lstm", hidden_size=32)
    tides.fit(forecaster, preset, progress=False)
    return forecast.fan(forecaster, tides.data)


@exhibit("sketch", "capstone", "sketching.sketch", "A pen that goes on", BRIEF)
def _():
    pen = capstone.bring("pen")
    preset = capstone.preset("cpu").but(threads=1, steps=120, evaluate_every=60)
    sketcher = pen.model("gru")
    pen.fit(sketcher, preset, progress=False)
    return sketching.sketch(sketcher, pen.data)


@exhibit(
    "recalled",
    "what_came_next",
    "matrix_memory.recalled",
    "A matrix that recalls",
    BRIEF,
    seed=(0, 1, 2),
    slot=None,
    at=None,
)
def _():
    pairs = what_came_next.pairs("cpu").but(threads=1)
    task = what_came_next.recalling(pairs)
    fit(task, watch=UntilSolved(), progress=False)
    return matrix_memory.recalled(task.model, pairs)


@exhibit("cells", "what_came_next", "what_came_next.beside", "Later cells side by side", BRIEF)
def _():
    preset = what_came_next.preset("cpu").but(steps=150, evaluate_every=150, threads=1)
    cells = what_came_next.BESIDE.items()
    tasks = {name: trained(what_came_next.prepare(preset.but(cell=cell))) for name, cell in cells}
    return later.beside({name: trace(task.model, LINE[:41]) for name, task in tasks.items()})
