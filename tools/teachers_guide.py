"""The lessons' part of docs/teachers_guide.md: what to ask, show and expect, from the lessons' own data.

Questions, minutes and pictures are read from the texts, mistakes from the exercises' diagnoses, verdicts from
the claims ledger, seconds and memory from the last measurement. `make readme` writes it.
"""

from lessons import claims, exercises, experiments
from lessons.errors import LessonError
from lessons.exercises.exercise import Exercise
from lessons.exercises.questions import Question
from tools import memory
from tools.outline import Outline, Picture, outlines
from widgets.showcase import TOPICS

USUAL = 4  # mistakes told of each exercise


def guide() -> str:
    """All lessons, in order."""
    return "\n".join(lesson(one) for one in outlines())


def lesson(one: Outline) -> str:
    """One lesson's section."""
    parts = [
        f"## {one.number} · {one.question}\n",
        f"{one.terms}.{cost(one.slug)}\n",
        f"**Ask first.** {one.guess.removesuffix(' Replace the three dots.')}\n" if one.guess else "",
        show(one),
        discuss(one),
        wrong(one),
        quiz(one),
    ]
    return "\n".join(filter(None, parts))


def cost(slug: str) -> str:
    """What Run All takes, as measured; nothing where it is not measured yet."""
    row = memory.load()["runs"].get("cpu", {}).get("1", {}).get(slug)
    return f" *Run All* takes {row['processor']} s of one core and {row['kernel']} MB." if row else ""


def show(one: Outline) -> str:
    """The pictures of a lesson in its own words, and the command that puts some on a projector."""
    topic = one.slug[3:]
    projected = f" On a projector: `make demo TOPIC={topic}`." if topic in TOPICS else ""
    rows = dict.fromkeys(map(described, one.pictures))  # two pictures may stand behind the same words
    return f"**Show.**{projected}\n\n" + "\n".join(rows) + "\n" if rows else ""


def described(picture: Picture) -> str:
    """A picture's section, and the sentences before it; the puzzle is told already."""
    prose = picture.prose.removeprefix("**The picture.** ")
    prose = "The picture that answers it." if prose.startswith("**Guess first.**") else prose
    return f"- *{picture.section or 'First'}*: {prose}"


def discuss(one: Outline) -> str:
    """The claims of a lesson and what came out."""
    rows = []
    for claim in experiments.catalogue().values():
        if claim.lesson == one.slug:
            try:
                result = claims.load(claim.name)
            except LessonError:  # not run yet
                continue
            rows.append(f"- {claim.statement} **{result.verdict[0].upper()}{result.verdict[1:]}.**")
    return (
        "**Discuss.** Predict each verdict before it is shown:\n\n" + "\n".join(rows) + "\n" if rows else ""
    )


def wrong(one: Outline) -> str:
    """The exercises, each with the mistakes that its check knows."""
    found = exercises.catalogue()
    rows = [mistakes(found[name]) for name in one.exercises if name in found]
    return "**Where learners go wrong.**\n\n" + "\n".join(rows) + "\n" if rows else ""


def mistakes(exercise: Exercise) -> str:
    """An exercise and the first mistakes that its check looks for, which are the usual ones."""
    known = [diagnosis.hint for diagnosis in exercise.diagnoses]
    told = "\n".join(f"  - {hint}" for hint in known[:USUAL])
    return f"- `{exercise.name}`: {exercise.statement} The check knows {len(known)} mistakes:\n{told}"


def quiz(one: Outline) -> str:
    """The quiz with the answers, and what makes the wrong ones tempting."""
    if not one.quiz or one.quiz not in exercises.lessons():
        return ""
    asked = exercises.quiz(one.quiz)
    return folded(f"The quiz, {len(asked)} questions, answered", "\n\n".join(map(answered, asked))) + "\n"


def answered(question: Question) -> str:
    rows = [f"- {'✓' if option.right else '✗'} {option.text} {option.why}" for option in question.options]
    return "\n".join([f"*{question.text}*", "", *rows])


def folded(summary: str, text: str) -> str:
    """Text under a line that opens it, on GitHub and in JupyterLab."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"
