"""Our code runs after a function of LiteLLM, and comes off again beneath other wrappers."""

from __future__ import annotations

import dataclasses
import types
from unittest.mock import Mock, call

import pytest
import wrapt

from litellm_patch.seams.after_call import AfterCall
from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS

WRAPPED_AGAIN = "Cache.get was wrapped again by something that is not wrapt's"


class Host:
    """A module with a function, a class, and a class that inherits its method."""

    def __init__(self) -> None:
        class Cache:
            def __init__(self, store):
                self.store = store

            def get(self, key, default=None):
                return f"{self.store}: {key}"

        class Heir(Cache):
            pass

        def plain(key, default=None):
            return f"plain: {key}"

        self.module = types.ModuleType("litellm.somewhere")
        vars(self.module).update(Cache=Cache, Heir=Heir, plain=plain, unreadable=7)
        self.cache, self.heir, self.original = Cache, Heir, vars(Cache)["get"]
        self.look, self.reached = Mock(), Mock()

    def attach(self, attribute, init_parameter=""):
        seam = dataclasses.replace(
            SEAMS[0],
            module=self.module.__name__,
            attribute=attribute,
            parameters=("key", "default"),
            joint=AfterCall(self.look),
            init_parameter=init_parameter,
        )
        return seam.joint.attach(self.module, seam, self.reached)


@pytest.fixture
def host():
    return Host()


def passing(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs)


def test_a_method_gives_its_instance_its_arguments_and_its_result(host):
    host.attach("Cache.get", init_parameter="store")
    made = host.cache("s")
    assert made.get("k", default=1) == "s: k"
    assert host.cache.get(made, "k") == "s: k"
    assert host.look.mock_calls == [
        call(made, {"self": made, "key": "k", "default": 1}, "s: k"),
        call(made, {"self": made, "key": "k"}, "s: k"),
    ]
    assert host.reached.call_count == 2


def test_a_function_has_no_instance(host):
    host.attach("plain")
    assert host.module.plain("k") == "plain: k"
    host.look.assert_called_once_with(None, {"key": "k"}, "plain: k")


@pytest.mark.parametrize(
    "attribute, init_parameter, why",
    [
        ("Cache.put", "", "litellm.somewhere has no Cache.put"),
        ("Store.get", "", "litellm.somewhere has no Store.get"),
        ("Cache.get", "cache", "Cache.__init__ has no parameter cache"),
        ("Cache.__init__", "", "Cache.__init__ has no parameter key, default"),
        ("unreadable", "", "unreadable has no readable signature"),
    ],
)
def test_a_place_that_does_not_fit_is_left_alone(host, attribute, init_parameter, why):
    before = dict(vars(host.cache))
    with pytest.raises(DoesNotFit) as caught:
        host.attach(attribute, init_parameter=init_parameter)
    assert str(caught.value) == why
    assert dict(vars(host.cache)) == before


def test_the_original_is_put_back(host):
    undo = host.attach("Cache.get")
    assert vars(host.cache)["get"] is not host.original
    for _ in range(2):  # a second time changes nothing
        undo.check()
        undo()
        assert vars(host.cache)["get"] is host.original


@pytest.mark.parametrize("before", ["nobody", "deleted", "set"])
def test_an_inherited_method_is_inherited_again(host, before):
    undo = host.attach("Heir.get")
    host.heir("s").get("k")
    host.look.assert_called_once()
    if before == "deleted":
        del host.heir.get
    elif before == "set":
        host.heir.get = host.original
    undo.check()
    undo()
    assert vars(host.heir).get("get") is (host.original if before == "set" else None)


@pytest.mark.parametrize("name", ["ObjectProxy", "BaseObjectProxy"])
def test_a_copy_of_wrapt_is_known_by_its_name(host, name):
    undo = host.attach("Cache.get")
    agents = type("Agents", (type(name, (), {}),), {})()
    agents.__wrapped__ = vars(host.cache)["get"]
    host.cache.get = agents
    undo()
    assert agents.__wrapped__ is host.original
    assert vars(host.cache)["get"] is agents


@pytest.mark.parametrize("inside", [False, True])
def test_it_says_that_it_cannot_come_off_beneath_another_wrapper(host, inside):
    undo = host.attach("Cache.get")
    ours = vars(host.cache)["get"]

    def theirs(self, key):
        return ours(self, key)

    theirs.__wrapped__ = ours
    host.cache.get = placed = wrapt.FunctionWrapper(theirs, passing) if inside else theirs
    for attempt in (undo.check, undo):
        with pytest.raises(DoesNotFit) as caught:
            attempt()
        assert str(caught.value) == WRAPPED_AGAIN
    assert vars(host.cache)["get"] is placed
    host.cache("s").get("k")
    host.look.assert_called_once()
