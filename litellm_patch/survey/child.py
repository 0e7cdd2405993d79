"""Run by path in the interpreter that is asked about; prints one line of JSON.

Without an argument: what that interpreter would import. It then uses the standard library
alone, and no syntax that an older Python cannot read, since litellm_patch may be missing
there. With the argument ``seams``: imports LiteLLM's proxy and prints the state of the patch.
"""

import json
import os
import sys

MARK = "litellm-patch-survey:"


def without_own_folder(path):
    """A console script's folder stands first on its path, as this file's does here."""
    here = os.path.realpath(os.path.dirname(os.path.abspath(__file__)))
    return [entry for entry in path if os.path.realpath(entry or ".") != here]


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


def copies(path):
    found = []
    for entry in path:
        file = os.path.join(entry or os.getcwd(), "litellm", "__init__.py")
        if os.path.exists(file) and os.path.realpath(file) not in found:
            found.append(os.path.realpath(file))
    return found


def examine():
    active = "litellm_patch" in sys.modules
    site = sys.modules.get("sitecustomize")
    path = without_own_folder(sys.path)
    sys.path[:] = path
    return {
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "executable": sys.executable,
        "active": active,
        "sitecustomize": getattr(site, "__file__", None),
        "litellm": find(path, "litellm"),
        "litellm_in_folder": find([os.getcwd()] + path, "litellm"),
        "copies": copies(path + [os.getcwd()]),
        "litellm_patch": find(path, "litellm_patch"),
        "wrapt": find(path, "wrapt"),
    }


def seams():
    sys.path[:] = without_own_folder(sys.path)
    import dataclasses

    import litellm.proxy.proxy_server  # noqa: F401

    import litellm_patch

    return dataclasses.asdict(litellm_patch.status())


if __name__ == "__main__":
    answer = seams() if sys.argv[1:] == ["seams"] else examine()
    print(MARK + json.dumps(answer))
