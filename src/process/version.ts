import { readFileSync } from "node:fs";

/** The package's version, the only place that knows it. */
export const version = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
).version;
