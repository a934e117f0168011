import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type IncomingHttpHeaders, get } from "node:http";
import { connect } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import request from "supertest";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { browser, makePage, script, visit as visitAt } from "./adminPageSupport.js";
import { errorOf } from "./requests.js";

let page: ReturnType<typeof makePage>;
let service: TestService;
beforeAll(async () => {
  page = makePage();
  service = await startService({ pageDirectory: page.dist });
});
afterAll(async () => {
  await service.close();
  page.remove();
});

const visit = (path: string) => visitAt(path, service);
/** The bytes as they were sent: clients would decompress them. */
const fetched = (path: string, accepted = "identity", headers: Record<string, string> = {}) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const sent = { "accept-encoding": accepted, accept: "*/*", ...headers };
    get(service.url + path, { headers: sent, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) });
      });
    }).on("error", reject);
  });

describe("the page", () => {
  test("comes for its path and for every link into it, and is never stored", async () => {
    for (const path of ["/admin", "/admin/", "/admin/stores/vs_1?tab=files", "/admin/a/b/c", "/admin/keys"]) {
      const { text, headers } = await visit(path).expect(200).expect("content-type", "text/html; charset=utf-8");
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers.etag).toBeUndefined();
      expect(text).toContain('<meta name="base-path" content="/admin" />');
      expect(text).toContain('src="/admin/assets/index-4f3c2b1a.js"');
      expect(text).not.toMatch(/__\w+__/);
    }
  });

  test("says whether the browser has a cookie of a session, which scripts cannot see", async () => {
    const told = async (cookie: string, site: string | null = "none") => {
      const headers = site === null ? { cookie } : { cookie, "sec-fetch-site": site };
      return /signed-in" content="(\w+)"/.exec((await visit("/admin").set(headers)).text)?.[1];
    };
    for (const site of ["none", "same-origin", "same-site", null]) {
      expect(await told("vector-store-session=x", site)).toBe("yes");
      expect(await told("__Host-vector-store=x", site)).toBe("yes");
    }
    for (const site of ["none", "same-origin", "same-site"]) expect(await told("other=1", site)).toBe("no");
    // A link of another site leads here without the cookie, and without TLS nobody says where a link was.
    expect([await told("other=1", "cross-site"), await told("other=1", null)]).toEqual(["unknown", "unknown"]);
  });

  test("has a nonce of its own in every answer, which its policy names", async () => {
    const nonces = new Set<string>();
    for (let i = 0; i < 5; i += 1) {
      const { text, headers } = await visit("/admin");
      const [, nonce = ""] = /csp-nonce" content="([^"]+)"/.exec(text) ?? [];
      expect(nonce).toMatch(/^[A-Za-z0-9+/]{22}==$/);
      expect(headers["content-security-policy"]).toBe(
        `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data: blob:; ` +
          "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
          "require-trusted-types-for 'script'",
      );
      nonces.add(nonce);
    }
    expect(nonces.size).toBe(5);
  });

  test("keeps helmet's other headers, and leaves other answers theirs", async () => {
    const { headers } = await visit("/admin");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
    });
    const api = await visit("/v1/vector_stores").expect(401);
    expect(api.headers["content-security-policy"]).not.toContain("nonce");
    expect((await visit("/docs").expect(200)).headers["content-security-policy"]).toContain(
      "style-src 'unsafe-inline'",
    );
  });

  test("has no body for HEAD", async () => {
    const { text, headers } = await request(service.url).head("/admin/stores").set("accept", browser).expect(200);
    expect([text, headers["content-type"]]).toEqual([undefined, "text/html; charset=utf-8"]);
  });

  test("takes no other method where nothing else is", async () => {
    for (const path of ["/admin", "/admin/assets/index-4f3c2b1a.js", "/admin/assets/none.js"]) {
      for (const method of ["post", "put", "patch", "delete"] as const) {
        const answer = await request(service.url)[method](path).set("accept", browser).expect(405);
        expect(answer.headers.allow).toBe("GET, HEAD, OPTIONS");
      }
    }
  });

  test("lets the API answer what only the API has, also without /v1", async () => {
    const bearer = { authorization: `Bearer ${testKey}` };
    for (const accept of ["*/*", "application/json"]) {
      const answer = await request(service.url)
        .get("/admin/keys")
        .set({ ...bearer, accept })
        .expect(403);
      expect(errorOf(answer).code).toBe("insufficient_permissions");
    }
    await request(service.url)
      .post("/admin/keys")
      .set({ ...bearer, accept: browser })
      .send({})
      .expect(403);
    expect(errorOf(await request(service.url).get("/admin/nothing").expect(404)).code).toBe("unknown_url");
    expect(errorOf(await visit("/v1/admin/keys").expect(401)).code).toBe("invalid_api_key");
    expect(errorOf(await visit("/v1/admin").expect(404)).code).toBe("unknown_url");
  });
});

describe("its files", () => {
  const asset = "/admin/assets/index-4f3c2b1a.js";

  test.each([
    ["br", "gzip, deflate, br", brotliDecompressSync],
    ["br", "br;q=0.1, gzip;q=0.9", brotliDecompressSync],
    ["gzip", "gzip", gunzipSync],
    ["gzip", "gzip, br;q=0", gunzipSync],
    [undefined, "identity", (body: Buffer) => body],
    [undefined, "deflate", (body: Buffer) => body],
    [undefined, "gzip;q=0", (body: Buffer) => body],
  ])("come as %s for a browser that takes %s, and are kept for ever", async (encoding, accepted, read) => {
    const { body, headers } = await fetched(asset, accepted);
    expect(read(body).toString()).toBe(script);
    expect(headers["content-encoding"]).toBe(encoding);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      "content-length": String(body.length),
    });
    expect(headers.vary).toMatch(/accept-encoding/i);
  });

  test("come uncompressed where they were built so", async () => {
    const { headers, body } = await fetched("/admin/assets/plain-00000000.css", "br, gzip");
    expect([headers["content-encoding"], body.toString()]).toEqual([undefined, "body {}"]);
  });

  test("are asked for again by their ETag if their name does not say what is in them", async () => {
    const { headers } = await fetched("/admin/icon.svg");
    expect(headers).toMatchObject({ "cache-control": "no-cache", "content-type": "image/svg+xml" });
    const again = async (etag = "") => fetched("/admin/icon.svg", "identity", { "if-none-match": etag });
    expect(await again(headers.etag)).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    expect((await again('"other"')).status).toBe(200);
  });

  test("have another ETag in another encoding", async () => {
    const etags = await Promise.all(
      ["br", "gzip", "identity"].map(async (each) => (await fetched(asset, each)).headers.etag),
    );
    expect(new Set(etags).size).toBe(3);
  });

  test.each(["/admin/assets/none-00000000.js", "/admin/assets/", "/admin/assets/index-4f3c2b1a.js.map"])(
    "%s is 404, also for a browser",
    async (path) => {
      expect(errorOf(await visit(path).expect(404)).code).toBe("unknown_url");
    },
  );

  test.each([
    "/admin/../secret.js",
    "/admin/assets/../../secret.js",
    "/admin/assets/..%2f..%2fsecret.js",
    "/admin/assets/%2e%2e/%2e%2e/secret.js",
    "/admin/..%5csecret.js",
    "/admin//secret.js",
    "/admin/assets/link-00000000.js",
    "/admin/assets/source.map",
    "/admin/assets/index-4f3c2b1a.js%00",
    "/admin/index-4f3c2b1a.js%2f..%2fassets%2findex-4f3c2b1a.js",
    "/admin/.env",
    "/admin/index.html",
    "/admin/assets/index-4f3c2b1a.js.br",
    "/admin/__proto__",
    "/admin/assets/constructor",
  ])("nothing else is read: %s", async (path) => {
    const answer = await raw(path);
    expect(answer).not.toContain("hidden words");
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  test("a malformed escape is 400", async () => {
    expect(await raw("/admin/%zz")).toMatch(/^HTTP\/1\.1 400 /);
  });
});

/** The path exactly as given: clients would tidy it up. */
function raw(path: string): Promise<string> {
  const { port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1");
    let text = "";
    socket.on("data", (part) => (text += part.toString())).on("error", reject);
    socket.on("close", () => {
      resolve(text);
    });
    socket.end(`GET ${path} HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nConnection: close\r\n\r\n`);
  });
}
