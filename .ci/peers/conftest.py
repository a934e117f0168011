"""What OGX's tests ask of their surroundings, answered for a server that is not OGX: its address, one embedding model,
one provider of vector stores, and OGX's own client, which inserts chunks and takes a search mode. Every answer that a
test looks at comes from the server."""

import os
from types import SimpleNamespace

import httpx
import pytest
from openai import OpenAI

url, key = os.environ["PEER_URL"], os.environ["PEER_KEY"]
model, dimensions, provider = "built-in-hashing", 768, "pgvector"
openai = OpenAI(base_url=url, api_key=key)


def vector_provider_wrapper(test):
    return test


def post(path, body):
    answer = httpx.post(f"{url}{path}", json=body, headers={"authorization": f"Bearer {key}"}, timeout=60)
    answer.raise_for_status()
    return answer.json()


def insert(vector_store_id, chunks, **_):
    """Without OGX's vectors, so that texts and queries are embedded by the same model. OGX repeats ids among stores."""
    rows = [
        {"id": f"{vector_store_id}-{each.chunk_id}", "content": each.content, "metadata": each.metadata}
        for each in chunks
    ]
    post(f"/vector_stores/{vector_store_id}/embeddings/batch", {"embeddings": rows})


def query(vector_store_id, query, params=None):
    body = {"query": query, **(params or {})}
    found = post(f"/vector_stores/{vector_store_id}/search", body)["data"]
    return SimpleNamespace(
        chunks=[SimpleNamespace(content=each["content"], metadata=each["attributes"]) for each in found],
        scores=[each["score"] for each in found],
    )


def search(vector_store_id, query, **body):
    """OpenAI's, with the fields that only OGX has."""
    return openai.vector_stores.search(vector_store_id, query=query, extra_body=body)


providers = [SimpleNamespace(api="vector_io", provider_id=provider, provider_type="remote::pgvector")]
stores = SimpleNamespace(
    create=openai.vector_stores.create,
    list=openai.vector_stores.list,
    delete=openai.vector_stores.delete,
    search=search,
)
client = SimpleNamespace(
    providers=SimpleNamespace(list=lambda: providers),
    vector_io=SimpleNamespace(insert=insert, query=query),
    vector_stores=stores,
)


@pytest.fixture(scope="session")
def compat_client():
    return openai


@pytest.fixture(scope="session")
def client_with_models():
    return client


@pytest.fixture(scope="session")
def ogx_client():
    return client


@pytest.fixture(scope="session")
def embedding_model_id():
    return model


@pytest.fixture(scope="session")
def embedding_dimension():
    return dimensions


@pytest.fixture(scope="session")
def vector_io_provider_id():
    return provider


@pytest.fixture(scope="session")
def text_model_id():
    """None: OGX's contextual chunking, which asks a chat model about every chunk, is not part of this server."""
    return None
