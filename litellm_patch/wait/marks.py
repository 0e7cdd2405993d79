"""What the seams note about an exception, for those that handle it later.

The notes are attributes of the exception. LiteLLM answers a request for several models
(``model: "a,b"``) with status 200 and the attributes of each model's error. FastAPI's
`jsonable_encoder` leaves out those whose names begin with ``_sa`` (its parameter
`sqlalchemy_safe`), and so must ours begin. A table beside the exceptions would not do: built-in
exceptions take no weak references, and LiteLLM copies errors with their attributes (1.109.1 and
later).
"""

from __future__ import annotations

_HIDDEN = "_sa_"


def put(error: BaseException, name: str, value: object) -> None:
    setattr(error, _HIDDEN + name, value)


def get(error: BaseException, name: str) -> object:
    return getattr(error, _HIDDEN + name, None)
