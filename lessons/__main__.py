"""The command line: `python -m lessons list | train | memory | corpora | claim | doctor`."""

import argparse
import contextlib
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from lessons.errors import LessonError


def main(argv: list[str] | None = None) -> int:
    """Run one command, `list` if none is named.

    Returns the exit status: 0, 1 if something was found wrong or left undone, 2 for a request in error.
    """
    argv = (sys.argv[1:] if argv is None else argv) or ["list"]
    try:
        if argv and argv[0] in PASSED_ON:
            return import_module(PASSED_ON[argv[0]]).main(argv[1:]) or 0
        asked = _parser().parse_args(argv)
        asked.argv = argv
        return asked.run(asked)
    except LessonError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


# Commands with a parser of their own.
PASSED_ON = {"corpora": "lessons.inventory", "claim": "lessons.claims"}

# What can be trained from here: modules with PRESETS, `preset(name)` and `prepare(preset, seed) -> Task`.
TRAINABLE = (
    "recurrence",
    "char_rnn",
    "vanishing_gradients",
    "lstm",
    "gru",
    "lstm_variants",
    "gradient_clipping",
    "recurrent_dropout",
    "bidirectional",
    "deep_rnns",
    "teacher_forcing",
    "attention",
    "generation",
    "songs",
    "handwriting",
    "recursive",
    "ntm",
    "dnc",
    "capstone",
    "what_came_next",
)
# Where a lesson's training is not in the module of its name.
ELSEWHERE = {
    "lstm_variants": "variant_study",
    "teacher_forcing": "curriculum",
    "attention": "translation",
    "recursive": "tree_study",
    "handwriting": "penmanship",
    "ntm": "memory_training",
    "dnc": "dnc_training",
}


def lesson_module(slug: str) -> ModuleType:
    """The module that trains a lesson's network."""
    return import_module(f"lessons.{ELSEWHERE.get(slug, slug)}")


def show_list(_: argparse.Namespace) -> int:
    """Print the lessons that are here, with the presets of those that train."""
    notebooks = Path(__file__).resolve().parents[1] / "notebooks"
    for path in sorted(notebooks.glob("[0-9][0-9]_*.ipynb")):
        print(f"{path.stem:24s} {title(path)}")
    for slug in TRAINABLE:
        sizes = ", ".join(lesson_module(slug).PRESETS)
        print(f"python -m lessons train {slug} --preset NAME, one of: {sizes}")
    return 0


def title(path: Path) -> str:
    """The first heading of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = (
        line
        for cell in cells
        if cell["cell_type"] == "markdown"
        for line in "".join(cell["source"]).split("\n")
    )
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), path.stem)


def train(asked: argparse.Namespace) -> int:
    """Train a lesson's model: resumable at --checkpoint, with the model alone at --model.

    Under torchrun every process trains on its share, and the first of them speaks and writes for all.
    """
    if os.environ.get("RANK", "0") == "0":
        return trained(asked)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        asked.model = None
        return trained(asked)


def trained(asked: argparse.Namespace) -> int:
    """`train` in one process."""
    from lessons import checkpoints
    from lessons.training import fit

    lesson = lesson_module(asked.lesson)
    changes = dict(map(setting, asked.set))
    if asked.corpus:
        changes["corpus"] = asked.corpus
    preset = lesson.preset(asked.preset).but(**changes)
    task = lesson.prepare(preset, asked.seed)
    where = asked.checkpoint or Path("data", "runs", f"{asked.lesson}-{preset.name}-seed{asked.seed}")
    run = fit(task, checkpoint=where, resume=not asked.fresh, seed=asked.seed, device=asked.device)
    if run.reason != "finished":  # half a model must not replace a whole one at --model
        return 1
    figures = task.report() if hasattr(task, "report") else {}
    for name, value in figures.items():
        print(f"{name}: {value:.3f}{run.measured(name)}")
    if asked.model:
        command = " ".join(["python -m lessons", *asked.argv])
        path = checkpoints.save(asked.model, task.model, command=command, figures=figures, run=run.record())
        print(f"The model is in {path}.")
    return 0


def setting(text: str) -> tuple[str, Any]:
    """`name=value` as a name and a number, true, null or string."""
    name, equals, value = text.partition("=")
    if not equals:
        raise LessonError(f"--set takes NAME=VALUE, such as --set steps=1000; {text!r} has no '='.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def estimate(asked: argparse.Namespace) -> int:
    """Say how much memory a training would take."""
    from lessons.footprint import footprint

    lesson = lesson_module(asked.lesson)
    preset = lesson.preset(asked.preset).but(**dict(map(setting, asked.set)))
    print(f"{asked.lesson}, preset {preset.name}, in MB: {footprint(lesson, preset)}")
    return 0


def examine(_: argparse.Namespace) -> int:
    """Say what is wrong with this installation."""
    from lessons import doctor

    return doctor.main()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m lessons", description="Recurrent networks you can see through."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="the lessons and their presets").set_defaults(run=show_list)
    training = commands.add_parser("train", help="train a lesson's model")
    needing = commands.add_parser("memory", help="say how much memory that would take")
    for command in (training, needing):
        command.add_argument("lesson", choices=TRAINABLE)
        command.add_argument(
            "--preset", help="ci, cpu, gpu or another of the lesson's; else what fits this machine"
        )
        command.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="change the preset"
        )
    needing.set_defaults(run=estimate)
    training.add_argument("--seed", type=int, default=0, help="of first weights, batches and dropout")
    training.add_argument("--corpus", help="a source of `corpora list`")
    training.add_argument("--checkpoint", help="where to save and resume; else data/runs/LESSON-PRESET-seedN")
    training.add_argument("--fresh", action="store_true", help="start anew, over what is saved there")
    training.add_argument("--model", metavar="PATH", help="also save the trained model alone")
    training.add_argument("--device", help="cpu, cuda, mps; else the best there is")
    training.set_defaults(run=train)
    commands.add_parser("corpora", help="list, fetch, verify the texts (see corpora --help)")
    commands.add_parser("claim", help="run the experiment behind a claim (see claim --help)")
    commands.add_parser("doctor", help="say what is wrong with this installation").set_defaults(run=examine)
    return parser


if __name__ == "__main__":
    sys.exit(main())
