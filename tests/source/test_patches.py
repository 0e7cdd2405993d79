"""The patch files."""

from __future__ import annotations

import re

import pytest

from litellm_patch.tools.source.patches import patch_for, source_patches

PATCHES = source_patches()


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_marks_every_file_that_it_changes(patch):
    """Without a mark, it could be applied to that file a second time."""
    for part in re.split(r"^--- a/", patch.content.decode(), flags=re.M)[1:]:
        assert re.search(r"^\+ .*litellm_patch|^\+[^+].*litellm_patch", part, re.M), part


@pytest.mark.parametrize(
    "release, first",
    [
        ("1.53.1", "1.53.1"),
        ("1.74.15.post2", "1.53.1"),
        ("1.109.3", "1.53.1"),
        ("1.110.0rc1", "1.110.0"),
        ("1.110.2", "1.110.0"),
    ],
)
def test_a_release_has_the_patch_of_its_range(release, first):
    assert patch_for(release).first == first
