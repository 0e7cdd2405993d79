"""Check the source patches against every release on the registry.

    python tests/matrix/sweep_patches.py FOLDER [RELEASE ...]

Of all patches, exactly the one whose range a release is in must apply to it, without fuzz, and
none to a release after all ranges. What comes out must compile, must have the new code where it
belongs, and must give the release back when the patch is reversed.

FOLDER holds the sources (tests/matrix/sources.py); what is missing is downloaded. Not in CI.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from sources import fetch, number, releases_on_the_registry  # noqa: E402

from litellm_patch.tools.source.patches import (  # noqa: E402
    Refused,
    SourcePatch,
    patched,
    source_patches,
)

PATCHES = source_patches()

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


def check(release: str, tree: Path) -> str:
    """The name of the one patch for a release, tried out; empty for a release after all ranges."""
    stated = [each for each in PATCHES if each.is_for(release)]
    accepted = [each for each in PATCHES if applies(each, tree)]
    if not accepted and number(release) > max(number(each.last) for each in PATCHES):
        return ""
    if len(stated) != 1 or stated != accepted:
        raise Wrong(f"stated for it: {names(stated)}; applies: {names(accepted)}")
    try_out(stated[0], tree)
    return stated[0].name


def names(patches: list[SourcePatch]) -> list[str]:
    return [each.name for each in patches]


def contents(patch: SourcePatch, tree: Path) -> dict[str, bytes]:
    return {path: (tree / path).read_bytes() for path in patch.paths}


def applies(patch: SourcePatch, tree: Path) -> bool:
    try:
        patched(contents(patch, tree), patch.content)
    except (Refused, OSError):
        return False
    return True


def try_out(patch: SourcePatch, tree: Path) -> None:
    """Apply and reverse."""
    before = contents(patch, tree)
    if marked := [path for path in before if b"litellm_patch" in before[path]]:
        raise Wrong(f"{marked} would pass for patched")
    after = patched(before, patch.content)
    if patched(after, patch.content, reverse=True) != before:
        raise Wrong("reversing it does not give the release back")
    modules = {path: ast.parse(content) for path, content in after.items()}
    for path, kind, method, name in PLACES_IN_RUST if STORE in before else PLACES:
        if name not in names_in(modules[path], kind, method):
            raise Wrong(f"{kind}.{method} in {path} does not use {name}")


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


def main() -> int:
    folder, *releases = sys.argv[1:]
    releases = releases or releases_on_the_registry()
    found: dict[str, list[str]] = {}
    wrong: dict[str, str] = {}
    for release in releases:
        print(release, flush=True)
        try:
            found.setdefault(check(release, fetch(release, Path(folder))), []).append(release)
        except Exception as error:
            wrong[release] = f"{type(error).__name__}: {error}"
    for release, reason in wrong.items():
        print(f"{release}: {reason}")
    for name, known in found.items():
        print(f"{name or 'none'}: for {len(known)} releases, {known[0]} to {known[-1]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
