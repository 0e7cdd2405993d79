"""Another interpreter runs this file by its path; it prints one line of JSON.

Without an argument, it tells what that interpreter would import. It uses only the standard
library and syntax that an older Python can read, since litellm_patch may be missing there.
With the argument ``seams``, it imports LiteLLM's proxy and prints the state of the patch.
With ``start`` and the name of a module, under ``python -S``, it runs no start file, and tells
which one a start would find, and whether the package of that module contains one.
"""

import json
import os
import sys

MARK = "litellm-patch-survey:"


def find(path, name):
    """The file that `import name` would load with this path, or None."""
    from importlib.util import find_spec

    kept, sys.path[:] = list(sys.path), path
    try:
        spec = find_spec(name)
        return spec.origin if spec is not None else None
    except Exception:
        return None
    finally:
        sys.path[:] = kept


def would_import():
    # A console script's folder stands first on its path, as this file's folder does here.
    here = os.path.realpath(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    answer = {"python": list(sys.version_info[:3]), "executable": sys.executable}
    for name in ("litellm", "litellm_patch", "wrapt"):
        answer[name] = find(sys.path, name)
    return answer


def copies(path):
    found = []
    for entry in path:
        file = os.path.realpath(os.path.join(entry or os.getcwd(), "litellm", "__init__.py"))
        if os.path.exists(file) and file not in found:
            found.append(file)
    return found


def examine():
    active = "litellm_patch" in sys.modules
    answer = would_import()
    return dict(
        answer,
        active=active,
        sitecustomize=getattr(sys.modules.get("sitecustomize"), "__file__", None),
        litellm_in_folder=find([os.getcwd()] + sys.path, "litellm"),
        copies=copies(sys.path + [os.getcwd()]),
    )


def start(module):
    import site

    # Start files that `main` would run start agents, which announce themselves.
    site.execsitecustomize = site.execusercustomize = lambda: None
    site.main()
    answer = dict(
        would_import(),
        sitecustomize=find(sys.path, "sitecustomize"),
        has_start_file=has_start_file(sys.path, module.partition(".")[0]),
        damaged="",
    )
    try:
        import litellm_patch

        assert litellm_patch.trigger, "is missing where the package's file is empty"
    except Exception as error:
        answer["damaged"] = type(error).__name__
    return answer


def has_start_file(path, package):
    for entry in path:
        for _, _, files in os.walk(os.path.join(entry, package)) if package else ():
            if "sitecustomize.py" in files:
                return True
    return False


def seams():
    would_import()
    import dataclasses

    import litellm.proxy.proxy_server  # noqa: F401

    import litellm_patch

    return dataclasses.asdict(litellm_patch.status())


if __name__ == "__main__":
    if sys.argv[1:2] == ["start"]:
        answer = start(sys.argv[2])
    else:
        answer = seams() if sys.argv[1:] == ["seams"] else examine()
    print(MARK + json.dumps(answer))
