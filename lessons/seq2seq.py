"""Translation by two networks: an encoder that reads a sentence, a decoder that writes one (lessons 11, 12).

Sutskever et al. (2014) and Cho et al. (2014), with every kind of attention of lessons.attention at each of
the places of lessons.decoder. The network scaled down from Google's (Wu et al. 2016) is `gnmt`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons.arguments import Count, Share, explained
from lessons.attention import Attended, Memory
from lessons.decoder import AFTER, BOTTOM, Carry, Decoder, Writer, Written, stacked
from lessons.encoder import BOTH, Bridge, Encoder
from lessons.encoder import BOTTOM as ONLY_BOTTOM
from lessons.errors import LessonError
from lessons.recurrent import State
from lessons.tokens import BEGIN, END, Tokens, tokens

Sources = Int[Tensor, "batch source"]
Targets = Int[Tensor, "batch target"]
Lengths = Int[Tensor, " batch"] | None
LOST = "The network's scores are no numbers; train it again, with a lower learning rate."


class Read(NamedTuple):
    """A source that was read: the memory that attention looks at, and the decoder's first states."""

    memory: Memory | None
    states: tuple[State, ...]


class Reply(NamedTuple):
    """A pass over known sentences: scores (B, U, V), where it looked (None: nowhere), what was fed (B, U)."""

    logits: Float[Tensor, "batch target vocab"]
    attended: Attended | None
    fed: Targets


class Seq2Seq(nn.Module):
    """An encoder, a bridge and a decoder.

    source, target: lessons.tokens.Characters or WordPieces of the two languages, or their `config()`.
    cell: of both, a name in lessons.sequence_model.CELLS; decoder_cell: another one, or "jordan".
    hidden_size: of the decoder. encoder_size: of the encoder, for each direction; by default half of it where
        all layers read both ways, else as many.
    reading: lessons.encoder: "forward", "backward", "both", "bottom".
    bridge: lessons.encoder.Bridge: "linear", "copy", "zero".
    attention, place, feed, attention_size, longest, coverage, decay: as lessons.decoder and lessons.attention
        have them. attention=None leaves one vector between the two networks.
    num_layers: of each of the two; residual, dropout: in both.

    Raises LessonError for what does not go together, in one sentence.
    """

    @explained
    def __init__(
        self,
        source: Tokens | Mapping[str, Any],
        target: Tokens | Mapping[str, Any],
        cell: str = "lstm",
        hidden_size: Count = 128,
        num_layers: Count = 1,
        embedding_size: Count = 32,
        reading: str = BOTH,
        encoder_size: Count | None = None,
        decoder_cell: str | None = None,
        bridge: str = "linear",
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
        self.source, self.target = tokens(source), tokens(target)
        encoder_size = encoder_size or max(1, hidden_size // (2 if reading == BOTH else 1))
        self.options = {
            "cell": cell, "hidden_size": hidden_size, "num_layers": num_layers,
            "embedding_size": embedding_size, "reading": reading, "encoder_size": encoder_size,
            "decoder_cell": decoder_cell, "bridge": bridge, "attention": attention, "place": place,
            "feed": feed, "residual": residual, "dropout": dropout, "attention_size": attention_size,
            "longest": longest, "coverage": coverage, "decay": decay,
        }  # fmt: skip
        at = {"device": device, "dtype": dtype}
        self.encoder = Encoder(
            len(self.source), embedding_size, encoder_size, num_layers, cell, reading, residual, dropout, **at
        )
        self.decoder = Decoder(
            len(self.target), self.encoder.features, embedding_size, hidden_size, num_layers,
            decoder_cell or cell, attention, place, feed, residual, dropout, attention_size, longest,
            coverage, decay, **at,
        )  # fmt: skip
        parts = 2 if self.encoder.layers[0].mode == "LSTM" else 1
        sizes = (self.encoder.features, parts, hidden_size, num_layers)
        self.bridge = Bridge(*sizes, self.decoder.states, bridge, **at)

    def read(self, source: Sources, lengths: Lengths = None) -> Read:
        """Read a batch of sources. Raises LessonError for lengths that do not fit."""
        values, summary = self.encoder(source, lengths)
        return Read(self.decoder.remember(values, lengths), self.bridge(summary))

    def writer(self, read: Read) -> tuple[Writer, Carry]:
        """The decoder at work on what was read, step by step, and what the first step begins with."""
        writer = Writer(self.decoder, read.memory)
        return writer, writer.start(read.states)

    def forward(
        self,
        source: Sources,
        lengths: Lengths,
        target: Targets,
        ratio: Share = 1.0,
        own: str = "sample",
        loop: bool = False,
    ) -> Reply:
        """The scores of known translations, `target` (with END, padded).

        ratio: the chance, at each step of each sentence, that the decoder is fed with the truth; else with
            what it would have written itself, drawn ("sample") or its likeliest ("best"): scheduled sampling
            (Bengio et al. 2015, section 2.4). With 1, teacher forcing (Williams and Zipser 1989), one pass if
            the decoder is fused. No gradient goes through what was drawn.
        loop: step by step even where one pass would do.
        """
        if not 0 <= ratio <= 1:
            raise LessonError(f"ratio is a chance, from 0 to 1; {ratio} is not.")
        if own not in ("sample", "best"):
            raise LessonError(f'own is "sample" or "best"; {own!r} is neither.')
        read = self.read(source, lengths)
        fed = torch.cat([torch.full_like(target[:, :1], BEGIN), target[:, :-1]], 1)
        if ratio == 1 and self.decoder.fused and not loop:
            written = self.decoder(fed, read.states, read.memory)
            return Reply(*written, fed)
        return self._stepwise(read, fed, float(ratio), own)

    def _stepwise(self, read: Read, truth: Targets, ratio: float, own: str) -> Reply:
        """The same in a loop, which mixes the truth with the decoder's own symbols."""
        writer, carry = self.writer(read)
        told = torch.rand(truth.shape, device=truth.device) < ratio
        rows: list[Written] = []
        fed: list[Tensor] = []
        for step, known in enumerate(truth.unbind(1)):
            if step and ratio < 1:
                known = torch.where(told[:, step], known, choice(rows[-1].logits.detach(), own))
            fed.append(known)
            written, carry = writer.step(known, carry)
            rows.append(written)
        return Reply(*stacked(rows), torch.stack(fed, 1))

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `Seq2Seq(**model.config())`."""
        return {"source": self.source.config(), "target": self.target.config(), **self.options}

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self.decoder.readout.weight.device

    def extra_repr(self) -> str:
        """What it reads and writes."""
        return f"{len(self.source)} symbols -> {len(self.target)} symbols"


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode for a while; afterwards it is as before, whatever happened."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def choice(logits: Float[Tensor, "batch vocab"], own: str) -> Int[Tensor, " batch"]:
    """A symbol for each sequence: the likeliest ("best"), or one drawn from torch's generator ("sample").

    Of scores that are no numbers any symbol is drawn: the loss says to `fit` that the training went astray.
    """
    if own == "best" or logits.is_meta:
        return likeliest(logits)
    chances = logits[..., END:].float().softmax(-1)
    return torch.multinomial(torch.where(chances.isnan(), 1.0, chances), 1)[:, 0] + END


def likeliest(logits: Float[Tensor, "*steps vocab"]) -> Int[Tensor, "*steps"]:
    """The highest symbol that can be written: END and all behind it, never PAD or BEGIN."""
    return logits[..., END:].argmax(-1) + END


@explained
def gnmt(
    source: Tokens | Mapping[str, Any],
    target: Tokens | Mapping[str, Any],
    hidden_size: Count = 128,
    num_layers: Count = 4,
    embedding_size: Count | None = None,
    dropout: Share = 0.2,
    feed: bool = False,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Seq2Seq:
    """Google's translation network (Wu et al. 2016, section 3) at any size; theirs: 8 layers of 1024.

    LSTMs, only the lowest encoder layer in both directions, residual connections, attention by a small
    network that the lowest decoder layer asks, its context given to all layers above it and to the readout.
    feed: the lowest layer reads the context too, one step later; then it is trained in a loop.
    """
    return Seq2Seq(
        source, target, "lstm", hidden_size, num_layers, embedding_size or hidden_size, ONLY_BOTTOM,
        attention="additive", place=BOTTOM, feed=feed, residual=True, dropout=dropout, device=device,
        dtype=dtype,
    )  # fmt: skip
