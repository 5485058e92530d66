"""Every exercise: its stub is seen as a stub, its solution passes, right answers written otherwise pass, and
wrong answers get the hint that names their cause."""

import math
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from lessons import exercises
from lessons.errors import LessonError
from lessons.exercises.examination import examine
from lessons.exercises.questions import Option, Question

ROOT = Path(__file__).resolve().parents[1]
NAMES = tuple(exercises.catalogue())
FIND_THE_BUG = {"next_window", "train_window"}


def executed(source: str, name: str):
    import numpy
    from jaxtyping import Float, Int
    from torch import Tensor, nn

    from lessons.tracing import Trace

    room = dict(
        torch=torch, F=F, math=math, numpy=numpy, nn=nn, Float=Float, Int=Int, Tensor=Tensor, Trace=Trace
    )
    exec(source, room)
    return room[name]


def draw(p, generator):
    return torch.multinomial(p, 1, generator=generator).squeeze(-1)


# ------------------------------------------------------------------------------------------- right answers


def gumbel(logits, temperature, generator):
    noise = -torch.log(-torch.log(torch.rand(logits.shape, generator=generator)))
    return (logits + temperature * noise).argmax(1)


def in_place_inverse(logits, temperature, generator):
    if not temperature:
        return logits.max(1).indices
    logits /= temperature
    logits -= logits.amax(1, keepdim=True)
    cumulative = logits.softmax(1).cumsum_(1)
    points = torch.rand(len(logits), 1, generator=generator)
    return torch.searchsorted(cumulative, points).squeeze(1).clamp_(max=logits.shape[1] - 1).to(torch.int32)


def bits_by_cross_entropy(logits, targets):
    return F.cross_entropy(logits.transpose(1, 2), targets).item() / math.log(2)


def bits_by_hand(logits, targets):
    total = 0.0
    for row, wanted in zip(logits.double(), targets, strict=True):
        for scores, target in zip(row, wanted, strict=True):
            total += float(torch.logsumexp(scores, 0) - scores[target]) / math.log(2)
    return total / targets.numel()


def bits_in_place(logits, targets):
    logits -= logits.logsumexp(-1, keepdim=True)
    return -logits.flatten(0, 1)[torch.arange(targets.numel()), targets.flatten()].mean().numpy() * math.log2(
        math.e
    )


def window_by_slices(stream, start, length):
    return stream[start : start + length], stream[start + 1 : start + 1 + length]


def window_as_lists(stream, start, length):
    return [[int(stream[start + k + shift]) for k in range(length)] for shift in (0, 1)]


def train_detached_at_entry(model, optimizer, inputs, targets, state):
    if state is not None:
        state = [part.detach() for part in state]
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.transpose(1, 2), targets)
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach(), state


def train_wiped_after(model, optimizer, inputs, targets, state):
    logits, state = model(inputs, state)
    loss = torch.nn.CrossEntropyLoss()(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return loss.detach(), tuple(part.clone().detach() for part in state)


def nucleus_in_a_loop(probabilities, top_p):
    kept, total = torch.zeros_like(probabilities), 0.0
    for k in probabilities.argsort(descending=True).tolist():
        if total >= top_p:
            break
        kept[k], total = probabilities[k], total + float(probabilities[k])
    return kept / total


def nucleus_in_place(probabilities, top_p):
    order = probabilities.argsort(descending=True)
    beyond = probabilities[order].cumsum(0) >= top_p
    probabilities[order[1:][beyond[:-1]]] = 0
    probabilities /= probabilities.sum()
    return probabilities.numpy()


def nucleus_by_place(probabilities, top_p):
    ordered, order = torch.sort(probabilities, descending=True)
    last = (ordered.cumsum(0) >= top_p).nonzero()[0, 0]
    kept = torch.zeros(len(probabilities))
    kept[order[: last + 1]] = ordered[: last + 1] / ordered[: last + 1].sum()
    return kept


def last_by_gather(trace):
    at = (trace.lengths - 1)[:, None, None].expand(-1, 1, trace.hidden_size)
    return trace["h"].gather(1, at).squeeze(1)


def last_one_by_one(trace):
    return [trace.select(b)["h"][0, -1] for b in range(trace.batch_size)]


def memory_counted(trace):
    counts = Counter()
    for step in trace["f"][0]:
        counts.update(k for k, f in enumerate(step.tolist()) if f > 0.9)
    return counts.most_common(1)[0][0]


def memory_in_numpy(trace):
    return (trace.numpy("f") > 0.9).mean(0).argmax()


RIGHT = {
    "softmax_sample": [gumbel, in_place_inverse],
    "bits_per_character": [bits_by_cross_entropy, bits_by_hand, bits_in_place],
    "next_window": [window_by_slices, window_as_lists],
    "train_window": [train_detached_at_entry, train_wiped_after],
    "nucleus": [nucleus_in_a_loop, nucleus_in_place, nucleus_by_place],
    "last_state": [last_by_gather, last_one_by_one],
    "longest_memory": [memory_counted, memory_in_numpy],
}

# ---------------------------------------------------------------------------- wrong answers, and their hints


def train(line="", *, forward="model(inputs, state)", back="loss.item(), (h.detach(), c.detach())"):
    source = f"""
def train_window(model, optimizer, inputs, targets, state):
    logits, (h, c) = {forward}
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    {line or "optimizer.zero_grad(); loss.backward(); optimizer.step()"}
    return {back}
"""
    return executed(source, "train_window")


def half_detached(model, optimizer, inputs, targets, state):
    return train(back="loss, (h.detach(), c)")(model, optimizer, inputs, targets, state)


def raw_exp(logits, temperature, generator):
    weights = torch.exp(logits / temperature)
    return draw(weights / weights.sum(-1, keepdim=True), generator)


def raw_inverse(logits, temperature, generator):
    weights = torch.exp(logits / temperature)
    points = torch.rand(len(logits), 1, generator=generator)
    return ((weights / weights.sum(-1, keepdim=True)).cumsum(-1) < points).sum(-1)


def mean_of_logs_of_softmax(logits, targets):
    return -torch.log2(logits.softmax(-1)).gather(-1, targets.unsqueeze(-1)).mean()


WRONG = {
    "softmax_sample": [
        (lambda x, t, g: torch.multinomial((x / t).softmax(-1), 1, generator=g), "column"),
        (lambda x, t, g: (x / t).softmax(-1), "still the distribution"),
        (lambda x, t, g: torch.multinomial((x / t).softmax(-1)[0], 1, generator=g), "one draw for the whole"),
        (lambda x, t, g: x.softmax(-1).max(-1).indices, "argmax"),
        (lambda x, t, g: draw((x * t).softmax(-1), g), "multiplied by the temperature"),
        (lambda x, t, g: draw(x.softmax(-1), g), "temperature has no effect"),
        (lambda x, t, g: draw((x / t).softmax(0), g), "over the batch"),
        (lambda x, t, g: torch.randint(3, (len(x),), generator=g), "equally often"),
        (lambda x, t, g: draw((x / t).softmax(-1), None), "global generator"),
        (lambda x, t, g: torch.distributions.Categorical(logits=x / t).sample(), "global generator"),
        (raw_exp, "overflows"),
        (raw_inverse, "largest logit first"),
        (lambda x, t, g: draw((x / t).softmax(-1), g), "divided by 0"),
        (lambda x, t, g: draw((x / max(t, 0.5)).softmax(-1), g), "largest logit first"),
        (lambda x, t, g: x, "still the distribution"),
        (lambda x, t, g: draw((x / (t + 1e-8)).softmax(-1), g), "a tiny temperature is not 0"),
        (lambda x, t, g: draw((x / max(t, 1e-10)).softmax(-1), g), "a tiny temperature is not 0"),
    ],
    "bits_per_character": [
        (lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten()), "nats"),
        (lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten()) * math.log(2), "multiplied by ln 2"),
        (lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten()) / math.log(10), "base 10"),
        (lambda x, y: -F.cross_entropy(x.flatten(0, 1), y.flatten()) / math.log(2), "the sign"),
        (lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten()).exp(), "perplexity"),
        (
            lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten(), reduction="sum") / math.log(2),
            "a sum over all",
        ),
        (
            lambda x, y: F.cross_entropy(x.mT, y, reduction="none").sum(1).mean() / math.log(2),
            "sum over the steps",
        ),
        (
            lambda x, y: F.cross_entropy(x.softmax(-1).flatten(0, 1), y.flatten()) / math.log(2),
            "softmax twice",
        ),
        (lambda x, y: F.cross_entropy(x.view(len(x), x.shape[2], -1), y) / math.log(2), "does not turn axes"),
        (lambda x, y: F.nll_loss(x.log_softmax(1).mT, y) / math.log(2), "over time"),
        (lambda x, y: F.cross_entropy(x, y) / math.log(2), "classes on axis 1"),
        (lambda x, y: F.cross_entropy(x.mT, y, reduction="none") / math.log(2), "one number for each"),
        (mean_of_logs_of_softmax, "rounded to 0"),
    ],
    "next_window": [
        (lambda s, a, n: (s[a : a + n], s[a : a + n]), "repeat what it reads"),
        (lambda s, a, n: (s[a : a + n], s[a : a + n].roll(-1)), "rolled"),
        (lambda s, a, n: (s[a + 1 : a + n + 1], s[a : a + n]), "swapped"),
        (lambda s, a, n: (s[a : a + n], s[a + 2 : a + n + 2]), "shifted by two"),
        (lambda s, a, n: (s[a : a + n], s[torch.arange(a - 1, a + n - 1)]), "wrong way"),
        (lambda s, a, n: (s[a : a + n], s[a + 1 : a + n]), "end where the inputs end"),
        (lambda s, a, n: (s[a : a + n - 1], s[a + 1 : a + n]), "reads length + 1"),
        (lambda s, a, n: (s[a:n], s[a + 1 : n + 1]), "reads length + 1"),
    ],
    "train_window": [
        (train(forward="model(inputs)"), "starts from a zero state"),
        (train(forward="model(inputs)", back="loss, (h, c)"), "starts from a zero state"),
        (train(back="loss, (h, c)"), "Detach both"),
        (half_detached, "Detach both"),
        (
            train(
                "optimizer.zero_grad(); loss.backward(retain_graph=True); optimizer.step()",
                back="loss, (h, c)",
            ),
            "Do not keep the graph",
        ),
        (train("loss.backward(); optimizer.step()"), "zero_grad() is missing"),
        (train("optimizer.zero_grad(); loss.backward()"), "step() is missing"),
        (train("loss.backward(); optimizer.zero_grad(); optimizer.step()"), "wiped before"),
        (train(back="loss.item(), (c.detach(), h.detach())"), "changed places"),
        (train(back="loss.item(), state"), "nothing is handed on"),
        (train(back="loss, (h.detach(), c.detach())"), "still holds the graph"),
    ],
    "nucleus": [
        (lambda p, q: dropped(p, q), "crosses"),
        (lambda p, q: p * (nucleus_in_a_loop(p, q) > 0), "add up to 1"),
        (lambda p, q: nucleus_in_a_loop(p, q).sort(descending=True).values, "own character's place"),
        (lambda p, q: p, "nothing is cut off"),
        (lambda p, q: F.one_hot(p.argmax(), len(p)).float(), "only the likeliest"),
        (lambda p, q: nucleus_in_a_loop(p, 1.1 * q), "more characters are kept"),
        (lambda p, q: top_k(p, 2), "top-k"),
        (lambda p, q: top_k(p, 3), "top-k"),
        (lambda p, q: top_k(p, 4), "top-k"),
        (lambda p, q: top_k(p, max(1, int(q * len(p)))), "share of the characters"),
        (lambda p, q: top_k(p, math.ceil(q * len(p))), "share of the characters"),
        (lambda p, q: p * (p > 1 - q) / p[p > 1 - q].sum(), "threshold"),
    ],
    "last_state": [
        (lambda t: t["h"][:, -1], "padding"),
        (lambda t: t.output[:, -1, :], "padding"),
        (lambda t: t["c"][range(t.batch_size), t.lengths - 1], "cell state"),
        (lambda t: t["h"][range(t.batch_size), t.lengths], "counted from 0"),
        (lambda t: t["h"][range(t.batch_size), t.lengths - 2], "too early"),
        (lambda t: t["h"][:, 0], "first step"),
        (lambda t: t["h"][-1], "last sequence"),
        (lambda t: t["h"][:, t.lengths - 1], "Pair them"),
        (lambda t: t["h"][0, t.lengths[0] - 1], "one sequence"),
        (lambda t: last_by_gather(t)[:, None], "axis of length 1"),
        (lambda t: t["h"].sum(1) / t.lengths.unsqueeze(1), "mean over the steps"),
        (lambda t: t["c"][:, -1], "two things"),
        (lambda t: t["h"][:, -2], "the same step is taken"),
        (lambda t: t["h"][:, int(t.lengths.min()) - 1], "the same step is taken"),
        (lambda t: t["h"][:, :, -1], "last unit"),
        (lambda t: t["o"][range(t.batch_size), t.lengths - 1], "a gate"),
        (lambda t: t["h"].amax(1), "largest value"),
        (lambda t: t["h"].mean(1), "padding included"),
        (lambda t: t["h"].sum(1), "the sum over"),
        (lambda t: t["h"][t.lengths - 1], "not the number of a sequence"),
        (lambda t: t["h"][-1, -1], "one sequence"),
        (lambda t: t["h"][:, -1:], "axis of length 1"),
        (lambda t: t["h"], "Pair them"),
    ],
    "longest_memory": [
        (lambda t: t["f"].mean((0, 1)).argmax(), "highest average"),
        (lambda t: int((t["f"][0] > 0.9).sum(1).argmax()), "that is a step"),
        (lambda t: int((t["f"][0] > 0.9).sum(0).max()), "argmax instead of max"),
        (lambda t: (t["i"][0] > 0.9).sum(0).argmax(), "input gate"),
        (lambda t: (t["f"][0] > 0.5).sum(0).argmax(), "above 0.5"),
        (lambda t: t["f"][0, -1].argmax(), "last step only"),
        (lambda t: t["f"][0].amax(0).argmax(), "highest single value"),
        (lambda t: (t["f"][0] > 0.9).sum(0).argmin(), "open the least"),
        (lambda t: (t["f"][0] > 0.9).sum(0), "one number is asked for"),
    ],
}


def top_k(probabilities, k):
    kept = torch.zeros_like(probabilities)
    values, places = probabilities.topk(min(k, len(probabilities)))
    kept[places] = values / values.sum()
    return kept


def dropped(probabilities, top_p):
    """Keeps while the running sum stays below top_p, and loses the one that crosses it."""
    order = probabilities.argsort(descending=True)
    kept = probabilities * 0
    inside = order[probabilities[order].cumsum(0) < top_p]
    kept[inside] = probabilities[inside]
    return kept / kept.sum()


for file in sorted(Path(__file__).parent.glob("answers_*.py")):  # one file a lesson
    answers = import_module(f"tests.{file.stem}")
    RIGHT |= answers.RIGHT
    WRONG |= answers.WRONG
    FIND_THE_BUG |= answers.FIND_THE_BUG


@pytest.mark.parametrize("name", NAMES)
def test_stub_is_no_attempt_and_solution_is_right(name):
    exercise = exercises.find(name)
    report = examine(exercise, executed(exercise.stub, name))
    assert report.status == ("not yet" if name in FIND_THE_BUG else "not attempted")
    assert bool(report.hint) == (name in FIND_THE_BUG)
    assert examine(exercise, exercise.solution).status == "right"


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_written_differently_are_accepted(name):
    assert len(RIGHT[name]) >= 2
    for answer in RIGHT[name]:
        report = examine(exercises.find(name), answer)
        assert report.status == "right", f"{answer.__name__}: {report}"


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_get_the_hint_of_their_cause(name):
    assert len(WRONG[name]) >= 5
    for number, (answer, words) in enumerate(WRONG[name]):
        report = examine(exercises.find(name), answer)
        assert report.status == "not yet", f"wrong answer {number}: {report}"
        assert words in report.hint, f"wrong answer {number}: {report}"
        assert words or not report.hint, f"wrong answer {number} gets a hint of something else: {report}"
        assert report.sentence.startswith("On ") and "Traceback" not in str(report)


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_is_complete(name):
    exercise = exercises.find(name)
    assert exercise.name == name and exercise.stub.startswith(f"def {name}(")
    assert len(exercise.hints) >= 2 and exercise.shown.endswith(".") and exercise.statement.endswith(".")


def test_every_lesson_has_exercises_and_a_quiz():
    assert set(exercises.lessons()) >= {"start_here", "char_rnn"}
    assert len(exercises.quiz("02_char_rnn")) >= 5 and len(exercises.quiz("start_here")) >= 4
    for lesson in exercises.lessons():
        for question in exercises.quiz(lesson):
            assert len(question.options) >= 3
            assert len({option.text for option in question.options}) == len(question.options)
            assert all(len(option.why) > 20 for option in question.options)
            assert question.text.rstrip().endswith(("?", "first?"))


def test_the_right_option_is_not_given_away_by_its_place():
    places = Counter(
        [option.right for option in question.options].index(True)
        for lesson in exercises.lessons()
        for question in exercises.quiz(lesson)
    )
    assert len(places) >= 3 or sum(places.values()) < 4


def test_a_question_needs_exactly_one_right_option():
    with pytest.raises(ValueError, match="exactly one"):
        Question("Which?", (Option("a", "b"), Option("c", "d")))


def test_an_unknown_quiz_is_one_sentence():
    with pytest.raises(LessonError, match="char_rnn"):
        exercises.quiz("99_nothing")


@pytest.mark.parametrize("lesson", exercises.lessons())
def test_the_notebook_asks_what_the_exercise_checks(lesson):
    for notebook in (ROOT / "notebooks" / "text").glob(f"[0-9][0-9]_{lesson}.py"):
        text = notebook.read_text(encoding="utf-8")
        for exercise in import_module(f"lessons.exercises.{lesson}").EXERCISES:
            assert exercise.stub.strip() in text, exercise.name
            assert f"check.{exercise.name}({exercise.name})" in text
        assert f'quiz.show("{lesson}")' in text
