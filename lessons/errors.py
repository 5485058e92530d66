"""The one exception that a learner should ever read: a sentence, not a traceback."""

import errno

FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
BARRED = (errno.EROFS, errno.EACCES, errno.EPERM)


class LessonError(ValueError):
    """What was asked cannot be done; the message says what is wrong and what to do, in one sentence.

    Widgets catch it and show the sentence in their message line, with their state kept.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython prints in place of a traceback: the sentence alone."""
        return [f"{type(self).__name__}: {self}"]


def refusal(error: Exception) -> str:
    """Why a file could not be written, and what helps: the end of a sentence, without its full stop."""
    number, why = getattr(error, "errno", None), getattr(error, "strerror", None) or str(error)
    helps = "choose a place in a folder of your own" if number in BARRED else "choose another place"
    return f"{why}; {'make room there, or ' if number in FULL else ''}{helps}"
