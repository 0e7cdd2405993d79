"""Apply the source patch to a tree, or take it back, all or nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .patches import SourcePatch, patch_for
from .refused import NoTree, Refused
from .tool import patched

_SECTION = re.compile(r"^\[(?:project|tool\.poetry)\]$(.*?)(?=^\[|\Z)", re.M | re.S)
_LITELLM = re.compile(r"""^name\s*=\s*["']litellm["']""", re.M)
_VERSION = re.compile(r"""^version\s*=\s*["']([^"']+)["']""", re.M)


def apply(root: Path, reverse: bool = False) -> str:
    """Patch the LiteLLM in `root`, or take the patch back. Returns what was done, in a sentence.

    Args:
        root: the directory that contains ``litellm/``: a source tree, site-packages, or an
            unpacked wheel.

    Raises:
        Refused: the patch does not fit, or a file cannot be written; the tree is as it was.
    """
    release = release_at(root)
    patch = patch_for(release)
    what = f"litellm {release} in {root}"
    try:
        contents = {path: (root / path).read_bytes() for path in patch.paths}
    except OSError as error:
        raise Refused(f"{what} has no readable {error.filename}: {error.strerror}") from error
    result = _taken_back(contents, patch)
    if (result is None) == reverse:
        return f"Nothing to do: {what} is {'not patched' if reverse else 'patched already'}."
    if result is None:
        try:
            result = patched(contents, patch.content)
        except Refused as error:
            raise Refused(f"{patch.name} does not fit {what}: {error}") from error
    # A run that is killed leaves nothing that imports what is not there (see `paths`).
    order = reversed(patch.paths) if reverse else patch.paths
    _replace_all(root, {path: result[path] for path in order}, contents)
    return f"{'Took' if reverse else 'Applied'} {patch.name} {'off' if reverse else 'to'} {what}."


def release_at(root: Path) -> str:
    """Which release of LiteLLM `root` contains.

    Raises:
        Refused: there is no LiteLLM, or it does not say clearly which release it is.
    """
    if not (root / "litellm" / "__init__.py").is_file():
        raise NoTree(f"{root} does not contain litellm/; name the directory that does")
    said = {path.name.split("-")[1][: -len(".dist")] for path in root.glob("litellm-*.dist-info")}
    if (root / "pyproject.toml").is_file():
        text = (root / "pyproject.toml").read_text(encoding="utf-8", errors="replace")
        for section in _SECTION.findall(text):
            if _LITELLM.search(section):
                said.update(_VERSION.findall(section))
    if len(said) != 1:
        found = " and ".join(sorted(said)) or "nothing"
        raise Refused(
            f"cannot tell which release is in {root}: litellm-*.dist-info and LiteLLM's "
            f"pyproject.toml say {found}"
        )
    return said.pop()


def _taken_back(contents: Mapping[str, bytes], patch: SourcePatch) -> dict[str, bytes] | None:
    """`contents` without the patch; None where nothing of it is in them.

    The patch needs so little context that it would apply a second time.
    """
    marked = [path for path, content in contents.items() if b"litellm_patch" in content]
    if not marked:
        return None
    try:
        return patched(contents, patch.content, reverse=True)
    except Refused as error:
        raise Refused(
            f"only a part or another edition of {patch.name} is in {', '.join(marked)}; "
            "bring these files back as released first"
        ) from error


def _replace_all(root: Path, contents: Mapping[str, bytes], before: Mapping[str, bytes]) -> None:
    """Give files of `root` new contents, all or none.

    They are replaced, never written into: package managers hard-link them from their cache.
    """
    begun: list[str] = []
    try:
        new = {path: _beside(root / path, content) for path, content in contents.items()}
        for path in new:
            begun.append(path)
            os.replace(new[path], root / path)
    except BaseException as error:
        for path in begun:
            os.replace(_beside(root / path, before[path]), root / path)
        for path in contents:
            with suppress(OSError):
                _name_beside(root / path).unlink()
        if isinstance(error, OSError):
            raise Refused(f"cannot write to {root}: {error.strerror or error}") from error
        raise  # Ctrl-C


def _beside(path: Path, content: bytes) -> Path:
    """A new file with `content` beside `path`, with the mode and, where allowed, the owner."""
    new = _name_beside(path)
    new.write_bytes(content)
    shutil.copymode(path, new)
    with suppress(OSError, AttributeError):  # not root; Windows
        os.chown(new, path.stat().st_uid, path.stat().st_gid)
    return new


def _name_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.litellm_patch")
