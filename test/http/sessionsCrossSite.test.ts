import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { errorOf, send } from "./requests.js";
import { type Me, cookieOf, parsed, signIn } from "./sessionsSupport.js";

let service: TestService;
let plain: string;
let secure: string;
beforeAll(async () => {
  service = await startService({ environment: { API_URL: "https://api.example/base", CORS_ORIGINS: "*" } });
  plain = cookieOf(await signIn(service.url, testKey, { origin: service.url }));
  secure = cookieOf(await signIn(service.url, testKey, { host: "vectors.example", origin: "https://vectors.example" }));
});
afterAll(() => service.close());

const ask = (method: string, headers: Record<string, string>, path = "/v1/vector_stores") =>
  send(service.url, { method, path, key: null, headers, ...(method === "POST" && { body: {} }) });

describe("a request with the cookie", () => {
  type Row = [method: string, headers: Record<string, string>, status: number];
  const site = (name: string) => ({ "sec-fetch-site": name });
  const rows: Row[] = [
    // The browser says it.
    ...["GET", "HEAD", "POST", "DELETE"].map((method): Row => [method, site("same-origin"), 200]),
    ...["same-site", "cross-site", "", "same-origin, cross-site", "nothing known"].flatMap((name) =>
      ["GET", "HEAD", "POST"].map((method): Row => [method, site(name), 403]),
    ),
    ["GET", site("none"), 200],
    ["HEAD", site("none"), 200],
    ["POST", site("none"), 403],
    ["DELETE", site("none"), 403],
    ["POST", { ...site("cross-site"), origin: "ours" }, 403],
    // It does not, without TLS.
    ["GET", {}, 200],
    ["HEAD", {}, 200],
    ["POST", {}, 403],
    ["DELETE", {}, 403],
    ["GET", { origin: "ours" }, 200],
    ["POST", { origin: "ours" }, 200],
    ["DELETE", { origin: "ours" }, 200],
    ["POST", { origin: "https://api.example" }, 200],
    ...[
      "null",
      "",
      "https://evil.example",
      "http://api.example",
      "https://api.example.evil.example",
      "https://api.example:8443",
      "https://api.example/base",
      "http://localhost",
      "file://",
      "chrome-extension://abc",
      "not a url",
    ].flatMap((origin) => ["GET", "POST"].map((method): Row => [method, { origin }, 403])),
  ];
  test.each(rows)("%s %j: %d", async (method, given, status) => {
    const headers = { cookie: plain, ...given, ...(given.origin === "ours" && { origin: service.url }) };
    const path = method === "DELETE" ? "/v1/vector_stores/vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c" : undefined;
    const answer = await ask(method, headers, path);
    expect(answer.status === 404 ? 200 : answer.status).toBe(status);
    if (status === 403 && method !== "HEAD") expect(errorOf(answer).code).toBe("cross_site_request");
  });

  test("the host may have the port that its scheme has anyway", async () => {
    const sent = { cookie: plain, origin: "http://vectors.example" };
    expect((await ask("POST", { ...sent, host: "vectors.example:80" })).status).toBe(200);
    expect((await ask("POST", { ...sent, host: "VECTORS.example" })).status).toBe(200);
    expect((await ask("POST", { ...sent, host: "vectors.example:8080" })).status).toBe(403);
  });

  test("signing in is guarded in the same way", async () => {
    const statuses = async (headers: Record<string, string>) => (await signIn(service.url, testKey, headers)).status;
    expect(await statuses({})).toBe(403);
    expect(await statuses({ origin: "https://evil.example" })).toBe(403);
    expect(await statuses({ "sec-fetch-site": "cross-site", origin: service.url })).toBe(403);
    expect(await statuses({ "sec-fetch-site": "none" })).toBe(403);
    expect(await statuses({ origin: service.url })).toBe(200);
  });

  test("pages of other origins never may send cookies, whatever CORS_ORIGINS says", async () => {
    for (const origin of ["https://evil.example", service.url]) {
      const { headers } = await ask("GET", { cookie: plain, origin });
      expect(headers["access-control-allow-credentials"]).toBeUndefined();
      const asked = { origin, "access-control-request-method": "POST" };
      expect((await ask("OPTIONS", asked)).headers["access-control-allow-credentials"]).toBeUndefined();
    }
  });

  test("keeps its answer out of shared caches", async () => {
    expect((await ask("GET", { cookie: plain })).headers["cache-control"]).toBe("no-store");
    expect((await send(service.url, { method: "GET", path: "/v1/me" })).headers["cache-control"]).toBeUndefined();
  });
});

describe("beside a header", () => {
  test("the cookie does not count, wherever the request comes from", async () => {
    const who = async (headers: Record<string, string>) => {
      const answer = await ask("GET", { cookie: plain, ...headers }, "/v1/me");
      return answer.status === 200 ? (parsed(answer) as Me).session : answer.status;
    };
    const bearer = { authorization: `Bearer ${testKey}` };
    expect(await who({})).toMatchObject({ id: expect.stringMatching(/^session_/) });
    expect(await who(bearer)).toBeNull();
    expect(await who({ ...bearer, "sec-fetch-site": "cross-site" })).toBeNull();
    for (const authorization of ["Bearer sk-wrong", "Bearer", "Basic eA==", ""]) {
      expect(await who({ authorization })).toBe(401);
    }
  });

  test("public routes look at neither", async () => {
    const headers = { cookie: "vector-store-session=nobody", "sec-fetch-site": "cross-site" };
    expect((await ask("GET", headers, "/health")).status).toBe(200);
  });
});

describe("the cookie", () => {
  const lines = async (headers: Record<string, string>) =>
    [(await signIn(service.url, testKey, headers)).headers["set-cookie"] ?? []].flat();

  test("without TLS is for this host, out of scripts' reach, and ends with the session", async () => {
    const token = "vector-store-session=[\\w-]{43}";
    expect(await lines({ origin: service.url })).toEqual([
      expect.stringMatching(new RegExp(`^${token}; Max-Age=28800; Path=/; Expires=[^;]+; HttpOnly; SameSite=Strict$`)),
    ]);
  });

  test("with TLS can be written by no other host, and clears the one without", async () => {
    const [made, cleared, ...others] = await lines({ host: "vectors.example", origin: "https://vectors.example" });
    const token = "__Host-vector-store=[\\w-]{43}";
    expect(made).toMatch(
      new RegExp(`^${token}; Max-Age=28800; Path=/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$`),
    );
    expect(cleared).toMatch(/^vector-store-session=; Path=\/; Expires=Thu, 01 Jan 1970/);
    expect(others).toEqual([]);
  });

  const value = (cookie: string) => cookie.slice(cookie.indexOf("=") + 1);
  test.each<[string, () => Record<string, string>, number]>([
    ["the secure one", () => ({ cookie: secure }), 200],
    ["among others", () => ({ cookie: `a=b; x__Host-vector-store=1; ${secure};c` }), 200],
    ["the secure one before a plain one", () => ({ cookie: `vector-store-session=x; ${secure}` }), 200],
    ["a secure one that is wrong before a plain one", () => ({ cookie: `${plain}; __Host-vector-store=x` }), 401],
    ["the plain one on this machine", () => ({ cookie: plain, "sec-fetch-site": "same-origin" }), 200],
    ["the plain one on another host without TLS", () => ({ cookie: plain, host: "vectors.example" }), 200],
    // Any sibling of the host could have written it.
    [
      "the plain one on another host with TLS",
      () => ({ cookie: plain, host: "vectors.example", "sec-fetch-site": "same-origin" }),
      401,
    ],
    ["two plain ones", () => ({ cookie: `${plain}; vector-store-session=${value(secure)}` }), 401],
    ["another name", () => ({ cookie: `session=${value(plain)}` }), 401],
    ["a token that was cut", () => ({ cookie: plain.slice(0, -1) }), 401],
    ["a token with something behind it", () => ({ cookie: `${plain}x` }), 401],
    ["the same bytes in another spelling", () => ({ cookie: respelt(plain) }), 401],
    ["an unknown token", () => ({ cookie: `vector-store-session=${"A".repeat(43)}` }), 401],
  ])("%s", async (_what, headers, status) => {
    expect((await ask("GET", headers())).status).toBe(status);
  });

  /** The last of 43 characters has two bits that mean nothing. */
  function respelt(cookie: string): string {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(cookie.at(-1) ?? "");
    return cookie.slice(0, -1) + (alphabet[last ^ 1] ?? "");
  }
});
