"""An applied seam is also reached: LiteLLM still calls its place when it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "matrix")]
from reached import BLIND, run  # noqa: E402


def test_the_router_comes_by_every_seam_that_it_needs():
    found = run(sys.executable)
    assert len(found) > 5
    assert [name for name, state in found.items() if state == BLIND] == []
