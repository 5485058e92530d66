"""Exercises and quiz of lesson 10: a stack by hand, where sequences are returned, two bugs of deep stacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lessons.exercises.exercise import (
    Case,
    Exercise,
    Observations,
    Unfit,
    behaves_like,
    returns,
    shows,
    stops_with,
)
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def run_stack(
    layers: Sequence[nn.Module],
    x: Float[Tensor, "batch time input"],
    h_0: Float[Tensor, "layers batch hidden"],
) -> tuple[Float[Tensor, "batch time hidden"], Float[Tensor, "layers batch hidden"]]:
    """The output of a layer, all steps of it, is the input of the next; every layer has its own state."""
    finals = []
    for layer, start in zip(layers, h_0, strict=True):
        x, final = layer(x, start[None])
        finals.append(final)
    return x, torch.cat(finals)


def return_sequences(num_layers: int, answers: str) -> list[bool]:
    """A layer under another one must give all its steps; the top one gives what the answers need."""
    return [True] * (num_layers - 1) + [answers == "all"]


def residual_stack(
    layers: Sequence[nn.Module], x: Float[Tensor, "batch time input"]
) -> Float[Tensor, "batch time hidden"]:
    """Each layer but the lowest adds what it computed to what it read itself."""
    x, _ = layers[0](x)
    for layer in layers[1:]:
        output, _ = layer(x)
        x = x + output
    return x


def make_layers(input_size: int, hidden_size: int, num_layers: int) -> nn.ModuleList:
    """A new module for every layer: multiplying a list repeats the module that is in it."""
    sizes = [input_size] + [hidden_size] * (num_layers - 1)
    return nn.ModuleList(nn.GRU(size, hidden_size, batch_first=True) for size in sizes)


# ----------------------------------------------------------------------------------- 1: a stack by hand


def _grus(num_layers: int, inputs: int, hidden: int, seed: int) -> list[nn.GRU]:
    """Layers with weights of their own, batch first; torch's generator is put back by the exercise."""
    torch.manual_seed(seed)
    sizes = [inputs] + [hidden] * (num_layers - 1)
    return [nn.GRU(size, hidden, batch_first=True, device="cpu", dtype=torch.float32) for size in sizes]


def _stack(num_layers: int, batch: int, steps: int, inputs: int, hidden: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        layers = _grus(num_layers, inputs, hidden, num_layers)
        dice = torch.Generator(device="cpu").manual_seed(steps)
        x = torch.randn(batch, steps, inputs, generator=dice, dtype=torch.float32)
        return layers, x, torch.randn(num_layers, batch, hidden, generator=dice, dtype=torch.float32)

    return arguments


def _run(start: Callable = lambda h, k: h[k : k + 1], feed: Callable = lambda x, y: y) -> Callable:
    """The solution with one thing done wrong."""

    def run(layers: Sequence[nn.Module], x: Tensor, h_0: Tensor) -> tuple:
        finals, output = [], x
        for k, layer in enumerate(layers):
            output, final = layer(x, start(h_0, k))
            finals.append(final)
            x = feed(x, output)
        return output, torch.cat(finals)

    return run


def _in_a_row(order: int) -> Callable:
    def run(layers: Sequence[nn.Module], x: Tensor, h_0: Tensor) -> tuple:
        output, finals = run_stack(layers, x, h_0)
        return (output, finals.flip(0)) if order < 0 else (output, finals[-1:])

    return run


RUN_STACK = Exercise(
    name="run_stack",
    statement="Run a list of recurrent layers on each other, each from a state of its own.",
    stub='''def run_stack(layers, x, h_0):
    """GRU layers (batch first), lowest first; x (B, T, I); h_0 (L, B, H) -> output of the top layer
    (B, T, H), and every layer's last state (L, B, H). A layer takes (x, its h_0 of shape (1, B, H))."""
    return ...
''',
    solution=run_stack,
    cases=(
        Case("three layers of four units", _stack(3, 2, 5, 4, 4)),
        Case("two layers whose input is narrower", _stack(2, 3, 4, 2, 5)),
        Case("a single layer", _stack(1, 2, 3, 3, 3)),
    ),
    observe=returns("the output", "the last states"),
    diagnoses=(
        behaves_like(
            _run(start=lambda h, k: h[:1]),
            "all layers start from layer 0's state; layer k starts from h_0[k].",
        ),
        behaves_like(
            _run(start=lambda h, k: torch.zeros_like(h[:1])),
            "h_0 is not used: every layer starts from zeros.",
        ),
        behaves_like(
            _run(feed=lambda x, y: x),
            "every layer reads x. A layer above reads the output of the one below; keep it in x.",
        ),
        behaves_like(
            _run(feed=lambda x, y: y[:, -1:]),
            "a layer above gets the last step only. It needs the whole sequence: what Keras calls "
            "return_sequences.",
        ),
        behaves_like(
            _run(feed=lambda x, y: x + y), "that adds residuals; a plain stack hands on the output alone."
        ),
        behaves_like(
            _in_a_row(1), "only the top layer's last state is returned; put all layers' on each other."
        ),
        behaves_like(
            _in_a_row(-1), "the last states stand top layer first; torch's h_n has the lowest first."
        ),
        shows(
            lambda seen, expected: (
                getattr(seen["the last states"], "ndim", 0) == 4
                or (isinstance(seen["the last states"], list | tuple))
            ),
            "each layer's last state is (1, B, H) already: torch.cat them to (L, B, H).",
        ),
        stops_with(
            "3-D|hidden|size|dim|[Ee]xpected",
            "a layer takes its state as (1, B, H): h_0[k][None], or h_0[k : k + 1].",
        ),
    ),
    hints=(
        "One loop over the layers. What must the name x stand for when the second layer is called?",
        "x, final = layer(x, h_0[k][None]), and keep each final.",
        "return x, torch.cat(finals)",
    ),
    shown="Your stack computes what a deep torch layer does, states of all layers included.",
)

# ------------------------------------------------------------------------------ 2: return_sequences


def answered(function: Callable, stacks: tuple) -> Observations:
    """The list for each stack."""
    return {f"the list of {count} for “{answers}”": function(count, answers) for count, answers in stacks}


RETURN_SEQUENCES = Exercise(
    name="return_sequences",
    statement="Say for every layer of a Keras stack whether it returns sequences.",
    stub='''def return_sequences(num_layers, answers):
    """answers: "last" (one for a sequence) or "all" (one a step) -> a bool for each layer, lowest first."""
    return ...
''',
    solution=return_sequences,
    cases=(
        Case(
            "stacks of three layers and of one", lambda: (((3, "last"), (3, "all"), (1, "last"), (1, "all")),)
        ),
    ),
    observe=answered,
    diagnoses=(
        behaves_like(
            lambda n, answers: [True] * n,
            "the top layer returns all steps too; for one answer at the end it gives its last one only.",
        ),
        behaves_like(
            lambda n, answers: [False] * n,
            "a layer that returns its last step gives the next one no sequence to read.",
        ),
        behaves_like(
            lambda n, answers: [answers == "all"] * n,
            "that is right for the top layer only: those below must return sequences whatever is asked.",
        ),
        behaves_like(
            lambda n, answers: [answers == "all"] + [True] * (n - 1),
            "the order is the other way round: lowest layer first, and the exception is the top one.",
        ),
        behaves_like(
            lambda n, answers: [True] * (n - 1) + [False],
            "for an answer at every step the top layer returns its sequence too.",
        ),
        behaves_like(
            lambda n, answers: [True] * (n - 1) + [answers == "last"],
            "the two answers are exchanged: “all” needs every step of the top layer.",
        ),
        behaves_like(
            lambda n, answers: [True] * n + [answers == "all"],
            "that is one layer too many: n − 1 layers lie below the top.",
        ),
    ),
    hints=(
        "What does a layer read that has another one below it?",
        "All but the top: True. The top one: it depends on the answers.",
        '[True] * (num_layers - 1) + [answers == "all"]',
    ),
    shown="All layers below the top return sequences; the top one does where every step is answered.",
)

# --------------------------------------------------------------------- 3: find the bug, residual connections


def _layers(num_layers: int, steps: int) -> Callable[[], tuple]:
    return lambda: _stack(num_layers, 2, steps, 3, 4)()[:2]


def _residual(add: Callable, tail: Callable = lambda x, start: x) -> Callable:
    def run(layers: Sequence[nn.Module], x: Tensor) -> Tensor:
        x, _ = layers[0](x)
        start = x
        for layer in layers[1:]:
            output, _ = layer(x)
            x = add(x, output, start)
        return tail(x, start)

    return run


RESIDUAL_STACK = Exercise(
    name="residual_stack",
    statement="Find the bug: with more layers than two, this stack is no residual one.",
    stub='''def residual_stack(layers, x):
    """GRU layers, lowest first; x (B, T, I) -> what the top layer gives on, (B, T, H).
    Every layer but the lowest adds its output to what it has read."""
    x, _ = layers[0](x)
    below = x
    for layer in layers[1:]:
        x, _ = layer(x)
        x = x + below
    return x
''',
    solution=residual_stack,
    cases=(
        Case("four layers", _layers(4, 5)),
        Case("three layers", _layers(3, 4)),
        Case("two layers", _layers(2, 3)),
        Case("a single layer", _layers(1, 3)),
    ),
    observe=returns("the output"),
    diagnoses=(
        behaves_like(
            _residual(lambda x, y, start: y + start),
            "every layer adds the lowest layer's output. It must add what it has read itself.",
        ),
        behaves_like(_residual(lambda x, y, start: y), "nothing is added any more: that is the plain stack."),
        behaves_like(
            _residual(lambda x, y, start: y, tail=lambda x, start: x + start),
            "one sum at the very top is one long bypass; each layer needs its own.",
        ),
        behaves_like(
            _residual(lambda x, y, start: x + y, tail=lambda x, start: x + start),
            "the lowest layer's output is added once more at the end; it is in the sum already.",
        ),
        behaves_like(
            _residual(lambda x, y, start: 2 * y), "the layer's output is added to itself, not to its input."
        ),
        behaves_like(
            _residual(lambda x, y, start: torch.tanh(x + y)),
            "a squashing of the sum stands in the gradient's way: the bypass must stay free.",
        ),
        behaves_like(
            _residual(lambda x, y, start: (x + y) / 2),
            "that is a mean; halved at every layer, the bypass decays.",
        ),
    ),
    hints=(
        "Follow four layers on paper. What is `below` when the fourth one is called?",
        "`below` is set once, before the loop. What should it be for each layer?",
        "output, _ = layer(x); x = x + output",
    ),
    shown="Each layer adds to what it has read: the gradient has a free way from the top to the bottom.",
)

# ------------------------------------------------------------------------- 4: find the bug, shared weights


def made(function: Callable, *sizes: int) -> Observations:
    """What there is to see of layers: how many, how many weights in all, and what each reads and gives."""
    layers: Any = function(*sizes)
    if not isinstance(layers, nn.ModuleList):
        raise Unfit("the function should return an nn.ModuleList, so that a model finds its weights")
    if not all(isinstance(layer, nn.GRU) for layer in layers):
        raise Unfit("the layers should all be nn.GRU")
    return {
        "the number of layers": len(layers),
        "what each layer reads": [layer.input_size for layer in layers],
        "what each layer gives": [layer.hidden_size for layer in layers],
        "the number of weights": sum(weight.numel() for weight in layers.parameters()),
        "layers that read (batch, time, input)": sum(layer.batch_first for layer in layers),
        "the number of different layers": len(set(map(id, layers))),
    }


def _module_list(sizes: Callable) -> Callable:
    return lambda i, h, n: nn.ModuleList(nn.GRU(size, h, batch_first=True) for size in sizes(i, h, n))


MAKE_LAYERS = Exercise(
    name="make_layers",
    statement="Find the bug: a stack of six layers made by this has the weights of two.",
    stub='''def make_layers(input_size, hidden_size, num_layers):
    """-> nn.ModuleList of GRU layers, batch first, for a stack; the lowest reads input_size numbers."""
    bottom = [nn.GRU(input_size, hidden_size, batch_first=True)]
    rest = [nn.GRU(hidden_size, hidden_size, batch_first=True)] * (num_layers - 1)
    return nn.ModuleList(bottom + rest)
''',
    solution=make_layers,
    cases=(
        Case("six layers", lambda: (3, 4, 6)),
        Case("three layers as wide as their input", lambda: (4, 4, 3)),
        Case("a single layer", lambda: (3, 5, 1)),
    ),
    observe=made,
    diagnoses=(
        shows(
            lambda seen, expected: (
                seen["the number of layers"] == expected["the number of layers"]
                and seen["what each layer reads"] == expected["what each layer reads"]
                and seen["the number of different layers"] < expected["the number of different layers"]
            ),
            "a list times a number repeats the *same* module: its layers share their weights. Make one each.",
        ),
        behaves_like(
            _module_list(lambda i, h, n: [i] * n),
            "only the lowest layer reads the input; the others read hidden_size numbers.",
        ),
        behaves_like(_module_list(lambda i, h, n: [h] * n), "the lowest layer reads input_size numbers."),
        behaves_like(
            _module_list(lambda i, h, n: [i] + [h] * n),
            "that is one layer too many: num_layers counts the lowest one too.",
        ),
        behaves_like(
            _module_list(lambda i, h, n: [i] + [h] * (n - 2)), "that is one layer too few above the lowest."
        ),
        shows(
            lambda seen, expected: (
                seen["what each layer gives"] == expected["what each layer gives"]
                and seen["the number of weights"] < expected["the number of weights"]
            ),
            "every layer is there, and some of its weights are not: leave nn.GRU its biases.",
        ),
        shows(
            lambda seen, expected: seen["layers that read (batch, time, input)"] == 0,
            "batch_first=True got lost; the layers now read (time, batch, input).",
        ),
        stops_with(
            "ModuleList", "a plain list hides its layers from model.parameters(): wrap it in nn.ModuleList."
        ),
    ),
    hints=(
        "a, b = [[]] * 2; a.append(1). What is b?",
        "A list times a number holds the same object many times. A comprehension calls nn.GRU for each.",
        "[nn.GRU(hidden_size, hidden_size, batch_first=True) for _ in range(num_layers - 1)]",
    ),
    shown="Every layer has weights of its own, and the model can find them.",
)

EXERCISES = (RUN_STACK, RETURN_SEQUENCES, RESIDUAL_STACK, MAKE_LAYERS)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "A stack of four layers reads a sentence of ten words. How many states h are computed?",
        (
            Option("4", "that is how many are left at the end: h_n, one a layer."),
            Option("10", "that is one layer; all four read all ten steps."),
            Option("40", "each layer has a state at each step.", right=True),
        ),
    ),
    Question(
        "What is `output` of a torch.nn.LSTM with num_layers=3?",
        (
            Option(
                "h of the top layer at every step",
                "what lies below is not in it; a trace has it.",
                right=True,
            ),
            Option("h of all three layers at the last step", "that is h_n, of shape (3, B, H)."),
            Option("h of all layers at every step", "no torch layer returns that; lessons.trace does."),
        ),
    ),
    Question(
        "Which layers of a Keras stack for one answer at the end must have return_sequences=True?",
        (
            Option(
                "none: the answer needs the last step only",
                "then the second layer would get no sequence to read.",
            ),
            Option(
                "all but the top one",
                "each of them is read, step by step, by the layer above it.",
                right=True,
            ),
            Option(
                "all of them",
                "the top one may, but then the answer needs one more selection of the last step.",
            ),
        ),
    ),
    Question(
        "Why does a residual connection help the lowest layer to learn?",
        (
            Option(
                "It makes the layers above it narrower.", "widths stay the same; it could not add otherwise."
            ),
            Option("It removes the recurrence.", "every layer is still a recurrent one."),
            Option(
                "Its gradient reaches it through sums, past the cells above.",
                "a sum hands a gradient on as it is; a cell shrinks it by slopes and gates.",
                right=True,
            ),
        ),
    ),
    Question(
        "4 layers of 64 units read better than 1 layer of 64 units. Has depth been shown to help?",
        (
            Option(
                "Not yet: it has more weights and takes more time.",
                "compare at equal weights, or at equal seconds, before thanking depth.",
                right=True,
            ),
            Option(
                "Yes, the units are the same.",
                "the upper layers bring weights of their own, about three times more.",
            ),
            Option("No, more layers never help.", "they may; this comparison cannot tell."),
        ),
    ),
    Question(
        "One character of the input is changed. In which layers can the state at that very step differ?",
        (
            Option(
                "in the lowest only; each layer costs one step", "layers are passed within one step, upwards."
            ),
            Option("in all of them", "the step's input travels up through all layers at once.", right=True),
            Option("in the top one only", "it can only get there through those below."),
        ),
    ),
)
