"""What each name in a line of Python is: a parameter, an attribute, a variable that is set, one that is read.

`tokenize` cuts the standard library into logical lines, `ast` says what each name in them is. A network that
is to tell sees the line with all names hidden, so that it must read the code around them.
"""

import ast
import io
import keyword
import re
import token
import tokenize
from collections.abc import Iterator

from lessons import corpora, labelled
from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.labelled import Labelled, Signs

OTHER = labelled.UNASKED
NAME, NUMBER, STRING = "name", "number", "string"
LONGEST = 40  # tokens of a line
CHARACTERS = 1_500_000  # of the standard library; more of it teaches little
SKIPPED = {
    token.NEWLINE,
    token.NL,
    token.COMMENT,
    token.INDENT,
    token.DEDENT,
    token.ENDMARKER,
    token.ENCODING,
}
F_STRING = [getattr(token, f"FSTRING_{part}", -1) for part in ("START", "MIDDLE", "END")]
Place = tuple[int, int]  # line from 1, column from 0 in characters


@explained
def from_corpus(corpus: corpora.Corpus) -> Labelled:
    """A corpus of Python modules as lines with roles, dealt to parts by module."""
    if corpus.name != "python-stdlib":
        raise LessonError(f"{corpus.name!r} is no Python code; roles are found in 'python-stdlib'.")
    pairs, read = [], 0
    for name, text in sorted(corpus.documents, key=lambda document: labelled.deal(document[0])):
        if read < CHARACTERS or labelled.deal(name) != "train":
            pairs += [(name, signs, roles) for signs, roles in lines(text)]
            read += len(text) * (labelled.deal(name) == "train")
    return labelled.build(
        "roles in code",
        "token",
        "line",
        pairs,
        corpus.provenance,
        cut=cut,
        symbol=symbol,
        asks=is_hidden,
        rare=1e-4,
    )


def lines(source: str) -> Iterator[tuple[Signs, Signs]]:
    """The logical lines of a module that hold a name: tokens, and the role of each.

    Raises LessonError for text that is no Python.
    """
    try:
        found = roles(source)
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (SyntaxError, tokenize.TokenError) as error:
        raise LessonError(f"This is no whole piece of Python: {error.args[0]}.") from error
    signs: list[str] = []
    own: list[str] = []
    for one in joined(tokens):
        if one.type == token.NEWLINE:
            if len(signs) <= LONGEST and any(role != OTHER for role in own):
                yield tuple(signs), tuple(own)
            signs, own = [], []
        elif one.type not in SKIPPED:
            signs.append(one.string)
            own.append(found.get(one.start, OTHER) if is_name(one) else OTHER)


def joined(tokens: list[tokenize.TokenInfo]) -> Iterator[tokenize.TokenInfo]:
    """The tokens with every f-string as one string, as it was before Python 3.12."""
    depth, begun = 0, None
    for one in tokens:
        if one.type == F_STRING[0]:
            depth, begun = depth + 1, begun or one
        if not depth:
            yield one
        elif one.type == F_STRING[2]:
            depth -= 1
            if not depth:
                yield begun._replace(type=token.STRING, string='f""')
                begun = None


def is_name(one: tokenize.TokenInfo) -> bool:
    """Whether a token is a name that somebody chose, and no keyword."""
    return one.type == token.NAME and not keyword.iskeyword(one.string)


def roles(source: str) -> dict[Place, str]:
    """The role of every name in a module, by the place where it stands."""
    text = source.split("\n")
    found: dict[Place, str] = {}
    called = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called.add(node.func)
        for (line, column), role in named(node, text, called):
            found.setdefault((line, len(text[line - 1].encode()[:column].decode())), role)
    return found


def named(node: ast.AST, text: list[str], called: set[ast.AST]) -> Iterator[tuple[Place, str]]:
    """The names that a node itself holds, with their roles; columns are bytes, as in `ast`."""
    start = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            role = "class" if isinstance(node, ast.ClassDef) else "function"
            yield behind(text, start, node.name), role
        case ast.arg():
            yield start, "parameter"
        case ast.keyword(arg=str()):
            yield start, "keyword"
        case ast.Attribute():
            end = (node.end_lineno, node.end_col_offset - len(node.attr.encode()))
            yield end, "method" if node in called else "attribute"
        case ast.Name(ctx=ast.Store() | ast.Del()):
            yield start, "set"
        case ast.Name():
            yield start, "called" if node in called else "read"
        case ast.alias():
            yield from dotted(start, node.name)
            if node.asname:
                yield (node.end_lineno, node.end_col_offset - len(node.asname.encode())), "import"
        case ast.ImportFrom(module=str()):
            yield from dotted(behind(text, start, node.module), node.module)


def dotted(start: Place, path: str) -> Iterator[tuple[Place, str]]:
    """Every part of `a.b.c`, which begins at `start`."""
    line, column = start
    for part in path.split("."):
        yield (line, column), "import"
        column += len(part.encode()) + 1


def behind(text: list[str], start: Place, name: str) -> Place:
    """Where a name stands behind `def`, `class` or `from`, which begins at `start`, on the same line."""
    line, column = start
    row = text[line - 1]
    begun = len(row.encode()[:column].decode())
    found = re.compile(rf"(?:async\s+def|def|class|from)[\s.]+({re.escape(name)})").match(row, begun)
    return (line, len(row[: found.start(1)].encode())) if found else start


def cut(text: str) -> Signs:
    """A line of code as tokens. It may be the beginning of a line; what is no token at all is refused."""
    signs = []
    try:
        for one in joined(list(tokenize.generate_tokens(io.StringIO(text.strip() + "\n").readline))):
            if one.type not in SKIPPED:
                signs.append(one.string)
    except (tokenize.TokenError, SyntaxError) as error:
        raise LessonError(f"Python cannot cut this line into tokens: {error.args[0]}.") from error
    return tuple(signs)


def is_hidden(sign: str) -> bool:
    """Whether a token is a name, so that its role is asked for."""
    return symbol(sign) == NAME


def symbol(sign: str) -> str:
    """What a network sees of a token: keywords and operators; names, numbers and strings are hidden."""
    if sign.isidentifier():
        return sign if keyword.iskeyword(sign) else NAME
    if sign[0].isdigit() or (sign[0] == "." and sign[1:2].isdigit()):
        return NUMBER
    return STRING if sign[-1] in "'\"" else sign
