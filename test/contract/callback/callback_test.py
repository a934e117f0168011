"""Tests of chart/files/vector_store_identity.py: python3 -B callback_test.py."""

import base64
import hashlib
import hmac
import json
import time
import types
import unittest

from stubs import SECRET, CallType, Role, UserAPIKeyAuth, call, litellm, load, proxy_server

HEADER = "x-vector-store-identity"
OURS = "http://vector-store:8000"


def search(auth=None, **more):
    """The arguments of a search as LiteLLM makes them."""
    return {
        "vector_store_id": "vs_1",
        "query": "a",
        "custom_llm_provider": "pg_vector",
        "api_base": OURS,
        "litellm_metadata": {"user_api_key_auth": auth or UserAPIKeyAuth()},
        **more,
    }


def headers(loaded, kwargs, call_type=CallType.SEARCH):
    changed = call(loaded, kwargs, call_type)
    return (changed or {}).get("extra_headers") or {}


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def claims(loaded, kwargs, call_type=CallType.SEARCH):
    return decode(headers(loaded, kwargs, call_type)[HEADER].split(".")[1])


class Case(unittest.TestCase):
    def setUp(self):
        litellm.credential_list = []
        proxy_server.general_settings = {}
        self.loaded = load()


class Tokens(Case):
    def test_say_who_asks_and_for_what(self):
        auth = UserAPIKeyAuth(team_id="red", user_role=Role.ADMIN)
        token = headers(self.loaded, search(auth))[HEADER]
        head, payload, signature = token.split(".")
        self.assertEqual(decode(head), {"alg": "HS256", "typ": "JWT"})
        expected = hmac.digest(SECRET.encode(), f"{head}.{payload}".encode(), hashlib.sha256)
        self.assertEqual(base64.urlsafe_b64decode(signature + "="), expected)
        found = decode(payload)
        begun = found.pop("iat")
        self.assertAlmostEqual(begun, time.time(), delta=60)
        self.assertEqual(found.pop("exp"), begun + 60)
        self.assertRegex(found.pop("jti"), "^[0-9a-f]{32}$")
        self.assertEqual(
            found,
            {
                "iss": "litellm",
                "aud": "vector-store",
                "sub": "ann",
                "team": "red",
                "key": "ab" * 32,
                "role": "proxy_admin",
                "op": "search",
                "store": "vs_1",
            },
        )

    def test_name_the_operation_by_the_log_where_litellm_has_no_call_type(self):
        for name in ("create", "retrieve", "update", "delete", "list", "file_create", "file_content"):
            log = types.SimpleNamespace(call_type=f"avector_store_{name}")
            self.assertEqual(claims(self.loaded, search(litellm_logging_obj=log), None)["op"], name)

    def test_never_carry_a_key_in_clear_text(self):
        for key in ("sk-secret", "hashed-jwt-" + "ab" * 32, None):
            self.assertIsNone(claims(self.loaded, search(UserAPIKeyAuth(api_key=key)))["key"])
        master = UserAPIKeyAuth(api_key="litellm_proxy_master_key")
        self.assertEqual(claims(self.loaded, search(master))["key"], "litellm_proxy_master_key")

    def test_name_no_user_where_a_header_may_name_another_one(self):
        mapping = {"header_name": "x-user", "litellm_user_role": "internal_user"}
        customer = {"header_name": "x-customer", "litellm_user_role": "customer"}
        for mappings, user in (([customer, mapping], None), (mapping, None), ([customer], "ann"), (None, "ann")):
            proxy_server.general_settings = {"user_header_mappings": mappings}
            self.assertEqual(claims(self.loaded, search())["sub"], user)

    def test_are_signed_with_the_first_of_several_secrets(self):
        loaded = load(LITELLM_IDENTITY_SECRET=f" {SECRET} , another secret of at least 32 bytes")
        self.assertEqual(loaded.SECRET, SECRET.encode())


class Headers(Case):
    def test_of_the_caller_stay_except_one_of_this_name(self):
        forged = {"X-Vector-Store-Identity": "1", "x_vector_store_identity": "2", " X-VECTOR-STORE-IDENTITY ": "3"}
        kept = headers(self.loaded, search(extra_headers={**forged, "x-other": "4"}))
        self.assertEqual(set(kept), {HEADER, "x-other"})
        self.assertEqual(len(kept[HEADER].split(".")), 3)

    def test_that_are_no_object_are_dropped(self):
        for given in ([[HEADER, "1"]], "x", 7, None):
            self.assertEqual(set(headers(self.loaded, search(extra_headers=given))), {HEADER})

    def test_do_not_change_the_call_itself(self):
        kwargs = search(extra_headers={"x-other": "4"})
        call(self.loaded, kwargs)
        self.assertEqual(kwargs["extra_headers"], {"x-other": "4"})


class Callers(Case):
    def test_unknown_ones_get_no_token_and_cannot_bring_one(self):
        forged = {"user_api_key_auth": {"api_key": "ab" * 32, "user_id": "ann"}, "user_api_key_user_id": "ann"}
        ann, ben = ({"user_api_key_auth": UserAPIKeyAuth(user_id=name)} for name in ("ann", "ben"))
        for boxes in (
            {"litellm_metadata": None},
            {"litellm_metadata": {}},
            {"litellm_metadata": "text"},
            {"litellm_metadata": forged},
            {"litellm_metadata": forged, "metadata": forged},
            {"litellm_metadata": ann, "metadata": ben},
        ):
            brought = {HEADER: "1", "x-other": "2"}
            self.assertEqual(headers(self.loaded, search(extra_headers=brought, **boxes)), {"x-other": "2"})

    def test_a_forged_box_beside_the_true_one_is_ignored(self):
        forged = {"user_api_key_auth": {"user_id": "ben"}}
        self.assertEqual(claims(self.loaded, search(metadata=forged))["sub"], "ann")


class Destinations(Case):
    def is_signed(self, loaded=None, **more):
        return HEADER in headers(loaded or self.loaded, search(**more))

    def test_only_the_vector_store_gets_a_token(self):
        for base in (OURS, f"{OURS}/", f"{OURS}/v1", "HTTP://Vector-Store:8000"):
            self.assertTrue(self.is_signed(api_base=base), base)
        for base in (
            "http://vector-store",
            "http://vector-store:8001",
            "https://vector-store:8000",
            "http://vector-store:8000@evil.example",
            "http://evil.example/vector-store:8000",
            "http://evil.vector-store:8000",
            "vector-store:8000",
            7,
        ):
            self.assertFalse(self.is_signed(api_base=base), base)

    def test_without_api_base_it_is_that_of_the_environment_for_pg_vector_only(self):
        for provider, signed in (("pg_vector", True), ("pg_vector/x", True), ("openai", False), (None, False)):
            self.assertEqual(self.is_signed(api_base=None, custom_llm_provider=provider), signed)
        other = load(VECTOR_STORE_API_BASE="http://other:8000")
        self.assertFalse(self.is_signed(other, api_base=None))
        self.assertTrue(self.is_signed(other, api_base="http://other:8000/v1"))

    def test_a_credential_names_it_where_the_call_does_not(self):
        def credential(name, base):
            return types.SimpleNamespace(credential_name=name, credential_values={"api_base": base})

        litellm.credential_list = [credential("ours", OURS), credential("theirs", "http://theirs:8000")]
        without = {name: value for name, value in search().items() if name != "api_base"}
        for name, signed in (("ours", True), ("theirs", False), ("unknown", True), (None, True)):
            found = headers(self.loaded, {**without, "litellm_credential_name": name})
            self.assertEqual(HEADER in found, signed, name)

    def test_several_are_separated_by_commas(self):
        several = load(VECTOR_STORE_API_BASE="http://one:1, https://two")
        self.assertTrue(self.is_signed(several, api_base="http://one:1/v1"))
        self.assertTrue(self.is_signed(several, api_base="https://two:443"))


class Models(Case):
    def test_calls_that_use_stores_are_never_cached(self):
        cache = {"no-cache": True, "no-store": True}
        for more in ({"vector_store_ids": ["vs_1"]}, {"tools": [{"type": "file_search"}]}):
            asked = {"model": "m", "messages": [], "cache": {"no-cache": False}, **more}
            self.assertEqual(call(self.loaded, asked, CallType.CHAT), {**asked, "cache": cache})

    def test_other_calls_stay_as_they_are(self):
        for more in ({}, {"tools": [{"type": "function"}]}, {"tools": None}, {"tools": "x"}, {"vector_store_ids": []}):
            self.assertIsNone(call(self.loaded, {"model": "m", "api_base": OURS, **more}, CallType.CHAT))


class Start(unittest.TestCase):
    def test_is_refused_without_what_makes_tokens_worth_something(self):
        for changes in (
            {"LITELLM_IDENTITY_SECRET": None},
            {"LITELLM_IDENTITY_SECRET": "x" * 31},
            {"LITELLM_IDENTITY_SECRET": f"short,{SECRET}"},
            {"PG_VECTOR_API_BASE": None},
            {"PG_VECTOR_API_BASE": "vector-store:8000"},
            {"VECTOR_STORE_API_BASE": "http://one:1,"},
        ):
            with self.assertRaises(ValueError, msg=changes):
                load(**changes)


if __name__ == "__main__":
    unittest.main()
