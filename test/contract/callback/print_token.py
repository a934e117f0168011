"""Prints the token of a call by a user whose names must survive JSON and base64."""

from stubs import UserAPIKeyAuth, call, load

kwargs = {
    "vector_store_id": "vs_ü",
    "custom_llm_provider": "pg_vector",
    "metadata": {"user_api_key_auth": UserAPIKeyAuth(user_id="änn@exämple.com 😀", team_id='"red"')},
}
print(call(load(), kwargs)["extra_headers"]["x-vector-store-identity"])
