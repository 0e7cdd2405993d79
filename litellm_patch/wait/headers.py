"""Put ``Retry-After`` into the headers of an error answer, beside whatever stands there."""

from __future__ import annotations

from collections.abc import Mapping

from .delay_seconds import delay_seconds, parse_delay_seconds
from .exception_chain import Refusal

RETRY_AFTER = "retry-after"


def with_retry_after(headers: Mapping[str, str], refusal: Refusal) -> dict[str, str]:
    """A copy of `headers` with exactly one valid ``Retry-After`` for `refusal`.

    A valid value that is already there stays: somebody decided it, and may know more. The
    exception is LiteLLM's own header (1.90.0 and later), which is the configured cooldown
    rounded up and which we can therefore recognise and better. An invalid value (a fraction,
    a date, several headers under differing capitals) makes way for ours.

    Returns `headers` as a plain copy where `refusal` has no usable number.
    """
    if refusal.seconds is None:
        return dict(headers)
    ours = delay_seconds(refusal.seconds)
    theirs = [value for name, value in headers.items() if name.lower() == RETRY_AFTER]
    if len(theirs) == 1 and parse_delay_seconds(theirs[0]) is not None:
        native = refusal.configured is not None and theirs[0] == delay_seconds(refusal.configured)
        if not native or theirs[0] == ours:
            return dict(headers)
    kept = {name: value for name, value in headers.items() if name.lower() != RETRY_AFTER}
    kept[RETRY_AFTER] = ours
    return kept
