"""Wait for ``import litellm`` without costing a process that never does it anything.

wrapt is the tool for post-import hooks, but importing it takes longer than starting the
interpreter. So wrapt is imported at the moment when LiteLLM is: this finder stands first on
``sys.meta_path``, finds nothing itself, and hands over to `activation` when the name
``litellm`` comes by. Only `sys` and `os` are used here; both are always loaded.
"""

import os
import sys

TARGET = "litellm"


def switched_off() -> bool:
    """Whether the operator said ``LITELLM_PATCH=off`` (or ``0``, ``false``, ``no``)."""
    return os.environ.get("LITELLM_PATCH", "").strip().lower() in ("off", "0", "false", "no")


class LitellmTrigger:
    """A ``sys.meta_path`` entry that never finds a module; it only notices one."""

    # The signature is importlib's; naming its types would import `typing` in every process.
    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name == TARGET:
            fire()
        return None


_TRIGGER = LitellmTrigger()


def arm() -> None:
    """Wait for LiteLLM, or act now where it is already imported. Safe to call again."""
    if switched_off() or _TRIGGER in sys.meta_path:
        return
    if TARGET in sys.modules:
        fire()
    else:
        sys.meta_path.insert(0, _TRIGGER)


def disarm() -> None:
    """Stop waiting. Safe to call again."""
    if _TRIGGER in sys.meta_path:
        sys.meta_path.remove(_TRIGGER)


def fire() -> None:
    """LiteLLM is being imported: register the post-import hooks, whatever happens."""
    disarm()
    try:
        from .activation import activate

        activate()
    except Exception as error:  # the host's `import litellm` must succeed without us
        complain(f"not active, LiteLLM is unchanged: {type(error).__name__}: {error}")


def complain(text: str) -> None:
    """One line on stderr for the case that even `report` could not be imported."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"litellm_patch: {text}\n")
        except Exception:  # a closed stderr is no reason to fail the host
            pass
