"""A function of LiteLLM has the parameters that a seam reads, or the seam is left alone."""

from __future__ import annotations

import inspect

import pytest

from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.signatures import signature_with


def function(model, cooldown_time=None, **others):
    pass


class Made:
    def __init__(self, store):
        pass


class Unreadable:
    __signature__ = "none"

    def __call__(self):
        pass


def test_the_signature_comes_back_if_the_parameters_are_there():
    assert signature_with("f", function, ("cooldown_time",)) == inspect.signature(function)
    assert list(signature_with("Made", Made, ["store"]).parameters) == ["store"]


def test_what_is_missing_is_named():
    with pytest.raises(DoesNotFit) as caught:
        signature_with("f", function, ("ttl", "model", "code"))
    assert str(caught.value) == "f has no parameter ttl, code"


@pytest.mark.parametrize("value", [Unreadable(), 7, None])
def test_what_has_no_signature_does_not_fit(value):
    with pytest.raises(DoesNotFit) as caught:
        signature_with("f", value, ())
    assert str(caught.value) == "f has no readable signature"
