"""How to recognise the refusals that LiteLLM makes by itself, without asking a provider.

They are recognised by the names of their classes and by their texts, so that nothing of LiteLLM is
imported. A class keeps its name, but not its identity, through `importlib.reload` and in a second
LiteLLM tree.
"""

from __future__ import annotations

import re

NO_DEPLOYMENTS = "No deployments available"
"""What LiteLLM's proxy looks for in a message when it turns an error into a 429
(`RouterErrors.no_deployments_available`; LiteLLM issue #2487)."""

CROSSED_BUDGET = f"{NO_DEPLOYMENTS} - crossed budget"
"""How the refusal by a budget of a provider, a deployment or a tag begins."""

_RATE_LIMITS = ("Deployment over defined ", "Model rate limit exceeded.", NO_DEPLOYMENTS)
"""What a `RateLimitError` of LiteLLM's own says: those of the router's usage-based strategies and
of its checks before a call."""

_SYNCHRONOUS = re.compile(
    re.escape(NO_DEPLOYMENTS) + r" for selected model\. Passed model=.*\. Deployments=\{", re.DOTALL
)
"""What the synchronous twin of a usage-based strategy writes into a bare `ValueError`."""

_PINNED = "The deployment that produced this encrypted_content is "
"""How the refusal begins if the deployment that a follow-up is bound to is cooling: a 429, or
a 503 where another failure than a 429 brought it into its cooldown."""

_DYNAMIC = (" over available TPM=", " over available RPM=")
"""What LiteLLM's first dynamic rate limiter writes."""


def is_own_refusal(error: BaseException) -> bool:
    """Whether the router decided `error`, without asking a provider."""
    return is_cooldown_refusal(error) or is_own_limit(error) or is_pinned_refusal(error)


def is_cooldown_refusal(error: BaseException) -> bool:
    """Whether a model group is cooling down: `RouterRateLimitError`."""
    return _is_named(error, "litellm.types.router", "RouterRateLimitError")


def is_own_limit(error: BaseException) -> bool:
    """Whether a limit or a budget of the router's was reached."""
    return (
        _is_named(error, "litellm.types.router", "RouterRateLimitErrorBasic")
        or is_budget(error)
        or (type(error) is ValueError and _SYNCHRONOUS.match(str(error)) is not None)
        or (
            _is_named(error, "litellm.exceptions", "RateLimitError")
            and getattr(error, "llm_provider", None) == ""
            and any(text in text_of(error) for text in _RATE_LIMITS)
        )
    )


def is_budget(error: BaseException) -> bool:
    """Whether a budget of a provider, a deployment or a tag is spent."""
    return isinstance(error, ValueError) and CROSSED_BUDGET in str(error)


def is_pinned_refusal(error: BaseException) -> bool:
    """Whether the only deployment that may serve the request is cooling down."""
    return (
        getattr(error, "llm_provider", None) == ""
        and getattr(error, "status_code", None) in (429, 503)
        and _PINNED in text_of(error)
        and _is_named(error, "litellm.exceptions", "RateLimitError", "ServiceUnavailableError")
    )


def is_limiters_429(error: BaseException) -> bool:
    """Whether a hook of the proxy refused a key, user, team or model: FastAPI's exception."""
    return _is_named(error, "starlette.exceptions", "HTTPException") and (
        getattr(error, "status_code", None) == 429
    )


def is_dynamic_limit(error: BaseException) -> bool:
    """Whether a limiter's 429 shares out what the router counted in the minute of the clock."""
    return any(text in str(error) for text in _DYNAMIC)


def text_of(error: BaseException) -> str:
    """What LiteLLM tells a client of `error`."""
    for name in ("message", "detail"):
        text = getattr(error, name, None)
        if isinstance(text, str) and text:
            return text
    return str(error) or repr(error)


def _is_named(error: BaseException, module: str, *names: str) -> bool:
    """Whether `error` is an instance of a class that has one of `names` in `module`."""
    kinds = type(error).__mro__
    return any(kind.__module__ == module and kind.__name__ in names for kind in kinds)
