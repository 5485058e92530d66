"""All that a translation network did with a sentence, step by step: a record to draw, and a way to meddle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons.arguments import Count, explained
from lessons.decoder import Writer, stacked
from lessons.decoding import room
from lessons.edits import Edit, Value, planned
from lessons.errors import LessonError
from lessons.seq2seq import Read, Seq2Seq, evaluating, likeliest
from lessons.tokens import BEGIN, END, PAD, Tokens

LOOKS = ("energies", "weights", "context")
Edits = Mapping[str, Value] | Edit | Sequence[Edit] | None


@dataclass(frozen=True, eq=False, repr=False)
class AttentionTrace:
    """What a network did with a batch of sentences: S source positions, U steps of the decoder.

    source_labels, fed_labels, written_labels: symbols, of each sentence its own number; `fed` (B, U) was read
    at each step, `written` is what stood highest afterwards. With a known translation `fed` is that one.
    energies, weights (B, U, S) and contexts (B, U, F): None without attention. Energies are -inf on padding.
    encoder: each layer's output (B, S, ·). decoder: each layer's gates and states by name, (B, U, H).
    initial: each decoder layer's first state by name, (B, H). memory: the top of the encoder, (B, S, F).
    logits: (B, U, V).
    """

    source_labels: tuple[tuple[str, ...], ...]
    fed_labels: tuple[tuple[str, ...], ...]
    written_labels: tuple[tuple[str, ...], ...]
    fed: Int[Tensor, "batch target"]
    written: Int[Tensor, "batch target"]
    energies: Float[Tensor, "batch target source"] | None
    weights: Float[Tensor, "batch target source"] | None
    contexts: Float[Tensor, "batch target features"] | None
    encoder: tuple[Tensor, ...]
    decoder: tuple[Mapping[str, Tensor], ...]
    initial: tuple[Mapping[str, Tensor], ...]
    memory: Float[Tensor, "batch source features"]
    logits: Float[Tensor, "batch target vocab"]
    vocabulary: tuple[str, ...]
    texts: tuple[str, ...]

    def __repr__(self) -> str:
        shape = f"{self.batch_size} x {self.steps} steps, {len(self.source_labels[0])} source positions"
        return f"AttentionTrace({shape}: {' '.join(self.names)})"

    def __getitem__(self, key: str | tuple[str, int]) -> Float[Tensor, "batch target hidden"]:
        """trace["f"], or trace["f", layer]: a gate or a state of the decoder, by default of the top layer."""
        name, layer = key if isinstance(key, tuple) else (key, -1)
        if name not in self.names:
            raise LessonError(f"This decoder has no {name!r}; it has {', '.join(self.names)}.")
        if not -len(self.decoder) <= layer < len(self.decoder):
            raise LessonError(
                f"There is no layer {layer}; there are {len(self.decoder)}, from 0 (the lowest)."
            )
        return self.decoder[layer][name]

    @property
    def names(self) -> tuple[str, ...]:
        """The decoder's gates and states, in the order in which they are computed."""
        return tuple(self.decoder[-1])

    @property
    def probabilities(self) -> Float[Tensor, "batch target vocab"]:
        """Of every symbol at every step."""
        return self.logits.softmax(-1)

    @property
    def batch_size(self) -> int:
        """How many sentences."""
        return len(self.written)

    @property
    def steps(self) -> int:
        """Steps of the longest sentence."""
        return self.written.shape[1]

    @explained
    def select(self, sentence: int) -> "AttentionTrace":
        """One sentence (B = 1), cut to its own lengths on both sides."""
        if not -self.batch_size <= sentence < self.batch_size:
            raise LessonError(f"There is no sentence {sentence}; the trace has {self.batch_size}, from 0.")
        row = sentence % self.batch_size
        source, target = len(self.source_labels[row]), len(self.written_labels[row])

        def cut(part: Tensor | None, *ends: int) -> Tensor | None:
            return None if part is None else part[(slice(row, row + 1), *(slice(end) for end in ends))]

        def named(layer: Mapping[str, Tensor], *ends: int) -> dict[str, Tensor]:
            return {name: part[(slice(row, row + 1), *map(slice, ends))] for name, part in layer.items()}

        return replace(
            self,
            source_labels=(self.source_labels[row],),
            fed_labels=(self.fed_labels[row],),
            written_labels=(self.written_labels[row],),
            texts=(self.texts[row],),
            **{name: cut(getattr(self, name), target) for name in ("fed", "written", "contexts", "logits")},
            **{name: cut(getattr(self, name), target, source) for name in ("energies", "weights")},
            encoder=tuple(part[row : row + 1, :source] for part in self.encoder),
            memory=self.memory[row : row + 1, :source],
            decoder=tuple(named(layer, target) for layer in self.decoder),
            initial=tuple(named(layer) for layer in self.initial),
        )

    @explained
    def numpy(self, name: str, sentence: int = 0, layer: int = -1) -> numpy.ndarray:
        """energies, weights (U, S), contexts (U, F), logits, probabilities (U, V), memory (S, F), a gate.

        Of one sentence, float32, cut to its own lengths. Raises LessonError for what this network has not.
        """
        one = self.select(sentence)
        own = ("energies", "weights", "contexts", "logits", "probabilities", "memory")
        found = getattr(one, name) if name in own else one[name, layer]
        if found is None:
            raise LessonError(f"This network has no attention, so it has no {name}.")
        return found[0].to("cpu", torch.float32).numpy()


class Recorder:
    """The observer of a Writer: applies edits, and keeps all gates and states."""

    def __init__(self, edits: tuple[Edit, ...], layers: int) -> None:
        self.edits, self.step = edits, 0
        self.rows: tuple[dict[str, list[Tensor]], ...] = tuple({} for _ in range(layers))

    def __call__(self, name: str, value: Tensor, layer: int | None) -> Tensor:
        for edit in self.edits:
            if edit.name == name and (layer is None or edit.concerns(layer, 0, len(self.rows))):
                value = edit.apply(value, self.step)
        if layer is not None:
            self.rows[layer].setdefault(name, []).append(value)
        return value

    def named(self) -> tuple[dict[str, Tensor], ...]:
        """Everything seen, (B, U, H), by layer and name."""
        return tuple({name: torch.stack(row, 1) for name, row in layer.items()} for layer in self.rows)


@explained
@torch.no_grad()
def look(
    model: Seq2Seq,
    source: str | Sequence[str],
    target: str | Sequence[str] | None = None,
    edit: Edits = None,
    longest: Count | None = None,
) -> AttentionTrace:
    """Translate, and record everything. The model is in evaluation mode meanwhile.

    target: known translations that the decoder is fed with (teacher forcing); None lets it read its own.
    edit: as for `lessons.trace`, {"weights": ...} or [Edit("energies", value, units=[3], steps=[5])]. Of the
        attention "energies" (before the softmax: -1e9 shuts a position out, the others share its weight),
        "weights" (afterwards: the others stay as they are) and "context"; units are source positions, of the
        context its features. Or any gate or state of the decoder. Steps are those of the decoder.

    Raises LessonError for sentences and edits that do not fit.
    """
    sources, targets = ([one] if isinstance(one, str) else one for one in (source, target))
    if targets is not None and len(targets) != len(sources):
        raise LessonError(f"{len(sources)} sentences need as many translations; there are {len(targets)}.")
    ids, lengths = model.source.batch(sources, device=model.device)
    truth = None if targets is None else fed_with(model, targets)
    steps = longest or room(ids) if truth is None else truth.shape[1]
    recorder = Recorder(checked(model, edit, steps, ids.shape[1]), len(model.decoder.layers))
    outputs: list[Tensor] = []
    with evaluating(model):
        values, summary = model.encoder(ids, lengths, lambda _, output: outputs.append(output))
        read = Read(model.decoder.remember(values, lengths), model.bridge(summary))
        writer = Writer(model.decoder, read.memory, recorder)
        rows, fed, written = run(writer, read, recorder, truth, steps)
    logits, attended = stacked(rows)
    if not logits.is_meta and bool(logits.isnan().any()):
        raise LessonError(
            "The network's scores are no numbers; put numbers into the edit, or train it again with a lower "
            "learning rate."
        )
    energies, weights, contexts = attended or (None, None, None)
    ends = lengths_of(model, written, targets)
    return AttentionTrace(
        source_labels=labelled(ids, lengths.tolist(), model.source),
        fed_labels=labelled(fed, ends, model.target),
        written_labels=labelled(written, ends, model.target),
        fed=fed,
        written=written,
        energies=energies,
        weights=weights,
        contexts=contexts,
        encoder=tuple(outputs),
        decoder=recorder.named(),
        initial=tuple(dict(zip(model.decoder.states, state, strict=True)) for state in read.states),
        memory=values,
        logits=logits,
        vocabulary=model.target.symbols,
        texts=tuple(model.target.decode(row) for row in written.tolist()),
    )


def fed_with(model: Seq2Seq, targets: Sequence[str]) -> Int[Tensor, "batch target"]:
    """What is read when the translation is known: BEGIN, then the translation without END."""
    known, _ = model.target.batch(targets, end=True, device=model.device)
    return torch.cat(
        [torch.full_like(known[:, :1], BEGIN), known[:, :-1].masked_fill(known[:, :-1] == END, PAD)], 1
    )


def checked(model: Seq2Seq, edit: Edits, steps: int, source: int) -> tuple[Edit, ...]:
    """The edits, each checked against what there is."""
    parts = LOOKS if model.decoder.attention else ()
    wide = {"energies": source, "weights": source, "context": model.encoder.features}
    hidden = model.decoder.layers[0].hidden_size
    most = max(hidden, *wide.values())
    chosen = planned(
        edit,
        (*parts, *model.decoder.names),
        {"units": most, "steps": steps, "layers": len(model.decoder.layers), "directions": 1},
    )
    for one in chosen:
        limit = wide.get(one.name, hidden)
        outside = [unit for unit in one.units or () if unit >= limit]
        if outside:
            raise LessonError(
                f"The edit of {one.name!r} names units {outside}; there are {limit}, counted from 0."
            )
    return chosen


def run(
    writer: Writer, read: Read, recorder: Recorder, truth: Tensor | None, steps: int
) -> tuple[list, Tensor, Tensor]:
    """All steps: what was written with where was looked, what was fed, what stood highest."""
    carry = writer.start(read.states)
    batch, place = len(read.states[0][0]), read.states[0][0].device
    tokens = torch.full((batch,), BEGIN, dtype=torch.long, device=place)
    ended = torch.zeros(batch, dtype=torch.bool, device=place)
    rows, fed, written = [], [], []
    for step in range(steps):
        recorder.step = step
        if truth is not None:
            tokens = truth[:, step]
        row, carry = writer.step(tokens, carry)
        rows.append(row)
        fed.append(tokens)
        tokens = likeliest(row.logits)
        written.append(tokens)
        ended = ended | (tokens == END)
        if truth is None and bool(ended.all()):
            break
    return rows, torch.stack(fed, 1), torch.stack(written, 1)


def lengths_of(model: Seq2Seq, written: Tensor, targets: Sequence[str] | None) -> list[int]:
    """How many steps of each sentence count: those of the known translation, or up to the first END."""
    if targets is not None:
        return [len(model.target.encode(text)) + 1 for text in targets]
    return [row.index(END) + 1 if END in row else len(row) for row in written.tolist()]


def labelled(ids: Tensor, ends: Sequence[int], tokens: Tokens) -> tuple[tuple[str, ...], ...]:
    """Each row's symbols, as many as it has of its own."""
    return tuple(tokens.labels(row[:end]) for row, end in zip(ids.tolist(), ends, strict=True))
