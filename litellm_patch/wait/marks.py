"""Marks: what the seams note on an exception for the code that handles it later.

A mark is an attribute of the exception. LiteLLM answers a request for several models
(``model: "a,b"``) with status 200 and the attributes of each model's error. FastAPI's
`jsonable_encoder` omits those whose names begin with ``_sa`` (its parameter `sqlalchemy_safe`), so
the names of marks do. A table beside the exceptions would not work: built-in exceptions take no
weak references, and LiteLLM copies errors with their attributes (1.109.1 and later).
"""

from __future__ import annotations

_HIDDEN = "_sa_"


def put(error: BaseException, name: str, value: object) -> None:
    setattr(error, _HIDDEN + name, value)


def get(error: BaseException, name: str) -> object:
    return getattr(error, _HIDDEN + name, None)
