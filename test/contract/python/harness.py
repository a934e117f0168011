"""Shared by the checks: the clients, the declaration of a check, and messages with the expected value."""

import contextlib
import os

import openai
import requests

URL = os.environ["VECTOR_STORE_URL"].rstrip("/")
KEY = os.environ["VECTOR_STORE_KEY"]
SOURCE = os.environ["SOURCE_DATABASE_URL"]

# Strict: every answer is checked against the package's own types.
client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, _strict_response_validation=True)
# The package decodes base64 only after that check, so the check refuses the package's own default for embeddings.
lenient = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
checks = []


def check(function):
    checks.append(function)
    return function


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


@contextlib.contextmanager
def raises(kind, **fields):
    try:
        yield
    except kind as error:
        for name, value in fields.items():
            equal(getattr(error, name), value)
        return
    raise AssertionError(f"expected {kind.__name__}")


@contextlib.contextmanager
def a_store(**body):
    store = client.vector_stores.create(**body)
    try:
        yield store
    finally:
        client.vector_stores.delete(store.id)


def raw(method, path, **arguments):
    answer = requests.request(method, f"{URL}/v1{path}", headers={"Authorization": f"Bearer {KEY}"}, timeout=120, **arguments)
    if answer.status_code != 200:
        raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def fill(store_id, rows):
    raw("POST", f"/vector_stores/{store_id}/embeddings/batch", json={"embeddings": rows})


def texts(page):
    return [item.content[0].text for item in page]
