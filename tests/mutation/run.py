"""Whether the tests notice small changes to the modules that decide waits.

    python tests/mutation/run.py [MODULE ...] [--seconds 60]

MODULE is a path such as ``litellm_patch/wait/headers.py``; without one, all of ``wait/`` and
``seams/`` are changed, which takes hours. Each mutant is tried in a forked process, with the
tests that are about its module, until one fails. `RESULT.md` beside this file gets the share of
mutants that were noticed, and on which LiteLLM; `EQUIVALENT.txt` names those that no test can
notice, with the reason. What is there for one of LiteLLM's two routers only (`cooldown_store.py`:
1.110.0 and later) is to be judged in an environment that has it.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import importlib.abc
import importlib.metadata
import importlib.util
import os
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "litellm_patch"
sys.path[:0] = [str(ROOT), str(HERE)]
from mutants import mutants  # noqa: E402

RESULT, EQUIVALENT = HERE / "RESULT.md", HERE / "EQUIVALENT.txt"
QUICKLY = ["--no-header", "--no-summary", "--tb=no", "--assert=plain"]
LOADED = ["litellm", "litellm.proxy.proxy_server", "litellm.router_strategy.budget_limiter"]
"""What the tests of seams import, once for all mutants: it takes longer than they do."""

SEAMS = {
    # The files of tests/seams that are about a module, beside its own.
    "asked_cooldowns": ["test_refused_request", "test_cooldown_store"],
    "cooldown_cache": ["test_cache_calls"],
    "cooling_deployments": ["test_refused_request", "test_cooldown_store", "test_cache_calls"],
    "redis_questions": ["test_shared_expiry"],
    "refused_request": ["test_frames", "test_request_in_rust"],
    "seam": ["test_after_call"],
    "shared_expiry": ["test_cache_calls"],
    "spent_budget": ["test_budgets", "test_fastest_response"],
}
HEAD = """# Mutants that the tests notice

Written by `tests/mutation/run.py`; do not edit. Mutants that are equivalent to the module, which
`EQUIVALENT.txt` names with the reason, are not counted.

| module | LiteLLM | mutants | noticed | share |
| --- | --- | --: | --: | --: |
"""


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed source of one module when it is imported."""

    def __init__(self, path: Path, source: str) -> None:
        self.name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        self.path, self.source = path, source

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def exec_module(self, module):
        exec(compile(self.source, str(self.path), "exec"), vars(module))


def tests_of(path: Path) -> list[list[str]]:
    """Runs of tests: the module's own, then all of its folder where nothing else is known."""
    folder = part_of(path)
    own = ROOT / "tests" / folder / f"test_{path.stem}.py"
    others = [str(own.with_name(f"{name}.py")) for name in SEAMS.get(path.stem, ())]
    if folder == "seams" and (others or own.exists()):
        return [[str(own)] * own.exists() + others]
    return [[str(own)]] * own.exists() + [[str(own.parent)]]


def part_of(path: Path) -> str:
    """The folder of the package, ``seams`` or ``wait``, that the module is in."""
    return path.resolve().relative_to(PACKAGE).parts[0]


def load_what_is_shared(path: Path) -> str:
    """Import what is the same for all mutants of a module; the release of LiteLLM, or ""."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # half of the time of a quick failure
    of_seams = part_of(path) == "seams"
    for name in ["pytest", "hypothesis", "openai", "wrapt", *(LOADED if of_seams else ())]:
        importlib.import_module(name)
    gc.freeze()  # a child that collects garbage does not copy all of it
    return importlib.metadata.version("litellm") if of_seams else ""


def is_noticed(path: Path, source: str, seconds: float) -> bool:
    """Whether a test fails, or does not end, with the changed source."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        sys.meta_path.insert(0, Changed(path, source))
        import pytest
        from hypothesis import settings

        settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
        settings.load_profile("mutants")
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *QUICKLY]
        os._exit(any(pytest.main([*options, *each]) != 0 for each in tests_of(path)))
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status != 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def equivalent(path: Path) -> set[str]:
    """Names of the module's mutants that change nothing: ``module | name | reason``."""
    lines = EQUIVALENT.read_text(encoding="utf-8").splitlines() if EQUIVALENT.exists() else []
    start = f"{relative(path)} | "  # a name may have " | " in it, a reason has none
    return {line[len(start) :].rpartition(" | ")[0] for line in lines if line.startswith(start)}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def judge(path: Path, seconds: float) -> tuple[int, int]:
    """How many mutants a module has, and how many of them are noticed."""
    known = equivalent(path)
    counted = [each for each in mutants(path.read_text(encoding="utf-8")) if each.name not in known]
    unchanged = ast.unparse(ast.parse(path.read_text(encoding="utf-8")))  # as mutants are made
    assert not is_noticed(path, unchanged, 600), "the tests fail unchanged"
    noticed = 0
    for number, mutant in enumerate(counted, 1):
        good = is_noticed(path, mutant.source, seconds)
        noticed += good
        if not good:
            print(f"{relative(path)}:{mutant.line} | {mutant.name}", flush=True)
        if sys.stderr.isatty() or number % 20 == 0:
            told = f"{path.stem}: {number}/{len(counted)}, {noticed} noticed"
            print(told, file=sys.stderr, flush=True)
    return len(counted), noticed


def rows() -> dict[str, str]:
    """The lines of the table as it is, by module; without modules that are gone."""
    lines = RESULT.read_text(encoding="utf-8").splitlines() if RESULT.exists() else []
    known = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    return {module: line for module, line in known.items() if (ROOT / module).exists()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=60, help="for the tests of one mutant")
    options = parser.parse_args()
    every = (path for part in ("wait", "seams") for path in (PACKAGE / part).rglob("*.py"))
    chosen = options.modules or sorted(every)
    os.chdir(ROOT)
    for path in (each.resolve() for each in chosen):
        release = load_what_is_shared(path)
        of, noticed = judge(path, options.seconds)
        if of:
            share = f"{100 * noticed / of:.0f} %"
            row = f"| `{relative(path)}` | {release} | {of} | {noticed} | {share} |"
            table = {**rows(), relative(path): row}
            RESULT.write_text(HEAD + "\n".join(table[key] for key in sorted(table)) + "\n")
            print(f"{relative(path)}: {noticed} of {of} noticed ({share})", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
