"""What every command line shares: one place where an error or a signal becomes a sentence and an exit status.

Exit status: 0 it is complete or done, 1 it is not, 2 the call or the set-up is wrong.
"""

import functools
import os
import signal
import sys

from kata.errors import KataError

EXTRAS = {"nbformat": ".[notebook]"}


def _say_missing(missing):
    """Say which package is missing, what installs it, and who finds whatever else is."""
    wanted = EXTRAS.get(missing, ".")
    print(
        f'{missing} is not installed. In the repository\'s folder run: python -m pip install -e "{wanted}"',
        file=sys.stderr,
    )
    print("python tools/doctor.py looks at the whole set-up.", file=sys.stderr)


try:
    import click
except ModuleNotFoundError as missing:
    _say_missing(missing.name)
    sys.exit(2)

__all__ = ["click", "command"]

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def command(function):
    """Make a function a command: `KataError` ends it with a sentence and status 2, Ctrl-C with status 1.

    What else asks a program to end (`timeout`, a terminal that is closed) ends it as Ctrl-C does, so that it clears up.
    """

    @functools.wraps(function)
    def guarded(*args, **kwargs):
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
        try:
            sys.exit(function(*args, **kwargs))
        except KataError as error:
            click.echo(f"{_program()}: {error}", err=True)
            sys.exit(2)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in ("", "kata", "cnn"):
                raise
            _say_missing(error.name.partition(".")[0])
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo(f"{_program()}: interrupted; nothing was lost.", err=True)
            sys.exit(1)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)

    settings = dict(CONTEXT, color=False) if os.environ.get("NO_COLOR") else CONTEXT
    return click.command(context_settings=settings)(guarded)


def _program():
    return os.path.splitext(os.path.basename(sys.argv[0]))[0]
