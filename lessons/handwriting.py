"""Networks that write by hand: LSTMs that answer with a density of the pen's next offset.

`Writer` is both networks of Graves (2013), "Generating Sequences With Recurrent Neural Networks"
(arXiv 1308.0850): without a window the prediction network of section 4, which writes whatever looks like
writing, and with a window the synthesis network of section 5, which writes a given text.
"""

from typing import Annotated, Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from lessons import window_loop
from lessons.arguments import Between, Count, explained
from lessons.cells import lstm_step
from lessons.errors import LessonError
from lessons.hershey import ALPHABET
from lessons.mixture_density import PER_COMPONENT
from lessons.recurrent import LSTM
from lessons.soft_window import Window, WindowWeights, window_step
from lessons.window_loop import Read

PACE = -2.5  # where the logarithm of kappa's step starts: a letter takes about exp(2.5) = 12 points


class Text(NamedTuple):
    """Texts as a window reads them: one-hot letters, with a place of zeros after the last; which are real."""

    letters: Float[Tensor, "batch letters alphabet"]
    real: Bool[Tensor, "batch letters"]


class State(NamedTuple):
    """Between two steps: h and c of each layer, what was read, and where the Gaussians stand."""

    h: tuple[Tensor, ...]
    c: tuple[Tensor, ...]
    read: Tensor
    kappa: Tensor


class Writer(nn.Module):
    """A network that writes.

    hidden_size, num_layers: one layer, or a second one that sees the offset, the first layer and what was
    read; the readout sees all layers, as in Graves' figure 1. components: Gaussians of the density.
    gaussians: of the window; 0 is no window, and such a network is not told what to write.
    Raises LessonError for sizes that are no whole numbers above 0, or other than one or two layers.
    """

    @explained
    def __init__(
        self,
        hidden_size: Count = 64,
        num_layers: Annotated[int, Between(1, 2)] = 1,
        components: Count = 10,
        gaussians: Annotated[int, Between(0, 50)] = 5,
        alphabet: str = ALPHABET,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self.hidden_size, self.num_layers, self.alphabet = hidden_size, num_layers, alphabet
        self.components, self.gaussians = components, gaussians
        self.numbers = {character: number for number, character in enumerate(alphabet)}
        self.first = LSTM(
            3 + bool(gaussians) * len(alphabet), hidden_size, batch_first=True, forget_bias=1.0, **place
        )
        below = 3 + hidden_size + bool(gaussians) * len(alphabet)
        if num_layers == 2:
            self.second = LSTM(below, hidden_size, batch_first=True, forget_bias=1.0, **place)
        if gaussians:
            self.window = nn.Linear(hidden_size, 3 * gaussians, **place)
            with torch.no_grad():
                self.window.bias[2 * gaussians :] += PACE
        self.readout = nn.Linear(num_layers * hidden_size, PER_COMPONENT * components + 1, **place)

    def forward(
        self, offsets: Float[Tensor, "batch time 3"], text: Text | None = None
    ) -> tuple[Float[Tensor, "batch time numbers"], Read | None]:
        """The density's numbers of every offset, given those before; what the window did, time first."""
        before = functional.pad(offsets[:, :-1], (0, 0, 1, 0))
        if self.gaussians:
            if text is None:
                raise LessonError("A network with a window needs a text to read; give one, or gaussians=0.")
            seen = window_loop.run(before.transpose(0, 1), *text, self.weights())
            outputs, read = [seen.h.transpose(0, 1)], [seen.read.transpose(0, 1)]
        else:
            seen, outputs, read = None, [self.first(before)[0]], []
        if self.num_layers == 2:
            outputs.append(self.second(torch.cat([before, *outputs, *read], 2))[0])
        return self.readout(torch.cat(outputs, 2)), seen

    def step(
        self, x: Float[Tensor, "batch 3"], state: State, text: Text | None = None
    ) -> tuple[Float[Tensor, "batch numbers"], State, Window | None]:
        """One step: the density's numbers of the offset after x, the state, and the window."""
        seen, read, kappa = None, state.read, state.kappa
        if self.gaussians:
            made = window_step(x, state.h[0], state.c[0], read, kappa, *text, self.weights())
            seen, read, kappa = made.window, made.read, made.window.kappa
        else:
            made = lstm_step(x, state.h[0], state.c[0], *self.first.parameters())
        hidden, cells = [made.h], [made.c]
        if self.num_layers == 2:
            inputs = torch.cat([x, made.h, read], 1)
            made = lstm_step(inputs, state.h[1], state.c[1], *self.second.parameters())
            hidden.append(made.h)
            cells.append(made.c)
        return self.readout(torch.cat(hidden, 1)), State(tuple(hidden), tuple(cells), read, kappa), seen

    def start(self, batch: int = 1) -> State:
        """The state before the first point."""
        zeros = self.readout.weight.new_zeros
        none = tuple(zeros(batch, self.hidden_size) for _ in range(self.num_layers))
        return State(
            none, none, zeros(batch, bool(self.gaussians) * len(self.alphabet)), zeros(batch, self.gaussians)
        )

    def weights(self) -> WindowWeights:
        """The first layer's weights with those of the window; what was read is part of its state."""
        weight_ih, weight_hh, bias_ih, bias_hh = self.first.parameters()
        across = torch.cat([weight_hh, weight_ih[:, 3:]], 1)
        return WindowWeights(
            weight_ih[:, :3], across, bias_ih + bias_hh, self.window.weight, self.window.bias
        )

    def encode(self, texts: list[str]) -> Text:
        """Texts for the window. Raises LessonError for a character that this network has never read."""
        codes = torch.zeros(len(texts), max(map(len, texts)) + 1, dtype=torch.long, device="cpu")
        for row, text in enumerate(texts):
            for place, character in enumerate(text):
                if character not in self.numbers:
                    raise LessonError(f"This network has never read {character!r}; leave it out.")
                codes[row, place] = self.numbers[character] + 1
        return self.spelled(codes, torch.tensor([len(text) for text in texts], device="cpu"))

    def spelled(self, codes: Int[Tensor, "batch letters"], lengths: Int[Tensor, " batch"]) -> Text:
        """Texts as numbers of letters from 1, 0 where there is none, on the model's device."""
        weight = self.readout.weight
        codes, lengths = codes.to(weight.device), lengths.to(weight.device)
        letters = functional.one_hot(codes, len(self.alphabet) + 1)[..., 1:].to(weight.dtype)
        place = torch.arange(codes.shape[1], device=weight.device)
        return Text(letters, place <= lengths[:, None])

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside."""
        names = ("hidden_size", "num_layers", "components", "gaussians", "alphabet")
        return {name: getattr(self, name) for name in names}
