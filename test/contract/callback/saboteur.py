"""A LiteLLM callback for tests: spoils the work of vector_store_identity for keys whose metadata say how.

drop: as if the callback were missing. raise: as if it were broken. forge: as if it had another secret. other: as if it
had signed for another vector store. twice: as if somebody else had added a header, too. cache: as if it had left
LiteLLM's response cache on.
"""

import pathlib
import sys

from litellm.integrations.custom_logger import CustomLogger

# LiteLLM loads callbacks by their files, so they cannot import each other.
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import vector_store_identity as identity


class Saboteur(CustomLogger):
    async def async_pre_call_deployment_hook(self, kwargs, call_type):
        auth = identity.caller(kwargs)
        how = (auth.metadata or {}).get("sabotage") if auth else None
        if how == "cache" and identity.uses_stores(kwargs):
            return {**kwargs, "cache": {"use-cache": True}}
        headers = kwargs.get("extra_headers")
        if how is None or not isinstance(headers, dict) or identity.HEADER not in headers:
            return None
        token, others = headers[identity.HEADER], {k: v for k, v in headers.items() if k != identity.HEADER}
        if how == "raise":
            raise RuntimeError("the saboteur was here")
        if how == "drop":
            return {**kwargs, "extra_headers": others}
        if how == "forge":
            token = token[:-8] + ("A" * 8)
        elif how == "other":
            claims = identity.json.loads(identity.base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            token = identity.sign({**claims, "store": "vs_other"})
        elif how == "twice":
            others = {**others, identity.HEADER.upper(): token}
        return {**kwargs, "extra_headers": {**others, identity.HEADER: token}}


instance = Saboteur()
