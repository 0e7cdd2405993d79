"""What the seams note about an exception, for those that handle it later."""

from __future__ import annotations


def put(error: BaseException, name: str, value: object) -> None:
    setattr(error, name, value)


def get(error: BaseException, name: str) -> object:
    return getattr(error, name, None)
