"""Put this file's directory on ``PYTHONPATH`` to activate litellm_patch in every Python below.

Python's `site` imports it at start-up, before any code of the program. What may happen here
is therefore little: no import beyond `sys`, nothing printed, nothing raised. The work is in
`litellm_patch.trigger`, which waits for ``import litellm``.

This file hides a ``sitecustomize`` that comes later on the path, so it runs that one, too,
as Python would have done.
"""

import sys


def _activate():
    try:
        import litellm_patch  # noqa: F401 - the import is the activation
    except ImportError:
        # A foreign interpreter that inherited PYTHONPATH and has no litellm_patch: not for us.
        pass


def _run_the_hidden_one():
    # importlib's own finder, without importing `importlib`: it is frozen into the interpreter.
    from _frozen_importlib_external import PathFinder

    here = __file__.replace("\\", "/").rpartition("/")[0]
    others = [entry for entry in sys.path if entry.replace("\\", "/").rstrip("/") != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None or spec.origin == __file__:
        return
    module = type(sys)("sitecustomize")
    module.__spec__, module.__file__, module.__loader__ = spec, spec.origin, spec.loader
    sys.modules["sitecustomize"] = module
    # An exception in it goes up to `site`, which reports it as it would have without us.
    spec.loader.exec_module(module)


_activate()
_run_the_hidden_one()
