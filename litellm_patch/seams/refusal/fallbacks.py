"""Remember why the fallbacks of a request failed, on the error that the client will get.

When all fallbacks of a group have failed, LiteLLM raises the error of the group that the request
asked for and keeps only the texts of the others. So the wait of a cooling fallback would be lost,
although it may be the shorter one, or the only one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ...wait import marks
from ...wait.exception_chain import FALLBACK_REFUSALS, refusals_of_fallbacks, related
from ...wait.litellm_errors import is_cooldown_refusal, is_own_limit

_KEPT_AT_MOST = 50


def remember_refusals(instance: object, arguments: Mapping[str, Any], result: object) -> None:
    """Attach the refusals of the fallback that just failed to the original exception.

    LiteLLM calls this seam's function in the `except` block of each failed fallback.
    """
    _hang_on(arguments["original_exception"], sys.exc_info()[1])


def remember_hop(instance: object, arguments: Mapping[str, Any], result: object) -> None:
    """The same for the router in Rust, which reports on a fallback outside any `except` block."""
    if not arguments["event"].get("succeeded"):
        _hang_on(arguments["level_error"], arguments["hop_error"])


def _hang_on(original: BaseException | None, failed: BaseException | None) -> None:
    if failed is None or original is None or failed is original:
        return
    kept = refusals_of_fallbacks(original)
    # Only the last limits count: an older one may be the reason for the fallback's cooldown.
    last = [failed, *refusals_of_fallbacks(failed)]
    limits = [each for each in last if is_own_limit(each)]
    cooling = [each for each in related(failed) if is_cooldown_refusal(each)]
    new = [each for each in cooling + limits if each is not original]
    marks.put(original, FALLBACK_REFUSALS, (kept + new)[:_KEPT_AT_MOST])
