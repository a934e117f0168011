"""litellm-pgvector's unchanged migration script, from an existing PostgreSQL table into a store."""

import contextlib
import io
import pathlib
import uuid

import numpy
import psycopg2
from harness import KEY, SOURCE, URL, a_store, check, client, equal, lenient, raw, texts
from pgvector.psycopg2 import register_vector

SCRIPT = pathlib.Path(__file__).resolve().parent / "migrate_readme.py"


@check
def the_migration_script_of_the_readme_runs_as_printed():
    table = f"legacy_{uuid.uuid4().hex}"
    contents = [f"{thing} of shop {i}" for i in range(50) for thing in ("red apples", "green pears", "blue whales")]
    model = raw("GET", "/embeddings/models")["data"][0]["id"]
    vectors = [item.embedding for item in lenient.embeddings.create(model=model, input=contents).data]
    connection = psycopg2.connect(SOURCE)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
    register_vector(connection)
    cursor.execute(f"CREATE TABLE {table} (content text, embedding vector({len(vectors[0])}), metadata jsonb)")
    try:
        for i, (content, vector) in enumerate(zip(contents, vectors)):
            # Some rows have no metadata: the script turns that into {}.
            metadata = None if i % 10 == 0 else f'{{"number": {i}}}'
            cursor.execute(f"INSERT INTO {table} VALUES (%s, %s, %s)", (content, numpy.array(vector), metadata))
        with a_store(name="Migrated Data", metadata={"source": "legacy_system"}) as store:
            equal(run_migration(table, store.id), f"Migrated {len(contents)} embeddings\n")
            equal(client.vector_stores.retrieve(store.id).file_counts.completed, len(contents))
            stored = raw("GET", f"/vector_stores/{store.id}/embeddings?limit=1000&order=asc&include=embedding")["data"]
            equal([row["content"] for row in stored], contents)
            equal([row["metadata"] for row in stored], [{} if i % 10 == 0 else {"number": i} for i in range(len(contents))])
            equal(numpy.array_equal(numpy.float32([row["embedding"] for row in stored]), numpy.float32(vectors)), True)
            found = client.vector_stores.search(store.id, query=contents[17], max_num_results=1)
            equal(texts(found), [contents[17]])
    finally:
        cursor.execute(f"DROP TABLE {table}")
        connection.close()


def run_migration(table, store_id):
    """Runs the README's script with the reader's values inserted; returns its output.

    `embedding.tolist()` needs pgvector's adapter on the connection, which the README assumes.
    """
    own_values = {
        "your_existing_db_url": SOURCE,
        "your_table": table,
        "http://localhost:8000": URL,
        "your_vector_store_id": store_id,
        "your-api-key": KEY,
    }
    script = SCRIPT.read_text()
    for placeholder, value in own_values.items():
        equal(script.count(placeholder), 1)
        script = script.replace(placeholder, value)
    connect = psycopg2.connect

    def connect_with_vectors(*arguments, **options):
        connection = connect(*arguments, **options)
        register_vector(connection)
        return connection

    printed = io.StringIO()
    psycopg2.connect = connect_with_vectors
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(script, "migrate_readme.py", "exec"), {"__name__": "__main__"})
    finally:
        psycopg2.connect = connect
    return printed.getvalue()
