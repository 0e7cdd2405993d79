"""Wait for ``import litellm``, at no cost to processes that never import it.

wrapt is the tool for post-import hooks, but importing it takes longer than starting the
interpreter. So wrapt is imported when LiteLLM is: a finder stands first on ``sys.meta_path``, and
calls `ACTIVATE` when ``litellm`` begins to be executed. Only modules that are always loaded are
used here.
"""

import _thread
import sys

from .switch import STRICT, complain, mode, stop, switched_off

TARGET = "litellm"
ACTIVATE = "litellm_patch.activation.activate:activate"
"""What is called then, as ``module:function``: nothing of it is imported before."""


class Loader:
    """Executes LiteLLM as its own loader does, once `fire` has been called."""

    # No annotations: naming the types would import `typing` in every process.
    def __init__(self, loader):  # type: ignore[no-untyped-def]
        self._loader = loader

    def exec_module(self, module):  # type: ignore[no-untyped-def]
        # From here on the module looks as if we had never been there.
        for holder, name in ((module.__spec__, "loader"), (module, "__loader__")):
            if getattr(holder, name, None) is self:
                setattr(holder, name, self._loader)
        if _FINDER in sys.meta_path:
            fire()
        self._loader.exec_module(module)

    def __getattr__(self, name):  # type: ignore[no-untyped-def]
        if name == "_loader":  # in a copy that is being made: asking it would ask this again
            raise AttributeError(name)
        return getattr(self._loader, name)

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return Loader, (self._loader,)


class Finder:
    """A ``sys.meta_path`` entry that finds what the other entries find, to see it executed.

    Nothing else may happen in `find_spec`: importlib holds its global lock there, so that an
    import, or waiting for anything, could be waiting for a thread that waits for that lock.

    A finder in front of this one may load LiteLLM without asking it. The next import of
    anything then shows that LiteLLM is there, and a thread does what was missed.
    """

    _searching = False  # importlib's global lock guards it

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name != TARGET or self._searching:
            if TARGET in sys.modules and not looking and passed_over():
                disarm()
                _thread.start_new_thread(_catch_up, ())
            return None
        self._searching = True
        try:
            for finder in list(sys.meta_path):
                spec = None if finder is self else finder.find_spec(name, path, target)
                if spec is not None:
                    break
            else:
                return None
        finally:
            self._searching = False
        if hasattr(spec.loader, "exec_module"):
            spec.loader = Loader(spec.loader)  # type: ignore
        return spec


_FINDER = Finder()

looking = 0
"""How many are asking for the state of the patch now. What they import must not change it."""


def passed_over() -> bool:
    """Whether LiteLLM was loaded by a finder that did not ask ours, and nobody did a thing yet."""
    spec = getattr(sys.modules.get(TARGET), "__spec__", None)
    return (
        TARGET in sys.modules
        and _FINDER in sys.meta_path
        # Ours was asked where the loader is ours: it has just not begun to execute the module.
        and type(getattr(spec, "loader", None)) is not Loader
    )


def arm() -> None:
    """Wait for LiteLLM, or act now where it is already imported. Safe to call again."""
    if switched_off() or _FINDER in sys.meta_path:
        return
    if TARGET in sys.modules:
        fire()
    else:
        sys.meta_path.insert(0, _FINDER)


def disarm() -> None:
    """Wait no longer.

    A new list takes the old one's place: an import that is walking the old one would miss the
    next entry, another agent's perhaps, if ours were taken out from before it.
    """
    if _FINDER in sys.meta_path:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not _FINDER]


def fire() -> None:
    """LiteLLM is being imported: register the post-import hooks, whatever happens."""
    disarm()
    try:
        _call(ACTIVATE)
    except Exception as error:  # the host's `import litellm` must succeed without us
        try:
            why = f"{type(error).__name__}: {error}"
        except Exception:  # even its text is broken
            why = type(error).__name__
        text = f"not active, LiteLLM is unchanged: {why}"
        if mode() == STRICT:
            stop(text)
        complain(text)


def _call(target: str) -> None:
    from importlib import import_module

    module, _, function = target.partition(":")
    getattr(import_module(module), function)()


def _catch_up() -> None:
    fire()
    try:
        from .log import once

        once(20, "litellm was imported without our hook being asked; the patch came on after that")
    except Exception:  # `fire` has said what is wrong
        pass
