"""Imports that are not plain: half-done, failing, by several threads, beside other finders."""

from __future__ import annotations

import pkgutil

import pytest
from fake_litellm import MODULES, OWN_TABLE

import litellm_patch

# Where LiteLLM is loaded already, importing litellm_patch activates it with the real table.
LATE_TABLE = (
    "import os; os.environ['LITELLM_PATCH'] = 'off'\n"
    + OWN_TABLE
    + "del os.environ['LITELLM_PATCH']\n"
)
UNTIL_WHOLE = "[t.join(20) for t in threading.enumerate() if 'litellm_patch' in t.name]\n"
TYPES = "litellm/proxy/_types.py"


def test_a_half_imported_target_that_fails_is_patched_when_it_is_imported_again(fake_litellm):
    fake_litellm.write(TYPES, f"import activated_here\n{MODULES[TYPES]}fails_once()\n")
    fake_litellm.write("activated_here.py", "import litellm_patch\nlitellm_patch.activate()\n")
    # Nothing is registered before the target itself activates.
    program = f"import litellm\n{LATE_TABLE}" + (
        "import builtins\n"
        "def fails_once():\n"
        "    builtins.fails_once = bool\n"
        "    raise ImportError\n"
        "builtins.fails_once = fails_once\n"
        "try: import litellm.proxy._types\n"
        "except ImportError: pass\n" + UNTIL_WHOLE + "import litellm.proxy._types as t\n"
        "t.Error('x'); print(seen, state()[0])\n"
    )
    assert fake_litellm.lines(program) == ["['x'] applied"]


@pytest.mark.parametrize("failing", ["litellm/__init__", "litellm/proxy/_types", "litellm/proxy"])
def test_a_litellm_that_is_imported_again_after_a_failure_is_patched_once(fake_litellm, failing):
    """A missing dependency, say; the modules that were imported before it stay imported."""
    file = f"{failing}.py" if "_" in failing else f"{failing}/proxy_server.py"
    source = (fake_litellm.folder / file).read_text()
    fake_litellm.write(file, f"import litellm.proxy._types\n{source}\nimport missing_once\n")
    program = OWN_TABLE + (
        "import litellm_patch\n"
        "try: import litellm.proxy.proxy_server\n"
        "except ImportError: sys.modules['missing_once'] = sys\n"
        "from litellm.proxy import proxy_server, _types\n"
        "_types.Error('x'); print(seen, state()[0])\n"
    )
    done = fake_litellm.run(program)
    assert done.stdout.strip() == "['x'] applied", done.stderr
    assert done.stderr.count("1/1 seams") == 1


def test_a_target_that_another_thread_is_importing_is_patched_when_it_is_whole(fake_litellm):
    waits = "import sys\nsys.under_way.set(); assert sys.go_on.wait(20)\n"
    fake_litellm.write(TYPES, waits + MODULES[TYPES])
    program = (
        "import sys, threading\n"
        "sys.under_way, sys.go_on = threading.Event(), threading.Event()\n"
        "def work(): import litellm.proxy._types\n"
        "thread = threading.Thread(target=work); thread.start()\n"
        "assert sys.under_way.wait(20)\n" + LATE_TABLE + "import litellm_patch\n"
        "litellm_patch.activate()\n"
        "print(state()[0])\n"
        "sys.go_on.set(); thread.join()\n"
        + UNTIL_WHOLE
        + "import litellm.proxy._types as t; t.Error('x'); print(seen, state()[0])\n"
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


def test_a_thread_that_finds_another_one_activating_is_patched_as_well(fake_litellm):
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
    """Importing such a module would replace the package's function of that name."""
    modules = {module.name for module in pkgutil.iter_modules(litellm_patch.__path__)}
    assert modules & set(litellm_patch.__all__) == set()


@pytest.mark.parametrize("place", ["0", "1"])
def test_no_other_finder_misses_an_import(fake_litellm, place):
    program = (
        "import sys\n"
        "missed = ['litellm', 'litellm.proxy', 'litellm.proxy._types']\n"
        "class Spy:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in missed: missed.remove(name)\n"
        "import wrapt\n"
        "wrapt.register_post_import_hook(lambda module: None, 'something.else')\n"
        + OWN_TABLE
        + f"sys.meta_path.insert({place}, Spy())\n"
        + "import litellm.proxy.proxy_server; print(missed)\n"
    )
    assert fake_litellm.lines(program) == ["[]"]


def test_a_forked_child_does_not_wait_for_a_lock_of_its_parents_threads(fake_litellm):
    program = OWN_TABLE + (
        "import os\n"
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


def test_a_copy_of_the_loader_loads_litellm_with_the_patch(fake_litellm):
    program = OWN_TABLE + (
        "import copy\n"
        "import importlib.util as util\n"
        "spec = copy.deepcopy(util.find_spec('litellm'))\n"
        "print(spec.loader.get_filename('litellm') == spec.origin, hasattr(spec.loader, 'no'))\n"
        "litellm = sys.modules['litellm'] = util.module_from_spec(spec)\n"
        "spec.loader.exec_module(litellm)\n"
        "import litellm.proxy.proxy_server\n"
        "print(state()[0], type(litellm.__loader__).__name__)\n"
    )
    assert fake_litellm.lines(program) == ["True False", "applied SourceFileLoader"]
