"""The one exception that a learner should ever read: a sentence, not a traceback."""


class LessonError(ValueError):
    """What was asked cannot be done; the message says what is wrong and what to do, in one sentence.

    Widgets catch it and show the sentence in their message line, with their state kept.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython prints in place of a traceback: the sentence alone."""
        return [f"{type(self).__name__}: {self}"]
