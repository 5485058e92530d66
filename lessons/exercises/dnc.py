"""Exercises and quiz of lesson 18: usage, find a free slot, link what follows, read along the links."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from lessons.exercises.exercise import Case, Exercise, behaves_like, returns, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def slot_usage(
    before: Float[Tensor, "batch slots"],
    written: Float[Tensor, "batch slots"],
    free: Float[Tensor, "batch readers"],
    read: Float[Tensor, "batch readers slots"],
) -> Float[Tensor, "batch slots"]:
    """Taken before or by the last writing; then each head may free what it has read."""
    taken = before + written - before * written
    return taken * (1 - free.unsqueeze(-1) * read).prod(1)


def allocation_weights(usage: Float[Tensor, "batch slots"]) -> Float[Tensor, "batch slots"]:
    """The least used slot first: 1 - its usage, times the usages of all that come before it."""
    rising, order = usage.sort(dim=-1)
    before = torch.cat([torch.ones_like(rising[:, :1]), rising[:, :-1].cumprod(-1)], -1)
    return torch.zeros_like(usage).scatter(-1, order, (1 - rising) * before)


def link_slots(
    links: Float[Tensor, "batch slots slots"],
    precedence: Float[Tensor, "batch slots"],
    written: Float[Tensor, "batch slots"],
) -> Float[Tensor, "batch slots slots"]:
    """Row i, column j: slot i was written right after slot j. What is written now loses its old links."""
    row, column = written.unsqueeze(2), written.unsqueeze(1)
    linked = (1 - row - column) * links + row * precedence.unsqueeze(1)
    return linked * (1 - torch.eye(links.shape[-1], device=links.device, dtype=links.dtype))


def read_weights(
    modes: Float[Tensor, "batch 3"],
    links: Float[Tensor, "batch slots slots"],
    before: Float[Tensor, "batch slots"],
    content: Float[Tensor, "batch slots"],
) -> Float[Tensor, "batch slots"]:
    """Backward, content, forward, each by its share."""
    forward = (links @ before.unsqueeze(-1)).squeeze(-1)
    backward = (before.unsqueeze(1) @ links).squeeze(1)
    back, by_content, on = modes.split(1, dim=1)
    return back * backward + by_content * content + on * forward


# --------------------------------------------------------------------------------------- 1: what is in use


def _drawn(seed: int) -> Callable[..., Tensor]:
    dice = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.rand(*shape, generator=dice, dtype=torch.float64)


def _used(heads: int, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        return draw(2, 5), draw(2, 5), draw(2, heads), draw(2, heads, 5)

    return arguments


def _freed(free: Tensor, read: Tensor) -> Tensor:
    return (1 - free.unsqueeze(-1) * read).prod(1)


SLOT_USAGE = Exercise(
    name="slot_usage",
    statement="Keep account of which slots are in use.",
    stub='''def slot_usage(before, written, free, read):
    """usage before and write weights (B, N), free gates (B, R), read weights (B, R, N) -> usage (B, N).

    A slot is taken if it was before or is written to, 0 ... 1; every head frees by its gate what it read.
    """
    return ...
''',
    solution=slot_usage,
    cases=(Case("two heads", _used(2, 2)), Case("one head", _used(1, 1))),
    observe=returns("the usage"),
    diagnoses=(
        behaves_like(
            lambda u, w, f, r: (u + w) * _freed(f, r),
            "usage goes beyond 1 where a slot in use is written to again: u or w is u + w - u w.",
        ),
        behaves_like(
            lambda u, w, f, r: torch.maximum(u, w) * _freed(f, r),
            "the larger of the two is not it: two half writings take three quarters of a slot.",
        ),
        behaves_like(
            lambda u, w, f, r: u + w - u * w, "nothing is ever freed: multiply by what the heads leave."
        ),
        behaves_like(
            lambda u, w, f, r: (u + w - u * w) * (1 - (f.unsqueeze(-1) * r).sum(1)),
            "two heads that free the same slot free it twice: multiply the factors, one for each head.",
        ),
        behaves_like(
            lambda u, w, f, r: (u + w - u * w) * (f.unsqueeze(-1) * r).prod(1),
            "it keeps what is freed: each factor is 1 minus gate times weight.",
        ),
        behaves_like(
            lambda u, w, f, r: (u + w - u * w) * (1 - f.unsqueeze(-1)).prod(1),
            "every slot is freed alike: a head frees only where it has read.",
        ),
        behaves_like(
            lambda u, w, f, r: u * _freed(f, r) + w - u * _freed(f, r) * w,
            "it frees first and then takes: what was written last could not be freed any more.",
        ),
        stops_with(
            "must match|size|broadcast|expand",
            "free is (B, R) and read (B, R, N): free.unsqueeze(-1) * read is (B, R, N).",
        ),
    ),
    hints=(
        "Two questions: what is taken after the last writing, and which part of that is kept?",
        "Taken by one or by the other: before + written - before * written.",
        "Kept: (1 - free.unsqueeze(-1) * read).prod(1), over the heads.",
    ),
    shown="It stays between 0 and 1, grows where is written, and falls only where a head has read.",
)

# ------------------------------------------------------ 2: find the bug, slots handed out the wrong way round


def _taken(*usage: float) -> Callable[[], tuple]:
    return lambda: (torch.tensor([usage], dtype=torch.float64),)


def _mixed(slots: int, seed: int) -> Callable[[], tuple]:
    return lambda: (_drawn(seed)(3, slots),)


def _allocated(descending: bool = False, back: bool = True, own: bool = False) -> Callable:
    """allocation_weights with one thing wrong."""

    def weights(usage: Tensor) -> Tensor:
        ranked, order = usage.sort(dim=-1, descending=descending)
        products = ranked.cumprod(-1)
        before = products if own else torch.cat([torch.ones_like(ranked[:, :1]), products[:, :-1]], -1)
        found = (1 - ranked) * before
        return torch.zeros_like(usage).scatter(-1, order, found) if back else found

    return weights


ALLOCATION_WEIGHTS = Exercise(
    name="allocation_weights",
    statement="Find the bug: this machine writes over what it still needs, with half of its slots empty.",
    stub='''def allocation_weights(usage):
    """usage (B, N) from 0, free, to 1, taken -> weights (B, N): where to write, free slots first."""
    ranked, order = usage.sort(dim=-1, descending=True)
    before = torch.cat([torch.ones_like(ranked[:, :1]), ranked[:, :-1].cumprod(-1)], -1)
    return torch.zeros_like(usage).scatter(-1, order, (1 - ranked) * before)
''',
    solution=allocation_weights,
    cases=(
        Case("slots with usages 0.9, 0.2 and 0.5", _taken(0.9, 0.2, 0.5)),
        Case("a free slot among taken ones", _taken(1.0, 1.0, 0.0, 1.0)),
        Case("usages of every kind", _mixed(6, 1)),
    ),
    observe=returns("the weights"),
    diagnoses=(
        behaves_like(
            _allocated(descending=True),
            "it still serves the fullest slot first, and the product before the free ones lets them get what "
            "is left. The least used slot comes first.",
        ),
        behaves_like(
            _allocated(back=False),
            "the weights stand in the order of usage, not of the slots: scatter them back.",
        ),
        behaves_like(
            _allocated(own=True),
            "a slot's own usage is in the product: multiply the usages of those before it only, and begin "
            "with 1.",
        ),
        behaves_like(
            lambda usage: 1 - usage,
            "every free slot gets all: their weights must not sum to more than 1. The second gets what the "
            "first cannot take.",
        ),
        behaves_like(
            lambda usage: (1 - usage) / (1 - usage).sum(-1, keepdim=True),
            "shared out among all free slots, a vector would be smeared over them: the freest gets 1 - its "
            "usage, the next only what is left.",
        ),
        behaves_like(
            lambda usage: torch.nn.functional.one_hot(usage.argmin(-1), usage.shape[-1]).to(usage),
            "all on the freest slot has no gradient, and writes there though it may be half taken.",
        ),
        behaves_like(
            lambda usage: (-usage).softmax(-1),
            "a softmax gives a part to slots that are taken; a taken slot gets nothing.",
        ),
    ),
    hints=(
        "Usages 1, 1, 0, 1: which slot should get everything, and which rank has it after this sort?",
        "The product is over the slots that come before. Which should come before?",
        "usage.sort(dim=-1), without descending: the least used slot comes first.",
    ),
    shown="A free slot gets all; if none is quite free, the freest share; if all are taken, nobody gets any.",
)

# ----------------------------------------------------------------------------------- 3: what follows what


def _linked(slots: int, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        links = draw(2, slots, slots) / slots * (1 - torch.eye(slots, dtype=torch.float64))
        return links, draw(2, slots).softmax(-1), draw(2, slots).softmax(-1) * 0.9

    return arguments


def _clear() -> tuple:
    """Slot 2 was written last and slot 0 before it; now slot 0 is written again."""
    links = torch.zeros(1, 4, 4, dtype=torch.float64)
    links[0, 2, 0] = 1
    precedence, written = torch.zeros(2, 1, 4, dtype=torch.float64)
    precedence[0, 2] = written[0, 0] = 1
    return links, precedence, written


def _hollow(links: Tensor) -> Tensor:
    return links * (1 - torch.eye(links.shape[-1], dtype=links.dtype, device=links.device))


LINK_SLOTS = Exercise(
    name="link_slots",
    statement="Note in which order slots were written.",
    stub='''def link_slots(links, precedence, written):
    """links (B, N, N): row i, column j, how much i was written right after j; precedence (B, N): how much
    a slot was the last one written; written (B, N): the write weights now -> new links, their diagonal 0.

    What is written now follows what was written last, and its old links, in and out, fade.
    """
    return ...
''',
    solution=link_slots,
    cases=(
        Case("writings of every kind", _linked(4, 1)),
        Case("slot 0 after slot 2", _clear),
        Case("writings over five slots", _linked(5, 2)),
    ),
    observe=returns("the links"),
    diagnoses=(
        behaves_like(
            lambda links, p, w: (1 - w[:, :, None] - w[:, None]) * links + w[:, :, None] * p[:, None],
            "a slot may follow itself: the diagonal is to be 0, or a head that goes forward stays.",
        ),
        behaves_like(
            lambda links, p, w: _hollow(
                (1 - w[:, :, None] - w[:, None]) * links + p[:, :, None] * w[:, None]
            ),
            "rows and columns are mixed up: the row is what is written now, the column what was last.",
        ),
        behaves_like(
            lambda links, p, w: _hollow(links + w[:, :, None] * p[:, None]),
            "old links never fade: a slot that is used again would follow two, and rows would grow beyond 1.",
        ),
        behaves_like(
            lambda links, p, w: _hollow((1 - w[:, :, None]) * links + w[:, :, None] * p[:, None]),
            "what followed a slot's old contents still follows it: fade the columns of what is written.",
        ),
        behaves_like(
            lambda links, p, w: _hollow((1 - w[:, None]) * links + w[:, :, None] * p[:, None]),
            "what is written now still follows what it followed before: fade its row, too.",
        ),
        behaves_like(
            lambda links, p, w: _hollow(
                (1 - w[:, :, None] - w[:, None]) * links + w[:, :, None] * w[:, None]
            ),
            "what is written now is linked with itself: it follows the precedence, what was written before.",
        ),
        behaves_like(
            lambda links, p, w: _hollow(w[:, :, None] * p[:, None]),
            "the old links are gone: those of slots that are not written now should stay.",
        ),
        behaves_like(
            lambda links, p, w: _hollow(
                (1 - w[:, :, None]) * (1 - w[:, None]) * links + w[:, :, None] * p[:, None]
            ),
            "near, but the paper fades by 1 - w_i - w_j, not by the product of 1 - w_i and 1 - w_j.",
        ),
        stops_with(
            "must match|size|broadcast|mat1|expected|inconsistent",
            "written.unsqueeze(2) is the row, (B, N, 1), and precedence.unsqueeze(1) the column, (B, 1, N).",
        ),
    ),
    hints=(
        "Two parts: what is left of the old links, and the new ones.",
        "New: row i, column j gets written_i times precedence_j. Left: 1 - written_i - written_j of the old.",
        "At the end multiply by 1 - torch.eye(N), so that no slot follows itself.",
    ),
    shown="What was written one after the other is linked, and a slot that is used again starts anew.",
)

# ------------------------------------------------------------------------------------ 4: along the links


def _read(slots: int, seed: int) -> Callable[[], tuple]:
    def arguments() -> tuple:
        draw = _drawn(seed)
        links, _, _ = _linked(slots, seed)()
        return draw(2, 3).softmax(-1), links, draw(2, slots).softmax(-1), draw(2, slots).softmax(-1)

    return arguments


def _on(mode: int) -> Callable[[], tuple]:
    """Slots 0, 1, 2 were written in this order, and the head has just read slot 1."""

    def arguments() -> tuple:
        links, before = torch.zeros(1, 3, 3, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.float64)
        links[0, 1, 0] = links[0, 2, 1] = before[0, 1] = 1
        modes = torch.zeros(1, 3, dtype=torch.float64)
        modes[0, mode] = 1
        return modes, links, before, torch.full((1, 3), 1 / 3, dtype=torch.float64)

    return arguments


def _mixed_up(order: tuple[int, int, int], turned: bool = False, start: int = 0) -> Callable:
    """read_weights with the modes in another order, the links turned round, or followed from content."""

    def weights(modes: Tensor, links: Tensor, before: Tensor, content: Tensor) -> Tensor:
        source = (before, content)[start]
        ahead = torch.einsum("bij,bj->bi", links.mT if turned else links, source)
        back = torch.einsum("bij,bi->bj", links.mT if turned else links, source)
        shares = modes[:, list(order)]
        return shares[:, :1] * back + shares[:, 1:2] * content + shares[:, 2:] * ahead

    return weights


READ_WEIGHTS = Exercise(
    name="read_weights",
    statement="Read backward, by content, or forward.",
    stub='''def read_weights(modes, links, before, content):
    """modes (B, 3): shares of backward, content, forward; links (B, N, N), row i, column j: i came after j;
    before, content (B, N): where the head was, and what it finds by content -> weights (B, N)."""
    return ...
''',
    solution=read_weights,
    cases=(
        Case("modes of every kind", _read(5, 3)),
        Case("forward from slot 1, and slot 2 was written after it", _on(2)),
        Case("backward from slot 1, and slot 0 was written before it", _on(0)),
    ),
    observe=returns("the weights"),
    diagnoses=(
        behaves_like(
            _mixed_up((0, 1, 2), turned=True),
            "it goes backward where forward is asked for: forward is links @ before, from column to row.",
        ),
        behaves_like(
            _mixed_up((1, 0, 2)), "the modes stand in the order backward, content, forward: two are swapped."
        ),
        behaves_like(
            _mixed_up((0, 2, 1)), "the modes stand in the order backward, content, forward: two are swapped."
        ),
        behaves_like(
            _mixed_up((0, 1, 2), start=1),
            "it follows the links from what it finds by content: follow them from where the head was before.",
        ),
        behaves_like(
            lambda m, links, b, c: (
                m[:, :1] * b + m[:, 1:2] * c + m[:, 2:] * torch.einsum("bij,bj->bi", links, b)
            ),
            "backward stays where the head is; it is links.mT @ before.",
        ),
        behaves_like(
            lambda m, links, b, c: (
                m[:, 1:2] * c + (m[:, :1] + m[:, 2:]) * torch.einsum("bij,bj->bi", links, b)
            ),
            "backward goes forward, too; it is links.mT @ before.",
        ),
        behaves_like(lambda m, links, b, c: c, "the modes are not used: the head reads by content alone."),
        stops_with(
            "must match|size|broadcast|mat1|expected|inconsistent",
            "links is (B, N, N) and before (B, N): (links @ before.unsqueeze(-1)).squeeze(-1) is (B, N).",
        ),
    ),
    hints=(
        "The head was on slot 1. In which row and column stands that slot 2 came after it?",
        "Forward goes from column to row, links @ before; backward from row to column, links.mT @ before.",
        "(links @ before.unsqueeze(-1)).squeeze(-1) is forward; with links.mT it is backward.",
    ),
    shown="A head can find a place by what stands there, and from it go on or back in the order of writing.",
)

EXERCISES = (SLOT_USAGE, ALLOCATION_WEIGHTS, LINK_SLOTS, READ_WEIGHTS)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "The write gate is 0 for ten steps. What happens to the memory?",
        (
            Option("It fades a little at every step.", "only a write weight changes a slot, and all are 0."),
            Option(
                "Nothing.", "no slot gets a write weight, so nothing is erased or added.", right=True
            ),
            Option(
                "Slots that are read are emptied.",
                "a free gate gives a slot back; it is emptied when it is written to next.",
            ),
        ),
    ),
    Question(
        "All slots are taken, and the allocation gate is 1. Where does the machine write?",
        (
            Option("Over the oldest slot.", "usage knows no age, only how much a slot is taken."),
            Option(
                "Nowhere.", "allocation deals out 1 minus usage, and that is 0 everywhere.", right=True
            ),
            Option("Everywhere a little.", "the weights of slots that are taken are 0."),
        ),
    ),
    Question(
        "A Neural Turing Machine steps to the next slot by its number. How does this machine find what it "
        "wrote next?",
        (
            Option(
                "By the links, wherever it stands.",
                "slots are handed out as they become free, and the links remember the order.",
                right=True,
            ),
            Option("By the next number, too.", "the slot with the next number may hold something else."),
            Option(
                "It cannot.", "going forward along the links is one of the three modes of a head."
            ),
        ),
    ),
    Question(
        "How can a machine that was taught with 16 slots work with 200?",
        (
            Option("It must be taught again.", "no weight of it has to do with the number of slots."),
            Option(
                "The new slots stay empty.", "allocation hands out any slot that is free, the new ones, too."
            ),
            Option(
                "As it is.",
                "keys, gates and modes have the same sizes for any number of slots.",
                right=True,
            ),
        ),
    ),
    Question(
        "Where is the milk? With somebody, who is somewhere. What does the machine do to answer?",
        (
            Option(
                "It reads, looks for what it found, and reads again.",
                "what was read goes into the controller of the next step, which makes the next key of it; or "
                "the second fact was joined to the first when that was written.",
                right=True,
            ),
            Option("It keeps a slot for every possible question.", "slots hold what was told."),
            Option("It links all slots with one another.", "the order of telling does not connect the two."),
        ),
    ),
    Question(
        "Why is the diagonal of the links 0?",
        (
            Option("To save memory.", "a number takes as much room whatever its value."),
            Option(
                "A slot that is written twice running would follow itself, and going forward would stay.",
                "forward is to lead to what was written next, elsewhere.",
                right=True,
            ),
            Option("So that rows sum to 1.", "they sum to 1 at most; what was never linked sums to 0."),
        ),
    ),
)  # fmt: skip
