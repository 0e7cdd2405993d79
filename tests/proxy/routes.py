"""What every route of LiteLLM's proxies has to do with this project, as patterns.

A route that no pattern names fails `test_routes.py`, so that a release with a new route asks
for a decision. The first class that fits counts. A pattern is a route's template; ``*`` stands
for one segment or a parameter, ``**`` for anything.
"""

from __future__ import annotations

TESTED = {
    # Patterns of routes to names of kinds in `litellm_patch.tools.lab.endpoints`. Routes that share
    # a pattern share LiteLLM's handler.
    "chat": "/v1/chat/completions /chat/completions /queue/chat/completions",
    "chat-azure": "/openai/deployments/*/chat/completions",
    "chat-cursor": "/cursor/chat/completions",
    "chat-engines": "/engines/*/chat/completions",
    "completions": "/v1/completions /completions /engines/*/completions",
    "completions-azure": "/openai/deployments/*/completions",
    "embeddings": "/v1/embeddings /embeddings /engines/*/embeddings",
    "embeddings-azure": "/openai/deployments/*/embeddings",
    "images": "/v1/images/generations /images/generations",
    "images-azure": "/openai/deployments/*/images/generations",
    "image-edits": "/v1/images/edits /images/edits /openai/deployments/*/images/edits",
    "speech": "/v1/audio/speech /audio/speech",
    "transcriptions": "/v1/audio/transcriptions /audio/transcriptions",
    "moderations": "/v1/moderations /moderations",
    "rerank": "/v1/rerank /rerank",
    "rerank-v2": "/v2/rerank",
    "responses": "/v1/responses /responses /openai/v1/responses",
    "responses-compact": "/v1/responses/compact /responses/compact /openai/v1/responses/compact",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/*:generateContent /models/*:generateContent",
    "gemini-stream": "/v1beta/models/*:streamGenerateContent /models/*:streamGenerateContent",
    "interactions": "/v1beta/interactions /interactions",
    "ocr": "/v1/ocr /ocr",
    "videos": "/v1/videos /videos",
    "batches": "/v1/batches /batches /*/v1/batches",
    "files": "/v1/files /files /*/v1/files",
    "videos-remix": "/v1/videos/*/remix /videos/*/remix",
    "videos-edits": "/v1/videos/edits /videos/edits",
    "videos-extensions": "/v1/videos/extensions /videos/extensions",
    "videos-characters": "/v1/videos/characters /videos/characters",
    "vector-stores": "/v1/vector_stores /vector_stores",
    "vector-stores-search": "/v1/vector_stores/*/search /vector_stores/*/search",
    "vector-stores-update": "/v1/vector_stores/* /vector_stores/*",
    "vector-stores-files": "/v1/vector_stores/*/files /vector_stores/*/files",
    "vector-stores-file": "/v1/vector_stores/*/files/* /vector_stores/*/files/*",
    "realtime-secrets": (
        "/v1/realtime/client_secrets /realtime/client_secrets /openai/v1/realtime/client_secrets"
    ),
    "realtime-transcription": (
        "/v1/realtime/transcription_sessions /realtime/transcription_sessions"
        " /openai/v1/realtime/transcription_sessions"
    ),
    "realtime-translation": (
        "/v1/realtime/translations/client_secrets /realtime/translations/client_secrets"
    ),
}

NO_GROUP = (
    # LLM routes that never choose among the deployments of a group: what they act on is named
    # by an id, or they count, or they take the credentials of a provider and not of a group.
    "/v1/messages/count_tokens /v1beta/models/*:countTokens /models/*:countTokens",
    "/v1/responses/input_tokens /responses/input_tokens /openai/v1/responses/input_tokens",
    "/v1/responses/*/cancel /responses/*/cancel /openai/v1/responses/*/cancel",
    "/v1/batches/*/cancel /batches/*/cancel /*/v1/batches/*/cancel",
    "/v1/fine_tuning/jobs /fine_tuning/jobs /v1/fine_tuning/jobs/*/cancel",
    "/fine_tuning/jobs/*/cancel",
    "/v1beta/interactions/*/cancel /interactions/*/cancel /v1beta/agents",
    "/v1/assistants /assistants /v1/threads /threads /v1/threads/** /threads/**",
    "/v1/containers /containers /v1/containers/** /containers/**",
    "/v1/evals /v1/evals/** /v1/skills /v1/skills/**",
    "/v1/search /search /v1/search/* /search/*",  # search tools have no cooldown
    "/v1/rag/ingest /rag/ingest",
    "/utils/token_counter /utils/transform_request",
    # They run as the provider, not as a group.
    "/a2a/** /v1/a2a/** /mcp /mcp/** /mcp-rest/** /toolset/** /*/mcp",
    "/v1/decisions /decisions /v1/extraction /extraction",
    "/v1/systemone /systemone /*/v1/systemone",
    "/backend-api/codex/*",  # with the client's own credential
    "/transcribe /transcribe/* /comprehendmedical /comprehendmedical/*",
)

NOT_TESTED = (
    # The key of these is what the client_secrets of the same kind made when it was served; they
    # are refused as that route is, by the same function.
    "/v1/realtime/calls /realtime/calls /openai/v1/realtime/calls",
    "/v1/realtime/translations/calls /realtime/translations/calls",
    # It asks a provider for documents before it asks the group, so that it is no kind in
    # `ENDPOINTS`; tests/limits/test_chains.py asks it.
    "/v1/rag/query /rag/query",
    # Pass-through. Those that look for a group of the name (vLLM, Azure, Bedrock and others) do
    # not refuse while it is cooling: they go on with the name as if it were a provider's model,
    # and answer that there is none (Bedrock 400, the others a bare 500; seen on 1.89.7, 1.109.1).
    "/**{endpoint:path}",
)

MANAGEMENT = (
    # Not LLM routes: keys, users, teams, budgets, spend, settings, health, login, pages.
    "/ /_next/** /.well-known/** /litellm/.well-known/** /litellm-asset-prefix/**",
    "/ui/** /swagger/**",
    "/access_group/** /active/** /adaptive_router/** /add/** /agent/** /alerting/** /api/**",
    "/apply_guardrail /audit/** /authorize /authorize/** /auto_router/** /budget/**",
    "/cache/** /callback",
    "/callbacks/** /claude-code/** /claude_code_gateway/** /cloudzero/** /compliance/**",
    "/config/** /config_overrides/** /coordination_redis/** /cost/** /cost_optimization/**",
    "/credentials /credentials/** /customer/** /debug/** /delete/** /email/** /end_user/**",
    "/fallback /fallback/** /gateway/** /get/** /global/** /guardrails /guardrails/** /health/**",
    "/in_product_nudges /introspect /invitation/** /jwt/** /key/** /lazy/** /lens /lens/**",
    "/liteadmin/** /login /management/** /model/** /model-insights/** /model_group/**",
    "/model_hub/** /moyai/** /oauth/** /onboarding/** /organization/** /otel-spans",
    "/plugin-proxy/** /policies /policies/** /policy/** /project/** /prompts /prompts/**",
    "/provider/** /public/** /register /reload/** /revoke /router/** /schedule/** /scim/**",
    "/search_tools /search_tools/** /session/** /settings /skill-hub/** /spend/** /sso/**",
    "/subscription_accounts/** /tag/** /team/** /telemetry/** /token /update/** /upload/**",
    "/usage/ai/chat",  # the dashboard's; its answer has begun before a model is asked
    "/user/** /utils/dotprompt_json_converter /utils/test_policies_and_guardrails",
    "/v1/access_group /v1/agents /v1/agents/** /v1/indexes /v1/logs /v1/mcp/**",
    "/v1/memory /v1/rust_control_plane/** /v1/tool/** /v1/traces /v1/traces/**",
    "/v1/unified_access_group /v1/workflows/** /v2/key/** /v2/login /v2/guardrails/**",
    "/v3/login /v3/login/** /vantage/** /vector_store/**",
    "/v1/vector_store/** /*/authorize /*/token /*/register",
)
