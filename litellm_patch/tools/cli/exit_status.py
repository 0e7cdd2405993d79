"""The exit statuses of ``litellm-patch``, so that a script can tell an answer from none.

| status | what it means |
| --: | --- |
| 0 | the answer is good |
| 1 | the answer is bad: not told, not on, NOT good, refused |
| 2 | wrong usage: the command, an option, a URL, a file; call it otherwise |
| 3 | nothing is proven: what was to be asked cannot be, or was not in the state to be judged |

`run` becomes another command and has that command's status; 126 and 127 are a shell's.
"""

from __future__ import annotations

GOOD, BAD, WRONG_USAGE, NOTHING_PROVEN = 0, 1, 2, 3

INTERRUPTED = 128 + 2
READER_GONE = 128 + 13
"""As a shell has it for the signals SIGINT and SIGPIPE."""


class WrongUsage(Exception):
    """The command cannot do what it is told to; the text says what to write, and no secret."""


class NothingProven(Exception):
    """The command has no answer; the text says why, what to do, and no secret."""
