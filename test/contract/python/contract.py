"""OpenAI's Python package, unmodified, and the scripts of two READMEs against a running server and its LiteLLM proxy.

VECTOR_STORE_URL   the server, without /v1
VECTOR_STORE_KEY   its key
SOURCE_DATABASE_URL  a PostgreSQL with pgvector for the "existing database" of the migration script
SNIPPETS_PYTHON    a Python that has httpx, for the examples of litellm-vector-store
SNIPPETS_PDF       the document of these examples, which begins with "Lorem ipsum dolor sit amet"

The last line is "N passed, N failed"; the exit code is 0 only when nothing failed.
"""

import asyncio
import sys
import traceback

import documents  # noqa: F401  (declares its checks)
import migration  # noqa: F401  (declares its check)
import numpy
import openai
import snippets  # noqa: F401  (declares its checks)
from harness import KEY, URL, a_store, check, checks, client, equal, fill, lenient, raises, raw, texts
from openai.types import VectorStore, VectorStoreDeleted

UNKNOWN = "vs_00000000000070008000000000000000"


@check
def create_retrieve_update_delete():
    store = client.vector_stores.create(
        name="Support FAQ",
        description="What customers ask",
        metadata={"team": "support"},
        expires_after={"anchor": "last_active_at", "days": 7},
    )
    equal(type(store), VectorStore)
    equal((store.name, store.status, store.usage_bytes), ("Support FAQ", "completed", 0))
    equal(store.metadata, {"team": "support"})
    equal(store.expires_after.days, 7)
    equal(store.expires_at, store.last_active_at + 7 * 86400)
    counts = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}
    equal(store.file_counts.model_dump(), counts)
    equal(client.vector_stores.retrieve(store.id), store)

    updated = client.vector_stores.update(store.id, name="FAQ", metadata={"team": "sales"}, expires_after=None)
    equal((updated.name, updated.metadata), ("FAQ", {"team": "sales"}))
    equal((updated.expires_after, updated.expires_at), (None, None))
    equal(client.vector_stores.retrieve(store.id).name, "FAQ")

    deleted = client.vector_stores.delete(store.id)
    equal(deleted, VectorStoreDeleted(id=store.id, object="vector_store.deleted", deleted=True))
    with raises(openai.NotFoundError):
        client.vector_stores.retrieve(store.id)
    with raises(openai.NotFoundError):
        client.vector_stores.delete(store.id)


@check
def an_unnamed_store_passes_the_strict_types():
    with a_store() as store:
        equal(store.name, "")
        equal(client.vector_stores.retrieve(store.id).metadata, {})


@check
def list_pages_by_itself_in_both_orders():
    made = [client.vector_stores.create(name=f"page {i}").id for i in range(45)]
    try:
        ours = set(made)
        # The default page holds 20, so this is three pages or more.
        newest_first = [store.id for store in client.vector_stores.list() if store.id in ours]
        equal(newest_first, made[::-1])
        equal([store.id for store in client.vector_stores.list(limit=7, order="asc") if store.id in ours], made)
        page = client.vector_stores.list(limit=10, order="asc", after=made[9])
        equal([store.id for store in page.data][:10], made[10:20])
        equal(page.has_more, True)
        back = client.vector_stores.list(limit=5, order="asc", before=made[20])
        equal([store.id for store in back.data], made[15:20])
    finally:
        for store_id in made:
            client.vector_stores.delete(store_id)


ROWS = [
    {"content": "red apples grow on trees", "metadata": {"kind": "fruit", "price": 3, "organic": True}},
    {"content": "green pears grow on trees", "metadata": {"kind": "fruit", "price": 5.5, "organic": False}},
    {"content": "blue whales swim in the sea", "metadata": {"kind": "animal", "price": 900}},
]
APPLES, PEARS, WHALES = (row["content"] for row in ROWS)


@check
def search_answers_in_order_and_in_the_packages_types():
    with a_store(name="shop") as store:
        fill(store.id, ROWS)
        page = client.vector_stores.search(store.id, query="whales in the sea", max_num_results=2)
        equal(texts(page)[0], WHALES)
        equal(len(page.data), 2)
        best, second = page.data
        equal(best.attributes, {"kind": "animal", "price": 900})
        if not 1 >= best.score > second.score >= 0:
            raise AssertionError(f"scores {best.score}, {second.score}")
        equal({type(value) for value in second.attributes.values()} <= {str, int, float, bool}, True)
        both = client.vector_stores.search(store.id, query=["red apples", "blue whales"], max_num_results=2)
        equal(sorted(texts(both)), sorted([APPLES, WHALES]))
        exact = client.vector_stores.search(
            store.id, query=APPLES, rewrite_query=True, ranking_options={"ranker": "auto", "score_threshold": 0.99}
        )
        equal(texts(exact), [APPLES])
        equal(client.vector_stores.retrieve(store.id).file_counts.completed, 3)


@check
def filters_keep_their_types():
    with a_store(name="shop") as store:
        fill(store.id, ROWS)

        def found(filters):
            return sorted(texts(client.vector_stores.search(store.id, query="trees", filters=filters)))

        equal(found({"type": "eq", "key": "kind", "value": "fruit"}), sorted([APPLES, PEARS]))
        equal(found({"type": "eq", "key": "organic", "value": True}), [APPLES])
        equal(found({"type": "eq", "key": "price", "value": "3"}), [])
        equal(found({"type": "gt", "key": "price", "value": 5.4}), sorted([PEARS, WHALES]))
        equal(found({"type": "in", "key": "kind", "value": ["animal", "stone"]}), [WHALES])
        cheap = {"type": "lt", "key": "price", "value": 4}
        animal = {"type": "eq", "key": "kind", "value": "animal"}
        equal(found({"type": "or", "filters": [cheap, animal]}), sorted([APPLES, WHALES]))
        equal(found({"type": "and", "filters": [{"type": "or", "filters": [cheap, animal]}, cheap]}), [APPLES])


@check
def an_empty_store_finds_nothing():
    with a_store() as store:
        equal(client.vector_stores.search(store.id, query="anything").data, [])


@check
def models_and_embeddings():
    # Models carry more than the types know, which strict parsing allows.
    models = [model.id for model in client.models.list()]
    embedding_models = [model["id"] for model in raw("GET", "/embeddings/models")["data"]]
    if not embedding_models or not set(embedding_models) <= set(models):
        raise AssertionError(f"embedding models {embedding_models} of {models}")
    model = embedding_models[0]
    words = ["red apples", "blue whales"]
    # The package requests base64 by default and decodes it with numpy.
    decoded = lenient.embeddings.create(model=model, input=words)
    plain = client.embeddings.create(model=model, input=words, encoding_format="float")
    equal([item.index for item in decoded.data], [0, 1])
    for one, other in zip(decoded.data, plain.data):
        equal(numpy.allclose(one.embedding, other.embedding, atol=1e-6), True)
    equal(numpy.allclose(decoded.data[0].embedding, decoded.data[1].embedding, atol=1e-3), False)


@check
def errors_have_their_types():
    with raises(openai.NotFoundError, status_code=404, code="not_found", param="vector_store_id", type="invalid_request_error"):
        client.vector_stores.retrieve(UNKNOWN)
    with raises(openai.NotFoundError):
        client.vector_stores.search(UNKNOWN, query="x")
    with raises(openai.BadRequestError, param="limit"):
        client.vector_stores.list(limit=101)
    with raises(openai.BadRequestError, param="expires_after.days"):
        client.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 0})
    with a_store() as store, raises(openai.BadRequestError, param="max_num_results"):
        client.vector_stores.search(store.id, query="x", max_num_results=51)
    with raises(openai.BadRequestError, code="invalid_value"):
        client.vector_stores.retrieve("not-an-id")
    stranger = client.with_options(api_key=f"{KEY}x")
    with raises(openai.AuthenticationError, status_code=401):
        stranger.vector_stores.list()
    with raises(openai.NotFoundError):
        client.get("/_stainless_unknown_path", cast_to=object)


@check
def the_asynchronous_client_pages_and_searches():
    async def run():
        async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, _strict_response_validation=True) as many:
            stores = await asyncio.gather(*(many.vector_stores.create(name=f"async {i}") for i in range(12)))
            try:
                made = {store.id for store in stores}
                listed = [store.id async for store in many.vector_stores.list(limit=5) if store.id in made]
                equal(len(listed), 12)
                equal(set(listed), made)
                pages = await asyncio.gather(*(many.vector_stores.search(store.id, query="x") for store in stores))
                equal([page.data for page in pages], [[]] * 12)
            finally:
                await asyncio.gather(*(many.vector_stores.delete(store.id) for store in stores))

    asyncio.run(run())


def main():
    failed = 0
    print(f"openai {openai.__version__} against {URL}")
    for function in checks:
        try:
            function()
        except Exception:
            failed += 1
            print(f"not ok: {function.__name__}")
            traceback.print_exc(file=sys.stdout)
        else:
            print(f"ok: {function.__name__}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
