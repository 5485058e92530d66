"""How a machine remembers in which order it wrote: a matrix that links each slot to the one written before.

After Graves et al. (2016), Nature 538, Methods, "Temporal linkage". links[i, j] says how much slot i was
written right after slot j. All are from 0 to 1, rows and columns sum to 1 at most; no slot follows itself.
"""

import torch
from jaxtyping import Float
from torch import Tensor

NO_LINK = 1e-6  # added to what `sharpen` divides by: where nothing is linked, nothing is followed

Links = Float[Tensor, "batch slots slots"]
PerSlot = Float[Tensor, "batch slots"]
Reads = Float[Tensor, "batch readers slots"]
PerRead = Float[Tensor, "batch readers 1"]


def link(links: Links, precedence: PerSlot, writing: PerSlot) -> Links:
    """Links after a writing: what is written now follows what was written last, and forgets its old links."""
    kept = (1 - writing).unsqueeze(2) - writing.unsqueeze(1)
    linked = torch.addcmul(kept * links, writing.unsqueeze(2), precedence.unsqueeze(1))
    itself = torch.eye(links.shape[-1], dtype=torch.bool, device=links.device)
    return linked.masked_fill(itself, 0)


def precede(precedence: PerSlot, writing: PerSlot) -> PerSlot:
    """How much each slot was the last one written; a step that writes nothing leaves it as it was."""
    return torch.addcmul(writing, 1 - writing.sum(-1, keepdim=True), precedence)


def backward(links: Links, reading: Reads) -> Reads:
    """Where heads look if they go to what was written before what they read last."""
    return reading @ links


def forward(links: Links, reading: Reads) -> Reads:
    """Where heads look if they go to what was written after what they read last."""
    return reading @ links.transpose(1, 2)


def sharpen(followed: Reads, power: PerRead) -> Reads:
    """Weights to a power (at least 1), made to sum to 1 again (Csordás and Schmidhuber 2019).

    Each writing blurs the links, and following them over many steps blurs again; this undoes it.
    """
    # As shares of the largest one, which cannot all vanish however high the power is.
    raised = (followed / (followed.detach().amax(-1, keepdim=True) + NO_LINK)) ** power
    return raised / (raised.sum(-1, keepdim=True) + NO_LINK)


def mix(
    modes: Float[Tensor, "batch readers 3"], before: Reads, content: Reads, after: Reads
) -> Float[Tensor, "batch readers slots"]:
    """Where heads read: backward, by content, forward, each by its share in `modes`."""
    return (modes.unsqueeze(2) @ torch.stack([before, content, after], 2)).squeeze(2)
