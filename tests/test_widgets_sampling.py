"""The die in Python: what it carries and says, and the static pictures beside it; see browser/test_die.py."""

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances

from lessons import CharModel, sampling
from lessons.errors import LessonError
from lessons.vocabulary import Vocabulary
from widgets import esm, slots
from widgets import sampling as picture


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return CharModel(Vocabulary(tuple("\n abcdef<>&")), hidden_size=8, embedding_size=4)


def test_the_bars_are_the_distribution(model):
    bars = picture.chances(model, "abc", temperature=0.5, top_k=4).data[0]
    expected = next(sampling.stream(model, "abc", temperature=0.5, top_k=4)).probabilities
    assert np.allclose(bars.x, 100 * expected.sort(descending=True).values.numpy())
    assert bars.x[4] == 0


def test_the_summary_counts(model):
    probabilities = next(sampling.stream(model, "abc")).probabilities
    many = int((probabilities.sort(descending=True).values.cumsum(0) < 0.9).sum()) + 1
    assert f"{many} of 11 characters hold 90 %" in picture.chances(model, "abc").summary


def test_text_is_escaped_in_titles_and_labels(model):
    shown = picture.chances(model, "<b>&")
    assert "&lt;b&gt;&amp;" in shown.layout.title.text
    assert "&lt;" in shown.layout.yaxis.ticktext


def test_the_die_carries_model_and_settings(model):
    one = picture.die(model, "ab", temperature=0.5, top_k=3, seed=7)
    assert (one.seed_text, one.temperature, one.top_k, one.top_p, one.seed, one.message) == (
        "ab",
        0.5,
        3,
        1.0,
        7,
        "",
    )
    assert len(one._model["weights"]) == 4 * sum(p.numel() for p in model.parameters())
    one.picks = [[2, 0.3], [8, None]]
    assert one.text == "aba<"
    assert "is likeliest" in one._repr_mimebundle_()["text/plain"]
    one.close()


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1.0}, {"top_k": 99}, {"top_p": 0.0}, {"seed_text": "xyz"}]
)
def test_what_is_wrong_is_said_in_the_message_line(model, wrong):
    one = picture.die(model, **{"seed_text": "ab", **wrong})
    assert one.message.endswith(".") and "weights" in one._model
    one.close()


def test_something_else_than_a_model_is_refused_in_the_message_line():
    one = picture.die(torch.nn.Linear(2, 2), "ab")
    assert "CharModel" in one.message and not one._model
    one.close()


def test_a_distribution_outside_the_vocabulary_is_refused(model):
    with pytest.raises(LessonError):
        picture.chances(model, "zzz")


def test_samples_stand_in_a_table_escaped(model):
    some = sampling.generate_at(model, [0.5, 1.0], "<script>alert(1)</script>"[:3].replace("s", "a"), 5)
    evil = picture.Samples({"before": {0.5: "<script>x</script>"}, "after": {0.5: "&", 1.0: "b"}})
    assert "<script>" not in evil._repr_html_() and "&lt;script&gt;" in evil._repr_html_()
    assert evil.temperatures == [0.5, 1.0]
    assert "after, temperature 1:\nb" in repr(evil)
    table = picture.temperatures({"before": some, "after": some})
    assert table.stages["after"][0.5] == str(some[0])
    assert list(picture.temperatures(some).stages) == ["sample"]


def test_the_module_is_whole_and_small():
    module = esm.bundle("die.js")
    assert module.count("export default") == 1 and "import " not in module.replace("important", "")
    assert "innerHTML" not in module and len(module) < 80_000


def test_settings_stay_when_the_text_is_refused(model):
    one = picture.die(model, "xyz", temperature=0.3, top_k=5)
    assert one.message and (one.temperature, one.top_k) == (0.3, 5)
    one.close()


def test_what_is_right_stays_beside_what_is_wrong(model):
    one = picture.die(model, "ab", temperature="hot", top_k=5, seed=7)
    assert one.message == "temperature is a number from 0 upwards; 'hot' is not."
    assert (one.seed_text, one.temperature, one.top_k, one.seed) == ("ab", 1.0, 5, 7)
    one.close()


def test_running_a_cell_again_leaves_one_die_and_one_layout(model, monkeypatch):
    monkeypatch.setattr(slots, "_owned", {})
    sizes = []
    for run in range(5):
        monkeypatch.setattr(slots, "running_cell", lambda run=run: ("cell", str(run)))
        one = picture.die(model, "ab")
        sizes.append(len(_instances))
    assert len(set(sizes)) == 1
    one.layout.close()
    one.close()
