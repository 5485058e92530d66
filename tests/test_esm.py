"""The ES modules: bundled without loss, and their own tests run by node against what torch computes."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from lessons import CharModel, trace
from lessons.tracing import Edit
from lessons.vocabulary import Vocabulary
from widgets import esm, weights

JS = Path(esm.__file__).parent / "js"
ENTRIES = ("microscope.js", "text_strip.js")
SYMBOLS = tuple("abcdefghij \n<&")

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def modules(entry):
    return re.findall(r"^// (\w+\.js)$", esm.bundle(entry), re.MULTILINE)


@pytest.mark.parametrize("entry", ENTRIES)
def test_bundle_holds_every_module_once_behind_what_it_imports(entry):
    order = modules(entry)
    assert order[-1] == entry and len(set(order)) == len(order)
    for place, name in enumerate(order):
        for needed in esm.IMPORT.findall(esm.read(name)):
            assert needed in order[:place]


@pytest.mark.parametrize("entry", ENTRIES)
def test_bundle_imports_nothing_and_exports_one_default(entry):
    text = esm.bundle(entry)
    assert not re.search(r"^\s*import\b", text, re.MULTILINE)
    assert re.findall(r"^export .*", text, re.MULTILINE) == ["export default { render };"]
    assert "import(" not in text and "http://www.w3.org/2000/svg" in text
    assert text.count("://") == 1  # the SVG namespace: nothing is fetched


def test_bundle_keeps_every_line_of_code():
    for name in modules("microscope.js"):
        before, *pieces = re.split(r"^import ", esm.read(name), flags=re.MULTILINE)
        code = "".join([before, *(piece.split(";\n", 1)[1] for piece in pieces)])
        assert re.sub(r"^export (?!default)", "", code, flags=re.MULTILINE) in esm.bundle("microscope.js")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.js": 'import { b } from "./b.js";\nlet x;\n', "b.js": "let x;\nexport let b;\n"}, "define x"),
        ({"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}, "circle"),
        ({"a.js": 'import b from "./b.js";\n', "b.js": ""}, "cannot take out"),
        ({"a.js": "export { b };\n"}, None),
    ],
)
def test_bundle_refuses_what_it_does_not_understand(files, words, monkeypatch):
    monkeypatch.setattr(esm, "read", files.__getitem__)
    esm.bundle.cache_clear()
    if words is None:
        assert "b };" in esm.bundle("a.js")
    else:
        with pytest.raises(ValueError, match=words):
            esm.bundle("a.js")
    esm.bundle.cache_clear()


def test_data_only_ever_becomes_text():
    for path in JS.glob("*.js"):
        text = path.read_text()
        if path.name.startswith(("explorer", "stage")):  # show HTML widgets, whose values Python has escaped
            continue
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), (
            path.name
        )


def test_style_has_the_colours_of_the_theme():
    text = esm.style()
    assert re.search(r"\.un\.light\{[^}]*--f:#0067a3", text) and re.search(r"\.un\.dark\{[^}]*--ink", text)
    assert "unrolled" not in text.replace("widgets", "")
    used, given = set(re.findall(r"var\((--\w+)\)", text)), set(re.findall(r"(--\w+):", text))
    assert used <= given


def b64(tensor):
    return base64.b64encode(tensor.contiguous().float().numpy().astype("<f4").tobytes()).decode()


def held_steps(start, end, steps):
    return range(start, steps if end is None else end)


def case(cell, hidden, layers, steps, edits=(), scale=1.0, seed=0):
    """One network with random weights, one text, and what torch makes of it."""
    torch.manual_seed(seed)
    model = CharModel(Vocabulary(SYMBOLS), cell, hidden, layers, embedding_size=6).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    ids = torch.randint(len(SYMBOLS), (1, steps))
    planned = [
        Edit(e["name"], e["value"], [e["unit"]], e["steps"] and held_steps(*e["steps"], steps), e["layer"])
        for e in edits
    ]
    seen = trace(model, ids, edit=planned or None)
    packed = weights.pack(model)
    return {
        "name": f"{cell} {layers} × {hidden}, {steps} steps{', held' if edits else ''}",
        "model": packed | {"weights": base64.b64encode(packed["weights"]).decode()},
        "ids": ids[0].tolist(),
        "edits": list(edits),
        "scale": scale,
        "logits": b64(seen.logits[0]),
        "probabilities": {t: (seen.logits[0, -1] / t).softmax(-1).tolist() for t in (0.5, 1.0, 2.0)},
        "layers": [{name: b64(seen[name, k][0]) for name in seen.names} for k in range(layers)],
    }


def cases():
    for cell in ("lstm", "gru", "rnn"):
        for k, (hidden, layers, steps) in enumerate([(5, 1, 1), (7, 2, 13), (16, 3, 40), (128, 1, 100)]):
            yield case(cell, hidden, layers, steps, scale=1 + k % 2, seed=k)
    held = {"lstm": ["i", "f", "g", "o", "c", "h"], "gru": ["r", "z", "n", "h"], "rnn": ["h"]}
    for cell, names in held.items():
        for name in names:
            everywhere = {"name": name, "value": 0.25, "unit": 3, "layer": 0, "steps": None}
            later = {"name": name, "value": 1.0, "unit": 0, "layer": 1, "steps": [4, 9]}
            yield case(cell, 7, 2, 13, [everywhere, later, {**later, "unit": 5, "steps": [10, None]}])


@pytest.fixture(scope="module")
def node_cases(tmp_path_factory):
    path = tmp_path_factory.mktemp("js") / "cases.json"
    path.write_text(json.dumps(list(cases())))
    return path


@needs_node
@pytest.mark.parametrize("name", ["rnn", "views", "paper"])
def test_node(name, node_cases):
    file = Path(__file__).parent / "js" / f"{name}.test.mjs"
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", str(file)],
        env={**os.environ, "UNROLLED_CASES": str(node_cases)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.search(r"fail 0", done.stdout)
