"""A character n-gram: what a recurrent network has to beat before anybody should be impressed.

Interpolated Kneser-Ney smoothing with three discounts ("modified Kneser-Ney", Chen and Goodman 1999, "An
empirical study of smoothing techniques for language modeling", section 3). A character's probability after a
context is what its count leaves after a discount, plus the discounted mass spread as the next shorter context
would have it:

    p(w | h) = (c(h w) - D(c(h w))) / c(h)  +  gamma(h) p(w | h without its first character)

Below the highest order a count is the number of different characters seen before h w; the lowest order falls
back on equal chances. Held-out Shakespeare takes 2.08 bits a character at order 5 (Witten-Bell: 2.14).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary

Codes = Int[np.ndarray, " grams"]  # an n-gram is one whole number: its characters as digits in base V


@dataclass(frozen=True)
class _Level:
    """All k-grams of one length k: their counts, and per context the total and the mass for shorter ones."""

    grams: Codes
    counts: Codes
    discount: Float[np.ndarray, " four"]
    contexts: Int[np.ndarray, " contexts"]
    totals: Int[np.ndarray, " contexts"]
    left_over: Float[np.ndarray, " contexts"]

    def kept(self, counts: np.ndarray) -> np.ndarray:
        """Counts after their discount."""
        return counts - self.discount[np.minimum(counts, 3)]


class NGram:
    """A model of the next character given the `order` - 1 before it; `order` 5 is the usual baseline."""

    def __init__(self, order: int = 5) -> None:
        if order < 1:
            raise LessonError(f"An n-gram has order 1 or more, not {order}.")
        self.order = order
        self.vocabulary: Vocabulary | None = None

    def __repr__(self) -> str:
        size = f"{len(self._levels[-1].grams):,} different" if self.vocabulary else "not fitted yet"
        return f"NGram(order={self.order}, {size})"

    def fit(self, text: str, vocabulary: Vocabulary | None = None) -> "NGram":
        """Count a text; `vocabulary` (default: the text's characters) is what probabilities are spread over.

        Order 5 takes about two seconds for four million characters. Raises LessonError for a text shorter
        than the order, and for a vocabulary too large for the order (an n-gram is a number of 63 bits).
        """
        vocabulary = vocabulary or (Vocabulary.of(text) if text else None)
        if len(text) <= self.order:
            raise LessonError(f"An n-gram of order {self.order} needs a text longer than that to count.")
        if len(vocabulary) ** self.order >= 2**63:
            raise LessonError(
                f"Order {self.order} is too high for {len(vocabulary)} symbols; use a lower one."
            )
        self.vocabulary = vocabulary
        base, ids = len(vocabulary), vocabulary.encode(text).numpy()
        self._levels = []
        for length in range(1, self.order):
            longer = np.unique(_grams(ids, base, length + 1))
            self._levels.append(_level(*np.unique(longer % base**length, return_counts=True), base))
        top = np.unique(_grams(ids, base, self.order), return_counts=True)
        self._levels.append(_level(*top, base))
        return self

    def bits_per_character(self, text: str) -> float:
        """Mean of -log2 p over a text's characters, each given what stands before it in this text."""
        self._need_fit()
        if not text:
            raise LessonError("There is nothing to measure in an empty text.")
        return float(-np.log2(self._probabilities(self.vocabulary.encode(text).numpy())).mean())

    def _probabilities(self, ids: Int[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        base = len(self.vocabulary)
        p = np.full(len(ids), 1 / base)
        for length, level in enumerate(self._levels, 1):
            grams = _grams(ids, base, length)
            total = _look_up(level.contexts, level.totals, grams // base)
            kept = level.kept(_look_up(level.grams, level.counts, grams))
            spread = _look_up(level.contexts, level.left_over, grams // base) * p[length - 1 :]
            np.divide(kept + spread, total, out=p[length - 1 :], where=total > 0)
        return p

    def predict(self, context: str) -> Float[Tensor, " vocab"]:
        """Probabilities of the next character, in the vocabulary's order; they sum to 1."""
        self._need_fit()
        base = len(self.vocabulary)
        ids = self.vocabulary.encode(context[max(len(context) - self.order + 1, 0) :]).tolist()
        p = np.full(base, 1 / base)
        for length, level in enumerate(self._levels[: len(ids) + 1], 1):
            code = 0
            for digit in ids[len(ids) - length + 1 :]:
                code = code * base + digit
            place = np.searchsorted(level.contexts, code)
            if place == len(level.contexts) or level.contexts[place] != code:
                break  # an unseen context has no longer ones either
            p *= level.left_over[place]
            seen = slice(*np.searchsorted(level.grams, (code * base, (code + 1) * base)))
            p[level.grams[seen] - code * base] += level.kept(level.counts[seen])
            p /= level.totals[place]
        return torch.from_numpy(p)

    def sample(self, length: int, context: str = "", seed: int = 0) -> str:
        """`length` characters drawn one by one, each from what `predict` says after `context` so far."""
        generator = torch.Generator().manual_seed(seed)
        text = context
        for _ in range(length):
            drawn = torch.multinomial(self.predict(text), 1, generator=generator)
            text += self.vocabulary.decode(drawn)
        return text[len(context) :]

    def _need_fit(self) -> None:
        if self.vocabulary is None:
            raise LessonError("This n-gram has counted nothing yet; call fit(text) first.")


def _grams(ids: np.ndarray, base: int, length: int) -> np.ndarray:
    """Codes of all n-grams of a text, in order."""
    codes = np.zeros(max(len(ids) - length + 1, 0), np.int64)
    for place in range(length):
        codes *= base
        codes += ids[place : place + len(codes)]
    return codes


def _level(grams: np.ndarray, counts: np.ndarray, base: int) -> _Level:
    discount = _discount(counts)
    contexts, first = np.unique(grams // base, return_index=True)
    totals = np.add.reduceat(counts, first)
    left_over = np.add.reduceat(discount[np.minimum(counts, 3)], first)
    return _Level(grams, counts, discount, contexts, totals, left_over)


def _discount(counts: np.ndarray) -> np.ndarray:
    """What is taken from counts of 0, 1, 2 and 3 or more (section 3); 0.75 where too little was counted."""
    n1, n2, n3, n4 = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    if min(n1, n2, n3, n4) > 0:
        y = n1 / (n1 + 2 * n2)
        d1, d2, d3 = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
        if 0 < d1 < 1 and 0 < d2 < 2 and 0 < d3 < 3:
            return np.array([0, d1, d2, d3])
    return np.array([0, 0.75, 0.75, 0.75])


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The values at sorted keys, 0 where a wanted key is missing."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
