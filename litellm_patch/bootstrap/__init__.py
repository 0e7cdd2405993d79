"""A directory for ``PYTHONPATH``: the `sitecustomize` in it activates litellm_patch."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

FOLDER = os.path.dirname(os.path.abspath(__file__))

LAUNCH_WITH_PATCH = [sys.executable, "-m", "litellm_patch", "run", "--"]
"""Put in front of a command, it turns the patch on in that process and its children."""


def with_patch(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of `environment` in which Python processes start with the patch on.

    Entries of an existing ``PYTHONPATH`` follow ours, including empty ones, which mean the current
    folder. A second call changes nothing.
    """
    path = environment.get("PYTHONPATH")
    entries = [FOLDER, *(path.split(os.pathsep) if path else [])]
    return {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys(entries))}
