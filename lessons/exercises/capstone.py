"""Exercises and quiz of lesson 19: a scale without a leak, a seasonal forecast, windows, and going on."""

from __future__ import annotations

import torch

from lessons.exercises.exercise import Case, Exercise, behaves_like, returns, shows, stops_with
from lessons.exercises.questions import Option, Question

# -------------------------------------------------------------- the solutions, as the learner is shown them


def standardised(values, cut):
    """The scale is the training part's; the rest is measured with it."""
    train = values[:cut]
    return (values - train.mean()) / train.std(correction=0)


def seasonal(history, season, horizon):
    """The last season over and over."""
    steps = torch.arange(horizon)
    return history[-season:][steps % season]


def windows(values, length):
    """Every stretch with the values that follow each of its own: one window a row, shifted by one."""
    starts = range(len(values) - length)
    inputs = torch.stack([values[start : start + length] for start in starts])
    targets = torch.stack([values[start + 1 : start + length + 1] for start in starts])
    return inputs, targets


def go_on(step, last, state, noise):
    """Each value drawn becomes the next input."""
    path = []
    for push in noise:
        mean, deviation, state = step(last, state)
        last = mean + deviation * push
        path.append(last)
    return torch.stack(path)


# ------------------------------------------------------------------------------------------ 1: the scale


def _series(seed: int, length: int, slope: float) -> torch.Tensor:
    dice = torch.Generator(device="cpu").manual_seed(seed)
    noise = torch.randn(length, generator=dice, dtype=torch.float64, device="cpu")
    return noise + slope * torch.arange(length, dtype=torch.float64, device="cpu")


def _whole(values, cut):
    return (values - values.mean()) / values.std(correction=0)


def _each_its_own(values, cut):
    return torch.cat([(part - part.mean()) / part.std(correction=0) for part in (values[:cut], values[cut:])])


def _only_train(values, cut):
    return standardised(values, cut)[:cut]


def _mean_only(values, cut):
    return values - values[:cut].mean()


def _whole_deviation(values, cut):
    return (values - values[:cut].mean()) / values.std(correction=0)


def _variance(values, cut):
    return (values - values[:cut].mean()) / values[:cut].var(correction=0)


def _on_test(values, cut):
    return (values - values[cut:].mean()) / values[cut:].std(correction=0)


STANDARDISED = Exercise(
    name="standardised",
    statement="Find the bug: held-out figures are better than they will ever be on values still to come.",
    stub='''def standardised(values, cut):
    """values (T,): the first `cut` are for training -> all values in standard deviations, (T,)."""
    return (values - values.mean()) / values.std(correction=0)
''',
    solution=standardised,
    cases=(
        Case("a series that rises", lambda: (_series(1, 40, 0.3), 30)),
        Case("a series that stays", lambda: (_series(2, 25, 0.0), 20)),
    ),
    observe=returns("the scaled values"),
    diagnoses=(
        behaves_like(
            _whole,
            "mean and deviation are those of all values, the held-out ones included: the network is told how "
            "high the future will go.",
        ),
        behaves_like(
            _each_its_own,
            "the held-out part is measured by its own mean and deviation, which nobody knows beforehand.",
        ),
        behaves_like(_only_train, "the held-out values are missing; scale them, too, with the same numbers."),
        behaves_like(_mean_only, "the mean is taken off, but nothing is divided by the deviation."),
        behaves_like(
            _whole_deviation, "the mean is the training part's, the deviation still that of all values."
        ),
        behaves_like(_variance, "divided by the variance; a standard deviation is its square root."),
        behaves_like(_on_test, "the scale is that of the held-out part: the wrong way round."),
    ),
    hints=(
        "Which of the values may a number that goes into training depend on?",
        "Two numbers are computed; both from values[:cut].",
        "train = values[:cut]; (values - train.mean()) / train.std(correction=0)",
    ),
    shown="Nothing of the held-out part reaches the training, not even its mean.",
)

# --------------------------------------------------------------------------------- 2: the seasonal forecast


def _last_value(history, season, horizon):
    return history[-1].expand(horizon)


def _from_start(history, season, horizon):
    return history[:season][torch.arange(horizon) % season]


def _one_late(history, season, horizon):
    return history[-season:][(torch.arange(horizon) + 1) % season]


def _same_step(history, season, horizon):
    return history[-season].expand(horizon)


def _backwards(history, season, horizon):
    return history[-season:].flip(0)[torch.arange(horizon) % season]


def _last_of_horizon(history, season, horizon):
    return history[-horizon:]


def _season_mean(history, season, horizon):
    return history[-season:].mean().expand(horizon)


SEASONAL = Exercise(
    name="seasonal",
    statement="Forecast by the value one season ago, however far ahead.",
    stub='''def seasonal(history, season, horizon):
    """history (T,), season in steps, horizon in steps -> forecasts (horizon,); season is at most T."""
    return ...
''',
    solution=seasonal,
    cases=(
        Case("a horizon within the season", lambda: (_series(3, 30, 0.1), 7, 5)),
        Case("a horizon of several seasons", lambda: (_series(4, 30, 0.1), 4, 11)),
        Case("a season of one step", lambda: (_series(5, 12, 0.1), 1, 3)),
    ),
    observe=returns("the forecasts"),
    diagnoses=(
        stops_with(
            r"out of (bounds|range)|must match|shape",
            "beyond one season there is no value one season ago; the last season comes round again.",
        ),
        behaves_like(_last_value, "that is the last value, again and again; the season is not looked at."),
        behaves_like(_from_start, "the first season of the history is repeated; the last one is asked for."),
        behaves_like(_one_late, "the forecasts come one step early: the first is history[-season]."),
        behaves_like(_same_step, "the place in the season stands still; it moves on with every step ahead."),
        behaves_like(_backwards, "the season runs backwards."),
        behaves_like(_last_of_horizon, "the last `horizon` values, as if that were the season."),
        behaves_like(_season_mean, "the mean of a season has no season any more."),
        shows(
            lambda seen, expected: (
                torch.as_tensor(seen["the forecasts"]).numel()
                < torch.as_tensor(expected["the forecasts"]).numel()
            ),
            "there are too few forecasts: beyond one season, begin it again.",
        ),
    ),
    hints=(
        "What was the value one season before the first step ahead?",
        "Step k ahead (from 0) is history[-season:][k % season].",
        "history[-season:][torch.arange(horizon) % season]",
    ),
    shown="A forecast that costs nothing; on many series it is hard to beat.",
)

# ------------------------------------------------------------------------------------------ 3: the windows


def _no_shift(values, length):
    return windows(values, length)[0], windows(values, length)[0]


def _two_ahead(values, length):
    starts = range(len(values) - length - 1)
    return (
        torch.stack([values[s : s + length] for s in starts]),
        torch.stack([values[s + 2 : s + length + 2] for s in starts]),
    )


def _one_target(values, length):
    inputs, targets = windows(values, length)
    return inputs, targets[:, -1]


def _apart(values, length):
    inputs, targets = windows(values, length)
    return inputs[::length], targets[::length]


def _behind(values, length):
    inputs, targets = windows(values, length)
    return targets, inputs


def _one_missing(values, length):
    inputs, targets = windows(values, length)
    return inputs[:-1], targets[:-1]


WINDOWS = Exercise(
    name="windows",
    statement="Cut a series into windows, with the value that follows each value as its target.",
    stub='''def windows(values, length):
    """values (T,) -> inputs (T - length, length) and targets of the same shape: a window from every start."""
    return ..., ...
''',
    solution=windows,
    cases=(
        Case("twelve values in windows of four", lambda: (_series(6, 12, 0.2), 4)),
        Case("windows of one value", lambda: (_series(7, 5, 0.2), 1)),
    ),
    observe=returns("the inputs", "the targets"),
    diagnoses=(
        behaves_like(
            _no_shift, "the targets are the inputs: such a network learns to repeat what it has just read."
        ),
        behaves_like(_two_ahead, "the targets lie two steps ahead; the next value is asked for."),
        behaves_like(_one_target, "there is one target a window; every value of a window has one."),
        behaves_like(_apart, "the windows stand side by side; a window begins at every value."),
        behaves_like(_behind, "inputs and targets have changed places: the past is asked for."),
        behaves_like(_one_missing, "the last window is missing: its last target is the last value."),
    ),
    hints=(
        "The target of values[k] is values[k + 1].",
        "The last window that has all its targets starts at T - length - 1.",
        "values[start : start + length] and values[start + 1 : start + length + 1]",
    ),
    shown="One step of shift is all that makes a series its own teacher.",
)

# --------------------------------------------------------------------------------------------- 4: going on


def _wave(last, state):
    """A step to try with: it remembers where it is, so that a state that stands still shows."""
    return 0.8 * last + state, 0.1 + 0.05 * state, state + 0.5


def _scalar(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64, device="cpu")


def _mean_fed_back(step, last, state, noise):
    path = []
    for push in noise:
        mean, deviation, state = step(last, state)
        path.append(mean + deviation * push)
        last = mean
    return torch.stack(path)


def _same_input(step, last, state, noise):
    path = []
    for push in noise:
        mean, deviation, state = step(last, state)
        path.append(mean + deviation * push)
    return torch.stack(path)


def _same_state(step, last, state, noise):
    path = []
    for push in noise:
        mean, deviation, _ = step(last, state)
        last = mean + deviation * push
        path.append(last)
    return torch.stack(path)


def _no_noise(step, last, state, noise):
    return go_on(step, last, state, torch.zeros_like(noise))


def _unit_noise(step, last, state, noise):
    path = []
    for push in noise:
        mean, _, state = step(last, state)
        last = mean + push
        path.append(last)
    return torch.stack(path)


def _with_start(step, last, state, noise):
    return torch.cat([last[None], go_on(step, last, state, noise)])


def _with_start_cut(step, last, state, noise):
    return _with_start(step, last, state, noise)[:-1]


GO_ON = Exercise(
    name="go_on",
    statement="Draw one path that goes on from a value: what is drawn is read as the next value.",
    stub='''def go_on(step, last, state, noise):
    """step(value, state) -> mean, deviation, state; noise (H,) standard normal -> path (H,)."""
    return ...
''',
    solution=go_on,
    cases=(
        Case("five steps", lambda: (_wave, _scalar(1.0), 0.2, _series(8, 5, 0.0))),
        Case("one step", lambda: (_wave, _scalar(-1.0), 0.0, _series(9, 1, 0.0))),
    ),
    observe=returns("the path"),
    diagnoses=(
        behaves_like(
            _mean_fed_back,
            "the mean is read on, not what was drawn: such paths stay close together, the fan is too narrow.",
        ),
        behaves_like(_same_input, "the same last value is read at every step; read what was drawn."),
        behaves_like(_same_state, "the state stands still; hand on the one that step returns."),
        behaves_like(_no_noise, "nothing is drawn: this is the path of the means."),
        behaves_like(_unit_noise, "the noise is added as it is; multiply it by the deviation."),
        behaves_like(_with_start, "the value that it starts from is no part of the path."),
        behaves_like(_with_start_cut, "the path begins one step late: its first value is drawn, not given."),
    ),
    hints=(
        "A loop over the noise; each turn calls step once.",
        "Three things come back from step; two make a value, the third goes into the next call.",
        "last = mean + deviation * push; then append last",
    ),
    shown="A hundred such paths are a fan, and nothing else is.",
)

EXERCISES = (STANDARDISED, SEASONAL, WINDOWS, GO_ON)

# ------------------------------------------------------------------------------------------------ the quiz

QUIZ = (
    Question(
        "Why are the parts of a series cut in time and never shuffled?",
        (
            Option("Shuffling is slow.", "it takes no time at all."),
            Option(
                "Shuffled neighbours of held-out values would be trained on.",
                "a value is nearly known when those on both sides are; a forecast never has the one after.",
                right=True,
            ),
            Option("The network reads in order anyway.", "windows of a shuffled split are in order, too."),
        ),
    ),
    Question(
        "A series of the last 300 days is scaled by the mean and deviation of all 300. What is wrong?",
        (
            Option(
                "The held-out days had a say in the scale.",
                "the network is told how high and wide the future is, and held-out figures flatter.",
                right=True,
            ),
            Option(
                "The values should stay in their unit.", "any fixed scale is fine; networks like small ones."
            ),
            Option("300 days are too few.", "that may be, but it is another matter."),
        ),
    ),
    Question(
        "On a random walk your network costs as much as “the last value”. What have you learnt?",
        (
            Option("It needs more units.", "no number of units finds what is not there."),
            Option("It was trained badly.", "it found the best forecast that exists."),
            Option(
                "There is nothing in the past beyond the last value.",
                "and a network that claimed more would be wrong.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why does the network answer with a density and not with a number?",
        (
            Option(
                "So that a forecast says how sure it is.",
                "a fan can be right about its width; a line cannot be wrong about it.",
                right=True,
            ),
            Option("A density trains faster.", "it does not; it says more."),
            Option("Numbers cannot be trained with gradients.", "they can, by the squared error."),
        ),
    ),
    Question(
        "The fan is narrow in the first step and wide in the twentieth. Where does the width come from?",
        (
            Option("From more training at short horizons.", "every step is trained alike: one ahead."),
            Option(
                "Each drawn value is read as if it were true, and errors add up.",
                "paths that part early lead apart.",
                right=True,
            ),
            Option("From the temperature.", "nothing is heated here."),
        ),
    ),
    Question(
        "Your diary has 30,000 characters. Held-out bits fall, then rise. What does mine.fit do about it?",
        (
            Option("It stops when they rise.", "it trains to the end; they may fall again."),
            Option("It lowers the learning rate.", "the rate follows its own plan."),
            Option(
                "It puts back the weights that did best on held-out text.",
                "little data is soon learnt by heart, and what is kept is from before that.",
                right=True,
            ),
        ),
    ),
)
