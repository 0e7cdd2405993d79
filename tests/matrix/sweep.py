"""Look at every seam in the sources of every release, and write the table of releases.

    python tests/matrix/sweep.py FOLDER [RELEASE ...]

in an environment with this project, pip and uv, downloads what is missing in FOLDER (see
`sources.py`), reads the sources without running them, and writes `RELEASES.md` beside this
file. Neighbouring releases in which everything is the same share a row.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]  # the table that is swept is this tree's

from sources import fetch_all, number, releases_on_the_registry  # noqa: E402

from litellm_patch.seams.seam import PYTHON, RUST, Seam  # noqa: E402
from litellm_patch.seams.table import SEAMS  # noqa: E402

OUTPUT = Path(__file__).with_name("RELEASES.md")
NATIVE = ("litellm.proxy.common_request_processing", "_apply_router_cooldown_retry_after")
FITS, OTHER = "fits", "–"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

HEAD = """# Releases

Written by `tests/matrix/sweep.py`; do not edit. For every LiteLLM release on the registry it
says whether each place that is wrapped is there and takes the parameters that are read. This
is read from the sources; what real proxies answer is in the endpoint table beside it.
*Native* means that LiteLLM has its own header for a part of the endpoints; `–`, that the place
belongs to the router in Python where the release has the one in Rust, or the other way round, and
is not needed. A place that does not fit is left alone by the patch, which says so in one line of
the proxy's log. A signature does not prove that LiteLLM comes by: `REACHED.md` does.
"""


@dataclass(frozen=True)
class Row:
    """What one release looks like: whether it is native, and the state of each seam."""

    native: str
    states: tuple[str, ...]


def look(sources: Path) -> Row:
    """The row of the release whose sources are in `sources`."""
    module, text = NATIVE
    path = module_file(sources, module)
    native = path is not None and text in path.read_text(encoding="utf-8")
    states = tuple(state(sources, seam) for seam in SEAMS)
    return Row("yes" if native else "no", states)


def state(sources: Path, seam: Seam) -> str:
    """`FITS`, `OTHER`, or what is missing, in a few words."""
    rust = module_file(sources, "litellm.router_rust") is not None
    if seam.router == (PYTHON if rust else RUST):
        return OTHER
    try:
        found = resolve(sources, seam.module, seam.attribute)
    except SyntaxError as error:
        return f"{seam.module} cannot be read: {error.msg}"
    if isinstance(found, str):
        return found
    if not isinstance(found, FUNCTIONS):
        return FITS  # an object: its seam looks at it when it is attached
    arguments = found.args
    names = {each.arg for each in arguments.posonlyargs + arguments.args + arguments.kwonlyargs}
    missing = [name for name in seam.parameters if name not in names]
    if not missing and seam.init_parameter:
        return init_parameter(sources, seam)
    return f"no parameter {', '.join(missing)}" if missing else FITS


def init_parameter(sources: Path, seam: Seam) -> str:
    """`FITS` if the seam's class is made with the parameter that it must have."""
    init = f"{seam.attribute.rpartition('.')[0]}.__init__"
    made = state(
        sources, replace(seam, attribute=init, parameters=(seam.init_parameter,), init_parameter="")
    )
    return made if made == FITS else f"{init}: {made}"


def resolve(sources: Path, module: str, attribute: str, depth: int = 0) -> ast.AST | str:
    """The definition of ``module:attribute``, followed through imports; else what is missing."""
    path = module_file(sources, module)
    if path is None:
        return f"no module {module}"
    first, _, rest = attribute.partition(".")
    found = definition(parsed(path), first)
    if isinstance(found, ast.ImportFrom) and depth < 5:
        origin = found.module or ""
        if found.level:  # relative: `module` itself is a package where its file is __init__
            package = module.split(".")
            up = found.level - (path.name == "__init__.py")
            origin = ".".join(package[: len(package) - up] + ([origin] if origin else []))
        name = next(each.name for each in found.names if (each.asname or each.name) == first)
        return resolve(sources, origin, ".".join([name, rest] if rest else [name]), depth + 1)
    while rest and found is not None:
        first, _, rest = rest.partition(".")
        found = definition(found, first) if isinstance(found, ast.ClassDef) else None
    return found if found is not None else f"no {attribute}"


def definition(tree: ast.AST, name: str) -> ast.AST | None:
    """What binds `name` in the body of a module or a class, also inside of if and try."""
    found: ast.AST | None = None
    pending = list(ast.iter_child_nodes(tree))
    while pending:
        node = pending.pop(0)
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            if node.name == name:
                found = node
        elif isinstance(node, ast.ImportFrom):
            if any((each.asname or each.name) == name for each in node.names):
                found = found or node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id == name for each in targets):
                found = found or node
        elif isinstance(node, (ast.If, ast.Try)):
            pending.extend(ast.iter_child_nodes(node))
    return found


@lru_cache(maxsize=8)  # several seams of a release are in the same file
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_file(sources: Path, module: str) -> Path | None:
    plain = sources.joinpath(*module.split("."))
    for path in (plain.with_name(plain.name + ".py"), plain / "__init__.py"):
        if path.is_file():
            return path
    return None


def table(rows: dict[str, Row], failed: dict[str, str]) -> str:
    """The Markdown of RELEASES.md; `rows` is in the order of the releases."""
    names = [f"`{seam.name}`" for seam in SEAMS]
    lines = [HEAD, f"{len(rows)} releases were read, {len(failed)} could not be had.\n"]
    lines += ["| " + " | ".join(["releases", "number", "native", *names]) + " |"]
    lines += ["| " + " | ".join(["---"] * (len(names) + 3)) + " |"]
    for row, members in groupby(rows, key=rows.__getitem__):
        same = list(members)
        span = same[0] if len(same) == 1 else f"{same[0]} – {same[-1]}"
        lines.append("| " + " | ".join([span, str(len(same)), row.native, *row.states]) + " |")
    lines += [f"| {release} | 1 | not to be had: {why} |" for release, why in failed.items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    folder = Path(sys.argv[1])
    releases = sorted(sys.argv[2:] or releases_on_the_registry(), key=number)
    failed = fetch_all(folder, releases)
    rows: dict[str, Row] = {}
    for release in releases:
        if release not in failed:
            rows[release] = look(folder / release)
            print(f"{release} {rows[release]}", flush=True)
    OUTPUT.write_text(table(rows, failed), encoding="utf-8")
    print(f"wrote {OUTPUT}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
