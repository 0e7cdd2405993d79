"""``LITELLM_PATCH``: on, off or strict; and the end of a process that strict mode stops.

Every Python that starts with the patch loads this file, so it uses only `os` and `sys`, which the
interpreter has already loaded.
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
    """The word in ``LITELLM_PATCH``, in lower case, or ""."""
    return os.environ.get("LITELLM_PATCH", "").strip().lower()


def mode() -> str:
    """`ON`, `OFF` or `STRICT`; an unknown word means `ON`."""
    return _MODES.get(said(), ON)


def is_known() -> bool:
    """Whether ``LITELLM_PATCH`` is unset or one of the words that have a meaning."""
    return said() in _MODES


def switched_off() -> bool:
    """Whether the operator said ``LITELLM_PATCH=off`` (or ``0``, ``false``, ``no``)."""
    return mode() == OFF


def stop(text: str) -> None:
    """End the process, as strict mode does rather than go on without the patch.

    An exception would not do: LiteLLM imports its proxy inside ``try``/``except``, and an exit in
    a thread ends only that thread. At start there is nothing to clean up.
    """
    complain(f"stopped by LITELLM_PATCH=strict (exit status {STRICT_EXIT}): {text}")
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or None
            pass
    os._exit(STRICT_EXIT)


def complain(text: str) -> None:
    """Write one line to stderr, where even `log` may not be importable."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"litellm_patch: {text}\n")
        except Exception:  # a closed stderr is no reason to fail the host
            pass


def text_of(error: BaseException) -> str:
    """The class and the text of an error at start-up; the text itself may be broken."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__
