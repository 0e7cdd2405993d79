"""Refusals of LiteLLM's real classes, as its router and its proxy make them."""

from __future__ import annotations

from litellm.exceptions import RateLimitError
from litellm.types.router import RouterRateLimitError, RouterRateLimitErrorBasic

BUDGET = "No deployments available - crossed budget: Exceeded budget for provider openai: 3 >= 1"
PINNED = "The deployment that produced this encrypted_content is cooling down."


def refusal(cooldown_time: object = 60, model: object = "m") -> RouterRateLimitError:
    """The refusal of a cooling group."""
    return RouterRateLimitError(
        model=model, cooldown_time=cooldown_time, enable_pre_call_checks=False, cooldown_list=[]
    )


def basic() -> RouterRateLimitErrorBasic:
    """The refusal of a group whose deployments are all at their limits."""
    return RouterRateLimitErrorBasic("m")


def limit(model: str = "m") -> RateLimitError:
    """The refusal of a deployment at its limit, by a routing strategy."""
    return rate_limit("Deployment over defined rpm limit=1.", model=model)


def rate_limit(message: str, provider: str = "", model: str = "m") -> RateLimitError:
    """A `RateLimitError`; the router's own have no provider."""
    return RateLimitError(message, llm_provider=provider, model=model)


def budget() -> ValueError:
    """The refusal by a spent budget."""
    return ValueError(BUDGET)


def below(top: BaseException, error: BaseException) -> BaseException:
    """`top`, raised while `error` was being handled."""
    top.__context__ = error
    return top
