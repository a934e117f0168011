/*
 * Between the SDKs' own tests and the server. Those tests were generated for a mock that knows every id:
 * `vector_store_id`, `file_id`, `string`. For each request this creates what it names, through the API, and forwards it
 * with the real ids; the answer comes back as the server gave it. The mock also takes two things that OpenAI's
 * specification forbids, and so does the server: a list with `limit` 0, which is sent without a limit, and a batch that
 * names its files twice or not at all, which is sent with one list.
 *
 * Usage: tsx placeholders.ts PORT SERVER_URL KEY
 */
import { createHash } from "node:crypto";
import { type IncomingMessage, createServer } from "node:http";

const [port = "", server = "", key = ""] = process.argv.slice(2);
const bytes = Buffer.from("A text for the tests of an SDK.");

async function ask<T>(path: string, body: FormData | object): Promise<T> {
  const isForm = body instanceof FormData;
  const response = await fetch(`${server}/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, ...(isForm ? {} : { "content-type": "application/json" }) },
    body: isForm ? body : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

const make = async (path: string, body: FormData | object) => (await ask<{ id: string }>(path, body)).id;

function form(part: string, fields: Record<string, string> = {}): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  made.append(part, new Blob([bytes]), "placeholder.txt");
  return made;
}

const makeFile = () => make("/files", form("file", { purpose: "assistants" }));
const makeUpload = () =>
  make("/uploads", { filename: "a.txt", purpose: "assistants", bytes: bytes.length, mime_type: "text/plain" });

/** The path with real ids, by their places in it. */
async function realPath(path: string): Promise<{ path: string; upload: string }> {
  const parts = path.split("/");
  const [, version = "", collection = "", first, sub = "", second] = parts;
  let upload = "";
  if (first === undefined || first.startsWith("_")) return { path, upload };
  if (collection === "files") parts[3] = await makeFile();
  if (collection === "uploads") parts[3] = upload = await makeUpload();
  if (collection === "vector_stores") {
    const store = (parts[3] = await make("/vector_stores", {}));
    if (sub === "files" && second !== undefined) {
      parts[5] = await makeFile();
      await ask(`/vector_stores/${store}/files`, { file_id: parts[5] });
    }
    if (sub === "file_batches" && second !== undefined) {
      parts[5] = await make(`/vector_stores/${store}/file_batches`, { file_ids: [await makeFile()] });
    }
  }
  return { path: version === "" ? path : parts.join("/"), upload };
}

/** The body with real ids where it names files or parts. */
async function realBody(text: string, path: string, upload: string): Promise<string> {
  const body = JSON.parse(text) as Record<string, unknown>;
  if (path.endsWith("/file_batches")) {
    if (body.files !== undefined) delete body.file_ids;
    else body.file_ids ??= ["string"];
  }
  if (body.file_id !== undefined) body.file_id = await makeFile();
  if (Array.isArray(body.file_ids)) body.file_ids = await Promise.all(body.file_ids.map(makeFile));
  if (Array.isArray(body.files)) {
    const files = body.files as object[];
    body.files = await Promise.all(files.map(async (each) => ({ ...each, file_id: await makeFile() })));
  }
  if (Array.isArray(body.part_ids)) body.part_ids = [await make(`/uploads/${upload}/parts`, form("data"))];
  if (body.md5 !== undefined) body.md5 = createHash("md5").update(bytes).digest("hex");
  return JSON.stringify(body);
}

async function read(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

createServer((req, res) => {
  const handle = async () => {
    const { pathname, search } = new URL(req.url ?? "/", server);
    const body = await read(req);
    const { path, upload } = await realPath(pathname);
    const type = req.headers["content-type"] ?? "";
    const sent =
      type.startsWith("application/json") && body.length > 0 ? await realBody(body.toString(), path, upload) : body;
    // The cursors of lists are placeholders too; only the order and a possible limit can be kept.
    const query = new URLSearchParams(search);
    for (const name of ["after", "before"]) query.delete(name);
    if (query.get("limit") === "0") query.delete("limit");
    const answer = await fetch(`${server}${path}${query.size > 0 ? `?${query.toString()}` : ""}`, {
      method: req.method ?? "GET",
      headers: { authorization: `Bearer ${key}`, ...(type === "" ? {} : { "content-type": type }) },
      ...(sent.length > 0 && { body: sent }),
    });
    res.statusCode = answer.status;
    for (const name of ["content-type", "x-request-id", "content-disposition", "openai-poll-after-ms"]) {
      const value = answer.headers.get(name);
      if (value !== null) res.setHeader(name, value);
    }
    res.end(Buffer.from(await answer.arrayBuffer()));
  };
  handle().catch((error: unknown) => {
    res.statusCode = 500;
    res.end(
      JSON.stringify({ error: { message: `placeholders: ${String(error)}`, type: "x", param: null, code: null } }),
    );
  });
}).listen(Number(port), "127.0.0.1");
