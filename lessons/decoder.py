"""The decoder of a translation network: recurrent layers that may look at the source while they write.

Where attention stands decides how fast it can be trained. `Decoder.forward` runs all steps at once when no
step needs what the one before it saw; `Writer` goes step by step, in training, in decoding and for traces.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from lessons import loop
from lessons.arguments import Count, Share, explained
from lessons.attention import KINDS, Attended, Attention, Memory
from lessons.encoder import layer
from lessons.errors import LessonError
from lessons.jordan import Jordan
from lessons.loop import Cell
from lessons.recurrent import State, weights
from lessons.sequence_model import CELLS
from lessons.tracing import NAMES

BEFORE, AFTER, BOTTOM = "before", "after", "bottom"
PLACES = (BEFORE, AFTER, BOTTOM)
JORDAN = "jordan"
See = Callable[[str, Tensor, int | None], Tensor]


@dataclass(frozen=True, eq=False)
class Carry:
    """What goes from step to step: each layer's state, what is fed back, how much was looked at so far."""

    states: tuple[State, ...]
    fed_back: Float[Tensor, "batch width"]
    covered: Float[Tensor, "batch source"]

    def rows(self, chosen: Int[Tensor, " rows"]) -> "Carry":
        """Some sequences of the batch, in that order; one may be named several times."""
        states = tuple(tuple(part[chosen] for part in state) for state in self.states)
        return Carry(states, self.fed_back[chosen], self.covered[chosen])


class Written(NamedTuple):
    """A pass of the decoder: scores of every symbol at every step, and where was looked (None: nowhere)."""

    logits: Float[Tensor, "batch *target vocab"]
    attended: Attended | None


def unseen(name: str, value: Tensor, layer: int | None = None) -> Tensor:
    """The observer that neither keeps nor changes anything."""
    return value


class Decoder(nn.Module):
    """An embedding, recurrent layers, attention at one place among them, and a readout of all symbols.

    cell: a name of lessons.sequence_model.CELLS, or "jordan" (lessons.jordan).
    attention: a kind of lessons.attention, or None: then only the first state knows the source.
    place: where attention stands.
        "before": the state of the step before asks, and the context is read with the next symbol
            (Bahdanau et al. 2015, section 3.1). A loop.
        "after": the new state asks; tanh(W [context; state]) is read out (Luong et al. 2015, section 3).
        "bottom": the lowest layer's new state asks, and the context goes to all layers above and to the
            readout, as in GNMT (Wu et al. 2016, section 3).
    feed: what "after" read out, or the context of "bottom", is also read with the next symbol (Luong's
        input feeding, section 3.3). A loop.
    residual: a layer's output is added to that of the layer below, from the second on.

    `fused` says whether a whole known sentence is one pass. Raises LessonError for names that are none.
    """

    @explained
    def __init__(
        self,
        symbols: Count,
        features: Count,
        embedding_size: Count,
        hidden_size: Count,
        num_layers: Count = 1,
        cell: str = "lstm",
        attention: str | None = "general",
        place: str = AFTER,
        feed: bool = False,
        residual: bool = False,
        dropout: Share = 0.0,
        attention_size: Count | None = None,
        longest: Count = 100,
        coverage: bool = False,
        decay: Share = 0.5,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if cell not in CELLS and cell != JORDAN:
            raise LessonError(f"The decoder's cell is one of {', '.join([*CELLS, JORDAN])}; {cell!r} is not.")
        if place not in PLACES:
            raise LessonError(f"Attention stands {', '.join(PLACES)}; {place!r} is none of these.")
        if attention is None and (feed or coverage):
            raise LessonError("Without attention there is no context to feed back and nothing to cover.")
        if attention is not None and attention not in KINDS:
            raise LessonError(
                f"The kind of attention is one of {', '.join(KINDS)}, or None; {attention!r} is not."
            )
        self.place, self.residual, self.dropout = place, residual, float(dropout)
        device = {"device": device, "dtype": dtype}
        self.embedding = nn.Embedding(symbols, embedding_size, **device)
        context = 0 if attention is None else features
        fed = hidden_size if place == AFTER else context
        self.width = context if place == BEFORE else fed * feed
        inputs = [embedding_size + self.width]
        inputs += [hidden_size + (context if place == BOTTOM else 0)] * (num_layers - 1)
        make = partial(Jordan, decay=decay) if cell == JORDAN else partial(layer, cell)
        self.layers = nn.ModuleList(make(size, hidden_size, **device) for size in inputs)
        self.attention = None
        if attention is not None:
            self.attention = Attention(
                attention, hidden_size, features, attention_size, longest, coverage, **device
            )
        merged = hidden_size if place == AFTER else hidden_size + context
        if attention is not None and place == AFTER:
            self.merge = nn.Linear(hidden_size + context, hidden_size, bias=False, **device)
        self.readout = nn.Linear(merged, symbols, **device)

    @property
    def fused(self) -> bool:
        """Whether no step needs what the one before it looked at, so that a known sentence is one pass."""
        return not self.width and not (self.attention and self.attention.coverage)

    @property
    def states(self) -> tuple[str, ...]:
        """The names of a state's parts, h first."""
        return cell_of(self.layers[0]).states

    @property
    def names(self) -> tuple[str, ...]:
        """What a step computes in each layer, in that order."""
        mode = self.layers[0].mode.partition("_")[0].lower()
        return ("a", "h") if mode == JORDAN else NAMES[mode]

    def remember(
        self, values: Float[Tensor, "batch source features"], lengths: Int[Tensor, " batch"] | None
    ) -> Memory | None:
        """What attention makes of the encoder's outputs before the first step."""
        return self.attention.remember(values, lengths) if self.attention else None

    def forward(
        self, fed: Int[Tensor, "batch target"], states: tuple[State, ...], memory: Memory | None
    ) -> Written:
        """All steps of known sentences at once. Raises LessonError where a step must wait for another."""
        if not self.fused:
            raise LessonError("This decoder feeds back what it saw, so it goes step by step: use its Writer.")
        x, attended = self.dropped(self.embedding(fed)), None
        last = len(self.layers) - 1
        for index, (one, state) in enumerate(zip(self.layers, states, strict=True)):
            read = x if index == 0 else self.dropped(self.with_context(x, attended))
            output, _ = one(read, _layered(state))
            x = x + output if self.residual and index else output
            if self.attention and index == (0 if self.place == BOTTOM else last):
                attended = self.attention(x, memory)
        return Written(self.readout(self.merged(x, attended)), attended)

    def dropped(self, x: Tensor) -> Tensor:
        """Dropout, in training."""
        return functional.dropout(x, self.dropout, self.training)

    def with_context(self, x: Tensor, attended: Attended | None) -> Tensor:
        """What a layer above the lowest reads."""
        return x if self.place != BOTTOM or attended is None else torch.cat([x, attended.context], -1)

    def merged(self, x: Tensor, attended: Attended | None) -> Tensor:
        """What is read out: the top state, and the context."""
        if attended is None:
            return x
        both = torch.cat([x, attended.context], -1)
        return torch.tanh(self.merge(both)) if self.place == AFTER else both


class Writer:
    """A decoder at work on a batch, one step at a time; it holds the memory and each layer's cell."""

    def __init__(self, decoder: Decoder, memory: Memory | None, see: See = unseen) -> None:
        self.decoder, self.memory, self.see = decoder, memory, see
        self.cells = [cell_of(one) for one in decoder.layers]

    def rows(self, chosen: Int[Tensor, " rows"]) -> "Writer":
        """The same for some sequences of the batch, in that order."""
        memory = self.memory and self.memory.rows(chosen)
        return Writer(self.decoder, memory, self.see)

    def start(self, states: tuple[State, ...]) -> Carry:
        """What the first step begins with: nothing fed back, nothing looked at."""
        h = states[0][0]
        source = self.memory.real.shape[1] if self.memory else 0
        return Carry(states, h.new_zeros(len(h), self.decoder.width), h.new_zeros(len(h), source))

    def step(self, tokens: Int[Tensor, " batch"], carry: Carry) -> tuple[Written, Carry]:
        """Read one symbol a sequence; the scores of the next one, and what goes on to it."""
        decoder, attended, fed_back = self.decoder, None, carry.fed_back
        last = len(self.cells) - 1
        if decoder.attention and decoder.place == BEFORE:
            attended = self.look(carry.states[last][0], carry)
            fed_back = attended.context
        x, states = decoder.dropped(decoder.embedding(tokens)), []
        for index, (cell, state) in enumerate(zip(self.cells, carry.states, strict=True)):
            if index:
                read = decoder.dropped(decoder.with_context(x, attended))
            else:
                read = torch.cat([x, fed_back], -1) if decoder.width else x
            state = cell.step(cell.hoist(read[None])[0], state, partial(self._seen, index))
            states.append(state)
            x = x + state[0] if decoder.residual and index else state[0]
            at = {AFTER: last, BOTTOM: 0}.get(decoder.place)
            if decoder.attention and index == at:
                attended = self.look(x, carry)
        merged = decoder.merged(x, attended)
        if decoder.width:
            fed_back = merged if decoder.place == AFTER else attended.context
        covered = carry.covered if attended is None else carry.covered + attended.weights
        return Written(decoder.readout(merged), attended), Carry(tuple(states), fed_back, covered)

    def look(self, query: Float[Tensor, "batch hidden"], carry: Carry) -> Attended:
        """Attend to the memory, shown to the observer."""
        return self.decoder.attention(
            query, self.memory, carry.covered, lambda name, v: self.see(name, v, None)
        )

    def _seen(self, index: int, name: str, value: Tensor) -> Tensor:
        return self.see(name, value, index)


def cell_of(one: nn.Module) -> Cell:
    """The cell of a layer, for steps that have to wait."""
    return one.cell(0, 0) if one.looped else loop.CELLS[one.mode](*weights(one, 0, 0))


def _layered(state: State) -> Tensor | State:
    """A layer's state as torch's layers take it, (1, B, H)."""
    parts = tuple(part[None] for part in state)
    return parts if len(parts) > 1 else parts[0]


def stacked(rows: list[Written]) -> Written:
    """Steps one after the other as a pass."""
    logits = torch.stack([row.logits for row in rows], 1)
    if rows[0].attended is None:
        return Written(logits, None)
    parts = zip(*(row.attended for row in rows), strict=True)
    return Written(logits, Attended(*(torch.stack(part, 1) for part in parts)))
