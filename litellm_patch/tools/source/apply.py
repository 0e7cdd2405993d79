"""Apply the source patch to a tree, or take it back, all or nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from .patches import Refused, SourcePatch, patch_for, patched


class LeftInPart(Exception):
    """The text names the files that stay changed."""


_PROJECT = re.compile(r"""^name = "litellm"\n(?:\S.*\n)*?version = "([^"]+)\"""", re.M)


def apply(root: Path, reverse: bool = False) -> str:
    """Patch the LiteLLM in `root`, or take the patch back. Returns what was done, in a sentence.

    Args:
        root: the directory that contains ``litellm/``: a source tree, site-packages, or an
            unpacked wheel.

    Raises:
        Refused: the patch does not fit, or a file cannot be written; the tree is as it was.
        LeftInPart: neither could all files be replaced nor the others be brought back.
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
    _replace_all(root, contents, result)
    return f"{'Took' if reverse else 'Applied'} {patch.name} {'off' if reverse else 'to'} {what}."


def release_at(root: Path) -> str:
    """Which release of LiteLLM `root` contains.

    Raises:
        Refused: it does not say clearly which release it is.
    """
    said = {path.name.split("-")[1][: -len(".dist")] for path in root.glob("litellm-*.dist-info")}
    project = root / "pyproject.toml"
    if project.is_file():
        said.update(_PROJECT.findall(project.read_text(encoding="utf-8", errors="replace")))
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


def _replace_all(root: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Give files of `root` other contents, once all of them could be written beside the old ones.

    They are replaced, never written into: package managers hard-link them from their cache.
    """
    try:
        for path, content in after.items():
            _write_beside(root / path, content)
        for path in after:
            os.replace(_beside(root / path), root / path)
    except BaseException as error:
        why = f"cannot write to {root}: {getattr(error, 'strerror', None) or error}"
        changed = [str(root / path) for path in after if not _is_as(before[path], root / path)]
        if changed:
            raise LeftInPart(
                f"{why}; bring these back as released: {', '.join(changed)}"
            ) from error
        if isinstance(error, OSError):
            raise Refused(why) from error
        raise
    finally:
        for path in after:
            _beside(root / path).unlink(missing_ok=True)


def _is_as(content: bytes, file: Path) -> bool:
    """Whether a file has its old content, after an attempt to bring that back."""
    try:
        if file.read_bytes() != content:
            _write_beside(file, content)
            os.replace(_beside(file), file)
    except OSError:
        return False
    return True


def _write_beside(file: Path, content: bytes) -> None:
    _beside(file).write_bytes(content)
    shutil.copymode(file, _beside(file))


def _beside(file: Path) -> Path:
    return file.with_suffix(".litellm_patch")
