import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request } from "node:http";
import { testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { apiRoutes } from "../../src/http/app.js";
import { errorOf, send } from "./requests.js";

const masterKey = "sk-test-master-key";
let service: TestService;
beforeAll(async () => {
  service = await startService({ environment: { LITELLM_MASTER_KEY: masterKey } });
});
afterAll(() => service.close());

const ask = (authorization: string | null, path = "/v1/vector_stores") =>
  send(service.url, {
    method: "GET",
    path,
    key: null,
    headers: authorization === null ? {} : { authorization },
  });

describe("the key", () => {
  test.each([
    ["the server key", `Bearer ${testKey}`],
    ["the master key", `Bearer ${masterKey}`],
    ["the scheme in lower case", `bearer ${testKey}`],
    ["the scheme in upper case", `BEARER ${testKey}`],
    ["more than one space", `Bearer   ${testKey}`],
  ])("%s opens", async (_name, authorization) => {
    expect((await ask(authorization)).status).toBe(200);
  });

  test.each([
    ["no header", null],
    ["an empty header", ""],
    ["the scheme alone", "Bearer"],
    ["an empty key", "Bearer "],
    ["another key", "Bearer sk-other"],
    ["a LiteLLM user's key", "Bearer sk-aBcDeFgHiJkLmNoPqRsTuV"],
    ["the first part of the key", `Bearer ${testKey.slice(0, -1)}`],
    ["the key and more", `Bearer ${testKey}x`],
    ["the key and another word", `Bearer ${testKey} x`],
    ["the key in upper case", `Bearer ${testKey.toUpperCase()}`],
    ["the key after a foreign one", `Bearer evil, Bearer ${testKey}`],
    ["the key before a foreign one", `Bearer ${testKey}, Bearer evil`],
    ["the key without a scheme", testKey],
    ["the key as a password", `Basic ${Buffer.from(`user:${testKey}`).toString("base64")}`],
    ["the key under another scheme", `Token ${testKey}`],
    ["the scheme as part of a word", `XBearer ${testKey}`],
    ["both keys as one", `Bearer ${testKey}${masterKey}`],
    ["the word null", "Bearer null"],
  ])("%s does not", async (_name, authorization) => {
    const answer = await ask(authorization);
    expect(answer.status).toBe(401);
    expect(errorOf(answer)).toEqual({
      message: expect.stringMatching(/^(You didn't provide an API key\.|Incorrect API key provided\.)/),
      type: "authentication_error",
      param: null,
      code: "invalid_api_key",
    });
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(answer.text).not.toContain(testKey);
    expect(answer.text).not.toContain(masterKey);
  });

  test("is accepted only in its header", async () => {
    for (const path of [`/v1/vector_stores?api_key=${testKey}`, `/v1/vector_stores?key=${testKey}`]) {
      expect((await ask(null, path)).status).toBe(401);
    }
    const headers = { "x-api-key": testKey, "api-key": testKey, cookie: `authorization=Bearer ${testKey}` };
    expect((await send(service.url, { method: "GET", path: "/v1/models", key: null, headers })).status).toBe(401);
  });

  test("an empty key does not open a server that lacks a key of one kind", async () => {
    const lone = await startService({ database: service.database });
    try {
      const none = await send(lone.url, { method: "GET", path: "/v1/models", key: "" });
      expect(none.status).toBe(401);
      expect((await send(lone.url, { method: "GET", path: "/v1/models", key: masterKey })).status).toBe(401);
    } finally {
      await lone.stop();
    }
  });
});

describe("without a key", () => {
  test.each([
    "/health",
    "/livez",
    "/readyz",
    "/docs",
    "/docs.js",
    "/openapi.json",
    "/v1/health",
    "/v1/v1/health",
    "/v1/openapi.json",
  ])("%s is open", async (path) => {
    expect((await ask(null, path)).status).toBe(200);
  });

  test.each(
    apiRoutes
      .filter((route) => route.may !== "public")
      .flatMap((route) => ["", "/v1", "/v1/v1"].map((prefix): [string, string] => [route.method, prefix + route.path])),
  )("%s %s is refused, whatever the request contains", async (method, path) => {
    const answer = await send(service.url, {
      method: method.toUpperCase(),
      path: `${path.replace(":vector_store_id", "vs_%00")}?limit=x`,
      body: "{not json",
      key: null,
    });
    expect({ status: answer.status, code: errorOf(answer).code }).toEqual({ status: 401, code: "invalid_api_key" });
  });

  test("only the expected routes are public", () => {
    expect(apiRoutes.filter((route) => route.may === "public").map((route) => route.path)).toEqual([
      "/sessions",
      "/sessions/current",
      "/health",
      "/livez",
      "/readyz",
    ]);
  });

  test.each(["application/json", "application/x-ndjson"])(
    "an upload of 200 MB (%s) is refused before its body is read",
    async (contentType) => {
      // The body never arrives: an answer proves that the server does not wait for it.
      const upload = request(`${service.url}/v1/vector_stores/vs_1/embeddings/batch`, {
        method: "POST",
        agent: false,
        headers: { "content-type": contentType, "content-length": 200_000_000 },
      });
      upload.write('{"embeddings": [');
      const status = await new Promise((resolve, reject) => {
        upload.on("response", (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        upload.on("error", reject);
      });
      expect(status).toBe(401);
      upload.on("error", () => undefined);
      upload.destroy();
    },
  );
});
