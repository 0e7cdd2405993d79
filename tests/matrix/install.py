"""Fill a tox environment whose name says what is in it: ``py311-litellm-1.89.7-wrapt-1.15.0``.

Called by tox with that name, in that environment. A release that needs more than its number
to be installed on today's registry has a line in `EXTRA`; everything else needs none.
``-sourcepatch`` in the name means that LiteLLM's source may have been patched in it (see patches/).
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from sources import number

ROOT = Path(__file__).parents[2]
TOOLS = ["anthropic", "autowrapt", "hypothesis", "openai"]
TOOLS += ["prometheus_client", "pytest", "pytest-timeout", "pytest-xdist"]

AGENTS = ["ddtrace", "elastic-apm", "newrelic", "openinference-instrumentation-litellm"]
AGENTS += ["opentelemetry-distro", "opentelemetry-instrumentation-fastapi", "sentry-sdk"]

# What builds a release and looks at it. Without the Markdown renderer twine looks at nothing.
PUBLISH = ["build", "mypy", "pyright[nodejs]", "readme_renderer[md]", "twine"]

# Requirements (constraints) and overrides by the first release of a range, newest first.
EXTRA: list[tuple[str, list[str], list[str]]] = [
    # The same, and one that never was there: an override whose marker no Python meets drops it.
    (
        "1.110.0",
        ["prisma"],
        ["litellm-proxy; python_version < '3'"]
        + ["litellm-proxy-extras", "litellm-enterprise", "certifi"],
    ),
    # Exact pins on packages that are no longer, or not yet, on the registry.
    ("1.106.2", ["prisma"], ["litellm-proxy-extras", "litellm-enterprise", "certifi"]),
    # Their batches endpoint imports prisma, also without a database.
    ("1.97.1", ["prisma"], []),
    # These import a name that FastAPI 0.140.7 removed.
    ("1.95.0", ["fastapi<0.140.7"], []),
]

RARE_GC = """# LiteLLM's import makes a million objects that all stay. To look through them again
# and again takes a fifth of its time.
import gc
gc.set_threshold(10_000, 20, 100)
"""
"""The `sitecustomize.py` of the environments that start many proxies."""


def requirements(factors: list[str]) -> tuple[list[str], list[str]]:
    """What to install, and which packages to take out of LiteLLM's pins, for an environment."""
    named = dict(zip(factors[1::2], factors[2::2]))  # a factor without a number is for tox alone
    wanted = [*TOOLS, f"litellm[proxy]=={named['litellm']}"]
    wanted += AGENTS if "agents" in factors else []
    wanted += PUBLISH if "publish" in factors else []
    wanted += [f"wrapt=={named['wrapt']}"] if "wrapt" in named else ["wrapt>=1.15,<3"]
    if number(named.get("wrapt", "2.0")) < (2, 0):
        # There, discover_post_import_hooks() needs pkg_resources and is silent without it.
        wanted.append("setuptools<81")
    for first, constraints, overrides in EXTRA:
        if number(named["litellm"]) >= number(first):
            return wanted + constraints, overrides
    return wanted, []


def main() -> int:
    factors = sys.argv[1].split("-")
    wanted, overrides = requirements(factors)
    # An environment that is used again has the patched LiteLLM of the last time in it.
    anew = ["--reinstall-package", "litellm"] if "sourcepatch" in factors else []
    print("installing", *wanted, flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(overrides))
        file.flush()
        install = ["uv", "pip", "install", "-q", "--python", sys.executable]
        # The working tree is installed last, and without dependencies: it must fit what is
        # there, and force nothing.
        for command in (
            [*install, *anew, "--override", file.name, *wanted],
            [*install, "--no-deps", "-e", str(ROOT)],
        ):
            status = subprocess.call(command)
            if status:
                return status
    if not {"wrapt", "agents", "publish"}.intersection(factors):
        # The others are about what happens at the start of a Python, and keep it as it is.
        (Path(sysconfig.get_path("purelib")) / "sitecustomize.py").write_text(RARE_GC)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
