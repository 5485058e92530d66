"""Lines of Python as trees: which operator has been taken out?

    if len(args) ? 2:           the tree has a ? where the operator was; here it was !=

The trees are Python's own (`ast`), the lines those of the standard library. Strings and most numbers and
names are hidden; what is left is the shape, the other operators and the commonest names.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache, partial

from lessons import corpora, tree_tasks
from lessons.errors import LessonError
from lessons.labelled import digest
from lessons.tree_tasks import TreeTask
from lessons.trees import Tree, checked

TAKEN = "?"
OPERATORS = {
    "Add": "+", "Sub": "-", "Mult": "*", "Mod": "%", "Eq": "==", "NotEq": "!=", "Lt": "<", "Gt": ">",
    "LtE": "<=", "GtE": ">=", "In": "in", "NotIn": "not in", "Is": "is", "IsNot": "is not", "And": "and",
    "Or": "or",
}  # fmt: skip
SIGNS = tuple(OPERATORS.values())
SMALLEST, LARGEST = 4, 40  # nodes of a line's tree
KEPT = 120  # names that are shown; the others are `name`
NUMBERS = ("0", "1", "2", "-1")
HELD_OUT = {"test": 10, "valid": 10}  # per cent of the modules


def code(count: int | None = 12_000, held_out: int = 1000, seed: int = 0) -> TreeTask:
    """Lines with one operator taken out, every line once, dealt by module: the same for every seed."""
    return _code(count, held_out)


@lru_cache(maxsize=4)
def _code(count: int | None, held_out: int) -> TreeTask:
    corpus = corpora.load("python-stdlib", quiet=True)
    if corpus.provenance.fallback:
        raise LessonError("Without Python's standard library there are no lines of code to read.")
    documents = sorted(corpus.documents, key=lambda document: digest(document[0]))
    modules = {name: ast.parse(text) for name, text in documents}
    kept = commonest(modules[name] for name in modules if tree_tasks.deal(name, HELD_OUT) == "train")
    parts: dict[str, dict[Tree, str]] = {"train": {}, "valid": {}, "test": {}}
    limits = {"train": count, "valid": held_out, "test": held_out}
    everywhere: set[Tree] = set()
    for name, module in modules.items():
        part = tree_tasks.deal(name, HELD_OUT)
        mine = parts[part]
        for tree, sign in questions(module, kept):
            if len(mine) == limits[part]:
                break
            if tree not in everywhere:
                everywhere.add(tree)
                mine[tree] = sign
    known = {tree: sign for part in parts.values() for tree, sign in part.items()}
    examples = {
        part: tree_tasks.labelled(found, SIGNS, known.get, every=False) for part, found in parts.items()
    }
    return TreeTask(
        "operators in code", "line", SIGNS, examples, corpus.provenance, known.get, partial(parse, kept), str,
        first="if len(args) != 2: pass",
    )  # fmt: skip


def commonest(modules: Iterator[ast.Module]) -> frozenset[str]:
    """The names that occur most often."""
    counts: Counter[str] = Counter()
    for module in modules:
        counts.update(name for node in ast.walk(module) if (name := named(node)))
    return frozenset(name for name, _ in counts.most_common(KEPT))


def named(node: ast.AST) -> str:
    """The name that a node holds, if it is one of a variable or an attribute."""
    return getattr(node, "id", "") or getattr(node, "attr", "")


def questions(module: ast.Module, kept: frozenset[str]) -> Iterator[tuple[Tree, str]]:
    """Every operator of every line, taken out: the line's tree and the operator."""
    for statement in ast.walk(module):
        if not isinstance(statement, ast.stmt):
            continue
        line = head(statement)
        operators = [node for node in ast.walk(line) if operator(node)]
        for taken in operators:
            tree = grown(line, kept, taken)
            if SMALLEST <= tree.size <= LARGEST:
                yield tree, operator(taken)


def head(statement: ast.stmt) -> ast.AST:
    """A statement without the statements inside it: of `if x: …` only `if x`."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Try | ast.With):
        return ast.Pass()
    inside = {name: [] for name in ("body", "orelse") if isinstance(getattr(statement, name, None), list)}
    if not inside:
        return statement
    fields = {name: value for name, value in ast.iter_fields(statement) if name not in inside}
    return type(statement)(**fields, **inside)


def operator(node: ast.AST) -> str:
    """The sign of an operation with one operator that is asked for, else nothing."""
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) | ast.Compare(ops=[op]):
            return OPERATORS.get(type(op).__name__, "")
    return ""


def grown(node: ast.AST, kept: frozenset[str], taken: ast.AST | None = None) -> Tree:
    """A node of Python's tree as ours: operations by their sign, names and constants as leaves."""
    children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]
    if sign := operator(node):
        children = [child for child in children if type(child).__name__ not in OPERATORS]
        return Tree(TAKEN if node is taken else sign, tuple(grown(child, kept, taken) for child in children))
    if isinstance(node, ast.Constant):
        return Tree(constant(node.value))
    name = named(node)
    symbol = (name if name in kept else "name") if name else type(node).__name__
    if isinstance(node, ast.Attribute):
        symbol = f".{symbol}"
    return Tree(symbol, tuple(grown(child, kept, taken) for child in children))


def constant(value: object) -> str:
    """What is shown of a constant."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return str(value) if str(value) in NUMBERS else "number"
    return "string"


def parse(kept: frozenset[str], text: object) -> Tree:
    """A line of Python with its first operator taken out; LessonError for what has none or is no Python."""
    if not isinstance(text, str) or not text.strip():
        raise LessonError("Type a line of Python with an operator in it, such as x = a + 1.")
    if len(text) > 1000:
        raise LessonError(f"This text has {len(text):,} characters; a line here has at most 1,000.")
    line = text.strip()
    for candidate in (line, f"{line} pass", f"{line}: pass"):
        try:
            statements = ast.parse(candidate).body
            break
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problem = getattr(error, "msg", None) or str(error)
    else:
        raise LessonError(f"This is no line of Python: {problem.rstrip('.')}.")
    whole = head(statements[0]) if statements else ast.Pass()
    taken = next((node for node in ast.walk(whole) if operator(node)), None)
    if taken is None:
        raise LessonError(f"There is no operator in this line to take out; write one of {' '.join(SIGNS)}.")
    if (size := sum(1 for _ in ast.walk(whole))) > 10 * LARGEST:
        raise LessonError(f"Python's tree of this line has {size} nodes; take a shorter one.")
    return checked(grown(whole, kept, taken))
