import { rmSync } from "node:fs";
import pg from "pg";

export default async function teardown() {
  const { TEST_DIRECTORY: directory, TEST_DIRECT_DATABASE_URL: direct, TEST_DATABASE_URL: url = "" } = process.env;
  rmSync(directory, { recursive: true, force: true });
  if (url === "") return;
  const admin = new pg.Client({ connectionString: direct ?? url });
  await admin.connect();
  const { rows } = await admin.query("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [
    `template_${directory.slice(-6).toLowerCase()}_`,
  ]);
  for (const { datname } of rows) await admin.query(`DROP DATABASE ${datname} WITH (FORCE)`);
  await admin.end();
}
