"""The one exception the tools turn into a sentence."""


class KataError(Exception):
    """Something a person did or has can't be worked with: what is wrong, why, how to mend it.

    The command line prints the message without a traceback and exits with status 2.
    """


class Todo(BaseException):
    """An exercise still raises NotImplementedError.

    Not an Exception, so that neither a test's `except` nor hypothesis, which would look for a smaller
    example of it, holds it up.
    """


class SolutionError(Exception):
    """The solution can't be tested at all: no file, no import, no such function, another signature.

    `line` is the place in the file where that can be told, else None.
    """

    def __init__(self, message, line=None):
        super().__init__(message)
        self.line = line
