"""The picture of a claim: its data are the result's, its limits the rule's, its words computed."""

import html

import pytest

from lessons import claims, experiments
from lessons.errors import LessonError
from widgets import claims as pictures
from widgets import theme


def result(name, spoil=0.0):
    """A made-up result of a real claim: later conditions lie higher, seed 4 is spoilt."""
    claim = experiments.find(name)
    seeds = [
        {
            "seed": seed,
            "seconds": 1.0,
            "figures": {
                m.name: {
                    c: 0.2 + 0.1 * k + 0.01 * seed + spoil * (seed == 4) for k, c in enumerate(m.conditions)
                }
                for m in claim.measures
            },
        }
        for seed in range(5)
    ]
    return claims._result(claim, "cpu", claim.settings("cpu"), seeds, [])


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


def test_every_seed_is_a_point_under_every_condition():
    given = result("carried-state-helps")
    drawn = pictures.every_seed(given)
    points = [trace for trace in drawn.data if trace.mode == "lines+markers"]
    (measure,) = experiments.find(given.name).measures
    assert len(points) == 5
    for at, trace in enumerate(points):
        expected = [given.values(measure.name, condition)[at] for condition in measure.conditions]
        assert list(trace.y) == pytest.approx(expected)
        assert [round(x) for x in trace.x] == [0, 1, 2]
    assert len({trace.x[0] for trace in points}) == 5, "seeds do not hide one another"


def test_limits_are_the_rules_and_title_and_summary_the_verdict():
    given = result("carried-state-helps")
    drawn = pictures.every_seed(given)
    bounds = next(trace for trace in drawn.data if trace.mode == "markers")
    rule = experiments.find(given.name).rules[0]
    assert list(bounds.y) == pytest.approx([limit.at for limit in rule.limits(given.figures)])
    assert set(bounds.marker.symbol) == {"triangle-down-open"}
    assert drawn.layout.title.text == "<b>Holds: carried state helps</b>"
    assert drawn.summary == given.reason
    notes = " ".join(note.text for note in drawn.layout.annotations).replace("<br>", " ")
    assert "rule: stay below" in notes and f"Rule, fixed beforehand: {given.rule}." in notes


def test_two_measures_have_two_panels_with_their_own_axes():
    given = result("temperature-trades-novelty-for-validity")
    drawn = pictures.every_seed(given)
    assert drawn.layout.title.text.startswith("<b>Does not hold: ")
    assert drawn.layout.xaxis.domain[1] < drawn.layout.xaxis2.domain[0]
    assert drawn.layout.xaxis.title.text == drawn.layout.xaxis2.title.text == "temperature"
    assert {trace.xaxis for trace in drawn.data} == {"x", "x2"}
    for axis, measure in zip(
        (drawn.layout.yaxis, drawn.layout.yaxis2), experiments.find(given.name).measures, strict=True
    ):
        values = [value for c in measure.conditions for value in given.values(measure.name, c)]
        assert axis.range[0] < min(values) and axis.range[1] > max(values)
        assert axis.title.text == measure.name


@pytest.mark.parametrize("name", experiments.catalogue())
def test_reads_in_both_themes_and_fits_its_lines(name):
    for mode in ("light", "dark"):
        theme.use(mode)
        drawn = pictures.every_seed(result(name))
        assert drawn.layout.template.layout.paper_bgcolor == theme.tokens().card
    assert len(drawn.summary) <= 184, "two lines of the subtitle"
    assert html.unescape(drawn.layout.title.subtitle.text).replace("<br>", " ") == drawn.summary
    notes = html.unescape(" ".join(note.text for note in drawn.layout.annotations)).replace("<br>", " ")
    assert result(name).reason in f"{drawn.summary} {notes}"


def test_equal_numbers_and_one_seed_still_make_a_picture():
    claim = experiments.find("char-lstm-beats-5gram")
    flat = {m.name: dict.fromkeys(m.conditions, 2.0) for m in claim.measures}
    one = claims._result(claim, "ci", {}, [{"seed": 0, "figures": flat, "seconds": 0.0}], [])
    drawn = pictures.every_seed(one)
    assert drawn.layout.yaxis.range[0] < 2.0 < drawn.layout.yaxis.range[1]


def test_a_claim_without_a_result_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(claims, "_path", lambda name, preset, folder: tmp_path / "none.json")
    with pytest.raises(LessonError, match="has not been run yet"):
        pictures.every_seed("carried-state-helps")
