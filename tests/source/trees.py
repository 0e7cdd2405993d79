"""Trees with the sources of the LiteLLM that is installed, as released."""

from __future__ import annotations

import os
import shutil
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from litellm_patch.tools.source.patches import patch_for

RELEASE = metadata.version("litellm")
METADATA = f"litellm-{RELEASE}.dist-info/METADATA"


def site_packages() -> Path:
    """Where the installed LiteLLM is."""
    found = find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]


def make_small_tree(root: Path) -> Path:
    """The files that the patch changes, and the release's metadata."""
    for path in ["litellm/__init__.py", METADATA, *patch_for(RELEASE).paths]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site_packages() / path, root / path)
    return root


def make_whole_tree(root: Path) -> Path:
    """A LiteLLM that can be imported: links to all files of the installed one."""
    for name in ("litellm", Path(METADATA).parent.name):
        shutil.copytree(site_packages() / name, root / name, copy_function=os.symlink)
    return root


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file below `root`."""
    return {
        str(path.relative_to(root)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
