import { afterAll, beforeEach, afterEach, describe, expect, test } from "@jest/globals";
import { mkdtempSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { run, runDoctor, startOther, temporaryDirectory } from "./support.js";

const root = temporaryDirectory();
afterAll(() => {
  root.remove();
});
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(root.path, "d"));
});

const doctor = (environment: Record<string, string>) => runDoctor({ DATA_DIR: dataDir, ...environment });

describe("settings and key", () => {
  test("unreadable settings end the checks", async () => {
    const { code, checks } = await doctor({ PORT: "x", EMBEDDING__DIMENSIONS: "0" });
    expect(code).toBe(1);
    expect(checks).toHaveLength(1);
    expect(checks[0]).toMatchObject({ check: "settings", status: "fail" });
    expect(checks[0]?.message).toMatch(/PORT must be a number[^]*EMBEDDING__DIMENSIONS must be at least 1/);
    const human = await run(["doctor"], { environment: { PORT: "x" } });
    expect(human.out).toMatch(
      /^FAIL {2}settings {4}The settings are not usable:\n {18,}- PORT must be a number\n {18}→ /,
    );
    expect(human).toMatchObject({ code: 1, err: "vector-store: 1 of 1 checks failed: settings.\n" });
  });

  test("misspelt settings, weak keys, and servers that ingest nothing", async () => {
    const { checks, finding } = await doctor({
      EMBEDING__MODEL: "hunter2",
      SERVER_API_KEY: "sk-hunter2",
      DATABASE_URL: "postgresql://127.0.0.1:1/d",
      INGEST_CONCURRENCY: "0",
    });
    const settings = checks.filter(({ check }) => check === "settings");
    expect(settings.map(({ status }) => status)).toEqual(["warn", "warn"]);
    expect(settings[0]?.message).toBe("EMBEDING__MODEL is not a setting and is ignored; EMBEDDING__MODEL is one");
    expect(settings[1]?.message).toContain("SERVER_API_KEY has fewer than 16 characters");
    expect(finding("ingestion")).toMatchObject({
      status: "warn",
      todo: expect.stringContaining("vector-store worker"),
    });
    expect(JSON.stringify(checks)).not.toContain("hunter2");
  });

  test("where the key comes from, never the key", async () => {
    const key = async (environment: Record<string, string>) => {
      const { finding, checks } = await doctor(environment);
      expect(JSON.stringify(checks)).not.toContain("sk-");
      return finding("key");
    };
    expect(await key({})).toMatchObject({ status: "warn", message: expect.stringContaining("none is set") });
    expect(await key({ SERVER_API_KEY: "sk-1" })).toMatchObject({ status: "ok" });
    expect(await key({ LITELLM_MASTER_KEY: "sk-1" })).toMatchObject({
      status: "warn",
      message: expect.stringContaining("only LITELLM_MASTER_KEY"),
    });
    expect(await key({ LITELLM_MASTER_KEY: "sk-1", SERVER_API_KEY: "sk-1" })).toMatchObject({
      status: "warn",
      message: expect.stringContaining("the same"),
    });
    writeFileSync(join(dataDir, "server-key"), "sk-generated\n");
    expect(await key({})).toMatchObject({ status: "ok", message: expect.stringContaining("server-key") });
  });
});

describe("the proxy", () => {
  let proxy: Awaited<ReturnType<typeof startOther>> | undefined;
  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
  });

  /** A LiteLLM with one embedding model of three dimensions; a test may replace single answers. */
  async function litellm(replaced: Record<string, [number, object]> = {}) {
    const asked: string[] = [];
    const send = (response: ServerResponse, status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const usual: Record<string, [number, object]> = {
      "GET /health/readiness": [200, { status: "healthy" }],
      "GET /v1/models": [200, { data: [{ id: "embed" }, { id: "chat" }] }],
      "GET /model/info": [200, { data: [{ model_name: "embed", model_info: { mode: "embedding" } }] }],
      "POST /v1/embeddings": [200, { data: [{ index: 0, embedding: [0.1, 0.2, 0.3] }] }],
    };
    proxy = await startOther((request, response) => {
      const name = `${request.method ?? ""} ${request.url ?? ""}`;
      asked.push(name);
      const [status, body] = replaced[name] ?? usual[name] ?? [404, { error: { message: "no such route" } }];
      request.resume().once("end", () => send(response, status, body));
    });
    const environment = {
      LITELLM_PROXY_URL: proxy.url,
      LITELLM_MASTER_KEY: "sk-master-0123456789",
      SERVER_API_KEY: "sk-server-0123456789",
      EMBEDDING__MODEL: "embed",
      EMBEDDING__DIMENSIONS: "3",
    };
    return { asked, environment };
  }

  test("ready, model known, one test embedding", async () => {
    const { asked, environment } = await litellm();
    const { code, checks, finding } = await doctor(environment);
    expect(code).toBe(0);
    expect(checks.every((each) => each.status === "ok")).toBe(true);
    expect(finding("model")?.message).toBe('"embed" is one of the proxy\'s 2 models');
    expect(finding("embedding")?.message).toMatch(/^"embed" answered 3 numbers in \d+ ms$/);
    expect(asked.filter((each) => each === "POST /v1/embeddings")).toHaveLength(1);
  });

  test("an unlisted model is named, with those that are listed", async () => {
    const { environment } = await litellm({
      "POST /v1/embeddings": [400, { error: { message: "Invalid model name" } }],
    });
    const { code, finding } = await doctor({ ...environment, EMBEDDING__MODEL: "ada" });
    expect(code).toBe(1);
    expect(finding("model")).toMatchObject({
      status: "warn",
      message: 'the proxy does not list "ada" (its embedding models: embed)',
    });
    expect(finding("embedding")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("EMBEDDING__MODEL"),
    });
  });

  test("the chat and rerank models, if set", async () => {
    const { environment } = await litellm();
    const { code, finding } = await doctor({ ...environment, CHAT_MODEL: "chat", RERANK_MODEL: "nowhere" });
    expect(code).toBe(0);
    expect(finding("chat model")).toMatchObject({ status: "ok", message: '"chat" is one of the proxy\'s models' });
    expect(finding("rerank model")).toMatchObject({
      status: "warn",
      message: 'the proxy does not list "nowhere"',
      todo: expect.stringContaining("RERANK_MODEL"),
    });
    expect((await doctor(environment)).finding("chat model")).toBeUndefined();
  });

  test("a model behind a wildcard is not listed but works: no FAIL", async () => {
    const { environment } = await litellm();
    const { code, finding } = await doctor({ ...environment, EMBEDDING__MODEL: "openai/ada" });
    expect(code).toBe(0);
    expect(finding("model")?.status).toBe("warn");
    expect(finding("embedding")?.status).toBe("ok");
  });

  test("vectors of another dimension: FAIL with both numbers", async () => {
    const { environment } = await litellm();
    const { code, finding } = await doctor({ ...environment, EMBEDDING__DIMENSIONS: "1536" });
    expect(code).toBe(1);
    expect(finding("embedding")).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/ 3 dimensions.* 1536/),
    });
  });

  test("a key that the proxy refuses", async () => {
    const refusal: [number, object] = [401, { error: { message: "bad key sk-m", type: "auth_error" } }];
    const { environment } = await litellm({ "GET /v1/models": refusal, "POST /v1/embeddings": refusal });
    const { code, checks, finding } = await doctor(environment);
    expect(code).toBe(1);
    expect(finding("model")).toMatchObject({ status: "fail", message: expect.stringContaining("EMBEDDING__API_KEY") });
    expect(JSON.stringify(checks)).not.toContain("sk-m");
  });

  test("a failing provider is asked once, not for a minute", async () => {
    const { asked, environment } = await litellm({ "POST /v1/embeddings": [503, { error: { message: "later" } }] });
    expect((await doctor(environment)).finding("embedding")?.status).toBe("fail");
    expect(asked.filter((each) => each === "POST /v1/embeddings")).toHaveLength(1);
  });

  test("a provider without /health/readiness is not LiteLLM, which is allowed", async () => {
    const { environment } = await litellm({ "GET /health/readiness": [404, {}] });
    const { code, finding } = await doctor(environment);
    expect(code).toBe(0);
    expect(finding("proxy")).toMatchObject({
      status: "warn",
      message: expect.stringContaining("no /health/readiness"),
    });
  });

  test("nothing answers: one FAIL, and no further requests", async () => {
    const { environment } = await litellm();
    await proxy?.close();
    const { code, checks, finding } = await doctor(environment);
    expect(code).toBe(1);
    expect(finding("proxy")).toMatchObject({ status: "fail", message: expect.stringContaining("ECONNREFUSED") });
    expect(checks.at(-1)?.check).toBe("proxy");
  });
});
