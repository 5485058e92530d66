"""A journal of mathematics that nobody has to read: small articles whose formulas sympy has worked out.

Every article is true and well formed, and there are as many as one asks for: the text to train a network on
that writes LaTeX. What an article says is drawn from a few subjects; the formulas are `sympy.latex` of
expressions. sympy takes its time, so the first two thousand lie in data/samples; `python -m lessons.journals`
writes them again.
"""

import hashlib
import lzma
import random
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import sympy
from sympy import Matrix, Rational, Symbol, cos, diff, exp, expand, factor, latex, log, sin, sqrt

from lessons import documents, sources
from lessons.arguments import Count, explained
from lessons.corpora import Corpus, Provenance
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary

SEED, STORED, WRITTEN_WITH = 0, 2000, "1.14.0"  # of the articles in data/samples: dice, number, sympy
FEWEST = 20  # articles that can be split into texts to train on, to choose with and to test with
VOLUMES = 80  # documents of the corpus, a number of articles each

Article = Callable[[random.Random], str]


@explained
@lru_cache(maxsize=4)
def corpus(count: Count = STORED) -> Corpus:
    """`count` articles, no two alike, in volumes that are split like the documents of any corpus."""
    if count < FEWEST:
        raise LessonError(f"A journal needs at least {FEWEST} articles; {count} were asked for.")
    stored = read()
    written = stored[:count] if count <= len(stored) else articles(count)
    size = max(1, count // VOLUMES)
    volumes = ["\n".join(written[start : start + size]) for start in range(0, count, size)]
    content = hashlib.sha256("\n".join(written).encode()).hexdigest()
    version = WRITTEN_WITH if count <= len(stored) else sympy.__version__
    release = f"{count:,} articles by sympy {version}, seed {SEED}"
    where = Provenance("journals", "journals", release, content, "CC0-1.0", "generated", "generated")
    named = tuple((f"volume {number}", volume) for number, volume in enumerate(volumes, 1))
    return Corpus("journals", named, Vocabulary.of("".join(written)), where)


def sample() -> Path:
    """The file in which the first articles are kept."""
    return sources.data_folder() / "samples" / "journals.tex.xz"


def read() -> list[str]:
    """The articles that are kept; none where the file is not here, as in an installed package."""
    if not sample().is_file():
        return []
    try:
        return documents.split(lzma.decompress(sample().read_bytes()).decode())
    except (lzma.LZMAError, OSError, UnicodeDecodeError) as error:
        raise LessonError(
            f"{sample().name} is damaged; `python -m lessons.journals` writes it again."
        ) from error


def main() -> None:
    """Write the articles that are kept, which takes sympy about a minute."""
    text = "\n".join(articles(STORED))
    sources.write_whole(sample(), lzma.compress(text.encode(), preset=9))
    print(f"{STORED:,} articles, {len(text):,} characters, in data/samples/{sample().name}")


def articles(count: int, seed: int = SEED) -> list[str]:
    """So many articles, no two alike, drawn one after the other."""
    dice, kept = random.Random(seed), dict[str, None]()
    while len(kept) < count:
        kept[article(dice)] = None
    return list(kept)


def article(dice: random.Random) -> str:
    """One article, drawn: heading, sentences, equations, at times a theorem with its proof."""
    return dice.choice(SUBJECTS)(dice)


def derivative(dice: random.Random) -> str:
    """The slope of a product, and where it is at a point."""
    x = _letter(dice)
    f, name = _term(dice, x) * _term(dice, x), dice.choice("fgh")
    at = dice.randint(0, 3)
    slope = diff(f, x)
    opening = dice.choice(("Let", "Consider", "We look at", "Suppose that"))
    return "\n".join(
        [
            rf"\section{{On the derivative of ${latex(f)}$}}",
            f"{opening} ${name}({x}) = {latex(f)}$. {dice.choice(RULES)} gives",
            _equation(f"{name}'({x}) = {latex(slope)}."),
            f"At ${x} = {at}$ the slope is ${latex(slope.subs(x, at))}$.\n",
        ]
    )


def antiderivative(dice: random.Random) -> str:
    """An integral, found by knowing what it is the derivative of."""
    x = _letter(dice)
    whole = _term(dice, x) * _term(dice, x) + dice.randint(0, 1) * _term(dice, x)
    part = diff(whole, x)
    return "\n".join(
        [
            rf"\section{{An integral of ${latex(part)}$}}",
            r"\begin{theorem}",
            rf"$\int {_bracketed(part)}\, d{x} = {latex(whole)} + C$.",
            r"\end{theorem}",
            r"\begin{proof}",
            f"{dice.choice(RULES)} gives",
            _equation(rf"\frac{{d}}{{d{x}}} {_bracketed(whole)} = {latex(part)}."),
            r"\end{proof}" + "\n",
        ]
    )


def area(dice: random.Random) -> str:
    """A definite integral of a polynomial."""
    x = _letter(dice)
    f, a = _polynomial(dice, x, 3), dice.randint(-2, 1)
    b = a + dice.randint(1, 4)
    whole = sympy.Poly(f, x).integrate(x)
    value = whole.eval(b) - whole.eval(a)
    return "\n".join(
        [
            rf"\section{{The area under ${latex(f)}$}}",
            f"{dice.choice(INTEGRATE)} from ${a}$ to ${b}$:",
            _equation(rf"\int_{{{a}}}^{{{b}}} {_bracketed(f)}\, d{x} = {latex(value)}."),
            rf"An antiderivative is ${latex(whole.as_expr())}$.{_aside(dice)}" + "\n",
        ]
    )


def summation(dice: random.Random) -> str:
    """The closed form of a sum, and its proof by induction."""
    k, n = Symbol("k"), Symbol("n")
    term = _polynomial(dice, k, 2)
    c, b, a = (term.coeff(k, power) for power in (0, 1, 2))
    closed = factor(a * n * (n + 1) * (2 * n + 1) / 6 + b * n * (n + 1) / 2 + c * n)
    return "\n".join(
        [
            rf"\section{{A sum of ${latex(term)}$}}",
            r"\begin{lemma}",
            rf"For all $n \geq 1$ we have $\sum_{{k=1}}^{{n}} {_bracketed(term)} = {latex(closed)}$.",
            r"\end{lemma}",
            r"\begin{proof}",
            f"For $n = 1$ both sides are ${latex(closed.subs(n, 1))}$. The step from $n$ to $n + 1$ adds",
            _equation(f"{latex(expand(term.subs(k, n + 1)))}."),
            r"\end{proof}" + "\n",
        ]
    )


def limit(dice: random.Random) -> str:
    """What a quotient of polynomials comes to."""
    x, degree = _letter(dice), dice.randint(1, 3)
    above, below = _polynomial(dice, x, degree), _polynomial(dice, x, degree)
    value = Rational(sympy.Poly(above, x).LC(), sympy.Poly(below, x).LC())
    quotient = rf"\frac{{{latex(above)}}}{{{latex(below)}}}"
    return "\n".join(
        [
            r"\section{A limit at infinity}",
            f"{dice.choice(DIVIDE)} above and below by ${latex(x**degree)}$. Then",
            _equation(rf"\lim_{{{x} \to \infty}} {quotient} = {latex(value)}."),
            f"Only the leading terms ${latex(sympy.LT(above, x))}$ and ${latex(sympy.LT(below, x))}$ "
            f"count.{_aside(dice)}\n",
        ]
    )


def determinant(dice: random.Random) -> str:
    """A matrix with a letter in it, and when it has an inverse."""
    x, size = _letter(dice), dice.choice((2, 2, 3))
    rows = [[dice.choice((dice.randint(-4, 5), x, x**2)) for _ in range(size)] for _ in range(size)]
    matrix = Matrix(rows)
    value = expand(matrix.det())
    body = r"\\".join(" & ".join(latex(cell) for cell in row) for row in rows)
    return "\n".join(
        [
            rf"\section{{A determinant in ${x}$}}",
            f"{dice.choice(('Let', 'Take', 'Consider'))} the matrix",
            _equation(rf"A = \left(\begin{{matrix}}{body}\end{{matrix}}\right)."),
            rf"Expanding along the first row, $\det A = {latex(value)}$.",
            r"\begin{remark}",
            r"The matrix $A$ has an inverse where $\det A \neq 0$.",
            r"\end{remark}" + "\n",
        ]
    )


def roots(dice: random.Random) -> str:
    """A quadratic equation and its discriminant."""
    x, b, c = _letter(dice), dice.randint(-7, 7), dice.randint(-9, 9)
    equation, inside = x**2 + b * x + c, b * b - 4 * c
    if inside > 0:
        half, distance = latex(Rational(-b, 2)), latex(sqrt(Rational(inside, 4)))
        said = rf"the roots are ${half} \pm {distance}$" if b else rf"the roots are $\pm {distance}$"
    else:
        said = "there is no real root" if inside else f"there is one root, ${latex(Rational(-b, 2))}$"
    return "\n".join(
        [
            rf"\section{{The roots of ${latex(equation)}$}}",
            r"\begin{theorem}",
            f"For ${latex(equation)} = 0$ {said}.",
            r"\end{theorem}",
            r"\begin{proof}",
            "The discriminant is",
            _equation(rf"\Delta = {_signed(b)}^{{2}} - 4 \cdot {_signed(c)} = {inside}."),
            r"\end{proof}" + "\n",
        ]
    )


SUBJECTS: tuple[Article, ...] = (derivative, antiderivative, area, summation, limit, determinant, roots)
DIVIDE = ("Divide", "We divide", "Let us divide")
INTEGRATE = ("We integrate", "Let us integrate", "It remains to integrate")
RULES = ("The product rule", "The chain rule", r"The \emph{product rule}", "A short calculation")


def _letter(dice: random.Random) -> Symbol:
    return Symbol(dice.choice("xxxtyz"))


def _term(dice: random.Random, x: Symbol) -> sympy.Expr:
    a, n = dice.randint(1, 5), dice.randint(1, 4)
    kinds = (
        x**n,
        a * x + n,
        sin(a * x),
        cos(a * x),
        exp(a * x),
        exp(-x),
        log(x + a),
        sqrt(x + a),
        1 / (x + a),
    )
    return dice.choice(kinds)


def _polynomial(dice: random.Random, x: Symbol, degree: int) -> sympy.Expr:
    lead = dice.choice((1, 2, 3, 4, 5))
    return lead * x**degree + sum(dice.randint(-6, 6) * x**power for power in range(degree))


def _signed(number: int) -> str:
    return rf"\left({number}\right)" if number < 0 else str(number)


def _bracketed(expression: sympy.Expr) -> str:
    shown = latex(expression)
    return rf"\left({shown}\right)" if expression.is_Add else shown


def _equation(inside: str) -> str:
    return f"\\begin{{equation}}\n{inside}\n\\end{{equation}}"


def _aside(dice: random.Random) -> str:
    return dice.choice(("", "", r" This is \emph{well known}.", " The other case is alike.", " See below."))


if __name__ == "__main__":
    main()
