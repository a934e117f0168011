"""The package's own helpers for files, unmodified."""

import openai
from harness import a_store, check, client, equal, raises

HANDBOOK = b"# Holidays\n\nEvery employee has thirty days of paid leave.\n\n# Travel\n\nTrains are booked by the office.\n"


def found(store, query, **arguments):
    return [item.filename for item in client.vector_stores.search(store.id, query=query, **arguments).data]


@check
def one_file_is_uploaded_and_polled():
    with a_store() as store:
        file = client.vector_stores.files.upload_and_poll(
            vector_store_id=store.id, file=("handbook.md", HANDBOOK), attributes={"team": "people"}
        )
        equal((file.status, file.last_error, file.attributes), ("completed", None, {"team": "people"}))
        equal(client.vector_stores.retrieve(store.id).file_counts.completed, 1)
        equal(found(store, "paid leave", filters={"type": "eq", "key": "team", "value": "people"})[:1], ["handbook.md"])
        equal(found(store, "paid leave", filters={"type": "eq", "key": "team", "value": "sales"}), [])
        text = "".join(part.text for part in client.vector_stores.files.content(file.id, vector_store_id=store.id))
        equal("thirty days of paid leave" in text, True)
        changed = client.vector_stores.files.update(file.id, vector_store_id=store.id, attributes={"team": "sales"})
        equal(changed.attributes, {"team": "sales"})
        equal(found(store, "leave", filters={"type": "eq", "key": "team", "value": "sales"})[:1], ["handbook.md"])
        equal(client.files.content(file.id).read(), HANDBOOK)
        equal(client.vector_stores.files.delete(file.id, vector_store_id=store.id).deleted, True)
        equal(found(store, "paid leave"), [])
        equal(client.files.delete(file.id).deleted, True)
        with raises(openai.NotFoundError):
            client.files.retrieve(file.id)


@check
def a_file_that_is_there_is_attached_and_polled():
    file = client.files.create(file=("note.txt", b"Lunch is at noon."), purpose="assistants")
    equal((file.filename, file.bytes, file.purpose), ("note.txt", 17, "assistants"))
    try:
        with a_store() as store:
            strategy = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}}
            attached = client.vector_stores.files.create_and_poll(
                file.id, vector_store_id=store.id, chunking_strategy=strategy
            )
            equal(attached.status, "completed")
            equal(attached.chunking_strategy.static.max_chunk_size_tokens, 100)
            equal([each.id for each in client.vector_stores.files.list(store.id, filter="completed")], [file.id])
    finally:
        client.files.delete(file.id)


@check
def a_batch_is_uploaded_and_polled():
    with a_store() as store:
        files = [(f"file{i}.txt", f"The number of this file is {i}.".encode()) for i in range(12)]
        batch = client.vector_stores.file_batches.upload_and_poll(vector_store_id=store.id, files=files)
        counts = {"in_progress": 0, "completed": 12, "failed": 0, "cancelled": 0, "total": 12}
        equal((batch.status, batch.file_counts.model_dump()), ("completed", counts))
        listed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, limit=5)
        equal(len(list(listed)), 12)
        for file in client.vector_stores.files.list(store.id):
            client.files.delete(file.id)


@check
def a_batch_of_ids_is_made_and_polled_and_a_bad_file_says_why():
    good = client.files.create(file=("good.txt", b"good"), purpose="assistants")
    bad = client.files.create(file=("bad.pdf", b"%PDF-1.7 broken"), purpose="assistants")
    try:
        with a_store() as store:
            batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=[good.id, bad.id])
            equal((batch.file_counts.completed, batch.file_counts.failed), (1, 1))
            failed = client.vector_stores.files.retrieve(bad.id, vector_store_id=store.id)
            equal((failed.status, failed.last_error.code), ("failed", "invalid_file"))
    finally:
        for file in (good, bad):
            client.files.delete(file.id)


@check
def a_large_file_is_uploaded_in_parts():
    data = b"".join(b"line %d\n" % i for i in range(200_000))
    upload = client.uploads.upload_file_chunked(
        file=data, filename="lines.txt", bytes=len(data), mime_type="text/plain", purpose="assistants", part_size=1_000_000
    )
    equal((upload.status, upload.file.bytes), ("completed", len(data)))
    try:
        equal(client.files.content(upload.file.id).read() == data, True)
    finally:
        client.files.delete(upload.file.id)
