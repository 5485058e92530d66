"""Writing translations symbol by symbol, a batch at once: the likeliest each time, or a roll of the die."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from lessons.arguments import Count, Seed, explained
from lessons.errors import LessonError
from lessons.sampling import Heat, Number, distribution
from lessons.seq2seq import Seq2Seq, Sources, evaluating, likeliest
from lessons.tokens import BEGIN, END, PAD

AT_ONCE = 500  # sentences in one batch


def room(source: Sources) -> int:
    """How many symbols a translation may have if nobody says: twice the source and some."""
    return 2 * source.shape[1] + 20


@explained
@torch.no_grad()
def decode(
    model: Seq2Seq,
    source: Int[Tensor, "batch source"],
    lengths: Int[Tensor, " batch"] | None = None,
    longest: Count | None = None,
    temperature: Heat = 0.0,
    top_k: int | None = None,
    top_p: Number | None = None,
    seed: Seed = 0,
) -> Int[Tensor, "batch target"]:
    """Translations as numbers, END included, PAD after it. One without END was cut at `longest` symbols.

    temperature 0 takes the likeliest symbol at each step; above, symbols are drawn from
    lessons.sampling.distribution with the other settings.
    """
    read = model.read(source, lengths)
    writer, carry = model.writer(read)
    batch = len(source)
    tokens = torch.full((batch,), BEGIN, dtype=torch.long, device=source.device)
    ended = torch.zeros(batch, dtype=torch.bool, device=source.device)
    dice = Generator(device="cpu").manual_seed(seed)
    written = []
    for _ in range(longest or room(source)):
        step, carry = writer.step(tokens, carry)
        if temperature == 0 or source.is_meta:
            tokens = likeliest(step.logits)
        else:
            chances = distribution(step.logits[..., END:].float(), temperature, top_k, top_p).cpu()
            tokens = torch.multinomial(chances, 1, generator=dice)[:, 0].to(source.device) + END
        tokens = tokens.masked_fill(ended, PAD)
        written.append(tokens)
        ended = ended | (tokens == END)
        if not source.is_meta and bool(ended.all()):
            break
    return torch.stack(written, 1)


@explained
@torch.no_grad()
def translate(
    model: Seq2Seq,
    sentences: str | Sequence[str],
    longest: Count | None = None,
    temperature: Heat = 0.0,
    top_k: int | None = None,
    top_p: Number | None = None,
    seed: Seed = 0,
) -> str | list[str]:
    """The translation of a sentence, or of several, the model in evaluation mode meanwhile.

    Raises LessonError for empty sentences and for characters that the model has never seen.
    """
    if not sentences:
        raise LessonError("Give a sentence to translate, or a list of them.")
    single = isinstance(sentences, str)
    texts = [sentences] if single else list(sentences)
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # alike lengths together: less padding
    found: list[str] = [""] * len(texts)
    for start in range(0, len(order), AT_ONCE):
        rows = order[start : start + AT_ONCE]
        source, lengths = model.source.batch([texts[row] for row in rows], device=model.device)
        with evaluating(model):
            ids = decode(model, source, lengths, longest, temperature, top_k, top_p, seed)
        for row, numbers in zip(rows, ids.tolist(), strict=True):
            found[row] = model.target.decode(numbers)
    return found[0] if single else found
