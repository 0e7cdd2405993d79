"""A directory for ``PYTHONPATH``: the `sitecustomize` in it activates litellm_patch."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

FOLDER = os.path.dirname(os.path.abspath(__file__))

LAUNCH_WITH_PATCH = [sys.executable, "-m", "litellm_patch", "run", "--"]
"""What stands before a command so that the patch is on in it and below it."""


def with_patch(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of `environment` in which Python processes start with the patch on.

    An existing ``PYTHONPATH`` is kept behind ours, also an empty entry, which means the current
    folder; calling this twice changes nothing more.
    """
    path = environment.get("PYTHONPATH")
    entries = [FOLDER, *(path.split(os.pathsep) if path else [])]
    return {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys(entries))}
