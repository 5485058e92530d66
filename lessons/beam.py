"""Beam search: the best few translations at once, judged as Google's network judged them.

    s(Y, X) = log P(Y | X) / lp(Y) + cp(X; Y)                              Wu et al. (2016), equation 14
    lp(Y) = (5 + |Y|)^alpha / (5 + 1)^alpha
    cp(X; Y) = beta sum_i log min(sum_j p_ij, 1)         p_ij: weight of source position i at step j

|Y| counts END. Without penalties (both 0) the score is the log-probability, and short translations win.
The coverage penalty was made for word pieces: attention over characters skips many with good reason, and a
beta of 0.2 then prefers translations that go on until every letter has been looked at.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.arguments import Count, explained
from lessons.decoding import room
from lessons.errors import LessonError
from lessons.presets import Number
from lessons.seq2seq import LOST, Seq2Seq, evaluating
from lessons.tokens import BEGIN, END, PAD

Scores = Float[Tensor, "batch width"]


class Hypothesis(NamedTuple):
    """A translation and what it is worth; score = log_probability / length_penalty + coverage_penalty.

    `ended` is False for one that was cut at the longest length allowed; it comes after all that ended.
    """

    text: str
    tokens: tuple[int, ...]
    log_probability: float
    length_penalty: float
    coverage_penalty: float
    ended: bool = True

    @property
    def score(self) -> float:
        """By which hypotheses are ranked."""
        return self.log_probability / self.length_penalty + self.coverage_penalty


class Kept(NamedTuple):
    """One step of the search for the first sentence, for a picture of it.

    parents: which of the hypotheses before each kept one goes on from. symbols: what it adds.
    log_probabilities: of the whole so far.
    """

    parents: tuple[int, ...]
    symbols: tuple[str, ...]
    log_probabilities: tuple[float, ...]


@dataclass
class Search:
    """What `beam_search` found: for each sentence its hypotheses, best first, and the first one's steps."""

    hypotheses: list[list[Hypothesis]]
    steps: list[Kept] = field(default_factory=list)

    @property
    def best(self) -> list[str]:
        """The best translation of each sentence."""
        return [found[0].text for found in self.hypotheses]


def length_penalty(length: Float[Tensor, "*axes"] | Number, alpha: Number) -> Float[Tensor, "*axes"] | float:
    """lp of a number of symbols."""
    return ((5 + length) / 6) ** alpha


def coverage_penalty(
    covered: Float[Tensor, "*axes source"], real: Tensor, beta: Number
) -> Float[Tensor, "*axes"]:
    """cp of what was looked at in all, position by position; padding does not count.

    A position that was never looked at counts as one billionth, so that the penalty stays a number.
    """
    logs = covered.clamp(1e-9, 1.0).log().masked_fill(~real, 0.0)
    return beta * logs.sum(-1)


@explained
@torch.no_grad()
def beam_search(
    model: Seq2Seq,
    sentences: str | list[str],
    width: Count = 4,
    alpha: Number = 0.0,
    beta: Number = 0.0,
    longest: Count | None = None,
    keep: Count | None = None,
) -> Search:
    """Translate by beam search, all sentences at once.

    At each step every hypothesis may end, and the `width` likeliest that go on are kept. The search stops
    when no unfinished hypothesis of any sentence can reach the worst of the best `keep` (as many as width)
    any more, so stopping early changes nothing.

    Raises LessonError for sentences the model cannot read, penalties below 0, and a coverage penalty without
    attention.
    """
    if min(alpha, beta) < 0:
        raise LessonError("The penalties' alpha and beta are not below 0.")
    if beta and not model.decoder.attention:
        raise LessonError("Without attention nothing is covered, so beta is 0.")
    texts = [sentences] if isinstance(sentences, str) else sentences
    source, lengths = model.source.batch(texts, device=model.device)
    limit = longest or room(source)
    with evaluating(model):
        beam = _Beam(model, source, lengths, width, alpha, beta, keep or width)
        for step in range(1, limit + 1):
            beam.advance(step, limit)
            if beam.settled(limit):
                break
    return Search(beam.done, beam.history)


class _Beam:
    """The search under way: width hypotheses that go on for each of B sentences, and those that ended."""

    def __init__(
        self,
        model: Seq2Seq,
        source: Tensor,
        lengths: Tensor,
        width: int,
        alpha: Number,
        beta: Number,
        keep: int,
    ) -> None:
        self.model, self.width, self.alpha, self.beta, self.keep = model, width, alpha, beta, keep
        self.batch = len(source)
        read = model.read(source, lengths)
        writer, carry = model.writer(read)
        copies = torch.arange(self.batch, device=source.device).repeat_interleave(width)
        self.writer, self.carry = writer.rows(copies), carry.rows(copies)
        self.first = torch.arange(self.batch, device=source.device)[:, None] * width
        h = read.states[0][0]
        self.scores = h.new_full((self.batch, width), -torch.inf)
        self.scores[:, 0] = 0  # all copies are the same at first: only one may go on
        self.tokens = torch.full((self.batch, width, 1), BEGIN, dtype=torch.long, device=source.device)
        self.done: list[list[Hypothesis]] = [[] for _ in range(self.batch)]
        self.history: list[Kept] = []

    def advance(self, step: int, limit: int) -> None:
        """One step: some end, and the likeliest of the others go on."""
        written, carry = self.writer.step(self.tokens[:, :, -1].flatten(), self.carry)
        if not written.logits.is_meta and bool(written.logits.isnan().any()):
            raise LessonError(LOST)
        chances = written.logits.log_softmax(-1).unflatten(0, (self.batch, self.width))
        total = self.scores[..., None] + chances
        self.collect(total[..., END], carry.covered, step, True)
        total[..., [PAD, BEGIN, END]] = -torch.inf
        symbols = total.shape[-1]
        self.scores, best = total.flatten(1).topk(min(self.width, self.width * symbols), 1)
        parents, tokens = best // symbols, best % symbols
        self.carry = carry.rows((self.first + parents).flatten())
        history = self.tokens.gather(1, parents[..., None].expand(-1, -1, self.tokens.shape[-1]))
        self.tokens = torch.cat([history, tokens[..., None]], -1)
        names = tuple(self.model.target.symbols[k] for k in tokens[0].tolist())
        self.history.append(Kept(tuple(parents[0].tolist()), names, tuple(self.scores[0].tolist())))
        if step == limit:
            self.collect(self.scores, self.carry.covered, step, False)

    def collect(self, scores: Scores, covered: Tensor, length: int, ended: bool) -> None:
        """Note hypotheses as they are now, and of each sentence keep the best."""
        lp = float(length_penalty(length, self.alpha))
        cp = torch.zeros_like(scores)
        if self.beta:
            cp = coverage_penalty(covered, self.writer.memory.real, self.beta).unflatten(0, scores.shape)
        for row, (values, penalties) in enumerate(zip(scores.tolist(), cp.tolist(), strict=True)):
            for place, (value, penalty) in enumerate(zip(values, penalties, strict=True)):
                if value == -torch.inf or (
                    self.full(row) and value / lp + penalty <= self.done[row][-1].score and ended
                ):
                    continue
                tokens = tuple(self.tokens[row, place, 1:].tolist()) + (END,) * ended
                text = self.model.target.decode(tokens)
                self.done[row].append(Hypothesis(text, tokens, value, lp, penalty, ended))
            self.done[row].sort(key=lambda one: (not one.ended, -one.score))
            del self.done[row][self.keep :]

    def full(self, row: int) -> bool:
        """Whether a sentence has as many ended hypotheses as are wanted."""
        return len(self.done[row]) == self.keep and self.done[row][-1].ended

    def settled(self, limit: int) -> bool:
        """Whether nothing that goes on can still get among the best, whatever it adds."""
        most = self.scores.amax(1) / length_penalty(limit, self.alpha)
        return all(
            self.full(row) and value <= self.done[row][-1].score for row, value in enumerate(most.tolist())
        )
