"""Imports that are not plain: half-done, by several threads, anew, beside other finders."""

from __future__ import annotations

import pkgutil

import pytest
from fake_litellm import OWN_TABLE

import litellm_patch

# Where LiteLLM is loaded already, importing litellm_patch activates it with the real table.
LATE_TABLE = (
    "import os; os.environ['LITELLM_PATCH'] = 'off'\n"
    + OWN_TABLE
    + "del os.environ['LITELLM_PATCH']\n"
)


def test_a_half_imported_target_is_patched_when_it_is_whole(fake_litellm):
    fake_litellm.write(
        "litellm/proxy/_types.py",
        "import activated_here\n"
        "class Error(Exception):\n    def __init__(self, message): self.message = message\n",
    )
    fake_litellm.write("activated_here.py", "import litellm_patch\nlitellm_patch.activate()\n")
    # Nothing is registered before the target itself activates.
    program = (
        "import litellm\n"
        + LATE_TABLE
        + "from litellm.proxy import _types\n"
        + "import time; time.sleep(1)\n"
        + "_types.Error('x'); print(seen, state())\n"
    )
    done = fake_litellm.run(program)
    assert done.stdout.strip() == "['x'] ('applied', '')", done.stderr
    assert "skipped" not in done.stderr


def test_a_target_that_another_thread_is_importing_is_patched_when_it_is_whole(fake_litellm):
    fake_litellm.write(
        "litellm/proxy/_types.py",
        "import sys\n"
        "sys.under_way.set(); assert sys.go_on.wait(20)\n"
        "class Error(Exception):\n    def __init__(self, message): self.message = message\n",
    )
    program = (
        "import sys, threading\n"
        "sys.under_way, sys.go_on = threading.Event(), threading.Event()\n"
        "def work(): import litellm.proxy._types\n"
        "thread = threading.Thread(target=work); thread.start()\n"
        "assert sys.under_way.wait(20)\n" + LATE_TABLE + "import litellm_patch\n"
        "litellm_patch.activate()\n"
        "print(state()[0])\n"
        "sys.go_on.set(); thread.join()\n"
        "import time; time.sleep(1)\n"
        "import litellm.proxy._types as t; t.Error('x'); print(seen, state()[0])\n"
    )
    assert fake_litellm.lines(program) == ["waiting", "['x'] applied"]


def test_threads_that_import_litellm_at_once_are_all_served(fake_litellm):
    program = OWN_TABLE + (
        "import litellm_patch\n"
        "gate = threading.Barrier(16)\n"
        "def work(number):\n"
        "    gate.wait()\n"
        "    if number % 3 == 0: import litellm_patch.activation.activate as a; a.activate()\n"
        "    if number % 3 == 1: litellm_patch.status()\n"
        "    from litellm.proxy import proxy_server, _types\n"
        "    _types.Error(number)\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]\n"
        "[t.start() for t in threads]; [t.join(30) for t in threads]\n"
        "print(sorted(seen) == list(range(16)), state()[0])\n"
    )
    for _ in range(5):
        assert fake_litellm.lines(program) == ["True applied"]


def test_whoever_finds_another_thread_activating_is_patched_as_well(fake_litellm):
    program = OWN_TABLE + (
        "import litellm_patch.activation.activate, wrapt\n"
        "register = wrapt.register_post_import_hook\n"
        "under_way, go_on = threading.Event(), threading.Event()\n"
        "def slow(hook, name):\n"
        "    if threading.current_thread() is thread:\n"
        "        under_way.set(); assert go_on.wait(20)\n"
        "    register(hook, name)\n"
        "wrapt.register_post_import_hook = slow\n"
        "activate = litellm_patch.activation.activate.activate\n"
        "thread = threading.Thread(target=activate); thread.start()\n"
        "assert under_way.wait(20)\n"
        "from litellm.proxy import _types\n"
        "_types.Error('x'); print(seen, state()[0])\n"
        "go_on.set(); thread.join()\n"
        "_types.Error('y'); print(seen)\n"
    )
    assert fake_litellm.lines(program) == ["['x'] applied", "['x', 'y']"]


def test_no_module_has_a_public_name():
    """Importing it, by whomever, would put it in the place of the function in the package."""
    modules = {module.name for module in pkgutil.iter_modules(litellm_patch.__path__)}
    assert modules & set(litellm_patch.__all__) == set()


def loaded_anew(again: str) -> str:
    return RELOADED.replace("AGAIN", again)


RELOADED = OWN_TABLE + (
    "import litellm_patch\n"
    "from litellm.proxy import _types, proxy_server\n"
    "old = _types.Error\n"
    "AGAIN\n"
    "print(state('error'))\n"
    "litellm_patch.activate()\n"
    "new = sys.modules['litellm.proxy._types'].Error\n"
    "print(new is not old, state())\n"
    "new('x'); print(seen)\n"
    "litellm_patch.deactivate()\n"
    "print([type(vars(kind)['__init__']).__name__ for kind in (old, new)])\n"
)


@pytest.mark.parametrize(
    "again",
    [
        "importlib.reload(_types)",
        "del sys.modules['litellm.proxy._types']; import litellm.proxy._types",
    ],
    ids=["reload", "import again"],
)
def test_a_module_that_is_loaded_anew_is_patched_anew_by_activate(fake_litellm, again):
    program = loaded_anew(again=again)
    assert fake_litellm.lines(program) == [
        "('waiting', 'its module was loaded anew: activate() applies it')",
        "True ('applied', '')",
        "['x']",
        "['function', 'function']",
    ]


def test_a_reload_that_imports_something_midway_is_patched_once(fake_litellm):
    fake_litellm.write(
        "litellm/proxy/_types.py",
        "import sys; sys.modules.pop('midway', None); import midway\n"
        "class Error(Exception):\n    def __init__(self, message): self.message = message\n"
        "sys.modules.pop('midway', None); import midway\n",
    )
    fake_litellm.write("midway.py", "import litellm_patch; litellm_patch.activate()")
    program = loaded_anew(again="importlib.reload(_types)")
    assert fake_litellm.lines(program) == [
        "('applied', '')",
        "True ('applied', '')",
        "['x']",
        "['function', 'function']",
    ]


@pytest.mark.parametrize("before", [True, False])
def test_no_other_finder_misses_an_import(fake_litellm, before):
    spy = (
        "import sys\n"
        "missed = []\n"
        "class Spy:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        missed.append(name)\n"
        "import wrapt\n"
        "wrapt.register_post_import_hook(lambda module: None, 'something.else')\n"
        "{}"
    )
    put = "sys.meta_path.insert(0, Spy())\n"
    program = (spy.format(put if before else "") + OWN_TABLE) + (
        "" if before else "sys.meta_path.insert(1, Spy())\n"
    )
    program += (
        "names = ['litellm', 'litellm.proxy', 'litellm.proxy._types']\n"
        "import litellm.proxy.proxy_server\n"
        "print([name for name in names if name not in missed])\n"
    )
    assert fake_litellm.lines(program) == ["[]"]


def test_a_forked_child_does_not_wait_for_a_lock_of_its_parents_threads(fake_litellm):
    program = OWN_TABLE + (
        "import os, litellm_patch\n"
        "from litellm_patch.activation import hooks\n"
        "held = threading.Event()\n"
        "def hold():\n"
        "    with hooks._lock: held.set(); threading.Event().wait(2)\n"
        "threading.Thread(target=hold, daemon=True).start(); held.wait()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    import litellm.proxy.proxy_server\n"
        "    os._exit(0 if state()[0] == 'applied' else 1)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    assert fake_litellm.lines(program) == ["0"]


def test_the_finder_goes_when_litellm_comes_and_leaves_no_trace_on_it(fake_litellm):
    program = (
        "import litellm_patch, sys, importlib.util\n"
        "def waiting(): return sum('litellm_patch' in type(f).__module__ for f in sys.meta_path)\n"
        "print(waiting()); importlib.util.find_spec('litellm'); print(waiting())\n"
        "import litellm\n"
        "loaders = [litellm.__loader__, litellm.__spec__.loader]\n"
        "print(waiting(), {type(loader).__name__ for loader in loaders})\n"
    )
    assert fake_litellm.lines(program) == ["1", "1", "0 {'SourceFileLoader'}"]


@pytest.mark.parametrize(
    "copied", ["copy.copy(spec)", "copy.deepcopy(spec)", "pickle.loads(pickle.dumps(spec))"]
)
def test_a_copy_of_the_loader_loads_litellm_with_the_patch(fake_litellm, copied):
    program = OWN_TABLE + (
        "import copy, pickle\n"
        "import importlib.util as util\n"
        "spec = util.find_spec('litellm')\n"
        f"spec = {copied}\n"
        "print(spec.loader.get_filename('litellm') == spec.origin, hasattr(spec.loader, 'no'))\n"
        "litellm = sys.modules['litellm'] = util.module_from_spec(spec)\n"
        "spec.loader.exec_module(litellm)\n"
        "import litellm.proxy.proxy_server\n"
        "print(state()[0], type(litellm.__loader__).__name__)\n"
    )
    assert fake_litellm.lines(program) == ["True False", "applied SourceFileLoader"]
