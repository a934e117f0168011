import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { encodeBase64Floats } from "../../src/numbers/float32.js";
import { hashTexts } from "../../src/litellm/hashingEmbedder.js";
import { testDimensions, testKey } from "../support/settings.js";
import { call, createStore, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";

jest.setTimeout(600_000);

const fileCount = 50;
/** Run with CRASHES=30 before a release. */
const crashes = Number(process.env.CRASHES ?? 6);

let program: Program;
let data: ServerData;
let model: Awaited<ReturnType<typeof startModel>>;
beforeAll(async () => {
  [program, data, model] = await Promise.all([compileProgram(), createServerData(), startModel()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
  await model.close();
});

/** A provider that counts the requests it has answered. */
async function startModel() {
  const counted = { requests: 0 };
  const server = createServer((req, res) => {
    let body = "";
    req.setEncoding("utf8").on("data", (text: string) => (body += text));
    req.once("end", () => {
      // It is not LiteLLM, and knows nothing of its models.
      if (req.url !== "/v1/embeddings") {
        res.writeHead(404).end();
        return;
      }
      counted.requests += 1;
      const { input } = JSON.parse(body) as { input: string[] };
      void hashTexts(input, testDimensions).then((vectors) => {
        const rows = vectors.map((vector, index) => ({
          object: "embedding",
          index,
          embedding: encodeBase64Floats(vector),
        }));
        res.setHeader("content-type", "application/json");
        res.end(
          JSON.stringify({ object: "list", data: rows, model: "m", usage: { prompt_tokens: 1, total_tokens: 1 } }),
        );
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    counted,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

const textOf = (file: number) =>
  Array.from({ length: 5 + (file % 20) }, (_, i) => `File ${file}, paragraph ${i}, on subject ${file * 31 + i}.`).join(
    "\n\n",
  );

const start = () =>
  program.start({
    ...data.environment,
    EMBEDDING__BASE_URL: model.url,
    EMBEDDING__MODEL: "m",
    EMBEDDING__BATCH_SIZE: "4",
    INGEST_CONCURRENCY: "1",
  });

async function send(url: string, store: string): Promise<string[]> {
  const ids: string[] = [];
  for (let file = 0; file < fileCount; file += 1) {
    const form = new FormData();
    form.append("chunk_size", "60");
    form.append("chunk_overlap", "0");
    form.append("file", new Blob([textOf(file)]), `file${file}.txt`);
    const headers = { authorization: `Bearer ${testKey}`, prefer: "respond-async" };
    const answer = await fetch(`${url}/v1/vector_stores/${store}/upload`, { method: "POST", headers, body: form });
    expect(answer.status).toBe(202);
    ids.push(((await answer.json()) as { id: string }).id);
  }
  return ids;
}

interface Counts {
  file_counts: { in_progress: number; completed: number; failed: number; total: number };
}
const counts = async (url: string, store: string) =>
  (await call<Counts>(url, "GET", `/v1/vector_stores/${store}`)).body.file_counts;

const finished = (url: string, store: string) =>
  until("ingestion", async () => ((await counts(url, store)).in_progress === 0 ? true : null), 300_000);

/** The chunks of every file, in order. */
const contents = (url: string, store: string, ids: readonly string[]) =>
  Promise.all(
    ids.map(async (id) => {
      const path = `/v1/vector_stores/${store}/files/${id}/content`;
      return (await call<{ data: { text: string }[] }>(url, "GET", path)).body.data.map((part) => part.text);
    }),
  );

/**
 * A new process on the embedded database knows that existing leases are dead. On a server, act as if a minute had
 * passed.
 */
async function endLeases(): Promise<void> {
  if (data.direct === null) return;
  const client = new pg.Client({ connectionString: data.direct });
  await client.connect();
  await client.query("UPDATE vector_store_files SET lease_until = now()");
  await client.end();
}

async function kill({ child, exited }: ServerProcess): Promise<void> {
  child.kill("SIGKILL");
  await exited;
}

describe("a server killed with SIGKILL while it ingests", () => {
  test(`${crashes} times at random moments: every file is complete once, and a crash repeats at most one model call`, async () => {
    let server = await start();
    const undisturbed = await createStore(server.url);
    const reference = await send(server.url, undisturbed);
    await finished(server.url, undisturbed);
    const expected = await contents(server.url, undisturbed, reference);
    const usual = model.counted.requests;
    expect(expected.flat().length).toBeGreaterThan(fileCount * 5);

    const store = await createStore(server.url);
    const ids = await send(server.url, store);
    for (let crash = 0; crash < crashes; crash += 1) {
      const target = model.counted.requests + Math.ceil(Math.random() * ((usual / crashes) * 0.9));
      await until(
        "requests",
        async () => model.counted.requests >= target || (await counts(server.url, store)).in_progress === 0 || null,
        60_000,
      );
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      await kill(server);
      await endLeases();
      server = await start();
    }
    await finished(server.url, store);

    expect(await counts(server.url, store)).toMatchObject({ completed: fileCount, failed: 0, total: fileCount });
    expect(await contents(server.url, store, ids)).toEqual(expected);
    expect(model.counted.requests - usual).toBeLessThanOrEqual(usual + crashes);
    await kill(server);
  });
});
