"""Lesson 11 in pictures: the switchboard, exposure to own mistakes, who has to wait.

switches()                   # what is fed, over a sentence and over a training
schedules()                  # how the truth is taken away
two_runs(model, pairs)       # one trained network, fed the truth and fed its own symbols
after(exposure)              # right symbols by place, and behind the first mistake
ways(exposures)              # several trainings side by side
progress(seen)               # the same over the steps of each training
recurrences()                # Jordan's and Elman's network unrolled, with the clock
waiting(seconds, lengths)    # what waiting costs
"""

from widgets.curriculum import progress
from widgets.exposure import after, mistaken, ways
from widgets.exposure import explore as two_runs
from widgets.feedback import explore as recurrences
from widgets.feedback import seconds as waiting
from widgets.switchboard import compare as schedules
from widgets.switchboard import explore as switches

__all__ = [
    "after",
    "mistaken",
    "progress",
    "recurrences",
    "schedules",
    "switches",
    "two_runs",
    "waiting",
    "ways",
]
