"""A tune as a printed score, drawn by Verovio, if that is installed.

Verovio is a program of others in C++, and what it is given here may have been written by a network. So it
gets nothing but a tune that our own reader has read and written anew, and it runs in a process of its own:
whatever happens to it, the notebook goes on.
"""

import importlib.util
import subprocess
import sys

from lessons.abc_reader import plain
from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.tune_parts import Tune

SECONDS = 20
SCRIPT = """
import sys, verovio
verovio.enableLog(verovio.LOG_OFF)
toolkit = verovio.toolkit()
toolkit.setOptions({
    "inputFrom": "abc", "pageWidth": WIDTH, "scale": 45, "adjustPageHeight": True, "svgViewBox": True,
    "header": "none", "footer": "none", "breaks": "auto", "staffLineWidth": 0.25, "pageMarginTop": 20,
    "pageMarginBottom": 20, "pageMarginLeft": 20, "pageMarginRight": 20, "xmlIdSeed": 1,
})
if not toolkit.loadData(sys.stdin.buffer.read().decode()):
    sys.exit("not loaded")
sys.stdout.buffer.write(toolkit.renderToSVG(1).encode())
"""


@explained
def svg(tune: Tune, width: Count = 2100) -> str:
    """The score of a tune as SVG text, `width` tenths of a millimetre wide; to be shown by widgets.sanitised.

    Raises LessonError, one sentence, if Verovio is not installed or cannot draw the tune.
    """
    if importlib.util.find_spec("verovio") is None:
        raise LessonError(
            "The score is drawn by Verovio, which is not installed here: pip install verovio brings it."
        )
    command = [sys.executable, "-P", "-c", SCRIPT.replace("WIDTH", str(int(width)))]
    score = f"X:1\nT:\n{plain(tune)}".encode()
    try:
        done = subprocess.run(command, input=score, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise LessonError(
            f"Verovio did not draw this tune within {SECONDS} seconds; try a shorter one."
        ) from error
    if done.returncode or not done.stdout.lstrip().startswith(b"<svg"):
        raise LessonError("Verovio cannot draw this tune; listen to it instead, or mend its bars.")
    return done.stdout.decode()
