import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request } from "node:http";
import { unavailable } from "../../src/words/errors.js";
import { testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, stubLitellm } from "../support/stores.js";
import { type Answer, errorOf, send } from "./requests.js";
import { withDeps } from "./withDeps.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const ask = (path: string, method = "GET", more: { headers?: Record<string, string>; key?: string | null } = {}) =>
  send(service.url, { path, method, ...more });

describe("URLs and methods", () => {
  test.each([testKey, null, "sk-wrong"])("an unknown URL is 404 with the key %s", async (key) => {
    for (const path of ["/v1", "/v2/vector_stores", "/v1/nothing", "/v1/v1/v1/vector_stores", "/%", "/VECTOR_STORES"]) {
      const answer = await ask(path, "GET", { key });
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
      expect(errorOf(answer)).toEqual({
        message: `Unknown request URL: GET ${path}.`,
        type: "invalid_request_error",
        param: null,
        code: "unknown_url",
      });
    }
  });

  test.each([
    ["PUT", "/v1/vector_stores", "POST, GET, HEAD, OPTIONS"],
    ["PATCH", "/vector_stores/vs_1", "GET, POST, DELETE, HEAD, OPTIONS"],
    ["GET", "/v1/v1/vector_stores/vs_1/search", "POST, OPTIONS"],
    ["POST", "/livez", "GET, HEAD, OPTIONS"],
    ["POST", "/docs", "GET, HEAD, OPTIONS"],
    ["HEAD", "/v1/embeddings", "POST, OPTIONS"],
  ])("%s %s is 405 and names the allowed methods", async (method, path, allow) => {
    const answer = await ask(path, method);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
    if (method !== "HEAD") expect(errorOf(answer)).toMatchObject({ param: null, code: "method_not_allowed" });
  });

  test("OPTIONS lists the methods; no other origin is allowed", async () => {
    const answer = await ask("/v1/vector_stores", "OPTIONS", {
      key: null,
      headers: { origin: "https://elsewhere.example", "access-control-request-method": "POST" },
    });
    expect({ status: answer.status, allow: answer.headers.allow }).toEqual({
      status: 204,
      allow: "POST, GET, HEAD, OPTIONS",
    });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await ask("/nothing", "OPTIONS")).status).toBe(404);
  });

  test("HEAD answers like GET, without a body", async () => {
    const [head, get] = [await ask("/v1/vector_stores", "HEAD"), await ask("/v1/vector_stores")];
    expect(head).toMatchObject({ status: 200, text: "" });
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
    expect((await ask("/v1/vector_stores", "HEAD", { key: null })).status).toBe(401);
    expect((await ask("/v1/vector_stores/vs_1", "HEAD")).status).toBe(404);
  });
});

describe("headers", () => {
  test("a plain x-request-id is returned; any other is replaced", async () => {
    for (const path of ["/livez", "/v1/nothing", "/v1/vector_stores/abc"]) {
      const given = await ask(path, "GET", { headers: { "x-request-id": "trace-1:2.3_4" } });
      expect(given.headers["x-request-id"]).toBe("trace-1:2.3_4");
    }
    for (const bad of ["", "a b", "x".repeat(101), "<script>", '{"a":1}']) {
      const made = await ask("/livez", "GET", { headers: { "x-request-id": bad } });
      expect(made.headers["x-request-id"]).toMatch(/^req_[0-9a-f-]{36}$/);
    }
    const two = [await ask("/livez"), await ask("/livez")].map((each) => each.headers["x-request-id"]);
    expect(two[0]).not.toBe(two[1]);
  });

  test.each(["/livez", "/v1/nothing", "/v1/vector_stores", "/docs"])("%s has the security headers", async (path) => {
    const { headers } = await ask(path, "GET", { key: null });
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": expect.any(String),
      "strict-transport-security": expect.any(String),
      "referrer-policy": "no-referrer",
      "content-security-policy": expect.stringContaining("default-src"),
    });
    expect(headers["x-powered-by"]).toBeUndefined();
  });
});

describe("a body that never ends", () => {
  test.each([
    ["/v1/vector_stores", 11],
    ["/v1/embeddings", 11],
  ])("is refused by %s as soon as it exceeds the limit", async (path, megabytes) => {
    const upload = request(service.url + path, {
      method: "POST",
      agent: false,
      headers: {
        authorization: `Bearer ${testKey}`,
        "content-type": "application/json",
        "transfer-encoding": "chunked",
      },
    });
    // Without end(): a server that waits for the end of the body never answers.
    for (let i = 0; i < megabytes; i += 1) upload.write(Buffer.alloc(1024 * 1024, 32));
    const status = await new Promise((resolve, reject) => {
      upload.on("response", (response) => {
        resolve(response.resume().statusCode);
      });
      upload.on("error", reject);
    });
    expect(status).toBe(413);
    upload.on("error", () => undefined);
    upload.destroy();
  });
});

describe("failures", () => {
  const secret = "password=hunter2 at /srv/app/secret.ts:12";
  const stub = (fail: () => never) => ({
    ...stubLitellm({ embedQuery: fail, embed: fail }),
    models: fail,
    createEmbeddings: fail,
  });
  const asked = async (url: string): Promise<Answer[]> => {
    const store = await createStore(service);
    return Promise.all([
      send(url, { path: `/v1/vector_stores/${store}/search`, body: { query: "x" } }),
      send(url, { path: `/v1/vector_stores/${store}/embeddings`, body: { content: "x" } }),
      send(url, {
        path: `/v1/vector_stores/${store}/embeddings/batch`,
        body: '{"content":"x"}\n',
        headers: { "content-type": "application/x-ndjson" },
      }),
      send(url, { path: "/v1/embeddings", body: { input: "x" } }),
      send(url, { path: "/v1/models", method: "GET" }),
    ]);
  };

  test.each([
    ["an Error", () => new Error(secret)],
    ["a TypeError", () => new TypeError(secret)],
    ["an error that claims a status", () => Object.assign(new Error(secret), { status: 418, statusCode: 418 })],
    ["a string", () => secret],
    ["undefined", () => undefined],
  ])("%s that is unexpected is a 500 without details", async (_name, make) => {
    const fail = () => {
      throw make() as Error;
    };
    for (const answer of await withDeps(service, { litellm: stub(fail) }, asked)) {
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.text)).toEqual({
        error: {
          message: "The server failed to answer this request. Its log has more under the request id.",
          type: "server_error",
          param: null,
          code: "internal_error",
        },
      });
      expect(answer.headers["x-request-id"]).toMatch(/^req_/);
    }
  });

  test("an unreachable model is 503 with Retry-After in whole seconds", async () => {
    const fail = () => {
      throw unavailable("The model is away.", { retryAfterSeconds: 6.2, cause: new Error(secret) });
    };
    for (const answer of await withDeps(service, { litellm: stub(fail) }, asked)) {
      expect({ status: answer.status, retryAfter: answer.headers["retry-after"] }).toEqual({
        status: 503,
        retryAfter: "7",
      });
      expect(JSON.parse(answer.text)).toEqual({
        error: { message: "The model is away.", type: "server_error", param: null, code: "service_unavailable" },
      });
    }
  });
});
