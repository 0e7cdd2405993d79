"""What the environment may say, and what happens to what it must not say."""

from __future__ import annotations

import math
import re

import pytest
import readme
from fake_litellm import OWN_TABLE
from hypothesis import given
from hypothesis import strategies as st

from litellm_patch.options import (
    FORWARD_PROVIDER,
    MAX_WAIT,
    PACING,
    WORKERS,
    Options,
    read,
)


@pytest.mark.parametrize(
    "name, text, expected",
    [
        (PACING, "auto", {}),
        (PACING, "", {}),
        (PACING, " OFF ", {"pacing": False}),
        (PACING, "no", {"pacing": False}),
        (PACING, "0", {"pacing": False}),
        (PACING, "12.5", {"rate": 12.5}),
        (PACING, "1e3", {"rate": 1000}),
        (MAX_WAIT, "59.5", {"max_wait": 59.5}),
        (MAX_WAIT, "none", {"max_wait": math.inf}),
        (FORWARD_PROVIDER, "", {}),
        (FORWARD_PROVIDER, " TRUE ", {"forward_provider": True}),
        (FORWARD_PROVIDER, "1", {"forward_provider": True}),
        (FORWARD_PROVIDER, "No", {}),
    ],
)
def test_a_value_means(name, text, expected):
    assert read({name: text}) == Options(**expected)


BAD = {
    PACING: ["-1", "nan", "inf", "quick", "1/s", "0.0"],
    MAX_WAIT: ["-1", "nan", "inf", "quick", "1/s", "0.0"],
    FORWARD_PROVIDER: ["onn", "7", "\x00"],
    WORKERS: ["0", "-1", "2.5", "lots", "9" * 400],
}


@pytest.mark.parametrize("name, text", [(name, text) for name in BAD for text in BAD[name]])
def test_a_bad_value_is_ignored_and_said(name, text):
    options = read({name: text, "NUM_WORKERS": "2"})
    (problem,) = options.problems
    assert options == Options(workers=2, problems=(problem,))
    assert name in problem


ANYTHING = st.dictionaries(
    st.sampled_from((PACING, MAX_WAIT, WORKERS, FORWARD_PROVIDER, "NUM_WORKERS", "--num_workers")),
    st.one_of(st.text(max_size=20), st.integers().map(str), st.floats().map(str)),
)


@given(environ=ANYTHING, arguments=st.lists(st.one_of(st.text(), st.just("--num_workers"))))
def test_whatever_the_environment_says_the_options_can_be_used(environ, arguments):
    options = read(environ, arguments)
    assert options.rate is None or 0 < options.rate < math.inf
    assert options.max_wait is None or 0 < options.max_wait <= math.inf
    assert 1 <= options.workers <= 10_000
    ours = {PACING, MAX_WAIT, WORKERS, FORWARD_PROVIDER} & set(environ)
    assert len(options.problems) <= len(ours)
    secret = [value for value in environ.values() if len(value) > 6]  # values are not repeated
    assert not any(value in problem for value in secret for problem in options.problems)


def test_a_misspelt_name_is_said_without_its_value():
    options = read(
        {"LITELLM_PATCH_MAXWAIT": "sk-topsecret", "LITELLM_PATCH": "on", "LITELLM_X": ""}
    )
    assert options.problems == ("LITELLM_PATCH_MAXWAIT is no option of litellm_patch",)


def test_what_is_ignored_is_said_once_when_the_proxy_is_loaded(fake_litellm):
    environment = {FORWARD_PROVIDER: "maybe", PACING: "quick", MAX_WAIT: "-1", WORKERS: "none"}
    program = OWN_TABLE + (
        "import litellm.proxy.proxy_server\n"
        "from litellm_patch.options import current\n"
        "[current() for _ in range(50)]\n"
    )
    said = fake_litellm.run(program, **environment).stderr
    for name in environment:
        assert said.count(f"{name} is not") == 1, said


def test_the_readmes_table_has_every_option_and_its_default():
    table = readme.section(readme.README.read_text(), "Options")
    named = re.findall(r"^\| `(LITELLM_PATCH\w*)` \|", table, re.MULTILINE)
    assert named == ["LITELLM_PATCH", PACING, MAX_WAIT, WORKERS, FORWARD_PROVIDER]


@pytest.mark.parametrize(
    "command, environment, workers",
    [
        ("litellm --num_workers 3", {"NUM_WORKERS": "2", WORKERS: "8"}, 8),
        ("litellm --num_workers 3", {"NUM_WORKERS": "2"}, 3),
        ("/venv/bin/litellm --num_workers=3", {"NUM_WORKERS": "2"}, 3),
        ("litellm --port 4000", {"NUM_WORKERS": "2"}, 2),
        ("litellm --num_workers", {"NUM_WORKERS": "many"}, 1),
        ("litellm", {"NUM_WORKERS": "-2"}, 1),
        ("litellm", {"NUM_WORKERS": "2", "DEFAULT_NUM_WORKERS_LITELLM_PROXY": "4"}, 2),
        ("litellm", {"DEFAULT_NUM_WORKERS_LITELLM_PROXY": "4"}, 4),
        ("litellm", {"WEB_CONCURRENCY": "4"}, 1),  # LiteLLM tells its server another number
        ("/venv/bin/uvicorn app:app --workers 4", {}, 4),
        ("/lib/uvicorn/__main__.py app:app", {"WEB_CONCURRENCY": "5", "NUM_WORKERS": "2"}, 5),
        ("gunicorn -w 6 --preload app:app", {"WEB_CONCURRENCY": "5"}, 6),
        ("gunicorn app:app", {}, 1),
        ("", {}, 1),
    ],
)
def test_workers_are_ours_or_those_of_the_command(command, environment, workers):
    options = read(environment, command.split())
    assert (options.workers, options.problems) == (workers, ())
