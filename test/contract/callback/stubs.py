"""Loads chart/files/vector_store_identity.py without LiteLLM: of its packages, the little that the file uses."""

import asyncio
import enum
import importlib.util
import os
import pathlib
import sys
import types

FILE = pathlib.Path(__file__).parents[3] / "chart/files/vector_store_identity.py"
SECRET = "a secret of 32 bytes for the tests"
ENVIRONMENT = {"LITELLM_IDENTITY_SECRET": SECRET, "PG_VECTOR_API_BASE": "http://vector-store:8000"}


class Role(enum.Enum):
    USER = "internal_user"
    ADMIN = "proxy_admin"


class UserAPIKeyAuth:
    def __init__(self, api_key="ab" * 32, user_id="ann", team_id=None, user_role=Role.USER):
        self.api_key, self.user_id, self.team_id, self.user_role = api_key, user_id, team_id, user_role


def module(name, **contents):
    made = types.ModuleType(name)
    vars(made).update(contents)
    sys.modules[name] = made
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, made)
    return made


litellm = module("litellm", credential_list=[])
module("litellm.integrations")
module("litellm.integrations.custom_logger", CustomLogger=object)
module("litellm.proxy")
proxy_server = module("litellm.proxy.proxy_server", general_settings={})
module("litellm.proxy._types", UserAPIKeyAuth=UserAPIKeyAuth)


def load(**changes):
    """The callback file, freshly loaded with this environment. None takes a variable away."""
    for name, value in {"VECTOR_STORE_API_BASE": None, **ENVIRONMENT, **changes}.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    spec = importlib.util.spec_from_file_location("vector_store_identity", FILE)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


class CallType(enum.Enum):
    SEARCH = "asearch"
    CHAT = "acompletion"


def call(loaded, kwargs, call_type=CallType.SEARCH):
    return asyncio.run(loaded.instance.async_pre_call_deployment_hook(kwargs, call_type))
