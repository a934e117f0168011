/**
 * The PostgreSQL that the tests run on: `url` for services, `direct` for a test's own statements. They differ if a
 * pooler is tested (TEST_DIRECT_DATABASE_URL), because a test's own sessions and administration must not be pooled.
 * @returns null for the embedded database
 */
export function testServer(): { url: string; direct: string } | null {
  const url = process.env.TEST_DATABASE_URL ?? "";
  return url === "" ? null : { url, direct: process.env.TEST_DIRECT_DATABASE_URL ?? url };
}

/** The URL of another database on the same server. */
export function databaseAt(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.toString();
}

/** The data directory of an empty embedded database, as a tar file. */
export function emptyDump(): string {
  return process.env.TEST_PGLITE_DUMP ?? "";
}

/** Begins the names of the databases of this run that others are copied from, one of each worker. */
export function templatePrefix(): string {
  return `template_${process.env.TEST_DIRECTORY?.slice(-6).toLowerCase() ?? ""}_`;
}
