"""The seams of LiteLLM, in the order in which a refusal passes them.

Applying, reporting, undoing and testing read this table. `setup.cfg` repeats the modules as
entry points, because entry points cannot be computed; a test compares the two.
"""

from __future__ import annotations

from .after_call import AfterCall
from .after_handler import AfterHandler
from .answer.exposed_headers import expose
from .answer.limiter_answers import say_valid_retry_after
from .answer.proxy_app import RefusalHandler
from .answer.proxy_exception import say_retry_after
from .answer.stream_errors import say_in_its_place
from .record.asked_cooldowns import note_question
from .record.cooldown_cache import note_own_cooldown
from .record.cooldown_store import note_active, remember_entry
from .refusal.fallbacks import remember_hop, remember_refusals
from .refusal.rate_limit_error import PutOnRefusal
from .refusal.spent_budget import remember_end
from .seam import PYTHON, RUST, Seam, lacks

SEAMS: tuple[Seam, ...] = (
    Seam(
        name="cooldown-begin",
        module="litellm.router_utils.cooldown_cache",
        attribute="CooldownCache.add_deployment_to_cooldown",
        parameters=("model_id",),
        adds="the knowledge which cooldowns another proxy wrote to the shared Redis",
        releases="1.53.1-1.109.3",
        unnecessary_when="LiteLLM tells the remaining time",
        joint=AfterCall(note_own_cooldown),
        init_parameter="cache",
        router=PYTHON,
    ),
    Seam(
        name="cooldown-left",
        module="litellm.router_utils.cooldown_cache",
        attribute="CooldownCache.get_min_cooldown",
        parameters=("model_ids",),
        adds="the time that is left of a cooldown, where LiteLLM tells the configured one",
        releases="1.53.1-1.109.3",
        unnecessary_when="LiteLLM tells the remaining time; no release does (1.110.2)",
        joint=AfterCall(note_question),
        init_parameter="cache",
        router=PYTHON,
    ),
    Seam(
        name="cooldown-put",
        module="litellm.redis.stores.router_cooldowns",
        attribute="RouterCooldownStore.put",
        parameters=("model_id", "ttl"),
        adds="the end of a cooldown whose deployment fails again during it",
        releases="since 1.110.0",
        unnecessary_when="a later failure prolongs the cooldown (issue #40130)",
        joint=AfterCall(remember_entry),
        router=RUST,
    ),
    Seam(
        name="cooldown-put-async",
        module="litellm.redis.stores.router_cooldowns",
        attribute="RouterCooldownStore.async_put",
        parameters=("model_id", "ttl"),
        adds="the same where the failed request was asynchronous, as all of the proxy's are",
        releases="since 1.110.0",
        unnecessary_when="a later failure prolongs the cooldown (issue #40130)",
        joint=AfterCall(remember_entry),
        router=RUST,
    ),
    Seam(
        name="cooldown-active",
        module="litellm.router_utils.cooldown_cache",
        attribute="CooldownCache.get_active_cooldowns",
        parameters=("model_ids",),
        adds="the time that is left of a cooldown, where LiteLLM tells the configured one",
        releases="since 1.110.0, whose router in Rust asks nothing else before it refuses",
        unnecessary_when="LiteLLM tells the remaining time; no release does (1.110.2)",
        joint=AfterCall(note_active),
        init_parameter="store",
        router=RUST,
    ),
    Seam(
        name="refusal",
        module="litellm.types.router",
        attribute="RouterRateLimitError.__init__",
        parameters=("cooldown_time",),
        adds="the remaining time to the exception, also as its attribute retry_after",
        releases="all since 1.53.1",
        unnecessary_when="LiteLLM tells the remaining time; no release does (1.110.2)",
        joint=PutOnRefusal(),
    ),
    Seam(
        name="fallbacks",
        module="litellm.router_utils.fallback_event_handlers",
        attribute="log_failure_fallback_event",
        parameters=("original_exception",),
        adds="the wait of cooling fallbacks to the error of the group that was asked for",
        releases="1.53.1-1.109.3",
        unnecessary_when="LiteLLM links the errors of fallbacks to the one that it raises",
        joint=AfterCall(remember_refusals),
        router=PYTHON,
    ),
    Seam(
        name="fallbacks-rust",
        module="litellm.router_rust.invoke.walk",
        attribute="FallbackOutcomes.done",
        parameters=("event", "level_error", "hop_error"),
        adds="the same where the router in Rust walks the fallbacks",
        releases="since 1.110.0",
        unnecessary_when="LiteLLM links the errors of fallbacks to the one that it raises",
        joint=AfterCall(remember_hop),
        router=RUST,
    ),
    Seam(
        name="budgets",
        module="litellm.router_strategy.budget_limiter",
        attribute="RouterBudgetLimiting._filter_out_deployments_above_budget",
        parameters=(
            "healthy_deployments",
            "provider_configs",
            "deployment_configs",
            "request_tags",
            "spend_map",
        ),
        adds="the end of the window to a refusal by a budget of a provider, a deployment or a tag",
        releases="since 1.55.3",
        unnecessary_when="the refusal carries its time",
        joint=AfterCall(remember_end),
        unneeded=lacks("RouterBudgetLimiting"),
    ),
    Seam(
        name="proxy-exception",
        module="litellm.proxy._types",
        attribute="ProxyException.__init__",
        parameters=("message", "code", "headers"),
        adds="Retry-After to a 429 that is made of the router's refusal",
        releases="all since 1.53.1",
        unnecessary_when="every endpoint sets it; since 1.90.0 (PR #30098) 8 of 16 kinds do",
        joint=AfterCall(say_retry_after),
    ),
    Seam(
        name="stream-errors",
        module="litellm.proxy.common_request_processing",
        attribute="JSONResponse",
        parameters=("content", "status_code"),
        adds="Retry-After to the 429 of a stream that fails when it is read for the first time",
        releases="since 1.83.0, which answer it in JSON; used there for nothing else",
        unnecessary_when="create_response keeps the headers of the error",
        joint=AfterCall(say_in_its_place),
        unneeded=lacks("JSONResponse"),
    ),
    Seam(
        name="proxy-app",
        module="litellm.proxy.proxy_server",
        attribute="app",
        parameters=("message", "type", "param", "code"),
        adds="a 429 where an endpoint lets the router's refusal escape as a bare 500",
        releases="all since 1.53.1; speech needs it up to 1.99, Gemini in 1.77.7-1.83.14",
        unnecessary_when="no endpoint lets a RouterRateLimitError escape",
        joint=RefusalHandler(),
    ),
    Seam(
        name="proxy-app-http",
        module="litellm.proxy.proxy_server",
        attribute="app",
        parameters=(),
        adds="whole seconds where FastAPI answers a limiter's HTTPException with fractions, and a "
        "429 where it answers the router's refusal with 500",
        releases="all since 1.53.1; speech sends fractions in old ones, RAG queries hide refusals",
        unnecessary_when="no limiter uses parallel_request_limiter's time_to_next_minute, and "
        "rag_query converts the router's refusals",
        joint=AfterHandler(("starlette.exceptions", "HTTPException"), say_valid_retry_after),
    ),
    Seam(
        name="proxy-app-cors",
        module="litellm.proxy.proxy_server",
        attribute="app",
        parameters=(),
        adds="both headers to access-control-expose-headers, for pages of another origin",
        releases="all since 1.53.1; not /v1/messages from 1.101.2",
        unnecessary_when="LiteLLM's CORS middleware exposes them",
        joint=AfterHandler(("litellm.proxy._types", "ProxyException"), expose),
    ),
)
