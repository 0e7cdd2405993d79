"""Check the source patches against every release on the registry; write ``patches/index.json``.

    python tests/matrix/sweep_patches.py FOLDER [--write]

For each release, `git apply --check` is run in its unpacked sources with every patch, without
fuzz. Exactly one must apply, the one whose range the release is in; none to a release after all
ranges. What comes out must compile, must have the new code where it belongs, and must give the
release back when the patch is reversed. Without ``--write``, the index must say what was found.

FOLDER holds the sources (tests/matrix/sources.py); what is missing is downloaded. Not in CI.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from sources import fetch, number, releases_on_the_registry  # noqa: E402

from litellm_patch.source.catalogue import sha256  # noqa: E402
from litellm_patch.source.tool import patched  # noqa: E402

PATCHES = Path(__file__).parents[2] / "patches"
INDEX = PATCHES / "index.json"

# Where the patches put code: file, class, method, the name that it must use.
CACHE = "litellm/router_utils/cooldown_cache.py"
STORE = "litellm/redis/stores/router_cooldowns/__init__.py"
PLACES = [
    ("litellm/proxy/_types.py", "ProxyException", "__init__", "with_retry_after"),
    # In the caches of the router in Python.
    (CACHE, "CooldownCache", "get_min_cooldown", "zip"),
    (CACHE, "CooldownCache", "get_min_cooldown", "keys"),
    (CACHE, "CooldownCache", "get_min_cooldown", "note_cooldown_end"),
    ("litellm/types/router.py", "RouterRateLimitError", "__init__", "_cooldown_ready_at"),
]
PLACES_IN_RUST = [
    PLACES[0],
    (STORE, "RouterCooldownStore", "put", "note_cooldown_entry"),
    (STORE, "RouterCooldownStore", "async_put", "note_cooldown_entry"),
    (CACHE, "CooldownCache", "get_active_cooldowns", "note_cooldown_ends"),
    ("litellm/types/router.py", "RouterRateLimitError", "__init__", "_first_cooldown_end"),
]


class Wrong(Exception):
    """A release and the patches do not go together as they should."""


def span(patch: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first and the last release of a patch, from its name: ``1.53.1-1.89.7-topic.patch``."""
    first, last, _ = patch.name.split("-", 2)
    return number(first), number(last)


def paths_of(patch: Path) -> list[str]:
    """The files that a patch changes."""
    return re.findall(r"^\+\+\+ b/(\S+)$", patch.read_text(), re.M)


def applies(patch: Path, tree: Path) -> bool:
    """Whether `git apply --check` accepts the patch in the unpacked wheel."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.resolve().parent)}
    command = ["git", "apply", "--check", str(patch)]
    return not subprocess.run(command, cwd=tree, env=environment, capture_output=True).returncode


def patch_for(release: str, tree: Path, patches: list[Path]) -> Path | None:
    """The one patch for a release, or None for one after the ranges of all patches."""
    stated = [each for each in patches if span(each)[0] <= number(release) <= span(each)[1]]
    accepted = [each for each in patches if applies(each, tree)]
    if not accepted and number(release) > max(span(each)[1] for each in patches):
        return None
    if len(stated) != 1 or stated != accepted:
        raise Wrong(f"stated for it: {names(stated)}; applies: {names(accepted)}")
    return stated[0]


def names(patches: list[Path]) -> list[str]:
    return [each.name for each in patches]


def try_out(patch: Path, tree: Path) -> dict[str, tuple[str, str]]:
    """Apply and reverse. Returns the hashes of each file before and after."""
    before = {path: (tree / path).read_bytes() for path in paths_of(patch)}
    after = patched(before, patch.read_bytes(), reverse=False)
    if patched(after, patch.read_bytes(), reverse=True) != before:
        raise Wrong("reversing it does not give the release back")
    modules = {path: ast.parse(content) for path, content in after.items()}
    for path, kind, method, name in PLACES_IN_RUST if STORE in before else PLACES:
        if name not in names_in(modules[path], kind, method):
            raise Wrong(f"{kind}.{method} in {path} does not use {name}")
    return {path: (sha256(before[path]), sha256(after[path])) for path in before}


def names_in(module: ast.Module, kind: str, method: str) -> set[str]:
    """The names that a method uses."""
    return {
        node.id
        for outer in module.body
        if isinstance(outer, ast.ClassDef) and outer.name == kind
        for inner in outer.body
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and inner.name == method
        for node in ast.walk(inner)
        if isinstance(node, ast.Name)
    }


def add(index: dict, patch: Path, release: str, hashes: dict[str, tuple[str, str]]) -> None:
    """Put a release into the index: for each file, the number of its row of hashes."""
    entry = index.setdefault(
        patch.name,
        {
            "sha256": sha256(patch.read_bytes()),
            "files": {path: [] for path in hashes},
            "releases": {},
        },
    )
    row_of = []
    for path, row in hashes.items():
        rows = entry["files"][path]
        if list(row) not in rows:
            rows.append(list(row))
        row_of.append(rows.index(list(row)))
    entry["releases"][release] = row_of


def as_text(index: dict) -> str:
    """JSON with a line for each row, so that a new release adds lines and changes none."""
    text = json.dumps(index, indent=1)
    return re.sub(r"\[([^\[\]{}]*)\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def draw(done: int, total: int, release: str) -> None:
    if sys.stderr.isatty() or done == total:
        bar = "#" * (30 * done // total)
        end = "\n" if done == total else ""
        print(f"\r[{bar:30}] {done}/{total} {release:16}", end=end, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    patches = sorted(PATCHES.glob("*.patch"), key=span)
    releases = releases_on_the_registry()
    index: dict = {}
    wrong: dict[str, str] = {}
    without: list[str] = []
    for done, release in enumerate(releases, 1):
        try:
            tree = fetch(release, options.folder)
            patch = patch_for(release, tree, patches)
            if patch is None:
                without.append(release)
            else:
                add(index, patch, release, try_out(patch, tree))
        except Exception as error:
            wrong[release] = f"{type(error).__name__}: {error}"
        draw(done, len(releases), release)
    for release, reason in wrong.items():
        print(f"{release}: {reason}")
    if without:
        print(f"none for {len(without)} releases after their ranges: {', '.join(without)}")
    for name, entry in index.items():
        known = list(entry["releases"])
        print(f"{name}: exactly this one for {len(known)} releases, {known[0]} to {known[-1]}")
    if options.write and not wrong:
        INDEX.write_text(as_text(index))
    elif not INDEX.exists() or json.loads(INDEX.read_text()) != index:
        print("patches/index.json says something else; write it anew with --write")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
