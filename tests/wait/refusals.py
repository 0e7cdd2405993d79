"""LiteLLM's refusals by the names of their classes, as the modules of ``wait/`` recognise them."""

from __future__ import annotations

from types import SimpleNamespace

from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING
from litellm_patch.wait.litellm_errors import NO_DEPLOYMENTS

NOW = 1000.0
CLOCK = 1_795_346_272.5  # 7.5 s before the end of a minute of the clock
MINUTE_ENDS_IN = 7.5


def kind(name: str, module: str, *bases: type) -> type:
    return type(name, bases or (Exception,), {"__module__": module})


COOLDOWN = kind("RouterRateLimitError", "litellm.types.router", ValueError)
BASIC = kind("RouterRateLimitErrorBasic", "litellm.types.router", ValueError)
RATE = kind("RateLimitError", "litellm.exceptions")
BUSY = kind("ServiceUnavailableError", "litellm.exceptions")
HTTP = kind("HTTPException", "starlette.exceptions")
BUDGET = "No deployments available - crossed budget: Exceeded budget for provider p"
PINNED = "The deployment that produced this encrypted_content is currently unavailable"


def refusal(cooldown_time: object = 60) -> Exception:
    """Of a group that is cooling, by a LiteLLM whose seams are not wrapped."""
    error = COOLDOWN(f"{NO_DEPLOYMENTS} for selected model")
    error.cooldown_time = cooldown_time
    return error


def cooling(ready_in: float | None, queue: str = "m", **known: object) -> Exception:
    """The same, and it is known when the first deployment is ready; None: none is cooling."""
    return marked(refusal(), ready_in, queue, **known)


def marked(error: Exception, ready_in: float | None, queue: str = "m", **known: object):
    ready_at = None if ready_in is None else NOW + ready_in
    marks.put(error, COOLING, Cooling(ready_at, queue, **known))
    return error


def below(error: BaseException, top: str = "top") -> Exception:
    outer = RuntimeError(top)
    outer.__context__ = error
    return outer


def provider(text: str = "busy", **attributes: object) -> Exception:
    """A provider's 429 as LiteLLM raises it."""
    error = RuntimeError(text)
    vars(error).update({"status_code": 429, **attributes})
    return error


def rate(provider="", message="Deployment over defined rpm limit=1.", told=None):
    error = RATE(message)
    error.llm_provider, error.message = provider, f"litellm.RateLimitError: {message}"
    error.response = SimpleNamespace(headers={} if told is None else {"retry-after": told})
    return error


def limiter(status=429, detail="Crossed TPM / RPM", **headers):
    """What a hook of the proxy raises."""
    error = HTTP(detail)
    error.status_code, error.detail = status, detail
    error.headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return error


def pinned(of=RATE, status=429, provider="", message=PINNED):
    """Of a follow-up that is bound to a deployment which is cooling."""
    error = of(message)
    error.status_code, error.llm_provider, error.message = status, provider, f"litellm: {message}"
    return error
