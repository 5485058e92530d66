"""Kernel-less pages: one file that holds everything, in which no text can become markup or code."""

import base64
import hashlib
import json
import re

import anywidget
import ipywidgets
import pytest
import torch
import traitlets

from lessons import CharModel
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary
from widgets import text
from widgets.microscope import microscope
from widgets.page import document, page

NASTY = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> & \u2028'\""


def model(hidden=8):
    torch.manual_seed(0)
    return CharModel(Vocabulary.of(NASTY), "lstm", hidden, embedding_size=8)


def parts(html):
    pick = {
        "policy": r'Content-Security-Policy" content="([^"]*)"',
        "style": r"<style>(.*?)</style>",
        "state": r'<script id="state" type="application/json">(.*?)</script>',
        "script": r'<script type="module">(.*?)</script>',
    }
    return {name: re.search(pattern, html, re.DOTALL).group(1) for name, pattern in pick.items()}


def digest(content):
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@pytest.mark.parametrize("widget", [microscope(model(), NASTY), text.strip(model(), NASTY)])
def test_state_survives_and_stays_data(widget):
    html = document(widget, title=NASTY)
    found = parts(html)
    assert html.count("<script") == 2 and "<!--" not in html and "<img" not in html
    assert not set("<>&\u2028\u2029") & set(found["state"])
    state = json.loads(found["state"])
    assert state["text"] == NASTY
    packed = base64.b64decode(state["_models"][0]["weights"]["$base64"])
    assert packed == widget._models[0]["weights"]
    assert not {"layout", "_esm", "_css", "comm", "_model_name"} & set(state)


def test_policy_names_what_the_page_holds_and_forbids_the_rest():
    found = parts(document(microscope(model(), NASTY)))
    assert found["policy"].startswith("default-src 'none';")
    assert f"script-src {digest(found['script'])};" in found["policy"]
    assert f"style-src {digest(found['style'])};" in found["policy"]
    assert "unsafe" not in found["policy"] and "http" not in found["policy"]


def test_page_is_one_small_file_without_addresses(tmp_path):
    path = page(microscope(model(128), NASTY), tmp_path / "microscope.html", title="Gates")
    html = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 2_000_000
    assert "<title>Gates</title>" in html
    assert set(re.findall(r"\w+://[^\s\"']*", html)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(src|href)=", html.replace("src=x", ""))


class Other(anywidget.AnyWidget):
    """Somebody else's module, with the string that would end a script element."""

    _esm = 'const end = "</script>";\nexport default { render() {} };\n'
    data = traitlets.Dict({"list": [1, b"\x00\xff"]}).tag(sync=True)


def test_any_es_module_widget_can_be_a_page():
    found = parts(document(Other()))
    assert r"<\/script>" in found["script"] and "const pagedModule = { render() {} };" in found["script"]
    assert json.loads(found["state"])["data"]["list"] == [1, {"$base64": "AP8="}]


def test_what_cannot_be_a_page_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(LessonError, match="is a IntSlider"):
        page(ipywidgets.IntSlider(), tmp_path / "x.html")
    with pytest.raises(LessonError, match=r"could not be written to x\.html: No such file"):
        page(microscope(model(), NASTY), tmp_path / "missing" / "x.html")
    widget = Other()
    widget._esm = "function render() {}\nexport { render };\n"
    with pytest.raises(LessonError, match="exactly one line"):
        page(widget, tmp_path / "x.html")
