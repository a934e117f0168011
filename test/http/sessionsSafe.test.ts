import { afterEach, describe, expect, test } from "@jest/globals";
import { hash, hkdfSync } from "node:crypto";
import { pino } from "pino";
import { networkOf } from "../../src/core/access/attempts.js";
import { open, readToken } from "../../src/core/access/sealedKey.js";
import { testKey } from "../support/settings.js";
import { errorOf, send } from "./requests.js";
import { browser, cookieOf, ownPage, signIn, start, stop } from "./sessionsSupport.js";
import { withDeps } from "./withDeps.js";

afterEach(stop);

interface Row {
  id: string;
  hash: string;
  sealed: string;
}

const rowsOf = (service: Awaited<ReturnType<typeof start>>["service"]) =>
  service.database.query<Row>(
    "SELECT *, encode(hash, 'hex') AS hash, encode(sealed, 'hex') AS sealed FROM vector_store_sessions ORDER BY id",
  );

describe("a stolen database", () => {
  test("has neither key nor token, nor anything that opens the key", async () => {
    const { service } = await start();
    const { cookie } = await browser(service, "sk-ann");
    const token = cookie.slice(cookie.indexOf("=") + 1);
    const [row] = await rowsOf(service);
    if (row === undefined) throw new Error("there is no session");
    const bytes = Buffer.from(token, "base64url");
    const sealed = Buffer.from(row.sealed, "hex");
    const everything = JSON.stringify(row);
    const secrets = [Buffer.from("sk-ann"), Buffer.from(token), bytes, hash("sha256", "sk-ann", "buffer")];
    for (const secret of secrets) {
      for (const form of ["latin1", "hex", "base64", "base64url"] as const) {
        expect(everything).not.toContain(secret.toString(form));
      }
    }
    // With the token it opens, and with nothing that the row has.
    expect(open(sealed, readToken(token) ?? Buffer.alloc(0), row.id)).toBe("sk-ann");
    const known = [Buffer.from(row.hash, "hex"), Buffer.from(row.id), sealed, sealed.subarray(0, 12), Buffer.alloc(32)];
    const derived = known.map((each) =>
      Buffer.from(hkdfSync("sha256", each, row.id, "vector-store session key 1", 32)),
    );
    for (const guess of [...known, ...derived, ...known.map((each) => hash("sha256", each, "buffer"))]) {
      expect(open(sealed, guess, row.id)).toBeNull();
    }
  });

  test("that is written to gives nobody another's rights", async () => {
    const { service, litellm } = await start();
    const ann = await browser(service, "sk-ann");
    const admin = await browser(service, litellm.masterKey);
    expect(await ann.status("/admin/keys")).toBe(403);
    // The administrator's sealed key in ann's row; then ann's row with the administrator's name and role.
    const [anns, admins] = await rowsOf(service);
    const put = (sealed: string | undefined) =>
      service.database.query("UPDATE vector_store_sessions SET sealed = decode($1, 'hex') WHERE id = $2", [
        sealed,
        ann.id,
      ]);
    await put(admins?.sealed);
    expect(await ann.status("/admin/keys")).toBe(401);
    await put(anns?.sealed);
    expect(await ann.status("/admin/keys")).toBe(403);
    await service.database.exec("UPDATE vector_store_sessions SET name = 'master', role = 'admin'");
    expect(await ann.status("/admin/keys")).toBe(401);
    expect(await admin.status("/admin/keys")).toBe(200);
  });

  test("a sealed key cannot be changed, whichever byte", async () => {
    const { service } = await start();
    const { status } = await browser(service, "sk-ann");
    for (const at of [0, 11, 27, 28, 33]) {
      const flip = `UPDATE vector_store_sessions SET sealed = set_byte(sealed, ${at}, get_byte(sealed, ${at}) # 1)`;
      await service.database.exec(flip);
      expect(await status()).toBe(401);
      await service.database.exec(flip);
      expect(await status()).toBe(200);
    }
  });
});

test("no line of the log has a key or a token", async () => {
  const { service, litellm } = await start();
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line) => lines.push(line) });
  await withDeps(service, { log }, async (url) => {
    const answer = await signIn(url, "sk-ann");
    const cookie = cookieOf(answer);
    const token = cookie.slice(cookie.indexOf("=") + 1);
    const ask = (method: string, path: string) =>
      send(url, { method, path, key: null, headers: { cookie, ...ownPage } });
    await ask("GET", "/v1/me");
    await ask("GET", "/v1/nothing");
    await signIn(url, "sk-guessed-key");
    await signIn(url, "sk-unknown-field", { ...ownPage, "x-request-id": "given" });
    await send(url, { path: "/v1/sessions", key: null, headers: ownPage, body: { key: "sk-one", kez: "sk-two" } });
    await send(url, { path: "/v1/sessions", key: null, headers: ownPage, body: '{"key": "sk-broken' });
    await service.database.exec("ALTER TABLE vector_store_sessions RENAME COLUMN sealed TO gone");
    expect((await signIn(url, "sk-ann")).status).toBe(500);
    expect((await ask("GET", "/v1/me")).status).toBe(500);
    litellm.outage = "drop";
    expect((await signIn(url, "sk-ben")).status).toBe(503);
    const text = lines.join("");
    expect(lines.length).toBeGreaterThan(8);
    for (const secret of [token, "sk-ann", "sk-ben", "sk-guess", "sk-unknown", "sk-one", "sk-two", "sk-broken"]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe("attempts to sign in", () => {
  const statuses = async (url: string, keys: string[], headers: Record<string, string> = {}) => {
    const found = [];
    for (const key of keys) found.push((await signIn(url, key, { ...ownPage, ...headers })).status);
    return found;
  };
  const wrong = (count: number) => Array.from({ length: count }, (_, i) => `sk-wrong-${i}`);

  test("are refused after ten failures in a minute; good ones do not count", async () => {
    const { service, asMaster } = await start();
    expect(await statuses(service.url, [...wrong(5), "sk-ann", testKey, ...wrong(4)])).toEqual([
      ...wrong(5).map(() => 401),
      200,
      200,
      ...wrong(4).map(() => 401),
    ]);
    expect(await statuses(service.url, [testKey, "sk-wrong"])).toEqual([200, 401]);
    const refused = await signIn(service.url, testKey);
    expect([refused.status, errorOf(refused).code]).toEqual([429, "too_many_attempts"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(50);
    service.advance(60_000);
    expect(await statuses(service.url, [testKey])).toEqual([200]);
    const audit = await asMaster("GET", "/admin/audit?limit=100");
    expect(audit.text.match(/session\.refused/g)).toHaveLength(10);
  });

  test("of the same moment count, too", async () => {
    const { service } = await start();
    const answers = await Promise.all(wrong(30).map((key) => signIn(service.url, key)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
  });

  test("that fail because LiteLLM is away do not count", async () => {
    const { service, litellm } = await start();
    litellm.outage = "drop";
    expect(new Set(await statuses(service.url, wrong(12)))).toEqual(new Set([503]));
    litellm.outage = null;
    expect(await statuses(service.url, ["sk-ann"])).toEqual([200]);
  });

  test("are counted by the client's address, which only a trusted proxy may tell", async () => {
    const told = { "x-forwarded-for": "203.0.113.7" };
    const { service: direct } = await start();
    await statuses(direct.url, wrong(10), told);
    expect(await statuses(direct.url, ["sk-ann"], { "x-forwarded-for": "203.0.113.8" })).toEqual([429]);
    await stop();
    const { service, ask } = await start({ environment: { TRUSTED_PROXIES: "127.0.0.0/8" } });
    await statuses(service.url, wrong(10), told);
    expect(await statuses(service.url, ["sk-ann"], told)).toEqual([429]);
    expect(await statuses(service.url, ["sk-ann"], { "x-forwarded-for": "203.0.113.7, 203.0.113.8" })).toEqual([200]);
    const { data } = JSON.parse((await ask("sk-ann", "GET", "/sessions")).text) as { data: { address: string }[] };
    expect(data.map(({ address }) => address)).toEqual(["203.0.113.8"]);
  });

  test("from many addresses do not fill the audit log", async () => {
    const { service, asMaster } = await start({ environment: { TRUSTED_PROXIES: "loopback" } });
    for (let i = 0; i < 110; i += 1) {
      expect(await statuses(service.url, ["sk-wrong"], { "x-forwarded-for": `203.0.113.${i}` })).toEqual([401]);
    }
    const audit = await asMaster("GET", "/admin/audit?limit=1000");
    expect(audit.text.match(/session\.refused/g)).toHaveLength(100);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:0db8:0000:0000:ffff::1", "2001:db8:0:0"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["::1", "0:0:0:0"],
  ])("%s is counted as %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
