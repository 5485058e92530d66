"""Judges name the first fault of a document, and never act on it."""

import io
import zipfile

import pytest

from lessons import documents, icons, judges, latex
from lessons.errors import LessonError

ICON = (
    '<svg\n  xmlns="http://www.w3.org/2000/svg"\n  width="24"\n  stroke="currentColor"\n>\n'
    '  <path d="m2 2 20 20" />\n  <circle cx="12" cy="12" r="3" />\n</svg>\n'
)
BODY = '<path d="m2 2 20 20" />\n<circle cx="12" cy="12" r="3" />\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<article>\n<h3>A &amp; B</h3>\n<p><strong>X</strong><br>\ny</p>\n</article>\n", ""),
        ("<article><p><em>x</p></em></article>", "</p> closes <em>"),
        ("<article><p>x</article>", "</article> closes <p>"),
        ("<article><p>x</p>", "<article> is never closed"),
        ("<p>x</p>", "no <article>"),
        ("</article>", "closes nothing"),
        ("<article><script>alert(1)</script></article>", "unknown element <script>"),
        ('<article><p onclick="x">y</p></article>', "an attribute in <p>"),
        ("<article>a < b</article>", "belongs to no tag"),
        ("<article><!-- x --></article>", "comment"),
        ("<article><?x?></article>", "comment"),
        ("<article><![CDATA[x]]></article>", "comment"),
        ("<article><![x[y]]></article>", "broken declaration"),
    ],
)
def test_html(text, fault):
    assert (judges.html(text) == "") == (fault == "") and fault in judges.html(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("**HAMLET**  \nWords, words, _words_.\n", ""),
        ("_\\[Aside]_  \nA\n", ""),
        ("**HAMLET*  \nWords.\n", "*"),
        ("**HAMLET  \nWords.\n", "*"),
        ("_Exit HAMLET\n", "_"),
        ("    Words.\n", "code"),
    ],
)
def test_markdown(text, fault):
    assert (judges.markdown(text) == "") == (fault == "") and fault in judges.markdown(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def f(x):\n    return x\n", ""),
        ("def f(x):\n    return '\\d'\n", ""),
        ("def f(x:\n    return x\n", "line 1"),
        ("def f(x):\nreturn x\n", "line 2"),
        ("x = '\0'\n", ""),
        ("(" * 5000, ""),
    ],
)
def test_python_is_parsed_and_not_run(text, fault):
    said = judges.python(text)
    assert fault in said and (said == "") == text.startswith("def f(x):\n    ")


def test_python_that_would_do_harm_is_only_parsed(tmp_path):
    target = tmp_path / "made"
    assert judges.python(f"open({str(target)!r}, 'w').close()\n") == "" and not target.exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BODY, ""),
        ('<polyline points="1 1 2 2 3,3" />\n<rect width="3" height="4" />', ""),
        ("", "nothing is drawn"),
        ('<path d="m2 2 20 20" />\n<path d="', "no well-formed XML"),
        ('<path d="m2 2 20" />', "takes 2 numbers"),
        ('<path d="2 2" />', "begins with M"),
        ('<path d="M2 2z5" />', "number too many"),
        ('<path d="M2 2a1 1 0 2 0 1 1" />', "flags"),
        ('<path d="M1 1x" />', "'x' in a path"),
        ('<path d="M1 1e999" />', "not finite"),
        ("<path />", "without d"),
        ('<circle cx="a" r="1" />', "'a' is no number"),
        ('<polygon points="1 2 3" />', "partners"),
        ('<circle r="nan" />', "'nan' is no number"),
        ('<circle r="1_0" />', "no number"),
        ('<polyline points="1 1 2 inf" />', "no number"),
        ("<script>alert(1)</script>", "unknown element <script>"),
        ("</svg><svg>", "no well-formed XML"),
        ("words", "text outside"),
    ],
)
def test_figures(text, fault):
    assert (judges.figure(text) == "") == (fault == "") and fault in judges.figure(text)


def test_a_document_type_is_refused_before_any_entity():
    with pytest.raises(ValueError, match=r"document type|well-formed"):
        judges.elements('</svg><!DOCTYPE svg [<!ENTITY a "b">]>')


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        ("M1 2l3 4H9V0", [(1, 2), (4, 6), (9, 6), (9, 0)]),
        ("m1 2 3 4-1-1", [(1, 2), (4, 6), (3, 5)]),
        ("M1 1h2v2zl1 0", [(1, 1), (3, 1), (3, 3), (2, 1)]),
        ("M0 0c1 1 2 2 3 3s1 1 2 2q1 1 2 0t1 1", [(0, 0), (3, 3), (5, 5), (7, 5), (8, 6)]),
        ("M5 5a2 2 0 012 2 1 1 0 10-1-1", [(5, 5), (7, 7), (6, 6)]),
        ("M.5.5-.5 1e1", [(0.5, 0.5), (-0.5, 10)]),
    ],
)
def test_paths_are_followed_command_by_command(data, ends):
    assert [pytest.approx(end) for end in ends] == icons.path_points(data)


def test_shapes_that_leave_the_frame_are_counted():
    text = BODY + '<path d="M20 20h9" />\n<line x1="0" y1="0" x2="24" y2="24" />\n<path d="M" />\n'
    assert judges.framed(text) == (3, 4) and judges.framed("<") == (0, 0)
    assert icons.inside([(25.0, 3.0)], margin=1) and not icons.inside([(25.5, 3.0)], margin=1)
    with pytest.raises(LessonError, match="0 or more"):
        icons.inside([], margin=-1)


def test_icons_lose_their_head_and_foot_and_get_them_back():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/x.svg", ICON)
        archive.writestr("readme.txt", "no icon")
    assert dict(icons.bodies(buffer.getvalue())) == {"x": BODY}
    assert icons.whole(BODY).startswith("<svg ") and icons.whole(BODY).endswith("</svg>\n")


PLAY = (
    "## SCENE I\n\n_Enter A_\n\n**A**  \nOne < two,  \nand three.\n\n\n**B**  \nFour.\n\n"
    "## SCENE II\n\n**A**  \nB.\n"
)


def test_pages_are_articles_of_one_scene_that_nest():
    pages = list(documents.pages(PLAY))
    assert len(pages) == 2 and all(judges.html(page) == "" for page in pages)
    assert "<strong>A</strong><br>\nOne &lt; two,<br>\nand three." in pages[0]
    assert documents.split(documents.joined(pages)) == pages


def test_functions_stand_flush_left_and_alone():
    module = (
        "import os\n\n\nclass A:\n    @property\n    def long_enough_to_keep(self):\n\n        x = 1\n\n"
        "        return x + 1 + 2 + 3\n\n\ndef short(): return 1\n"
    )
    (function,) = documents.functions(module)
    assert function.startswith("@property\ndef long_enough_to_keep(self):\n    x = 1\n    return")
    assert judges.python(function) == "" and documents.split(function) == [function]


ARTICLE = (
    "\\section{On $x^{2}$}\nLet $x = 1$.\n\\begin{equation}\n\\frac{1}{2} = y.\n\\end{equation}\n"
    "See \\emph{it}.\n"
)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("", "", ""),
        ("\\frac{1}{2}", "\\frac{1}", "without its argument"),
        ("\\frac{1}{2}", "\\frac{1}{2", "without its }"),
        ("\\frac{1}{2}", "x}", "without its {"),
        ("\\frac{1}{2}", "x^{1}^{2}", "double superscripts"),
        ("\\frac{1}{2}", "\\left(x", "left"),
        ("\\frac{1}{2}", "\\foo{x}", "unknown command \\foo"),
        ("\\frac{1}{2}", "\\begin{CD}x\\end{CD}", "unknown environment"),
        ("\\frac{1}{2}", "\\begin{matrix}x", "end"),
        ("$x = 1$", "$x = 1", "$"),
        ("$x = 1$", "$x = 1\\$", "unknown command"),
        ("\\frac{1}{2}", "{" * 3000 + "}" * 3000, "nothing that can be parsed"),
        ("$x = 1$", "$\\,x\\{\\text$", "nothing that can be parsed"),
        ("$x = 1$", "x_1", "_ outside"),
        ("$x = 1$", "\\sqrt{2}", "outside a formula"),
        ("\\end{equation}", "", "unknown environment 'equation'"),
        ("See", "\\begin{proof}\nSee", "\\begin{proof} without its \\end"),
        ("See", "\\end{proof}", "without its \\begin"),
        ("\\section{On $x^{2}$}\n", "", "no \\section"),
        ("\\section{On $x^{2}$}", "\\section{On $x^{2$}", "heading"),
    ],
)
def test_latex(old, new, fault):
    said = latex.fault(ARTICLE.replace(old, new) if old else ARTICLE)
    assert (said == "") == (fault == "") and fault in said


def test_an_article_taken_apart_loses_nothing_that_is_said():
    kinds = [piece.kind for piece in latex.pieces(ARTICLE)]
    assert kinds == ["section", "text", "inline", "text", "equation", "text", "emph", "text"]
    assert latex.formulas(ARTICLE) == ["x = 1", "\n\\frac{1}{2} = y.\n"]
    assert "".join(piece.text for piece in latex.pieces("a } \\b { $")) == "a } \\b { $"
