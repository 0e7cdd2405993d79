"""Wait for ``import litellm`` without costing a process that never does it anything.

wrapt is the tool for post-import hooks, but importing it takes longer than starting the
interpreter. So wrapt is imported at the moment when LiteLLM is: this finder stands first on
``sys.meta_path``, finds nothing itself, and hands over to `activation` when the name
``litellm`` comes by. Only `sys` and `os` are used here; both are always loaded.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "litellm"


def switched_off() -> bool:
    """Whether the operator said ``LITELLM_PATCH=off`` (or ``0``, ``false``, ``no``)."""
    return os.environ.get("LITELLM_PATCH", "").strip().lower() in ("off", "0", "false", "no")


class ImportWatch:
    """A ``sys.meta_path`` entry that never finds a module; it only notices that one is sought."""

    def __init__(self, notice: "Callable[[str], None]") -> None:
        self._notice = notice

    # The signature is importlib's; naming its types would import `typing` in every process.
    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        self._notice(name)
        return None

    def start(self) -> None:
        """Be told of every import from now on. Safe to call again."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Be told no more. Safe to call again, but never from `notice`: the interpreter is
        walking over ``sys.meta_path`` then, and would skip the finder behind this one, which
        is often wrapt's."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def arm() -> None:
    """Wait for LiteLLM, or act now where it is already imported. Safe to call again."""
    if switched_off():
        return
    if TARGET in sys.modules:
        fire()
    else:
        _WATCH.start()


def disarm() -> None:
    """Stop waiting; not while a module is being sought. Safe to call again."""
    _WATCH.stop()


def fire() -> None:
    """LiteLLM is being imported: register the post-import hooks, whatever happens."""
    try:
        from .activation import activate

        activate()
    except Exception as error:  # the host's `import litellm` must succeed without us
        complain(f"not active, LiteLLM is unchanged: {type(error).__name__}: {error}")


def _notice(name: str) -> None:
    if name == TARGET:
        fire()


_WATCH = ImportWatch(_notice)


def complain(text: str) -> None:
    """One line on stderr for the case that even `report` could not be imported."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"litellm_patch: {text}\n")
        except Exception:  # a closed stderr is no reason to fail the host
            pass
