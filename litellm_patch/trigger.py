"""Wait for ``import litellm``, at no cost to processes that never import it.

wrapt is the tool for post-import hooks, but importing it takes longer than starting the
interpreter. So wrapt is imported when LiteLLM is: a finder stands first on ``sys.meta_path``, and
calls `ACTIVATE` when ``litellm`` begins to be executed. Only modules that are always loaded are
used here.
"""

import _thread
import sys

from .switch import STRICT, complain, mode, stop, switched_off, text_of

TARGET = "litellm"
ACTIVATE = "litellm_patch.activation.activate:activate"
"""The function to call then, as ``module:function``. Its module is not imported before."""


class Loader:
    """Calls `fire`, then executes LiteLLM as its own loader does."""

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
        if name == "_loader":  # a copy that is still empty would ask itself without end
            raise AttributeError(name)
        return getattr(self._loader, name)


class Finder:
    """A ``sys.meta_path`` entry that finds LiteLLM by the other entries, to see it executed.

    importlib holds its global lock during `find_spec`, which therefore imports nothing and waits
    for nothing: the other thread could be waiting for that lock.

    A finder in front of this one may load LiteLLM without asking it. The next import of any
    module shows that LiteLLM is there, and a thread catches up.
    """

    _searching = False  # importlib's global lock guards it

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name != TARGET or self._searching:
            if passed_over() and _thread.get_ident() not in looking:
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


class _Threads(set):  # type: ignore[type-arg]
    """Each thread is in it during a ``with`` statement."""

    def __enter__(self):  # type: ignore[no-untyped-def]
        self.add(_thread.get_ident())

    def __exit__(self, *error):  # type: ignore[no-untyped-def]
        self.discard(_thread.get_ident())


looking = _Threads()
"""Those that ask for the state of the patch: their imports must not change it."""


def passed_over() -> bool:
    """Whether LiteLLM was loaded by a finder that did not ask ours, and nobody has activated."""
    if TARGET not in sys.modules or _FINDER not in sys.meta_path:
        return False
    # A loader of ours has just not begun to execute the module.
    spec = getattr(sys.modules[TARGET], "__spec__", None)
    return type(getattr(spec, "loader", None)) is not Loader


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

    The list is replaced, not changed: an import that is walking through it would miss the entry
    behind ours, perhaps another agent's.
    """
    if _FINDER in sys.meta_path:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not _FINDER]


def fire() -> None:
    """LiteLLM is being imported: call `ACTIVATE`. Never raises."""
    disarm()
    try:
        from importlib import import_module

        module, _, function = ACTIVATE.partition(":")
        getattr(import_module(module), function)()
    except Exception as error:
        text = f"not active, LiteLLM is unchanged: {text_of(error)}"
        if mode() == STRICT:
            stop(text)
        complain(text)


def _catch_up() -> None:
    fire()
    try:
        from .log import once

        once(20, "litellm was imported without our hook being asked; the patch came on after that")
    except Exception:  # `fire` has said what is wrong
        pass
