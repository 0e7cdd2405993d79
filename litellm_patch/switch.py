"""What ``LITELLM_PATCH`` says: on, off or strict; and the end of a process that strict mode stops.

Every Python that starts with the patch loads this file, so it uses `os` and `sys` alone, which the
interpreter has loaded already.
"""

import os
import sys

ON, OFF, STRICT = "on", "off", "strict"
ON_WORDS = ("on", "1", "true", "yes")
OFF_WORDS = ("off", "0", "false", "no")
_MODES = {
    **dict.fromkeys(("", *ON_WORDS), ON),
    **dict.fromkeys(OFF_WORDS, OFF),
    "strict": STRICT,
}
STRICT_EXIT = 78
"""Exit status when strict mode stops a process: EX_CONFIG of sysexits.h."""


def said() -> str:
    """What ``LITELLM_PATCH`` says, as a word that can be compared."""
    return os.environ.get("LITELLM_PATCH", "").strip().lower()


def mode() -> str:
    """`ON`, `OFF` or `STRICT`, as the operator said with ``LITELLM_PATCH``; unknown is `ON`."""
    return _MODES.get(said(), ON)


def is_known() -> bool:
    """Whether ``LITELLM_PATCH`` is unset or one of the words that it may be."""
    return said() in _MODES


def switched_off() -> bool:
    """Whether the operator said ``LITELLM_PATCH=off`` (or ``0``, ``false``, ``no``)."""
    return mode() == OFF


def stop(text: str) -> None:
    """End the process: what strict mode does instead of going on without the patch.

    Not by an exception: LiteLLM imports its proxy inside ``try``/``except``, and an exit in a
    thread would end that thread alone. At start there is nothing to be cleaned up.
    """
    complain(f"stopped by LITELLM_PATCH=strict (exit status {STRICT_EXIT}): {text}")
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or None
            pass
    os._exit(STRICT_EXIT)


def complain(text: str) -> None:
    """Write one line to stderr, for the case that even `log` could not be imported."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"litellm_patch: {text}\n")
        except Exception:  # a closed stderr is no reason to fail the host
            pass
