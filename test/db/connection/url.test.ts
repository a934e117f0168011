import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { loadConfig } from "../../../src/process/config.js";
import { parseDatabaseUrl } from "../../../src/db/connection/url.js";
import { StartupError } from "../../../src/words/errors.js";
import { campaign } from "../../support/campaign.js";

const parse = (url: string, environment: Record<string, string> = {}) =>
  parseDatabaseUrl({ ...loadConfig(environment).database, url });

/** What `pg` makes of our connection string. */
const asRead = (url: string) => new pg.Client({ connectionString: parse(url).connectionString });

function refusal(url: string, environment: Record<string, string> = {}): string {
  try {
    parse(url, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    return (error as Error).message;
  }
  throw new Error("the URL was accepted");
}

describe("DATABASE_URL", () => {
  test("a URL without parameters reaches pg as it is", () => {
    const client = asRead("postgresql://app:s3cret@db.example:5433/vectors");
    expect(client).toMatchObject({
      host: "db.example",
      port: 5433,
      user: "app",
      password: "s3cret",
      database: "vectors",
    });
    expect(parse("postgres://app@db/vectors")).toMatchObject({ schema: null, options: null, pgbouncer: false });
  });

  test("a password with any characters survives", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", minLength: 1 }),
        fc.string({ unit: "binary", minLength: 1 }),
        fc.constantFrom("", "?schema=app", "?sslmode=disable&connection_limit=5"),
        (user, password, parameters) => {
          const url = `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@db.example:5433/vectors${parameters}`;
          expect(asRead(url)).toMatchObject({ user, password, host: "db.example", port: 5433, database: "vectors" });
        },
      ),
      campaign(1000),
    );
  });

  test("a password of unescaped signs survives too", () => {
    expect(asRead("postgresql://u:p@ss!$&'()*+,;=~@h/d").password).toBe("p@ss!$&'()*+,;=~");
  });

  test("?schema= is read and taken out; an empty one counts as absent", () => {
    expect(parse("postgresql://u@h/d?schema=my%20app")).toMatchObject({ schema: "my app" });
    expect(parse("postgresql://u@h/d?schema=")).toMatchObject({ schema: null });
    expect(parse("postgresql://u@h/d?schema=app").connectionString).toBe("postgresql://u@h/d");
    expect(refusal("postgresql://u@h/d?schema=a%00b")).toContain("schema");
  });

  test("Prisma's parameters do not reach pg, those that pg knows do", () => {
    const { connectionString } = parse(
      "postgresql://u@h/d?schema=public&connection_limit=5&pool_timeout=10&pgbouncer=true&sslaccept=strict&connect_timeout=3" +
        "&socket_timeout=3&statement_cache_size=0&application_name=mine",
    );
    expect(connectionString).toBe("postgresql://u@h/d?application_name=mine");
  });

  test("pgbouncer=true and libpq's options reach the pool", () => {
    expect(parse("postgresql://u@h/d?pgbouncer=true").pgbouncer).toBe(true);
    expect(parse("postgresql://u@h/d?pgbouncer=false").pgbouncer).toBe(false);
    expect(parse("postgresql://u@h/d?options=-c%20role%3Dapp")).toMatchObject({
      options: "-c role=app",
      connectionString: "postgresql://u@h/d",
    });
  });

  test("a directory of sockets may replace the host", () => {
    const url = "postgresql://u:p@/d?host=/var/run/postgresql";
    expect(asRead(url)).toMatchObject({ host: "/var/run/postgresql", user: "u", password: "p", database: "d" });
    expect(parse(url).tls).toBe(false);
  });

  test.each(["", "localhost", "host=db user=app", "postgresql://u:p@h:port/d"])(
    "%j is refused with an example",
    (url) => {
      expect(refusal(url)).toMatch(/DATABASE_URL (is not a URL such as|must start with) postgresql:\/\//);
    },
  );

  test("another scheme is refused by its name, and nothing of the URL behind it is shown", () => {
    const message = refusal("mysql://app:hunter2@db/x");
    expect(message).toContain("mysql://");
    expect(message).not.toMatch(/hunter2|app|db/);
  });

  test.each([
    "postgresql://app:12#hunter2@db.example/x",
    "postgresql://app:12/hunter2@db.example/x",
    "postgresql://app:12?hunter2@db.example/x",
    "postgresql://app:12?hunter2=a@db.example/x",
    "postgresql://app:hunter2#3@db.example/x",
    "postgresql://app:p@hunter2/3@db.example/x",
    "postgresql://app:p@hunter2#x@db.example/x",
    "postgresql://app:hunter2/@db.example/x?sslmode=require",
    "hunter2:x",
  ])("%s: a raw sign in the password is refused without showing a piece of it", (url) => {
    const message = refusal(url);
    expect(message).not.toMatch(/hunter2|app|db\.example|12/);
    if (url.startsWith("postgresql")) expect(message).toMatch(/# as %23/);
  });

  test("an @ in a parameter is no part of a password", () => {
    expect(asRead("postgresql://h/d?user=me@server&password=p@ss")).toMatchObject({ host: "h", database: "d" });
    expect(asRead("postgresql://u@h/d?application_name=a@b")).toMatchObject({ user: "u", host: "h" });
  });

  test("a % that begins no escape is refused, without showing the password", () => {
    const message = refusal("postgresql://app:100%sure@db/x");
    expect(message).toContain("%25");
    expect(message).not.toContain("sure");
    expect(refusal("postgresql://app:p@db:port/x?sslmode=%")).not.toContain("app:p");
  });
});

describe("TLS", () => {
  const directory = mkdtempSync(join(tmpdir(), "vector-store-url-"));
  const ca = join(directory, "ca.pem");
  writeFileSync(ca, "CA");
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });
  const tlsOf = (parameters: string, environment?: Record<string, string>) =>
    parse(`postgresql://u@h/d${parameters}`, environment).tls;

  test("sslmode has libpq's meanings", () => {
    expect(tlsOf("?sslmode=disable")).toBe(false);
    expect(tlsOf("?sslmode=allow")).toBe(false);
    expect(tlsOf("?sslmode=prefer")).toBe("prefer");
    expect(tlsOf("?sslmode=require")).toEqual({ rejectUnauthorized: false });
    expect(tlsOf("?sslmode=no-verify")).toEqual({ rejectUnauthorized: false });
    expect(tlsOf("?sslmode=verify-full")).toEqual({ rejectUnauthorized: true });
    expect(tlsOf("?sslmode=verify-ca")).toEqual({
      rejectUnauthorized: true,
      checkServerIdentity: expect.any(Function) as unknown,
    });
  });

  test("without sslmode, TLS is used where the server has it", () => {
    expect(tlsOf("")).toBe("prefer");
    expect(tlsOf("?sslmode=")).toBe("prefer");
  });

  test("`require` with a CA checks the chain but not the host's name", () => {
    const tls = tlsOf(`?sslmode=require&sslrootcert=${encodeURIComponent(ca)}`);
    expect(tls).toMatchObject({ ca: "CA", rejectUnauthorized: true });
    expect((tls as { checkServerIdentity: (host: string) => unknown }).checkServerIdentity("any")).toBeUndefined();
  });

  test("DATABASE_SSL_CA alone means verify-full, and takes precedence over the URL's", () => {
    expect(tlsOf("", { DATABASE_SSL_CA: ca })).toEqual({ ca: "CA", rejectUnauthorized: true });
    expect(tlsOf("?sslmode=verify-full&sslrootcert=/absent", { DATABASE_SSL_CA: ca })).toMatchObject({ ca: "CA" });
  });

  test("a client's certificate and key are passed on", () => {
    const files = { DATABASE_SSL_CERT: ca, DATABASE_SSL_KEY: ca };
    expect(tlsOf("?sslmode=require", files)).toEqual({ cert: "CA", key: "CA", rejectUnauthorized: false });
  });

  test("node-postgres's ssl=true means a checked connection, ssl=false none; sslmode takes precedence over both", () => {
    expect(tlsOf("?ssl=true")).toEqual({ rejectUnauthorized: true });
    expect(tlsOf("?ssl=false")).toBe(false);
    expect(tlsOf("?ssl=true&sslmode=disable")).toBe(false);
    expect(asRead("postgresql://u@h/d?ssl=true&sslmode=disable")).toMatchObject({ ssl: false });
  });

  test("an unknown sslmode is refused with those that are known", () => {
    expect(refusal("postgresql://u@h/d?sslmode=sometimes")).toMatch(
      /sslmode must be one of disable, .*verify-full.* not "sometimes"/,
    );
  });

  test("a certificate file that cannot be read is refused by its setting", () => {
    expect(refusal("postgresql://u@h/d", { DATABASE_SSL_CA: "/absent/ca.pem" })).toBe(
      "DATABASE_SSL_CA: the file cannot be read (ENOENT).",
    );
  });

  test.each(["sslrootcert", "sslcert", "sslkey"])("or by the URL's parameter %s, if that names it", (name) => {
    expect(refusal(`postgresql://u@h/d?sslmode=require&${name}=/absent.pem`)).toBe(
      `DATABASE_URL: ${name}: the file cannot be read (ENOENT).`,
    );
  });
});
