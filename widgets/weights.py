"""A trained model as what the browser needs to run it: a description and its weights as bytes."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from lessons import CharModel
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.sequence_model import SequenceModel

CELL_NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "Elman"}
MODES = {"LSTM": "lstm", "GRU": "gru", "RNN_TANH": "rnn", "RNN_RELU": "rnn"}  # of torch's layers
Precision = Literal["float32", "float16"]


@explained
def pack(
    model: CharModel | SequenceModel, name: str | None = None, precision: Precision = "float32"
) -> dict[str, Any]:
    """Describe a model for widgets/js/rnn.js.

    Returns a dict: `cell`, sizes, `vocabulary` (list of characters, None for a model that reads numbers),
    `unknown`, `name`, `tensors` (name -> offset in numbers and shape), `precision` and `weights`, all tensors
    behind one another as little-endian float32 or float16. Raises LessonError for anything but a model of
    plain layers, and for weights that are not finite, in float16 if that is asked for.
    """
    layer, reads = model.recurrent, isinstance(model, CharModel)
    if not isinstance(layer, nn.RNNBase) or getattr(layer, "looped", False):
        raise LessonError(
            "The browser runs plain layers of an LSTM, a GRU or an Elman network; this model's are a "
            f"{type(layer).__name__}. Use gates.explore(trace(model, text)), which asks the kernel."
        )
    tensors = {"embedding": model.embedding.weight} if reads else {}
    for k in range(layer.num_layers):
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            tensors[f"{part}_l{k}"] = getattr(layer, f"{part}_l{k}")
    tensors |= {"readout.weight": model.readout.weight, "readout.bias": model.readout.bias}
    description = {
        "cell": MODES[layer.mode],
        "nonlinearity": "relu" if layer.mode == "RNN_RELU" else "tanh",
        "precision": precision,
        "hidden_size": layer.hidden_size,
        "num_layers": layer.num_layers,
        "embedding_size": layer.input_size,
        "vocabulary": list(model.vocabulary.symbols) if reads else None,
        "unknown": model.vocabulary.unknown if reads else None,
        "name": name or f"{CELL_NAMES[MODES[layer.mode]]} {layer.num_layers} × {layer.hidden_size}",
    }
    return description | _lay_out(tensors, precision)


def _lay_out(tensors: dict[str, Tensor], precision: Precision) -> dict[str, Any]:
    places, parts, offset = {}, [], 0
    kind = torch.float16 if precision == "float16" else torch.float32
    for name, tensor in tensors.items():
        values = tensor.detach().to("cpu", kind)
        if not values.isfinite().all():
            raise LessonError(f"The model's {name} is not finite; train it again or load a checkpoint.")
        places[name] = {"offset": offset, "shape": list(values.shape)}
        parts.append(values.contiguous().numpy().astype("<f2" if kind is torch.float16 else "<f4").tobytes())
        offset += values.numel()
    return {"tensors": places, "weights": b"".join(parts)}
