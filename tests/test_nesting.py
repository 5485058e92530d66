"""What is open at each character of markup."""

import numpy as np
import pytest

from lessons import nesting

PAGE = "<article>\n<p><strong>A</strong><br>\nb</p>\n</article>\n\n"
PROOF = "\\begin{proof}\nBy $x$\n\\begin{equation}\nx\n\\end{equation}\n\\end{proof}\n\n"


def shown(name: str, text: str, times: int = 6) -> str:
    """A label of the first of several equal documents, as digits."""
    return "".join(f"{value:.0f}" for value in nesting.labels(text * times)[name][: len(text)].astype(float))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("inside a tag", "11111111101111111111101111111111111001111011111111110" "0"),
        ("depth of elements", "0" * 8 + "1" * 4 + "2" * 8 + "3" * 10 + "2" * 10 + "1" * 11),
        ("inside <strong>", "0" * 20 + "1" * 10 + "0" * 23),
        ("inside <p>", "0" * 12 + "1" * 28 + "0" * 13),
    ],
)  # fmt: skip
def test_elements_are_open_from_the_end_of_their_tag_to_the_end_of_its_partner(name, expected):
    assert shown(name, PAGE) == expected[: len(PAGE)].ljust(len(PAGE), "0")


def test_environments_and_formulas():
    depth, formula = shown("depth of environments", PROOF), shown("inside a formula", PROOF)
    for place, character in enumerate(PROOF):
        inside_proof = PROOF.index("}") <= place < PROOF.rindex("}")
        assert (depth[place] != "0") == inside_proof, (place, character)
    assert formula[PROOF.index("$x")] == "1" and formula[PROOF.index("$\n")] == "0"
    assert formula[PROOF.index("\nx\n") + 1] == "1" and formula[-1] == "0"


def test_what_is_left_open_is_closed_by_a_blank_line_and_no_depth_is_negative():
    depth = nesting.labels("<p><em>a\n\n<p>b</p></p></p>\n\n<p>c</p>")["depth of elements"]
    text = "<p><em>a\n\n<p>b</p></p></p>\n\n<p>c</p>"
    assert depth[text.index("a")] == 2 and depth[text.index("b")] == 1 and depth[text.index("c")] == 1
    assert depth.min() == 0


def test_a_text_without_markup_has_no_labels_of_it():
    assert nesting.labels("if a < b: print(a > b)") == {} and nesting.labels("") == {}
    assert {"depth of elements", "vowel"} <= nesting.features(PAGE * 6).keys()


def test_labels_do_not_look_ahead():
    text = (PAGE + PROOF) * 6
    whole = nesting.labels(text)
    for end in (60, 200, 333):
        for name, values in nesting.labels(text[:end]).items():
            assert np.array_equal(values, whole[name][:end]), name
