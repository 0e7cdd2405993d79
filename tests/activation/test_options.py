"""What the environment may say, and what happens to what it must not say."""

from __future__ import annotations

import pytest

from litellm_patch.options import Options, read


def test_an_empty_environment_gives_the_defaults():
    assert read({}) == Options(pacing=True, rate=None, max_wait=None, workers=1)


@pytest.mark.parametrize(
    "text, pacing, rate",
    [("auto", True, None), ("", True, None), (" OFF ", False, None), ("no", False, None)]
    + [("0", False, None), ("12.5", True, 12.5), ("1e3", True, 1000)],
)
def test_pacing_is_off_auto_or_a_rate(text, pacing, rate):
    options = read({"LITELLM_PATCH_PACING": text})
    assert (options.pacing, options.rate, options.problems) == (pacing, rate, ())


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "quick", "1/s", "0.0"])
@pytest.mark.parametrize("name", ["LITELLM_PATCH_PACING", "LITELLM_PATCH_MAX_WAIT"])
def test_a_bad_number_is_ignored_and_said(name, text):
    options = read({name: text})
    assert (options.pacing, options.rate, options.max_wait) == (True, None, None)
    assert len(options.problems) == 1
    assert name in options.problems[0]


def test_a_largest_wait_is_a_number_of_seconds():
    assert read({"LITELLM_PATCH_MAX_WAIT": "59.5"}).max_wait == 59.5
    assert read({"LITELLM_PATCH_MAX_WAIT": "none"}).max_wait is None


@pytest.mark.parametrize(
    "environ, arguments, workers",
    [
        ({"LITELLM_PATCH_WORKERS": "8", "NUM_WORKERS": "2"}, ["--num_workers", "3"], 8),
        ({"NUM_WORKERS": "2"}, ["--num_workers", "3"], 3),
        ({"NUM_WORKERS": "2"}, ["--num_workers=4"], 4),
        ({"NUM_WORKERS": "2"}, ["--port", "4000"], 2),
        ({"NUM_WORKERS": "many"}, ["--num_workers"], 1),
        ({"NUM_WORKERS": "-2"}, [], 1),
    ],
)
def test_workers_are_ours_or_litellms_own(environ, arguments, workers):
    options = read(environ, arguments)
    assert (options.workers, options.problems) == (workers, ())


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "lots", "9" * 400])
def test_a_bad_number_of_workers_is_ignored_and_said(text):
    options = read({"LITELLM_PATCH_WORKERS": text, "NUM_WORKERS": "2"})
    assert options.workers == 2
    assert len(options.problems) == 1
