"""The README and its pages say what is so: each command is run by a test, each figure is in a
result."""

from __future__ import annotations

import csv
import json
import re

import pytest
import readme

ROOT = readme.README.parent
TEXT = readme.README.read_text()
PAGES = {path: path.read_text() for path in readme.PAGES}
WORDS = " ".join("\n".join(PAGES.values()).split())
RESULTS = ROOT / "tests" / "bench" / "results"

CI = ".ci/run"
COMMANDS = {
    # As they stand, in an environment that has nothing else.
    'python -m pip install ".[demo]" && litellm-patch demo': CI,
    'python -m pip install -e ".[test]" && python -m pytest -n 4': CI,
    "pip install .": "test_a_protected_proxy",
    "litellm-patch run -- litellm --config config.yaml --port 4000": "test_a_protected_proxy",
    "litellm-patch run -- litellm --config config.yaml": "test_a_protected_proxy",
    "litellm-patch probe http://host:4000 --model M --key-env NAME": "test_a_protected_proxy",
    "python: from litellm_patch.fastapi import install": "test_a_protected_app",
    "litellm-patch run -- litellm-patch status": "test_status_says_what_the_readme_shows",
    "PYTHONPATH=\"$(python -c 'import litellm_patch, os; "
    "print(os.path.dirname(litellm_patch.__file__))')/bootstrap\"": (
        "test_the_environment_variable_as_it_stands_turns_it_on"
    ),
    "python: # retry_after_hook.py": "test_a_callback_in_the_configuration_turns_it_on",
    "python: import litellm_patch, tenacity": (
        "test_the_readmes_example_waits_for_the_cooldown_and_is_served"
    ),
    # The same, with what the test needs.
    "litellm-patch demo": CI,
    "pytest tests/faults": CI,
    ".ci/run": CI,
    "litellm-patch diff": "test_a_patched_fork",
    "litellm-patch apply": "test_a_patched_fork",
    "litellm-patch status": "test_status_says_what_the_readme_shows",
    "litellm-patch verify --config FILE": (
        "test_it_is_good_here_with_the_operators_own_configuration"
    ),
    "LITELLM_PATCH=strict": "test_a_failing_hook_fails_no_import_and_stops_under_strict",
    "litellm-patch verify": "test_it_is_good_here_with_the_operators_own_configuration",
    "python -m litellm_patch run -- …": "test_a_proxy_started_this_way_tells_the_cooldown",
    "import litellm_patch": "test_a_proxy_started_this_way_tells_the_cooldown",
    'wrapt.discover_post_import_hooks("litellm_patch")': (
        "test_a_proxy_started_this_way_tells_the_cooldown"
    ),
    "AUTOWRAPT_BOOTSTRAP=litellm_patch": "test_a_proxy_started_this_way_tells_the_cooldown",
    "LITELLM_PATCH=off": "test_off_applies_nothing_and_says_nothing",
    "litellm_patch.deactivate()": "test_the_very_same_function_comes_back_as_often_as_one_likes",
    "activate()": "test_the_very_same_function_comes_back_as_often_as_one_likes",
    "LITELLM_PATCH_FORWARD_PROVIDER=on": (
        "test_a_providers_own_wait_is_forwarded_where_the_operator_says_so"
    ),
    "install(app, body=…)": "test_the_body_may_be_the_apps_own",
    "litellm_patch.retry_after(error)": "test_it_is_found_under_an_error_that_does_not_mention_it",
    "python -c pass": "test_a_process_without_litellm_loads_two_small_modules_and_no_more",
}
"""What a reader may type, and the test that runs it; or CI, which runs it itself."""


def key(command: str) -> str:
    """A Python block is called by the beginning of its first line."""
    return next(
        (k for k in COMMANDS if k.startswith("python: ") and command.startswith(k)), command
    )


def test_every_command_is_run_by_a_test():
    told = [key(command) for text in PAGES.values() for command in readme.commands(text)]
    assert [command for command in told if command not in COMMANDS] == []
    assert [command for command in COMMANDS if command not in told] == []


def test_the_tests_that_run_commands_exist():
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = set(re.findall(r"^def (test_\w+)\(", tests, flags=re.M))
    assert [test for test in COMMANDS.values() if test != CI and test not in names] == []


@pytest.mark.parametrize("name", ["demo", "test"])
def test_ci_runs_the_readmes_own_commands(name):
    (command,) = re.findall(rf"^<!-- {name} command -->\n```sh\n(.*)\n```$", TEXT, flags=re.M)
    assert COMMANDS[command] == CI
    assert f" readme_command {name}\n" in (ROOT / CI).read_text()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_every_link_and_image_leads_somewhere(path):
    targets = re.findall(r"\]\(([^)]+)\)", readme.prose(PAGES[path]))
    labels = re.findall(r"^\[([^\]]+)\]: (\S+)$", PAGES[path], flags=re.M)
    for target in targets + [url for _, url in labels]:
        if not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            there = path.parent / file if file else path
            assert there.exists(), target
            assert not anchor or anchor in anchors(there.read_text()), target


def anchors(text: str) -> set[str]:
    return {readme.slug(heading) for heading in re.findall(r"^#+ (.*)$", text, flags=re.M)}


def test_the_readme_fits_on_two_screens():
    assert len(TEXT.split()) <= 1000


def figure(pattern: str) -> list[str]:
    """The groups of the one place that says it."""
    found = re.findall(pattern, WORDS)
    assert len(found) == 1, (pattern, found)
    return list(found[0]) if isinstance(found[0], tuple) else [found[0]]


def rows() -> list[dict[str, str]]:
    with (RESULTS / "results.csv").open() as file:
        return list(csv.DictReader(file))


def results() -> dict[str, dict[str, dict[str, float]]]:
    """Scenario, variant and column of results.csv to the mean of its seeds (one proxy alone)."""
    sums: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in rows():
        if row["proxies"] == "1":
            cell = sums.setdefault(row["scenario"], {}).setdefault(row["variant"], {})
            for column, value in row.items():
                if column not in ("scenario", "variant") and value:
                    cell.setdefault(column, []).append(float(value))
    return {
        scenario: {
            variant: {column: sum(v) / len(v) for column, v in cell.items()}
            for variant, cell in variants.items()
        }
        for scenario, variants in sums.items()
    }


def test_the_table_of_pacing_is_the_benchmarks():
    assert (RESULTS / "table.md").read_text() in readme.page("bench")


def test_how_many_times_the_calls_are_served_is_from_the_benchmark():
    overload = results()["overload-20-30-10"]
    shipped, stock, native = (
        overload[variant]["share_served"] for variant in ("as-shipped", "without", "native")
    )
    told = figure(r"serves ([\d.]+) times the calls that an unpatched .*? and ([\d.]+) times those")
    assert told == [f"{shipped / stock:.1f}", f"{shipped / native:.1f}"]


def test_when_waiting_clients_are_back_is_from_the_benchmark():
    recovery = results()["recovery-30-60"]
    for seconds in re.findall(r"Thirty waiting clients are back within (\w+) seconds", WORDS):
        assert recovery["as-shipped"]["late_worst"] <= {"two": 2, "three": 3, "four": 4}[seconds]


def test_what_the_start_costs_is_from_its_benchmark():
    measured = json.loads((RESULTS / "start-up.json").read_text())
    with_ms, without_ms = measured["with_ms"], measured["without_ms"]
    ratio, more, runs = figure(r"takes ([\d.]+) times as long, ([\d.]+) ms more .*?, (\d+) runs")
    assert ratio == f"{with_ms / without_ms:.3f}"
    assert more == f"{with_ms - without_ms:.2f}"
    assert int(runs) == measured["runs"]


def test_the_first_screen_is_what_the_demo_printed():
    printed = (RESULTS / "demo.txt").read_text()
    shown = next(block for block in readme.blocks(TEXT) if "without litellm_patch" in block.text)
    cells = [cell for cell in re.split(r"\s{2,}|\n", shown.text) if cell.strip("-")]
    described = "One call with the OpenAI SDK, provider healthy again:"
    assert described in cells
    assert [cell for cell in cells if cell != described and cell not in printed] == []


def test_releases_and_kinds_are_those_of_the_matrix():
    releases = (ROOT / "tests/matrix/RELEASES.md").read_text()
    assert figure(r"All (\d+) LiteLLM releases") == re.findall(
        r"^(\d+) releases were", releases, re.M
    )
    lines = [line for line in (ROOT / "tests/matrix/ENDPOINTS.md").read_text().splitlines()]
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    head, kinds = table[0], table[2:]
    assert figure(r"\(ENDPOINTS.md\): (\d+) kinds of request") == [str(len(kinds))]
    assert figure(r"kinds of request on real proxies of (\d+) of") == [str(len(head) - 1)]
    assert "**no**" not in [cell for row in kinds for cell in row]
    # LiteLLM's own header on the newest release, as a share of the kinds that it has.
    newest = [row[-1] for row in kinds if row[-1] != "–"]
    told = re.findall(r"on (\d+) of (\d+) kinds", WORDS)
    assert told
    for some, of in told:
        assert newest.count("LiteLLM") * int(of) == int(some) * len(newest)


def test_the_benchmarks_own_limits_are_told():
    """The length of the run, and how late its clients were."""
    measured = json.loads((RESULTS / "run.json").read_text())
    minutes, late = figure(r"(\d+) min; the clients of a variant were up to ([\d.]+) s late")
    assert abs(int(minutes) * 60 - measured["seconds"]) <= 60
    assert late == f"{max(float(row['clients_late']) for row in rows()):.1f}"


def test_the_grid_is_told_as_it_was_measured():
    least, most = figure(r"as shipped serves ([\d.]+) to ([\d.]+) times the calls of the next best")
    ratios, behind = [], []
    for name, cell in results().items():
        if name.startswith("overload") and name != "overload-20-30-10":
            shipped = cell.pop("as-shipped")
            best, other = max((each["share_served"], variant) for variant, each in cell.items())
            ratios.append(shipped["share_served"] / best)
            if shipped["share_served"] < best:
                behind.append((name, other, (best - shipped["share_served"]) * shipped["calls"]))
    assert len(ratios) == 27
    assert [least, most] == [f"{min(ratios):.2f}", f"{max(ratios):.1f}"]
    *named, less, calls = figure(
        r"In one of them \((\d+)/s, (\d+), (\d+) s\) LiteLLM's own header serves more, "
        r"by ([\d.]+) of (\d+) calls"
    )
    assert [(name, other) for name, other, _ in behind] == [
        (f"overload-{'-'.join(named)}", "native")
    ]
    assert (less, int(calls)) == (f"{behind[0][2]:.1f}", 60 * 4 + 4 * int(named[1]))
