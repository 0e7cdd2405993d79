"""Which source patch is for which release of LiteLLM, and the files that it is for.

``patches/index.json`` is generated from the sources of all releases on the registry
(tests/matrix/sweep_patches.py), so that a file that is not as it was released is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from .refused import Refused


@dataclass(frozen=True)
class Fit:
    """A source patch and the files of one release that it was made for.

    Attributes:
        release: of LiteLLM, for example ``1.89.7``.
        name: the patch's file name.
        patch: its content.
        before: SHA-256 of each file that it changes, as released, by its path.
        after: the same with the patch applied.
    """

    release: str
    name: str
    patch: bytes
    before: Mapping[str, str]
    after: Mapping[str, str]


def sha256(content: bytes) -> str:
    """The hexadecimal SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def fit_for(release: str) -> Fit:
    """The patch for a release.

    Raises:
        Refused: there is none, or this installation is damaged.
    """
    folder = files("litellm_patch") / "patches"
    try:
        index = json.loads((folder / "index.json").read_text())
    except OSError as error:
        raise Refused("this installation of litellm_patch came without its patches") from error
    for name, entry in index.items():
        numbers = entry["releases"].get(release)
        if numbers is not None:
            patch = (folder / name).read_bytes()
            if sha256(patch) != entry["sha256"]:
                raise Refused(f"{name} is not the file that litellm_patch was released with")
            rows = [rows[number] for rows, number in zip(entry["files"].values(), numbers)]
            return Fit(
                release=release,
                name=name,
                patch=patch,
                before={path: row[0] for path, row in zip(entry["files"], rows)},
                after={path: row[1] for path, row in zip(entry["files"], rows)},
            )
    ranges = [list(entry["releases"]) for entry in index.values()]
    known = ", ".join(f"{releases[0]} to {releases[-1]}" for releases in ranges)
    raise Refused(f"there is no source patch for litellm {release}, only for {known}")
