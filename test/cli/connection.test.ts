import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdirSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { findServer } from "../../src/cli/connection.js";
import { type TestService, startService } from "../support/service.js";
import { run, startOther, temporaryDirectory } from "./support.js";
import { testKey } from "../support/settings.js";

let service: TestService;
const directory = temporaryDirectory();
beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await service.close();
  directory.remove();
});

const list = (environment: Record<string, string>, ...args: string[]) =>
  run(["stores", "list", "--json", ...args], { environment });
const wrong = "http://127.0.0.1:1";

describe("which server is asked", () => {
  test("--url, then VECTOR_STORE_URL, then the port in the settings", async () => {
    const port = new URL(service.url).port;
    const key = { VECTOR_STORE_KEY: testKey };
    expect((await list({ ...key, VECTOR_STORE_URL: wrong, PORT: "1" }, "--url", service.url)).code).toBe(0);
    expect((await list({ ...key, VECTOR_STORE_URL: service.url, PORT: "1" })).code).toBe(0);
    expect((await list({ ...key, PORT: port })).code).toBe(0);
    expect((await list({ ...key, PORT: port, VECTOR_STORE_URL: "" })).code).toBe(0);
    expect((await list({ ...key, PORT: port, vector_store_url: wrong })).err).toContain(
      `No server answers at ${wrong}`,
    );
  });

  test("with or without /v1", async () => {
    for (const tail of ["/", "/v1", "/v1/", "/v1/v1"]) {
      expect((await list({}, "--url", `${service.url}${tail}`, "--key", testKey)).code).toBe(0);
    }
  });

  test.each([
    [{}, "http://127.0.0.1:8000"],
    [{ PORT: "9000", HOST: "::" }, "http://127.0.0.1:9000"],
    [{ HOST: "10.1.2.3" }, "http://10.1.2.3:8000"],
    [{ HOST: "fd00::1" }, "http://[fd00::1]:8000"],
    [{ VECTOR_STORE_URL: "https://x.example/base/v1/" }, "https://x.example/base"],
  ])("the settings %j mean %s", (environment, url) => {
    const io = { stdout: { write: () => 0 }, stderr: { write: () => 0 }, environment: () => environment };
    expect(findServer({}, io).url).toBe(url);
  });

  test("with --url and --key, other settings may be wrong", async () => {
    const broken = { PORT: "nonsense" };
    expect((await list(broken, "--url", service.url, "--key", testKey)).code).toBe(0);
    const { code, err } = await list(broken, "--key", testKey);
    expect(code).toBe(1);
    expect(err).toContain("PORT must be a number");
  });

  test.each(["", "nonsense", "ftp://host", "http://user:secret@host", "http://host/?key=secret"])(
    "%j is not the URL of a server, and the error does not repeat it",
    async (url) => {
      const { code, err } = await list({}, `--url=${url}`, "--key", "k");
      expect(code).toBe(1);
      expect(err).toMatch(/^vector-store: --url must be an http:\/\/ or https:\/\/ URL/);
      expect(err).not.toContain("secret");
    },
  );

  test("PORT=0 names no server", async () => {
    const { code, err } = await list({ PORT: "0", VECTOR_STORE_KEY: "k" });
    expect(code).toBe(1);
    expect(err).toContain("Name the server with --url");
  });
});

describe("which key is sent", () => {
  test("--key, VECTOR_STORE_KEY, SERVER_API_KEY, LITELLM_MASTER_KEY, the generated one: the first that is set", async () => {
    const dataDir = join(directory.path, "with-key");
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "server-key"), `${testKey}\n`);
    const places: Record<string, string>[] = [
      { DATA_DIR: dataDir },
      { LITELLM_MASTER_KEY: testKey },
      { SERVER_API_KEY: testKey },
      { VECTOR_STORE_KEY: testKey },
    ];
    const worse: Record<string, string> = { VECTOR_STORE_URL: service.url };
    for (const place of places) {
      expect((await list({ ...worse, ...place })).code).toBe(0);
      // Every place tried from here on must win over this one.
      for (const name of Object.keys(place)) if (name !== "DATA_DIR") worse[name] = "sk-wrong";
    }
    expect((await list(worse)).code).toBe(1);
    expect((await list(worse, "--key", testKey)).code).toBe(0);
  });

  test("a wrong key: one sentence with its source, without the key", async () => {
    const { code, out, err } = await list({ VECTOR_STORE_URL: service.url, SERVER_API_KEY: "sk-wrong-secret" });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`The server at ${service.url} does not accept the key from SERVER_API_KEY.`);
    expect(err).not.toContain("sk-wrong-secret");
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("no key: one sentence, and no key is created", async () => {
    const dataDir = join(directory.path, "none");
    const { code, err } = await list({ VECTOR_STORE_URL: service.url, DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(err).toContain("Give one with --key or VECTOR_STORE_KEY");
    expect((await list({ VECTOR_STORE_URL: service.url, DATA_DIR: dataDir })).err).toBe(err);
  });

  test.each(["", "sk-a b", "sk-a\nb", "„sk-a“"])("%j cannot be a key", async (key) => {
    const { code, err } = await list({ VECTOR_STORE_URL: service.url }, `--key=${key}`);
    expect(code).toBe(1);
    expect(err).toContain("The key from --key is empty, or contains");
  });
});

describe("a server that cannot help", () => {
  const json: RequestListener = (_, response) => {
    response.writeHead(502, { "content-type": "application/json" }).end('{"detail":"bad"}');
  };
  const cases: [string, RequestListener, string][] = [
    [
      "a web page",
      (_, response) => response.setHeader("content-type", "text/html").end("<p>hi</p>"),
      "another program listens there",
    ],
    [
      "a page that is not found",
      (_, response) => response.writeHead(404).end("nope"),
      "answers with HTTP 404, which a vector store server never does",
    ],
    ["another error form", json, "answers with HTTP 502"],
    [
      "broken JSON",
      (_, response) => response.setHeader("content-type", "application/json").end("{"),
      "without usable JSON",
    ],
    [
      "a redirect",
      (_, response) => response.writeHead(308, { location: "https://other.example/v1" }).end(),
      "redirects its callers to https://other.example/v1. Use that address: check --url.",
    ],
    ["a cut connection", (request) => request.socket.destroy(), "No server answers at"],
    [
      "an error with control characters",
      (_, response) =>
        response.writeHead(400, { "content-type": "application/json" }).end('{"error":{"message":"a\\u001b[2J\\nb"}}'),
      "vector-store: a [2J b (HTTP 400",
    ],
  ];
  test.each(cases)("%s", async (_, listener, sentence) => {
    const other = await startOther(listener);
    try {
      for (const args of [
        ["stores", "list"],
        ["stores", "create", "x"],
        ["stores", "delete", "vs_1", "--yes"],
        ["search", "vs_1", "q"],
        ["litellm-config", "vs_1"],
      ]) {
        const { code, out, err } = await run([...args, "--url", other.url, "--key", "k"]);
        expect({ code, out }).toEqual({ code: 1, out: "" });
        expect(err).toContain(sentence);
        expect(err.trimEnd().split("\n")).toHaveLength(1);
      }
    } finally {
      await other.close();
    }
  });

  test("no server: the advice depends on what named the address", async () => {
    const gone = await startOther(() => undefined);
    await gone.close();
    const settings = await list({ PORT: new URL(gone.url).port, SERVER_API_KEY: "k" });
    expect(settings).toEqual({
      code: 1,
      out: "",
      err: `vector-store: No server answers at ${gone.url} (ECONNREFUSED). Start it with "vector-store serve", or name it with --url or VECTOR_STORE_URL.\n`,
    });
    expect((await list({}, "--url", wrong, "--key", "k")).err).toContain("or check --url.");
  });

  test("other JSON is not a vector store", async () => {
    const other = await startOther((_, response) =>
      response.setHeader("content-type", "application/json").end('{"object":"list","data":{}}'),
    );
    try {
      for (const args of [
        ["stores", "list"],
        ["stores", "create", "x"],
        ["stores", "delete", "vs_1", "--yes"],
        ["search", "vs_1", "q"],
        ["litellm-config", "vs_1"],
      ]) {
        const { code, out, err } = await run([...args, "--url", other.url, "--key", "k"]);
        expect({ code, out }).toEqual({ code: 1, out: "" });
        expect(err).toContain("another program listens there");
      }
    } finally {
      await other.close();
    }
  });
});
