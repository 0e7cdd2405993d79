"""Remember why the fallbacks of a request failed, on the error that the client will get.

When every fallback of a group failed, LiteLLM raises the error of the group that was asked
for and keeps of the others no more than a text. So the wait of a fallback that is cooling
would be lost, although it may be the shorter one, or the only one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ...wait import marks
from ...wait.exception_chain import FALLBACK_REFUSALS, refusals_of_fallbacks, related
from ...wait.litellm_errors import is_cooldown_refusal, is_own_limit

_KEPT_AT_MOST = 50


def remember_refusals(instance: object, arguments: Mapping[str, object], result: object) -> None:
    """Hang the refusals of the fallback that just failed on the original exception.

    LiteLLM calls this seam's function in the `except` block of each fallback that failed.
    """
    _hang_on(arguments["original_exception"], sys.exc_info()[1])


def remember_hop(instance: object, arguments: Mapping[str, Any], result: object) -> None:
    """The same where the router in Rust tells what became of a fallback, outside any `except`."""
    if not arguments["event"].get("succeeded"):
        _hang_on(arguments["level_error"], arguments["hop_error"])


def _hang_on(original: object, failed: object) -> None:
    if failed is original or not isinstance(failed, BaseException):
        return
    if not isinstance(original, BaseException):
        return
    kept = refusals_of_fallbacks(original)
    # Of limits only the last word: another one may be why the fallback is cooling now.
    last = [failed, *refusals_of_fallbacks(failed)]
    limits = [each for each in last if is_own_limit(each)]
    cooling = [each for each in related(failed) if is_cooldown_refusal(each)]
    new = [each for each in cooling + limits if each is not original]
    marks.put(original, FALLBACK_REFUSALS, (kept + new)[:_KEPT_AT_MOST])
