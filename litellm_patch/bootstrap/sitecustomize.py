"""Put this file's directory on ``PYTHONPATH`` to activate litellm_patch in every Python below.

Python's `site` imports it at start-up, before any code of the program. So little may happen here:
no import beyond `sys`, no output, no exception. The work is in `litellm_patch.trigger`, which waits
for ``import litellm``.

This file hides any ``sitecustomize`` later on the path, so it runs that one, too, as Python would
have done. The hidden file may be this one again, by another path or from another copy of
litellm_patch, or an agent's, which looks for a hidden file itself and finds this one. So the files
that have begun are remembered while the first of them runs.

Older Pythons that inherit ``PYTHONPATH``, even Python 2, must be able to parse this file.
"""

import sys


def _run():
    begun = getattr(sys, "_litellm_patch_begun", None)
    if begun is not None:
        return _run_the_hidden_one(begun)
    begun = sys._litellm_patch_begun = set()  # type: ignore[attr-defined]
    try:
        _activate()
        _run_the_hidden_one(begun)
    finally:
        del sys._litellm_patch_begun  # type: ignore[attr-defined]


def _activate():
    if sys.version_info < (3, 9):  # noqa: UP036 - it can parse this file, but not the package
        return
    try:
        import litellm_patch  # the import is the activation

        litellm_patch.trigger  # noqa: B018 - missing if the package's file is empty
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "litellm_patch"
        if not missing:  # else this is a foreign interpreter
            sys.meta_path.insert(0, _Damaged(error))


class _Damaged:
    """Says, when LiteLLM is imported, that the package cannot be loaded."""

    def __init__(self, error):
        self._error = type(error).__name__ + ": " + str(error)

    def find_spec(self, name, path=None, target=None):
        if name == "litellm":
            # A new list, because the import that asks is walking through the old one.
            sys.meta_path = [finder for finder in sys.meta_path if finder is not self]
            self._say()

    def _say(self):
        import os

        word = os.environ.get("LITELLM_PATCH", "").strip().lower()
        if word in ("off", "0", "false", "no"):
            return
        try:
            sys.stderr.write("litellm_patch: not active, install it again: " + self._error + "\n")
            sys.stderr.flush()
        except Exception:  # no stderr, or a closed one, is no reason to fail the host
            pass
        if word == "strict":
            os._exit(78)


def _run_the_hidden_one(begun):
    try:
        # importlib's own finder, without importing `importlib`: it is frozen into the interpreter.
        from _frozen_importlib_external import PathFinder
    except ImportError:  # Python 2
        return
    here = _normal(__file__).rpartition("/")[0]
    begun.add(here)
    for entry in _behind(here):
        if _normal(entry) in begun:
            continue
        spec = PathFinder.find_spec("sitecustomize", [entry])
        if spec is None or spec.loader is None:
            continue
        begun.add(_normal(entry))
        module = type(sys)("sitecustomize")
        module.__spec__, module.__file__, module.__loader__ = spec, spec.origin, spec.loader
        sys.modules["sitecustomize"] = module
        # `site` reports an exception in it, as it would have without us.
        spec.loader.exec_module(module)
        return


def _behind(here):
    """The entries behind this file's directory on the path; those before it are not hidden."""
    path = [entry for entry in sys.path if isinstance(entry, str)]
    for position, entry in enumerate(path):
        if _normal(entry) == here:
            return path[position + 1 :]
    return path  # whoever ran this file took its directory off the path


def _normal(path):
    return path.replace("\\", "/").rstrip("/")


_run()
