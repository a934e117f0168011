"""The unchanged examples of litellm-vector-store's README, as readers run them.

Only the address, the key and the store's id are inserted. The models are those of `.ci/litellm.config.yaml`. They
answer with a picture's size, which tells the pictures apart; only gpt-4o's picture is about FastAPI.
"""

import contextlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import zlib

from harness import KEY, URL, check, client, equal

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "litellmVectorStore"
KEYS = {"python": "sk-your-key", "javascript": "sk-your-api-key", "curl": "sk-your-key"}
DIAGRAM = "FastAPI is a web framework for building APIs with Python."
SCREENSHOT = "A login page with fields for a name and a password."


@check
def the_python_example_runs_as_printed():
    # The appended line prints the final values of its variables.
    behind = "\nimport json\nprint(json.dumps([store, results, answer]))\n"
    printed, (store, results, answer) = split(run([os.environ["SNIPPETS_PYTHON"], "-c", example("python") + behind]))
    with discarded(store["id"]):
        equal((store["object"], store["name"]), ("vector_store", "My Knowledge Base"))
        holds_the_documents(store["id"], ["diagram.png", "document.pdf", "screenshot.png"])
        described = content(store["id"], "screenshot.png")
        for words in (SCREENSHOT, "120 by 80 pixels"):
            equal((words, words in described), (words, True))
        found_the_diagram(results)
        answers_from_the_diagram(answer)
        equal(answer["reranked"], True)
        equal(printed, answer["answer"])


@check
def the_javascript_example_runs_as_printed():
    behind = "\nconsole.log(JSON.stringify([store, results, answer]));\n"
    printed, (store, results, answer) = split(run(["node", "--input-type=module", "-e", example("javascript") + behind]))
    with discarded(store["id"]):
        equal((store["object"], store["name"]), ("vector_store", "My Store"))
        # The store is empty: nothing is found, and CHAT_MODEL's model is told so.
        equal((results["object"], results["data"]), ("vector_store.search_results.page", []))
        equal((answer["sources"], answer["model"]), ([], "openai/gpt-4o-mini"))
        equal((printed, answer["answer"]), ("Nothing was found.", "Nothing was found."))


@check
def the_curl_example_runs_as_printed():
    with discarded(client.vector_stores.create(name="For curl").id) as store_id:
        printed = run(["bash", "-euo", "pipefail", "-c", example("curl", store_id)])
        made, document, diagram, results, answer = values(printed)
        with discarded(made["id"]):
            equal((made["object"], made["name"]), ("vector_store", "My Store"))
        equal([file["status"] for file in (document, diagram)], ["completed", "completed"])
        holds_the_documents(store_id, ["diagram.png", "document.pdf"])
        found_the_diagram(results)
        answers_from_the_diagram(answer)


def example(name, store_id=None):
    script = (EXAMPLES / f"{name}.txt").read_text()
    for placeholder, value in [("https://api.your-domain.com", URL), (KEYS[name], KEY), ("{store_id}", store_id)]:
        equal((placeholder, placeholder in script), (placeholder, value is not None))
        script = script.replace(placeholder, value or "")
    return script


def run(command):
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        shutil.copyfile(os.environ["SNIPPETS_PDF"], folder / "document.pdf")
        (folder / "screenshot.png").write_bytes(png(120, 80))
        (folder / "diagram.png").write_bytes(png(64, 48))
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}: {done.stdout}\n{done.stderr}")
    return done.stdout


def png(width, height):
    def part(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff\x80\x20" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", rows) + part(b"IEND", b"")


def split(printed):
    """An example's output, and the JSON of the appended line."""
    *lines, names = printed.splitlines()
    return "\n".join(lines), json.loads(names)


def values(text):
    """Concatenated JSON values, as curl prints them."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        found.append(value)
    return found


@contextlib.contextmanager
def discarded(store_id):
    try:
        yield store_id
    finally:
        for file in list(client.vector_stores.files.list(store_id)):
            client.files.delete(file.id)
        client.vector_stores.delete(store_id)


def files(store_id):
    """The files of a store, by name."""
    return {client.files.retrieve(file.id).filename: file for file in client.vector_stores.files.list(store_id)}


def content(store_id, name):
    pages = client.vector_stores.files.content(files(store_id)[name].id, vector_store_id=store_id)
    return "".join(part.text for part in pages)


def holds_the_documents(store_id, names):
    equal({name: file.status for name, file in files(store_id).items()}, {name: "completed" for name in names})
    equal("Lorem ipsum dolor sit amet" in content(store_id, "document.pdf"), True)
    described = content(store_id, "diagram.png")
    for words in (DIAGRAM, "64 by 48 pixels", "I was asked: Explain this diagram in detail."):
        equal((words, words in described), (words, True))


def found_the_diagram(results):
    equal((results["object"], results["reranked"], len(results["data"])), ("vector_store.search_results.page", True, 3))
    best = results["data"][0]
    equal((best["filename"], DIAGRAM in best["content"][0]["text"]), ("diagram.png", True))
    scores = [item["score"] for item in results["data"]]
    equal(scores, sorted(scores, reverse=True))


def answers_from_the_diagram(answer):
    equal((answer["object"], answer["model"]), ("rag.answer", "openai/gpt-4o-mini"))
    equal((answer["answer"].startswith(DIAGRAM), answer["answer"].endswith(" [1]")), (True, True))
    equal((answer["sources"][0]["filename"], answer["sources"][0]["cited"]), ("diagram.png", True))
