"""What a learner reads when something cannot be done."""

from IPython.core.interactiveshell import InteractiveShell

from lessons.errors import LessonError


def test_a_notebook_shows_the_sentence_and_no_traceback(capsys):
    shell = InteractiveShell()
    done = shell.run_cell("from lessons.errors import LessonError\nraise LessonError('Give a longer text.')")
    printed = capsys.readouterr().out
    assert isinstance(done.error_in_exec, LessonError)
    assert printed.strip() == "LessonError: Give a longer text."
    shell.run_cell("1 / 0")
    assert "Traceback" in capsys.readouterr().out  # other errors keep theirs
