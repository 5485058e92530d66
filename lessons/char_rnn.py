"""A network that reads characters and guesses the next: embed, run the recurrence, read out."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}

State = (
    Float[Tensor, "layers batch hidden"]
    | tuple[Float[Tensor, "layers batch hidden"], Float[Tensor, "layers batch hidden"]]
)


class CharModel(nn.Module):
    """A character-level language model: embedding, recurrent layers, readout to one score a character.

    `cell` is "lstm", "gru" or "rnn" (Elman). `dropout` acts between layers and before the readout, while
    training. `forget_bias` is where the LSTM's forget gates start (Jozefowicz et al. 2015, section 3).
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        cell: str = "lstm",
        hidden_size: int = 128,
        num_layers: int = 1,
        embedding_size: int = 64,
        dropout: float | int = 0.0,
        forget_bias: float | int = 1.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise LessonError(f"The cell is one of {', '.join(CELLS)}; {cell!r} is not.")
        self.vocabulary = vocabulary
        self.cell = cell
        self.forget_bias = forget_bias
        place = {"device": device, "dtype": dtype}
        between = dropout if num_layers > 1 else 0.0
        self.embedding = nn.Embedding(len(vocabulary), embedding_size, **place)
        self.recurrent = CELLS[cell](
            embedding_size, hidden_size, num_layers, batch_first=True, dropout=between, **place
        )
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(hidden_size, len(vocabulary), **place)

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch time vocab"], State]:
        """Scores (logits) of the next character after every character, and the state after the last."""
        output, state = self.recurrent(self.embedding(tokens), state)
        return self.readout(self.dropout(output)), state

    def step(
        self, tokens: Int[Tensor, " batch"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch vocab"], State]:
        """One character further, layer by layer with single cells: the fast way on a CPU when T = 1."""
        x = self.embedding(tokens)
        layer = self.recurrent
        if state is None:
            zeros = x.new_zeros(layer.num_layers, len(tokens), layer.hidden_size)
            state = (zeros, zeros) if self.cell == "lstm" else zeros
        cell = {"lstm": torch.lstm_cell, "gru": torch.gru_cell, "rnn": torch.rnn_tanh_cell}[self.cell]
        before = list(zip(*state, strict=True)) if self.cell == "lstm" else list(state)
        after = []
        for weights, previous in zip(layer.all_weights, before, strict=True):
            after.append(cell(x, previous, *weights))
            x = after[-1][0] if self.cell == "lstm" else after[-1]
        stacked = (
            tuple(map(torch.stack, zip(*after, strict=True))) if self.cell == "lstm" else torch.stack(after)
        )
        return self.readout(self.dropout(x)), stacked

    def encode(self, text: str) -> Int[Tensor, "1 time"]:
        """A text as a batch of one, on the model's device."""
        return self.vocabulary.encode(text, device=self.readout.weight.device)[None]

    def decode(self, ids: Int[Tensor, "*time"]) -> str:
        """The text that a sequence of numbers stands for."""
        return self.vocabulary.decode(ids)

    def config(self) -> dict[str, Any]:
        """What rebuilds this model, weights aside: `CharModel(**model.config())`."""
        return {
            "vocabulary": self.vocabulary,
            "cell": self.cell,
            "hidden_size": self.recurrent.hidden_size,
            "num_layers": self.recurrent.num_layers,
            "embedding_size": self.embedding.embedding_dim,
            "dropout": self.dropout.p,
            "forget_bias": self.forget_bias,
        }
