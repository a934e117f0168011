"""LiteLLM callback: tells the vector store who asks.

Put this file beside LiteLLM's config.yaml, or on PYTHONPATH, and load it there:

    litellm_settings:
      callbacks: ["vector_store_identity.instance"]

The environment: LITELLM_IDENTITY_SECRET is the secret that the vector store has, too; of several with commas, the
first one signs. VECTOR_STORE_API_BASE is the vector store's URL as LiteLLM's `api_base` says it, or several with
commas; if it is not set, PG_VECTOR_API_BASE counts. Nobody else gets a token.

LiteLLM's calls to the vector store then carry `x-vector-store-identity`, a JWT (HS256) about the caller whom LiteLLM
itself has authenticated, for one minute, one operation and one vector store. What a caller has put into that header is
dropped. Without a caller whom LiteLLM names there is no token, so the vector store refuses the call.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import time
from urllib.parse import urlsplit

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy import proxy_server
from litellm.proxy._types import UserAPIKeyAuth

HEADER = "x-vector-store-identity"
LIFE_SECONDS = 60
# A search has the call type "asearch". Other calls have none that LiteLLM knows; their log says "avector_store_create".
OPERATION = re.compile(r"a(?:vector_store_)?((?:file_)?(?:search|create|retrieve|update|delete|list|content))")
# How LiteLLM names keys: by their SHA-256, and the master key by this word. Never a key in clear text.
KEY = re.compile(r"[0-9a-f]{64}|litellm_proxy_master_key")


def place(url):
    """Scheme, host and port of a URL; None: it has no host."""
    parts = urlsplit(str(url or "").strip())
    if not parts.hostname:
        return None
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


SECRET = os.environ.get("LITELLM_IDENTITY_SECRET", "").split(",")[0].strip().encode()
BASES = os.environ.get("VECTOR_STORE_API_BASE") or os.environ.get("PG_VECTOR_API_BASE") or ""
PLACES = {place(base) for base in BASES.split(",")}
if len(SECRET) < 32:
    raise ValueError("LITELLM_IDENTITY_SECRET must have 32 bytes or more; openssl rand -hex 32 makes one")
if None in PLACES:
    raise ValueError("VECTOR_STORE_API_BASE or PG_VECTOR_API_BASE must be one or several full URLs")


def sign(claims):
    """The only header that the vector store accepts, and the claims, as a JWT."""

    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    payload = json.dumps(claims, separators=(",", ":")).encode()
    text = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(payload)
    return (text + b"." + encode(hmac.digest(SECRET, text, hashlib.sha256))).decode()


def destination(kwargs):
    """Where LiteLLM will send the call. It takes api_base from the call, a named credential, or its environment."""
    name = kwargs.get("litellm_credential_name")
    named = [each for each in litellm.credential_list or [] if name and each.credential_name == name]
    values = {**(named[0].credential_values if named else {}), **kwargs}
    base = values.get("api_base")
    if not base and str(kwargs.get("custom_llm_provider")).split("/")[0] == "pg_vector":
        base = os.environ.get("PG_VECTOR_API_BASE")
    return place(base)


def caller(kwargs):
    """What LiteLLM's authentication made, or None. No JSON from a client can become such an object."""
    boxes = [kwargs.get(name) for name in ("metadata", "litellm_metadata")]
    found = [box.get("user_api_key_auth") for box in boxes if isinstance(box, dict)]
    known = [auth for auth in found if isinstance(auth, UserAPIKeyAuth)]
    return known[0] if len({(auth.api_key, auth.user_id, auth.team_id) for auth in known}) == 1 else None


def user_of(auth):
    """The key's user; None where user_header_mappings let a caller write another user's id over it."""
    mappings = proxy_server.general_settings.get("user_header_mappings") or []
    roles = [each.get("litellm_user_role") for each in (mappings if isinstance(mappings, list) else [mappings])]
    return auth.user_id if all(str(role).lower() == "customer" for role in roles) else None


def uses_stores(kwargs):
    tools = kwargs.get("tools") if isinstance(kwargs.get("tools"), list) else []
    kinds = [tool.get("type") for tool in tools if isinstance(tool, dict)]
    return bool(kwargs.get("vector_store_ids")) or "file_search" in kinds


class VectorStoreIdentity(CustomLogger):
    async def async_pre_call_deployment_hook(self, kwargs, call_type):
        name = getattr(call_type, "value", None) or getattr(kwargs.get("litellm_logging_obj"), "call_type", "")
        operation = OPERATION.fullmatch(str(name))
        if not operation or destination(kwargs) not in PLACES:
            # LiteLLM's response cache would give one caller's answer, with its documents, to all who ask the same.
            return {**kwargs, "cache": {"no-cache": True, "no-store": True}} if uses_stores(kwargs) else None
        given = kwargs.get("extra_headers")
        theirs = given.items() if isinstance(given, dict) else ()
        kept = {each: value for each, value in theirs if str(each).strip().lower().replace("_", "-") != HEADER}
        auth, now = caller(kwargs), int(time.time())
        if auth is None:
            return {**kwargs, "extra_headers": kept}
        claims = {
            "iss": "litellm",
            "aud": "vector-store",
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": os.urandom(16).hex(),
            "sub": user_of(auth),
            "team": auth.team_id,
            "key": auth.api_key if KEY.fullmatch(auth.api_key or "") else None,
            "role": getattr(auth.user_role, "value", auth.user_role),
            "op": operation[1],
            "store": kwargs.get("vector_store_id"),
        }
        return {**kwargs, "extra_headers": {**kept, HEADER: sign(claims)}}


instance = VectorStoreIdentity()
