"""Models and training states on disk: safetensors for numbers, JSON for the rest, a SHA-256 over both.

No pickle anywhere, so that opening a stranger's checkpoint cannot run his code. Files are written
beside their places and renamed, so that whoever reads them finds the old file or the new one, whole.
"""

import hashlib
import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn

from lessons.arguments import explained
from lessons.errors import LessonError, refusal
from lessons.vocabulary import Vocabulary

FORMAT = 1
Tensors = dict[str, Tensor]


@explained
def save(path: str | os.PathLike, model: nn.Module, **meta: Any) -> Path:
    """Write a model's weights and `config()`, with whatever is worth knowing as `meta` (plain values).

    `path` ends in .safetensors (added if missing). A JSON file beside it says in clear what is inside.
    Raises LessonError if the disk refuses; an earlier file at `path` is then untouched.
    """
    path = named(path)
    if not hasattr(model, "config"):
        raise LessonError(
            f"A {type(model).__name__} has no config() to be built from again; save a model of a lesson."
        )
    tensors: Tensors = {}
    config = pack(model.config(), "config", tensors)
    tensors.update({f"model.{name}": tensor for name, tensor in model.state_dict().items()})
    write(path, tensors, {"kind": kind(model), "config": config, **meta}, sidecar=True)
    return path


@explained
def load(
    path: str | os.PathLike, model: nn.Module | None = None, device: torch.device | str | None = None
) -> nn.Module:
    """The model saved at `path`, rebuilt from its `config()`, or its weights put into `model`, if given.

    Raises LessonError, one sentence, for a file that is missing, damaged, of a newer format, or does not fit.
    """
    path = named(path)
    meta, tensors = read(path)
    weights = {
        name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")
    }
    if model is None:
        model = _rebuild(path, meta, tensors, device)
        model.to(next((t.dtype for t in weights.values() if t.is_floating_point()), None))
    else:
        _same_vocabulary(path, _config(path, meta, tensors), model)
    put(weights, model, path)
    return model


def kind(model: nn.Module) -> str:
    """The class of a model, as a checkpoint names it."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


@explained
def describe(path: str | os.PathLike) -> dict[str, Any]:
    """What a checkpoint says about itself: kind, config, and the `meta` it was saved with."""
    meta, _ = read(named(path))
    return meta


def put(weights: Tensors, model: nn.Module, path: str | os.PathLike) -> None:
    """Load weights into a model; raises LessonError naming the first tensor that does not fit."""
    mine = model.state_dict()
    for name in sorted(mine.keys() ^ weights.keys()):
        place = "the file" if name in weights else "the model"
        raise LessonError(f"{path} holds another kind of model: only {place} has {name!r}.")
    for name in mine:
        tensor = weights[name]
        if tensor.shape != mine[name].shape:
            there, here = (" × ".join(map(str, t.shape)) for t in (tensor, mine[name]))
            raise LessonError(
                f"{path} does not fit this model: {name} is {there} in the file and {here} in the model; "
                f"build the model with the file's sizes."
            )
    model.load_state_dict(weights)


def write(path: Path, tensors: Tensors, meta: dict[str, Any], sidecar: bool = False) -> None:
    """Write tensors and plain values as one safetensors file, all or nothing; `sidecar` adds a JSON file.

    Raises LessonError if the disk is full or the place cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        text = json.dumps({"format": FORMAT, **meta})
    except (TypeError, ValueError) as error:
        raise LessonError(f"Not everything to be noted in {path} is a plain value: {error}.") from error
    header = {"unrolled": text, "sha256": _digest(text, tensors)}
    data = safetensors_bytes(tensors, metadata=header)
    described = {**json.loads(text), "file": path.name, "sha256": hashlib.sha256(data).hexdigest()}
    files = {path: data}
    if sidecar:
        readable = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
        files[path.with_suffix(".json")] = readable.encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(files)
    except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
        raise LessonError(
            f"Could not save {path}: {refusal(error)}; what was saved there before is untouched."
        ) from error


def read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """The plain values and the tensors of a file of `write`; raises LessonError if it is not right."""
    if not os.path.isfile(path):  # unlike Path.is_file, also false where one may not look
        raise LessonError(
            f"There is no checkpoint at {path}; check the path, or train one and save it there."
        )
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise LessonError(f"{path} is damaged or cut short ({error}); fetch it or train it again.") from error
    if "unrolled" not in header:
        raise LessonError(f"{path} is a safetensors file, but not a checkpoint of this course.")
    try:
        meta = json.loads(header["unrolled"])
        newer = meta["format"] > FORMAT
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LessonError(f"{path} is damaged (its description is unreadable); train it again.") from error
    if newer:
        raise LessonError(
            f"{path} has format {meta['format']} and this version reads up to {FORMAT}; update the course."
        )
    if header.get("sha256") != _digest(header["unrolled"], tensors):
        raise LessonError(f"{path} is damaged (its SHA-256 does not match); fetch it or train it again.")
    _check_sidecar(path)
    return meta, tensors


def pack(value: Any, name: str, tensors: Tensors) -> Any:
    """A nest of dicts, lists, tuples, tensors and plain values as JSON; its tensors go into `tensors`.

    Optimizer states and carried states travel this way. Raises TypeError for what has no place in a file.
    """
    if isinstance(value, Tensor):
        tensors[name] = value
        return {"$tensor": name}
    if isinstance(value, Vocabulary):
        return {"$vocabulary": "".join(value.symbols), "unknown": value.unknown}
    if isinstance(value, dict):
        packed = [(key, pack(item, f"{name}.{key}", tensors)) for key, item in value.items()]
        return dict(packed) if all(isinstance(key, str) for key in value) else {"$pairs": packed}
    if isinstance(value, list | tuple):
        items = [pack(item, f"{name}.{i}", tensors) for i, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name} is a {type(value).__name__}, which a checkpoint cannot hold")


def unpack(value: Any, tensors: Tensors) -> Any:
    """What `pack` packed."""
    if isinstance(value, list):
        return [unpack(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        return tensors[value["$tensor"]]
    if "$vocabulary" in value:
        return Vocabulary(tuple(value["$vocabulary"]), value["unknown"])
    if "$tuple" in value:
        return tuple(unpack(item, tensors) for item in value["$tuple"])
    pairs = value["$pairs"] if "$pairs" in value else value.items()
    return {key: unpack(item, tensors) for key, item in pairs}


def _config(path: Path, meta: dict, tensors: Tensors) -> dict:
    try:
        config = unpack(meta.get("config"), tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        why = str(error).rstrip(".")
        raise LessonError(f"{path} is damaged (its config is unreadable: {why}); train it again.") from error
    return config if isinstance(config, dict) else {}


def _rebuild(path: Path, meta: dict, tensors: Tensors, device: torch.device | str | None) -> nn.Module:
    module, _, name = str(meta.get("kind", "")).rpartition(".")
    if module.split(".")[0] != "lessons":
        raise LessonError(f"{path} holds no model of this course (it says {meta.get('kind')!r}).")
    config = _config(path, meta, tensors)
    try:
        model = getattr(import_module(module), name)
        if not issubclass(model, nn.Module):
            raise TypeError(f"{name} is no model")
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, only to be replaced
            return model(**config, device=device)
    # A LessonError is a ValueError; torch has a RuntimeError for sizes that no memory holds.
    except (ImportError, AttributeError, KeyError, TypeError, ValueError, RuntimeError, MemoryError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise LessonError(
            f"{path} holds a model that this version cannot build ({why}); update the course, or train it."
        ) from error


def _same_vocabulary(path: Path, config: dict | None, model: nn.Module) -> None:
    there, here = (config or {}).get("vocabulary"), getattr(model, "vocabulary", None)
    if there == here:
        return
    odd = sorted(set(getattr(there, "symbols", ())) ^ set(getattr(here, "symbols", ())))
    example = f", for example {odd[0]!r}" if odd else " in their order"
    raise LessonError(
        f"{path} was trained on another vocabulary than the model's: they differ{example}; "
        f"build the model with the file's vocabulary, or load it without giving a model."
    )


def _check_sidecar(path: Path) -> None:
    beside = path.with_suffix(".json")
    if not os.path.isfile(beside):
        return
    try:
        expected = json.loads(beside.read_text("utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LessonError(
            f"{beside} is damaged; fetch it again, or delete it and keep {path.name}."
        ) from error
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise LessonError(f"{path} is not the file that {beside.name} describes; fetch or train both again.")


def _digest(text: str, tensors: Tensors) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _replace(files: dict[Path, bytes]) -> None:
    """Write all files beside their places, then rename them: a full disk shows before anything changes."""
    parts = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, data in files.items():
            with parts[path].open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        # The old description goes first: killed between two renames, the new file just lacks its own.
        for path in list(files)[1:]:
            path.unlink(missing_ok=True)
        for path in files:
            parts[path].replace(path)
    except (OSError, KeyboardInterrupt):
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise


def named(path: str | os.PathLike) -> Path:
    """`path` with the ending .safetensors, if it has none."""
    path = Path(path)
    if not path.name:
        raise LessonError(f"{str(path)!r} names no file; give the path of a checkpoint.")
    return path if path.suffix == ".safetensors" else path.with_name(path.name + ".safetensors")
