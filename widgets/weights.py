"""A trained character model as what the browser needs to run it: a description and its weights as bytes."""

from typing import Any

import torch
from torch import Tensor, nn

from lessons import CharModel
from lessons.arguments import explained
from lessons.errors import LessonError

CELL_NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "Elman"}


@explained
def pack(model: CharModel, name: str | None = None) -> dict[str, Any]:
    """Describe a model for widgets/js/rnn.js.

    Returns a dict: `cell`, sizes, `vocabulary` (list of characters), `unknown`, `name`, `tensors` (name ->
    offset in floats and shape) and `weights`, all tensors behind one another as little-endian float32.
    Raises LessonError for anything but a CharModel of plain layers, and for weights that are not finite.
    """
    layer = model.recurrent
    if not isinstance(layer, nn.RNNBase):
        raise LessonError(
            "The browser runs plain layers of an LSTM, a GRU or an Elman network; this model's are a "
            f"{type(layer).__name__}. Use gates.explore(trace(model, text)), which asks the kernel."
        )
    tensors = {"embedding": model.embedding.weight}
    for k in range(layer.num_layers):
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            tensors[f"{part}_l{k}"] = getattr(layer, f"{part}_l{k}")
    tensors |= {"readout.weight": model.readout.weight, "readout.bias": model.readout.bias}
    description = {
        "cell": model.cell,
        "hidden_size": layer.hidden_size,
        "num_layers": layer.num_layers,
        "embedding_size": model.embedding.embedding_dim,
        "vocabulary": list(model.vocabulary.symbols),
        "unknown": model.vocabulary.unknown,
        "name": name or f"{CELL_NAMES[model.cell]} {layer.num_layers} × {layer.hidden_size}",
    }
    return description | _lay_out(tensors)


def _lay_out(tensors: dict[str, Tensor]) -> dict[str, Any]:
    places, parts, offset = {}, [], 0
    for name, tensor in tensors.items():
        values = tensor.detach().to("cpu", torch.float32)
        if not values.isfinite().all():
            raise LessonError(f"The model's {name} is not finite; train it again or load a checkpoint.")
        places[name] = {"offset": offset, "shape": list(values.shape)}
        parts.append(values.contiguous().numpy().astype("<f4").tobytes())
        offset += values.numel()
    return {"tensors": places, "weights": b"".join(parts)}
