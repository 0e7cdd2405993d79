"""Make a pinned LiteLLM proxy's 429 answers tell clients, truthfully, when to come back.

Importing this package is the activation, and does nothing else: it puts a finder on
``sys.meta_path`` that waits for ``import litellm``. Until then neither wrapt nor anything else of
this package is loaded: this file and the three that it needs (`trigger`, `switch`, `_version`)
use only modules that the interpreter has already loaded.

``LITELLM_PATCH=off`` in the environment turns the import into a no-op.
"""

from ._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .activation.activate import activate, deactivate
    from .activation.status import status
    from .seams.answer.told import retry_after

__all__ = ["__version__", "activate", "deactivate", "retry_after", "status"]

_HOME_OF = {
    "activate": "activation.activate",
    "deactivate": "activation.activate",
    "retry_after": "seams.answer.told",
    "status": "activation.status",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562): the import alone must stay cheap."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    with trigger.looking:
        value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


from . import trigger  # noqa: E402 - last: a failure above leaves nothing armed

trigger.arm()
