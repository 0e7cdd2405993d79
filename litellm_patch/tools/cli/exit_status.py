"""The exit statuses of ``litellm-patch``, so that a script can tell an answer from none.

| status | what it means |
| --: | --- |
| 0 | the answer is good |
| 1 | the answer is bad: not told, not on, NOT good, refused |
| 2 | wrong usage: the command, an option, a URL or a file must be another |
| 3 | nothing is proven: the question could not be asked, or the proxy was not in the right state |

`run` becomes another command and has that command's status; 126 and 127 are a shell's.
"""

from __future__ import annotations

GOOD, BAD, WRONG_USAGE, NOTHING_PROVEN = 0, 1, 2, 3

INTERRUPTED = 128 + 2
READER_GONE = 128 + 13
"""As a shell has it for the signals SIGINT and SIGPIPE."""


class NoAnswer(Exception):
    """The command has no answer. The text says why and what to do, and contains no secret."""

    status = NOTHING_PROVEN


class WrongUsage(NoAnswer):
    """The command cannot do what it is told to."""

    status = WRONG_USAGE


class NothingProven(NoAnswer):
    """The command cannot judge what it found, or found nothing."""
