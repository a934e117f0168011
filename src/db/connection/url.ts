import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import type { DatabaseConfig } from "../../process/config.js";
import { StartupError } from "../../words/errors.js";

export interface ConnectionTarget {
  /** For `pg`, without the parameters that are read here. */
  connectionString: string;
  /** Prisma's `?schema=`: where the tables live; null leaves the role's search path alone. */
  schema: string | null;
  /** libpq's `?options=`, e.g. `-c role=app`. */
  options: string | null;
  /** Prisma's `?pgbouncer=true`: a pooler that takes no settings at connecting is in between. */
  pgbouncer: boolean;
  /** false = plain; "prefer" = TLS if the server has it, like libpq. */
  tls: false | "prefer" | ConnectionOptions;
}

const tlsModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"] as const;

/** Parameters of other clients (Prisma, libpq) that `pg` does not know or reads differently. */
const foreign = [
  "schema",
  "options",
  "ssl",
  "sslmode",
  "uselibpqcompat",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "sslaccept",
  "connection_limit",
  "pool_timeout",
  "pgbouncer",
  "connect_timeout",
  "socket_timeout",
  "statement_cache_size",
];

/**
 * Reads DATABASE_URL as libpq and Prisma write it. `sslmode` has libpq's meaning
 * (https://www.postgresql.org/docs/current/libpq-ssl.html): `require` encrypts without checking who answers unless a CA
 * is given, `verify-ca` checks the chain, `verify-full` the name too.
 * @throws StartupError if the URL or a certificate file cannot be read.
 */
export function parseDatabaseUrl(config: DatabaseConfig & { url: string }): ConnectionTarget {
  const url = readUrl(config.url);
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") {
    // Without //, it may be anything: a piece of a password, for example.
    const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(config.url) ? `, not ${url.protocol}//` : "";
    throw new StartupError(`DATABASE_URL must start with postgresql://${scheme}.`);
  }
  for (const part of [url.username, url.password, url.pathname]) requireDecodable(part);
  const parameter = (name: string) => {
    const value = url.searchParams.get(name);
    return value === "" ? null : value;
  };
  const schema = parameter("schema");
  if (schema?.includes("\0")) throw new StartupError("DATABASE_URL: schema must not contain U+0000.");
  const options = parameter("options");
  const pgbouncer = parameter("pgbouncer") === "true";
  const mode = parameter("sslmode") ?? defaultMode(config, url);
  if (!(tlsModes as readonly string[]).includes(mode)) {
    throw new StartupError(`DATABASE_URL: sslmode must be one of ${tlsModes.join(", ")}, not "${mode}".`);
  }
  const tls = tlsOptions(mode as (typeof tlsModes)[number], {
    ca: readPem("DATABASE_SSL_CA", config.sslCaFile, "sslrootcert", parameter),
    cert: readPem("DATABASE_SSL_CERT", config.sslCertFile, "sslcert", parameter),
    key: readPem("DATABASE_SSL_KEY", config.sslKeyFile, "sslkey", parameter),
  });
  for (const name of foreign) url.searchParams.delete(name);
  return { connectionString: url.toString(), schema, options, pgbouncer, tls };
}

const escapes =
  "In its user, password and database, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and % as %25.";

/** Parameters in which @ is common, such as `?user=name@server`. */
const mayHaveAt = new Set(["user", "password", "options", "application_name", "host"]);

/**
 * A raw `#`, `/` or `?` in a password ends the part before the host: a piece of the password would be taken for the
 * host, and shown in messages.
 */
function requireEscaped(text: string): void {
  const [, rest = ""] = /^[^/]*\/\/[^/?#]*(.*)$/s.exec(text) ?? [];
  const [path = "", ...query] = rest.split("?");
  const stray = [...new URLSearchParams(query.join("?"))].some(
    ([name, value]) => name.includes("@") || (value.includes("@") && !mayHaveAt.has(name)),
  );
  if (!rest.includes("#") && !path.includes("@") && !stray) return;
  throw new StartupError(`DATABASE_URL holds a character that must be escaped. ${escapes}`);
}

function readUrl(text: string): URL {
  requireEscaped(text);
  for (const candidate of [text, text.replace("@/", "@localhost/")]) {
    // The second adds a host, which libpq allows to be missing if `?host=` names a directory of sockets.
    if (URL.canParse(candidate)) return new URL(candidate);
  }
  throw new StartupError(`DATABASE_URL is not a URL such as postgresql://user:password@host:5432/database. ${escapes}`);
}

/** Otherwise `pg` would decode the whole URL differently, and find neither user nor password in it. */
function requireDecodable(part: string): void {
  try {
    decodeURIComponent(part);
  } catch {
    throw new StartupError(
      "DATABASE_URL: the user, password or database holds a % that does not begin an escape such as %40. Write the % itself as %25.",
    );
  }
}

/**
 * Like libpq and Prisma: TLS if the server has it. `ssl=true` is node-postgres's own parameter. A local socket has no
 * TLS.
 */
function defaultMode(config: DatabaseConfig, url: URL): string {
  if (config.sslCaFile !== null) return "verify-full";
  const ssl = url.searchParams.get("ssl");
  if (ssl === "true" || ssl === "1") return "verify-full";
  const host = url.searchParams.get("host") ?? decodeURIComponent(url.hostname);
  return host.startsWith("/") || ssl === "false" || ssl === "0" ? "disable" : "prefer";
}

function tlsOptions(
  mode: (typeof tlsModes)[number],
  pem: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined },
): ConnectionTarget["tls"] {
  if (mode === "disable" || mode === "allow") return false;
  if (mode === "prefer") return "prefer";
  const { ca, cert, key } = pem;
  const given = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  if (mode === "verify-full") return { ...given, rejectUnauthorized: true };
  // libpq: `require` with a CA file behaves as verify-ca. The chain is checked, the host's name is not.
  if (mode === "verify-ca" || (mode === "require" && pem.ca !== undefined)) {
    return { ...given, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  }
  return { ...given, rejectUnauthorized: false };
}

/** The file that a setting names, or else a parameter of the URL; messages say which of them. */
function readPem(
  setting: string,
  named: string | null,
  name: string,
  parameter: (name: string) => string | null,
): string | undefined {
  const file = named ?? parameter(name);
  if (file === null) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const source = named === null ? `DATABASE_URL: ${name}` : setting;
    throw new StartupError(
      `${source}: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`,
    );
  }
}
