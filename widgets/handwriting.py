"""A network that writes by hand, point by point; the pad for your own hand is in widgets.pad.

write(model)                    # type a line and watch it being written
write({"a": one, "b": other})   # two networks to choose between
"""

from collections.abc import Mapping
from typing import Any

import anywidget
import torch
import traitlets
from torch import Tensor

from lessons import handwritten, own_hand, pen
from lessons.errors import LessonError
from lessons.handwriting import Writer
from lessons.handwritten import Written, handwrite
from lessons.ink import Ink
from widgets import esm, slots, theme
from widgets.page import Answers

NOBODY, OWN = "", "own: "
SAMPLE = "from one"  # what the sample of a hand says that a network is primed with
DIGITS = 4
KEPT_BIASES, KEPT_SEEDS = (0.0, 1.0, 3.0), (0, 1, 2)  # what a page without a kernel can be asked for
HELD = "This page holds biases 0, 1 and 3 and the seeds 0 to 2 of this line; the notebook writes any."
Hand = tuple[str, str]


class Writing(anywidget.AnyWidget):
    """What `write` displays; setting a trait writes anew.

    text, bias, seed: see lessons.handwritten.handwrite. hand: whose sample is read first, "" for nobody's.
    network: which of those given. step: the point that is looked at. message: a sentence for the reader.
    `.written` is what was written last.
    """

    _esm = esm.bundle("handwriting.js")
    _css = f"{esm.style()}\n{esm.read('handwriting.css')}"
    _choices = traitlets.Dict().tag(sync=True)
    _page = traitlets.Dict().tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    bias = traitlets.Float(0.0).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    hand = traitlets.Unicode(NOBODY).tag(sync=True)
    network = traitlets.Unicode("").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    models: Mapping[str, Writer] = {}
    written: Written | None = None

    def begin(self) -> None:
        """Write for the first time, and again whenever something is asked otherwise."""
        self._again()
        self.observe(self._again, names=["text", "bias", "seed", "hand", "network"])

    def _again(self, _: Any = None) -> None:
        """Write what is asked; if that cannot be, say so and keep what is there."""
        try:
            if self.network not in self.models:
                raise LessonError(f"There is no network {self.network!r}; there is {', '.join(self.models)}.")
            model = self.models[self.network]
            self.written = handwrite(model, self.text, self.bias, self.seed, prime(self.hand))
        except LessonError as problem:
            self.message = str(problem)
            return
        done = self.written.finished or not model.gaussians
        self.message = "" if done else "It did not come to the end of the text: stopped after so many points."
        page = packed(self.written)
        self.step = len(page["points"]) - 1
        self._page = page

    def recorded(self) -> Answers:
        """For a page without a kernel: the line as it is, with some biases and some seeds."""
        given = []
        asked = {(self.bias, seed) for seed in KEPT_SEEDS} | {(bias, self.seed) for bias in KEPT_BIASES}
        for bias, seed in sorted(asked | {(self.bias, self.seed)}):
            wish = {"text": self.text, "bias": bias, "seed": seed, "hand": self.hand, "network": self.network}
            line = handwrite(self.models[self.network], self.text, bias, seed, prime(self.hand))
            made = packed(line)
            given.append((wish, {"_page": made, "step": len(made["points"]) - 1, "message": ""}))
        return Answers(given, HELD)

    def close(self) -> None:
        """Close, and let go of the networks."""
        super().close()
        self.models, self.written, self._page = {}, None, {}

    def __repr__(self) -> str:
        return self._page.get("summary", "") or f"Writing: {self.message or 'closed'}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**(bundle[0] if isinstance(bundle, tuple) else bundle), "text/plain": repr(self)}


def write(
    model: Writer | Mapping[str, Writer],
    text: str = "unrolled",
    bias: float | int = 0.0,
    seed: int = 0,
    hand: str = NOBODY,
) -> Writing:
    """Type a line and watch a network write it: the ink, the density of the next point, the window.

    hand: of lessons.pen.HANDS, or "own: NAME" of what the pad keeps. Problems are said in the widget's
    message line. Raises LessonError only where there is no network.
    """
    models = model if isinstance(model, Mapping) else {"the network": model}
    if not models or not all(isinstance(one, Writer) for one in models.values()):
        raise LessonError("model is a Writer, or Writers by name; give at least one.")
    widget = Writing(theme="dark" if theme.tokens() is theme.DARK else "auto")
    slots.keep(widget)
    widget.models, widget.network = dict(models), next(iter(models))
    widget._choices = {
        "hands": hands(), "networks": list(models), "reads": any(m.gaussians for m in models.values())
    }  # fmt: skip
    wrong = ""
    try:
        asked = {"text": text, "bias": float(bias), "seed": seed, "hand": hand}
        for name, value in asked.items():
            setattr(widget, name, value)
    except (traitlets.TraitError, TypeError, ValueError):
        wrong = "A text, a bias and a seed are asked for; what was given is something else."
    widget.begin()
    widget.message = wrong or widget.message
    return widget


def hands() -> list[Hand]:
    """Whose hands there are to go on from: nobody's, those of the pen, and those that the pad keeps."""
    own = [(f"{OWN}{name}", f"your own: {name}") for name in own_hand.names()]
    return [(NOBODY, "nobody"), *((name, name) for name in pen.HANDS), *own]


def prime(hand: str) -> Ink | None:
    """A sample of a hand to go on from. Raises LessonError for an unknown one."""
    if hand == NOBODY:
        return None
    if not hand.startswith(OWN):
        return pen.write(SAMPLE, hand, seed=1)
    text, strokes = own_hand.load(hand.removeprefix(OWN))
    pen.check_line(text, handwritten.LONGEST_TYPED)
    return own_hand.ink(text, strokes)


def packed(written: Written) -> dict[str, Any]:
    """What the module draws: places, lifts, the window and every mixture, rounded."""
    ink, mix = written.ink, written.density()
    parts = (
        mix.log_weights.exp()[..., None], mix.mean, mix.log_deviation.exp(), mix.lean.tanh()[..., None],
    )  # fmt: skip
    numbers = _rounded(torch.cat(parts, -1))
    return {
        "text": ink.text, "points": ink.points.round(DIGITS).tolist(),
        "lifted": (ink.offsets[:, 2] > 0.5).tolist(),
        "mixtures": numbers, "lifts": _rounded(mix.lift.sigmoid()), "phi": _rounded(written.phi),
        "summary": f"{ink.described()} Bias {written.bias:g}, seed {written.seed}.",
    }  # fmt: skip


def _rounded(values: Tensor) -> list:
    """Numbers for JSON with four digits; what is far out of sight is cut."""
    return (values.clamp(-1e6, 1e6).double().round(decimals=DIGITS)).tolist()
