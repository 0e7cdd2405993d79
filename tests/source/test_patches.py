"""The patch files."""

from __future__ import annotations

import re

import pytest

from litellm_patch.tools.source.patches import patch_for, source_patches

PATCHES = source_patches()


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_has_a_head_and_the_least_context(patch):
    head, _, diff = patch.content.decode().partition("\n---\n")
    fields = re.findall(r"^([A-Z][A-Za-z-]+): .", head, re.M)
    assert {"Description", "Origin", "Bug", "Forwarded", "Last-Update"} <= set(fields)
    for hunk in re.split(r"^@@.*\n", diff, flags=re.M)[1:]:
        lines = re.split(r"^--- ", hunk, flags=re.M)[0].splitlines()
        assert sum(not line.startswith(("+", "-")) for line in lines) == 2, hunk


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_marks_every_file_that_it_changes(patch):
    """Or it could be applied to it a second time."""
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
