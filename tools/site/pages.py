"""The pages that are not lessons: home, explorers, claims, glossary; from what the course says already."""

import html
import io
import json
import re
import shutil

import nbformat
from PIL import Image

from lessons import claims, experiments
from lessons.errors import LessonError
from tools import readme
from tools.site import EXTRA, ROOT, SOURCE, books
from widgets import claims as pictures
from widgets.gallery import Exhibit

TONES = "figo"  # the course's four colours, lesson after lesson
THUMB = (520, 260)
SENTENCE = (
    "Recurrent networks you can see through: a course whose every lesson trains a real model and opens it. "
    "Watch each gate of an LSTM at each character it reads, hold one shut, and see what the network would "
    "have written instead."
)
WORDS_TABLE = re.compile(r"^\| word \| meaning \|\n\|[-| ]+\|\n((?:\|.*\n?)+)", re.MULTILINE)
# A word that is explained has an article or the like before it, opens its sentence or is quoted after it;
# one that is only stressed ("the gaze jumps **back**") has not.
BOLD = re.compile(
    r"(?:^|(?<!only )\b(?:an?|the|its|two|three|\d+|called|is|are|in|of|or|same|parallel) |\(|: |\$ )"
    r"\*\*([a-z][\w’' -]{2,38})\*\*|\*\*([a-z][\w’' -]{2,38})\*\*(?= \()",
    re.IGNORECASE,
)
TONE_OF = {"holds": "o", "does not hold": "i"}


def write(name: str, text: str) -> None:
    """A page in Markdown."""
    SOURCE.mkdir(parents=True, exist_ok=True)
    (SOURCE / f"{name}.md").write_text(text, encoding="utf-8")


def home(lessons: list[readme.Lesson]) -> None:
    """One sentence, the moving picture, the lessons, and where else to go."""
    tree = "\n".join(f"{name(one)} <lessons/{one.slug}>" for one in lessons)
    cards = "\n".join(card(one, TONES[k % 4]) for k, one in enumerate(lessons))
    still()
    write("index", f"""# Unrolled

<div class="hero">
<p class="sentence">{SENTENCE}</p>
<div class="row"><a class="button" href="lessons/{lessons[0].slug}.html">Begin with lesson 00</a>
<a class="button quiet" href="explorers/microscope.html">Open the microscope</a>
<a class="button quiet" href="{readme.binder(lessons[0].slug)}">Run it on Binder</a></div>
<a href="explorers/microscope.html"><picture>
<source srcset="pictures/tour.png" media="(prefers-reduced-motion: reduce)">
<img src="pictures/tour.gif" width="860" height="{tour_height()}" alt="The gate microscope
reads a play: coloured text, one unit's gates over time, its cell with numbers on the wires, and the next
character's probabilities.">
</picture></a>
</div>

## Lessons

<ul class="lessons">
{cards}
</ul>

{len(lessons)} lessons, each a notebook in JupyterLab. These pages show them as they ran; most pictures answer
to mouse and keyboard here, too. To train the networks yourself, get the [repository]({repository()})
and type `make lab`.

```{{toctree}}
:hidden:
:caption: Lessons

{tree}
```

```{{toctree}}
:hidden:
:caption: All of it

Explorers <explorers>
Claims <claims>
Glossary <glossary>
```
""")  # fmt: skip


def name(one: readme.Lesson) -> str:
    """A lesson in the list beside every page: "04 · lstm"."""
    return f"{one.slug[:2]} · {one.slug[3:].replace('_', ' ')}"


def repository() -> str:
    return f"https://github.com/{readme.repository()}"


def card(one: readme.Lesson, tone: str) -> str:
    """A lesson in the index: its first picture, number, question, and what it takes and trains."""
    return (
        f'<li><a class="tone-{tone}" href="lessons/{one.slug}.html">{thumb(one.slug)}<span class="words">'
        f'<span class="number">{one.slug[:2]}</span><span class="question">{html.escape(one.question)}</span>'
        f'<span class="terms">{html.escape(one.terms)}</span></span></a></li>'
    )


def thumb(slug: str) -> str:
    """The upper left part of a lesson's first picture, small."""
    found = sorted((EXTRA / "pictures").glob(f"{slug}-*.png"), key=lambda path: numbers(path.stem))
    if not found:
        return ""
    picture = Image.open(found[0]).convert("RGB")
    picture.thumbnail((THUMB[0], 10_000))
    picture = picture.crop((0, 0, picture.width, min(THUMB[1], picture.height)))
    path = EXTRA / "pictures" / f"thumb-{slug}.webp"
    picture.save(path, quality=82)
    size = f'width="{picture.width}" height="{picture.height}"'
    return f'<img src="pictures/{path.name}" alt="" {size} loading="lazy">'


def numbers(stem: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", stem)]


def still() -> None:
    """The moving picture, and its first frame for those who asked their system for less movement."""
    shutil.copy(ROOT / "docs" / "tour.gif", EXTRA / "pictures" / "tour.gif")
    with Image.open(ROOT / "docs" / "tour.gif") as movie:
        movie.convert("RGB").save(EXTRA / "pictures" / "tour.png")


def tour_height() -> int:
    with Image.open(io.BytesIO((ROOT / "docs" / "tour.gif").read_bytes())) as movie:
        return round(860 * movie.height / movie.width)


def explorers(lessons: list[readme.Lesson], gallery: dict[str, Exhibit]) -> None:
    """Every explorer with its lesson, to be opened in its place or on a page of its own."""
    parts = []
    for one in lessons:
        own = [exhibit for exhibit in gallery.values() if exhibit.lesson == one.slug[3:]]
        rows = [
            f'<li><a href="explorers/{exhibit.name}.html">{html.escape(exhibit.title)}</a></li>'
            for exhibit in own
        ]
        if rows:
            link = f"[{one.slug[:2]} · {one.question}](lessons/{one.slug}.ipynb)"
            parts.append(f'{link}\n\n<ul class="chips">{"".join(rows)}</ul>\n\n')
    write("explorers", f"""# Explorers

Each of these is a page that needs no kernel and no network. What a control offers was drawn or computed
when these pages were made; the notebooks offer every value. Arrow keys move in time, space plays.

{"".join(parts)}
""")  # fmt: skip


def the_claims() -> None:
    """The ledger: a table, and behind it every claim with its rule, verdict and seeds."""
    rows, parts = [], []
    for key, claim in experiments.catalogue().items():
        try:
            result = claims.load(key)
        except LessonError:
            rows.append(
                f"<tr><td>{claim.lesson[:2]}</td><td>{html.escape(claim.statement)}</td>"
                "<td>not run yet</td><td>–</td></tr>"
            )
            continue
        tone, words = TONE_OF.get(result.verdict, "g"), html.escape(verdict(result.verdict))
        chip = f'<span class="verdict tone-{tone}">{words}</span>'
        rows.append(
            f'<tr><td>{claim.lesson[:2]}</td><td><a href="#{key}">{html.escape(claim.statement)}</a></td>'
            f"<td>{chip}</td><td>{len(result.seeds)}</td></tr>"
        )
        parts.append(f"""
({key})=
## {key}

{result.statement} <span class="facts">(lesson {claim.lesson[:2]}; {result.source})</span>

{chip} {result.reason}

**Rule, fixed beforehand:** {result.rule}.

{seeds(result)}

<p class="facts">{len(result.seeds)} seeds, preset {result.preset}, {html.escape(result.device)},
{result.seconds:.0f} s, {result.date[:10]}. {html.escape(result.budget)}</p>

`python -m lessons claim {key} --seeds {len(result.seeds)}`
""")  # fmt: skip
    write("claims", f"""# What held, and what did not

Each row is an experiment whose pass rule was fixed before it ran, on five seeds or more. Results that went
against the statement stay in the table.

<div class="table-wrapper"><table class="claims">
<thead><tr><th>lesson</th><th>claim</th><th>verdict</th><th>seeds</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table></div>
{"".join(parts)}
""")  # fmt: skip


def verdict(words: str) -> str:
    """A verdict short enough for a table: what a claim depends on is said with its reason."""
    return "depends" if words.startswith("depends") else words


def seeds(result: claims.Result) -> str:
    """Every seed's figures as a picture, drawn in the page."""
    figure = pictures.every_seed(result)
    bundle = figure._repr_mimebundle_()
    data = bundle[books.PLOTLY]
    text = books.safe(json.dumps({key: data[key] for key in ("data", "layout")}, separators=(",", ":")))
    words = html.escape(figure.summary)
    return (
        f'<div class="plot" role="img" aria-label="{words}" style="--height:{figure.layout.height}px">'
        f'<p>{words}</p><script type="application/json">{text}</script></div>'
    )


def glossary(lessons: list[readme.Lesson], read: dict[str, nbformat.NotebookNode]) -> None:
    """The words of lesson 00's table, and every word that a lesson sets in bold where it explains it."""
    meanings: dict[str, tuple[str, str]] = {}
    for one in lessons:
        for cell in read[one.slug].cells:
            if cell.cell_type != "markdown":
                continue
            for row in (WORDS_TABLE.search(cell.source) or [None, ""])[1].splitlines():
                word, meaning = (part.strip() for part in row.strip("| ").split("|", 1))
                meanings.setdefault(word, (meaning, one.slug))
            for word, sentence in explained(cell.source):
                meanings.setdefault(word, (sentence, one.slug))
    entries = [
        f"{word}\n: {meaning} [Lesson {slug[:2]}](lessons/{slug}.ipynb)\n"
        for word, (meaning, slug) in sorted(meanings.items(), key=lambda item: item[0].strip("`$").lower())
    ]
    write("glossary", f"""# Glossary

{len(entries)} words, each as the lesson explains it that uses it first.

{chr(10).join(entries)}
""")  # fmt: skip


def explained(text: str) -> list[tuple[str, str]]:
    """(word, sentence) for every word in bold in running text."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith(("#", "|", "-", "*Quiz")) or "$$" in paragraph:
            continue
        whole = " ".join(paragraph.split())
        for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z*])", whole):
            found += [
                (match[1] or match[2], sentence)
                for match in BOLD.finditer(sentence)
                if sentence.count("**") % 2 == 0 and " is " not in (match[1] or match[2])
            ]
    return found
