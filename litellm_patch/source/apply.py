"""Apply the source patch to a tree, or take it back: checked first, and all or nothing."""

from __future__ import annotations

from pathlib import Path

from .catalogue import Fit, fit_for, sha256
from .refused import Refused
from .replace import locked, recover, replace_all
from .tool import patched
from .tree import Tree, tree_at


def apply(root: Path, reverse: bool = False) -> str:
    """Patch the LiteLLM in `root`, or take the patch back. Returns what was done, in a sentence.

    Safe to call again. An earlier call that was interrupted is undone first.

    Args:
        root: the directory that contains ``litellm/``: a source tree, site-packages, or an
            unpacked wheel.

    Raises:
        Refused: the tree is not exactly what the patch was made for, or cannot be written;
            it was left as it was.
    """
    tree = tree_at(root)
    with locked(root):
        repaired = "An interrupted run was undone first. " if recover(root) else ""
        return repaired + _apply(tree, fit_for(tree.release), reverse)


def _apply(tree: Tree, fit: Fit, reverse: bool) -> str:
    contents = {path: tree.read(path) for path in fit.before}
    hashes = {path: sha256(content) for path, content in contents.items() if content is not None}
    wanted, other = (fit.before, fit.after) if reverse else (fit.after, fit.before)
    what = f"litellm {tree.release} in {tree.root}"
    if hashes == wanted:
        return f"Nothing to do: {what} is {'not patched' if reverse else 'patched already'}."
    if hashes != other:
        raise Refused(_difference(tree, fit, hashes, reverse))
    present = {path: content for path, content in contents.items() if content is not None}
    result = patched(present, fit.patch, reverse)
    if {path: sha256(content) for path, content in result.items()} != wanted:
        raise Refused(f"{fit.name} did not give the expected files for {what}")
    replace_all(tree.root, result)
    return f"{'Took' if reverse else 'Applied'} {fit.name} {'off' if reverse else 'to'} {what}."


def _difference(tree: Tree, fit: Fit, hashes: dict[str, str], reverse: bool) -> str:
    """Why the files are neither as released nor as patched."""
    missing = [path for path in fit.before if path not in hashes]
    foreign = [
        path for path, there in hashes.items() if there not in (fit.before[path], fit.after[path])
    ]
    if missing or foreign:
        files = ", ".join([*(f"{path} is missing" for path in missing), *foreign])
        return (
            f"not as in the release {tree.release}: {files}. For sources with changes of your "
            f"own: litellm-patch diff {tree.release} | git apply{' --reverse' if reverse else ''}"
        )
    done = [path for path, there in hashes.items() if there == fit.after[path]]
    return f"patched only in part ({', '.join(done)}): reinstall litellm {tree.release}"
