import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { type TestService, startService } from "../support/service.js";

const page = "https://app.example.com";
const other = "https://evil.example";

let closed: TestService;
let open: TestService;
let everybody: TestService;
beforeAll(async () => {
  closed = await startService();
  const database = closed.database;
  open = await startService({ database, environment: { CORS_ORIGINS: `${page}, http://localhost:3000` } });
  everybody = await startService({ database, environment: { CORS_ORIGINS: "*" } });
});
afterAll(async () => {
  await everybody.stop();
  await open.stop();
  await closed.close();
});

const preflight = ({ url }: TestService, origin: string) =>
  request(url)
    .options("/v1/vector_stores/vs_1/search")
    .set("origin", origin)
    .set("access-control-request-method", "POST")
    .set("access-control-request-headers", "authorization,content-type");

describe("pages of other origins", () => {
  test("may not call the API unless CORS_ORIGINS says so", async () => {
    const answer = await closed.get("/v1/vector_stores").set("origin", page).expect(200);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    const asked = await preflight(closed, page).expect(204);
    expect(asked.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("that are listed pass the preflight, without a key", async () => {
    const { headers } = await preflight(open, page).expect(204);
    expect(headers).toMatchObject({
      "access-control-allow-origin": page,
      "access-control-allow-headers": "authorization,content-type",
      "access-control-max-age": "600",
    });
    expect(headers["access-control-allow-methods"]).toContain("DELETE");
    expect(headers["access-control-allow-credentials"]).toBeUndefined();
    expect(headers.vary).toMatch(/origin/i);
  });

  test("read answers and errors, with the headers that help", async () => {
    for (const [path, status] of [
      ["/v1/vector_stores", 200],
      ["/v1/vector_stores/vs_none", 404],
      ["/v1/nothing", 404],
      ["/health", 200],
    ] as const) {
      const { headers } = await open.get(path).set("origin", page).expect(status);
      expect(headers["access-control-allow-origin"]).toBe(page);
      expect(headers["access-control-expose-headers"]?.split(",")).toEqual(
        expect.arrayContaining(["x-request-id", "x-vector-store-warning", "retry-after"]),
      );
    }
    const refused = await request(open.url).get("/v1/vector_stores").set("origin", page).expect(401);
    expect(refused.headers["access-control-allow-origin"]).toBe(page);
  });

  test("that are not listed are told nothing", async () => {
    for (const origin of [other, `${page}.evil.example`, "https://app.example.com:8443", "null"]) {
      const asked = await preflight(open, origin);
      expect(asked.headers["access-control-allow-origin"]).toBeUndefined();
      const answer = await open.get("/v1/vector_stores").set("origin", origin).expect(200);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.headers.vary).toMatch(/origin/i);
    }
  });

  test("are all allowed by *", async () => {
    expect((await preflight(everybody, other).expect(204)).headers["access-control-allow-origin"]).toBe("*");
    const answer = await everybody.get("/v1/vector_stores").set("origin", other).expect(200);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
  });

  test("never read the metrics", async () => {
    const { headers } = await everybody.get("/metrics").set("origin", other).expect(200);
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("an OPTIONS request that is no preflight still names a path's methods", async () => {
    const { headers } = await request(open.url).options("/v1/vector_stores").set("origin", page).expect(204);
    expect(headers.allow).toContain("POST");
  });
});

describe("the root", () => {
  test("leads a browser to the reference", async () => {
    const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const { headers } = await request(closed.url).get("/").set("accept", browser).expect(302);
    expect(new URL(headers.location ?? "", `${closed.url}/`).pathname).toBe("/docs");
    await request(closed.url).get("/").set("accept", browser).redirects(1).expect(200).expect("content-type", /html/);
  });

  test("tells a program where to go", async () => {
    for (const accept of ["*/*", "application/json"]) {
      const answer = await request(closed.url).get("/").set("accept", accept).expect(200);
      expect(answer.body).toEqual({
        name: "vector-store",
        version: expect.stringMatching(/^\d/),
        docs: "/docs",
        openapi: "/openapi.json",
        health: "/health",
      });
    }
    const refused = await request(closed.url).post("/").expect(405);
    expect(refused.body).toMatchObject({ error: { code: "method_not_allowed" } });
  });
});
