"""The trigger, the switches and the reporting, with everything around them failing."""

from __future__ import annotations

import logging
import sys
import threading
import types
from unittest.mock import Mock

import pytest
from rubbish import ERRORS, VALUES

from litellm_patch import log, switch, trigger
from litellm_patch.activation import activate as activation


@pytest.mark.parametrize("error", ERRORS)
def test_an_activation_that_raises_is_one_line_and_no_failed_import(error, monkeypatch, capsys):
    monkeypatch.setattr(activation, "activate", Mock(side_effect=ERRORS[error]("ours")))
    trigger.fire()
    assert capsys.readouterr().err.count("litellm_patch: not active") == 1


@pytest.mark.parametrize("error", ERRORS)
def test_a_stderr_that_raises_is_no_reason_to_fail(error, monkeypatch):
    broken = Mock(side_effect=ERRORS[error]("stream"))
    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(write=broken, flush=broken))
    switch.complain("text")
    log.once(logging.WARNING, f"said into a broken stream: {error}")


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("part", ["emit", "filter", "format"])
def test_logging_that_raises_is_no_reason_to_fail(error, part, lines):
    raising = Mock(side_effect=ERRORS[error]("logging"))
    handler = logging.Handler()
    handler.emit = raising if part == "emit" else lambda record: handler.format(record)
    handler.format = raising
    if part == "filter":
        handler.addFilter(raising)
    log.LOGGER.addHandler(handler)
    try:
        log.once(logging.WARNING, "text")
        log.failed("what", ERRORS[error]("sk-secret-1234"))
    finally:
        log.LOGGER.removeHandler(handler)


def test_a_thing_is_said_once_however_many_threads_say_it(lines):
    gate = threading.Barrier(16)

    def say():
        gate.wait()
        for _ in range(100):
            log.once(logging.WARNING, "the same")

    threads = [threading.Thread(target=say) for _ in range(16)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(lines) == 1


def test_what_varies_without_end_is_said_at_most_so_often(lines):
    for number in range(5000):
        log.once(logging.WARNING, f"number {number}")
    assert len(lines) <= 200


@pytest.mark.parametrize("error", ERRORS)
def test_a_finder_of_somebody_elses_that_raises_raises_as_without_us(error, monkeypatch):
    theirs = ERRORS[error]("theirs")
    ours, other = trigger.Finder(), Mock(**{"find_spec.side_effect": theirs})
    monkeypatch.setattr(sys, "meta_path", [ours, other])
    with pytest.raises(ERRORS[error]) as caught:
        ours.find_spec("litellm")
    assert caught.value is theirs
    other.find_spec = Mock(return_value=None)
    assert ours.find_spec("litellm") is None  # and it still works


@pytest.mark.parametrize("name", ["litellm2", "litellm.proxy", "", "os", "LITELLM"])
def test_other_names_are_not_looked_for(name):
    assert trigger.Finder().find_spec(name) is None


@pytest.mark.parametrize("error", ERRORS)
def test_a_litellm_that_fails_to_import_fails_with_its_own_error(error):
    theirs = ERRORS[error]("theirs")

    module = types.ModuleType("litellm")
    module.__spec__ = None
    with pytest.raises(ERRORS[error]) as caught:
        trigger.Loader(Mock(**{"exec_module.side_effect": theirs})).exec_module(module)
    assert caught.value is theirs


@pytest.mark.parametrize("value", [v for v in VALUES if v != "hostile"])
def test_a_loader_of_any_kind_is_passed_through(value, monkeypatch):
    spec = types.SimpleNamespace(loader=VALUES[value])
    ours = trigger.Finder()
    monkeypatch.setattr(sys, "meta_path", [ours, Mock(**{"find_spec.return_value": spec})])
    assert ours.find_spec("litellm") is spec
    assert spec.loader is VALUES[value]  # none of these can execute a module
