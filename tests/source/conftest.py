"""A LiteLLM of the installed release that is patched in its source."""

from __future__ import annotations

from pathlib import Path

import pytest
from trees import make_whole_tree

from litellm_patch.source.apply import apply


@pytest.fixture(scope="session")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_whole_tree(tmp_path_factory.mktemp("patched") / "tree")
    apply(root)
    return root
