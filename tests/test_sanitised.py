"""What a network wrote can be looked at and do nothing else."""

import base64
import re
from xml.etree import ElementTree

import pytest

from widgets import sanitised

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><foreignObject><iframe src=javascript:alert(1)></iframe></foreignObject></svg>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="jAvAsCrIpT&#58;alert(1)">x</a>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<form action=//evil.example><input name=q autofocus onfocus=alert(1)></form>",
    '<div style="position:fixed;inset:0;background:url(//evil.example/x)">x</div>',
    "<style>@import '//evil.example/x.css'; body{display:none}</style>",
    '<meta http-equiv="refresh" content="0;url=//evil.example">',
    "<object data=x></object><embed src=x><link rel=stylesheet href=//evil.example>",
    "<!--<img src=--><img src=x onerror=alert(1)//>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<p id=jp-main class=lm-Widget data-x=1 contenteditable>x</p>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<template><script>alert(1)</script></template>",
]
TAG = re.compile(r"<\s*(/?)\s*([A-Za-z][\w-]*)([^>]*)>")


def harmless(shown: str, tags=sanitised.TAGS, attributes=()) -> bool:
    """Whether HTML has only these elements, and no attribute but these."""
    for _, name, rest in TAG.findall(shown):
        given = {key for key, _ in re.findall(r'([\w:-]+)\s*=\s*("[^"]*")', rest)}
        if name.lower() not in tags or given - set(attributes) or re.sub(r'[\w:-]+="[^"]*"|\s|/', "", rest):
            return False
    return True


def test_the_test_itself_sees_what_is_not_harmless():
    assert harmless("<p>a <strong>b</strong><br></p>")
    assert not any(map(harmless, ["<script>", "<p onclick=x>", '<p onclick="x">', "<a>", "<p hidden>"]))


@pytest.mark.parametrize("text", HOSTILE)
def test_html_markdown_and_latex_keep_nothing_that_acts(text):
    for shown in (sanitised.html(text), sanitised.markdown(text), sanitised.latex(text)):
        assert harmless(shown)
        assert not re.search(r"<[^>]*(script|onerror|onload|javascript)", shown, re.IGNORECASE)
    assert harmless(sanitised.source(text), ["pre", "span"], ["class", "style"])


@pytest.mark.parametrize("show", [sanitised.html, sanitised.markdown, sanitised.source])
def test_what_is_no_formula_is_never_given_to_mathjax(show):
    shown = show(r"cost $5$, \(x\), \[y\], \begin{equation}\href{javascript:alert(1)}{x}\end{equation} $$z$$")
    assert not re.search(r"[$\\](?!</span>)", shown)
    assert "cost" in shown and "javascript" in shown  # the words are still there to read


def test_source_marks_a_span_and_escapes_inside_it():
    shown = sanitised.source("a <b> $c$", marked=(2, 5))
    assert "a <mark>&lt;b&gt;</mark> " in shown and harmless(
        shown, ["pre", "span", "mark"], ["class", "style"]
    )


def test_html_keeps_structure_and_closes_what_is_open():
    assert sanitised.html("<h2>A</h2><p><strong>B<br />c") == "<h2>A</h2><p><strong>B<br>c</strong></p>"


def test_markdown_is_rendered_without_links_or_pictures():
    shown = sanitised.markdown(
        "## A\n\n**B** _c_  \nd\n\n[x](javascript:alert(1)) ![y](//evil.example/p.png)"
    )
    assert "<h2>A</h2>" in shown and "<strong>B</strong> <em>c</em><br>" in shown
    assert "<a" not in shown and "<img" not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        r"\href{javascript:alert(1)}{x}", r"\class{jp}{x}", r"\cssId{a}{x}", r"\style{color:red}{x}",
        r"\def\x{\x\x}\x", r"\newcommand{\x}{\x}\x", r"\require{html}", r"\unicode{x41}", r"\let\a\b",
        r"\includegraphics{x}", r"\label{a}", r"\begin{CD}a\end{CD}", r"\url{x}", r"x % y", r"\begin {CD} x",
        r"\data{x}", r"\begin" "\n" r"{alltt}x", r"\text{$\href{javascript:1}{x}$}", r"\mmlToken{mi}{x}",
    ],
)  # fmt: skip
def test_a_formula_that_could_do_more_than_stand_there_is_shown_as_its_source(wrong):
    for shown in (sanitised.formula(wrong), sanitised.formula(wrong, display=True)):
        assert shown.startswith("<code>") and not re.search(r"[$\\](?!</span>)", shown)


def test_formulas_that_are_known_are_left_for_mathjax():
    assert sanitised.formula(r"\frac{a}{b} < 1") == r"$\frac{a}{b} &lt; 1$"
    article = "\\section{On $x^{2}$}\nLet $x < 1$. <b>Then</b>\n\\begin{equation}\nx = 1\n\\end{equation}\n"
    shown = sanitised.latex(article + "\\begin{proof}\nBy $\\href{javascript:1}{x}$.\n")
    assert "<h4>On $x^{2}$</h4>" in shown and "$x &lt; 1$" in shown and "$$\nx = 1\n$$" in shown
    assert "&lt;b&gt;Then" in shown and "<code><span>\\</span>href" in shown
    assert shown.count("<blockquote>") == shown.count("</blockquote>") == 1


def drawn(text: str, **more) -> ElementTree.Element | None:
    """The drawing that an <img> holds, or None where there is a frame instead."""
    shown = sanitised.svg(text, **more)
    assert harmless(shown, ["img", "span"], ["alt", "src", "style", "role", "aria-label", "title"])
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', shown)
    return ElementTree.fromstring(base64.b64decode(found[1])) if found else None


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" {0}>{1}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<foreignObject><iframe src='javascript:alert(1)'/></foreignObject>",
        "<path onclick='alert(1)' d='M0 0'/>",
        "<image href='//evil.example/x.png'/>",
        "<a href='javascript:alert(1)'><path d='M0 0'/></a>",
        "<use href='//evil.example/x.svg#a'/>",
        "<use xmlns:x='http://www.w3.org/1999/xlink' x:href='data:image/svg+xml,x#a'/>",
        "<path fill='url(//evil.example/x#p)' d='M0 0'/>",
        "<style>path{background:url(//evil.example)}</style>",
        "<style>@import '//evil.example/x.css';</style>",
        "<animate attributeName='href' values='javascript:alert(1)'/>",
        "<set attributeName='onload' to='alert(1)'/>",
        "<filter id='f'><feImage href='//evil.example'/></filter>",
        "<handler xmlns='http://www.w3.org/2001/xml-events'>alert(1)</handler>",
    ],
)
def test_a_drawing_keeps_nothing_that_acts_or_reaches_outside(inside):
    kept = ElementTree.tostring(drawn(SVG.format("onload='alert(1)'", inside)), encoding="unicode")
    assert not re.search(r"alert|evil|javascript|script|foreign|onload|onclick|data:", kept)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no element found"),
        ("<p>x</p>", "first element is not svg"),
        ("<svg><path></svg>", "mismatched tag"),
        ("<svg" + "><g" * 200 + ">" + "</g>" * 200 + "</svg>", "hundred deep"),
        ("<svg>" + "<g/>" * 90_000 + "</svg>", "elements"),
        ("<svg>" + " " * 500_000 + "</svg>", "longer than"),
        ("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>", "document type"),
        (
            "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
            "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]><svg><text>&c;</text></svg>",
            "document type",
        ),
        ("<!DOCTYPE svg SYSTEM 'file:///etc/passwd'><svg/>", "document type"),
        ("<svg>&undefined;</svg>", "undefined entity"),
        ("<svg xmlns='http://www.w3.org/2000/svg'>\ud800</svg>", ""),
        ("<svg a='1' a='2'/>", "duplicate attribute"),
    ],
)
def test_what_is_no_drawing_is_an_empty_frame_that_says_why(text, why):
    shown = sanitised.svg(text, label='"><script>')
    assert why in shown and "<script" not in shown
    assert ("<img" in shown) == (why == "")


def test_uses_of_uses_do_not_grow_without_end():
    bomb = "".join(
        f"<symbol id='s{k}'><use href='#s{k + 1}'/><use href='#s{k + 1}'/></symbol>" for k in range(30)
    )
    kept = drawn(SVG.format("", f"<defs>{bomb}</defs><use href='#s0'/>"))
    uses = [one for one in kept.iter() if one.tag.endswith("use")]
    assert [one.get("href") for one in uses] == ["#s0"]


def test_uses_of_groups_that_use_others_are_refused():
    bomb = "".join(f"<g id='g{k}'><use href='#g{k + 1}'/><use href='#g{k + 1}'/></g>" for k in range(30))
    alike = "<defs>" + "".join(f"<g id='g{k}'/>" for k in range(31)) + "</defs>"
    kept = drawn(SVG.format("", f"{bomb}<g id='g30'><path d='m0 0 1 1'/></g>{alike}"))
    assert not [one for one in kept.iter() if one.get("href")]


def test_a_drawing_is_kept_as_it_is_and_coloured():
    kept = drawn(
        SVG.format('stroke="currentColor"', '<path d="m2 2 20 20" /><circle cx="1" cy="2" r="3"/>'),
        colour="#0067a3",
    )
    assert (kept.get("viewBox"), kept.get("stroke"), kept.get("color")) == (
        "0 0 24 24",
        "currentColor",
        "#0067a3",
    )
    assert [(one.tag.rpartition("}")[2], dict(one.attrib)) for one in kept] == [
        ("path", {"d": "m2 2 20 20"}), ("circle", {"cx": "1", "cy": "2", "r": "3"}),
    ]  # fmt: skip


@pytest.mark.parametrize("show", [sanitised.html, sanitised.markdown, sanitised.latex, sanitised.source])
@pytest.mark.parametrize(
    "text", ["<b>" * 500_000, "x" * 3_000_000, "$" * 200_000, "> " * 300_000, "\\begin{a}" * 99_999]
)
def test_a_huge_text_is_cut(show, text):
    shown = show(text)
    assert len(shown) < 20 * sanitised.LONGEST
    assert "(cut)" in shown or text[0] in "<>"  # the end of a tag, or deeper than markdown-it reads


@pytest.mark.parametrize("show", [sanitised.html, sanitised.markdown, sanitised.latex, sanitised.source])
def test_half_a_character_is_shown_as_a_question_mark(show):
    assert "?" in show("a \ud800 b")


def test_no_attribute_stays_not_even_a_harmless_one():
    assert sanitised.html('<p title="$x$" lang="de">a</p>') == "<p>a</p>"


def test_a_last_backslash_cannot_take_the_dollar_that_closes_a_formula():
    assert "$" not in sanitised.latex("$a\\$ b")
    assert sanitised.formula("a\\\\") == "$a\\\\$"


def test_headings_in_headings_come_to_an_end():
    assert "section" in sanitised.latex("\\section{" * 900 + "a" + "}" * 900)


def test_a_drawing_is_read_as_what_it_is_whatever_it_declares():
    assert "<img" in sanitised.svg('<?xml version="1.0" encoding="nonsense"?><svg/>')
