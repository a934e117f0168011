import type { Config } from "../../../process/config.js";
import { firstKeyFile } from "../../../process/firstKey.js";
import type { Findings } from "./findings.js";

/** @param doubts what in the environment is probably a mistake */
export function checkSettings(doubts: readonly string[], findings: Findings): void {
  if (doubts.length === 0) findings.ok("settings", "readable");
  for (const doubt of doubts) findings.warn("settings", doubt, "Correct it in the environment or in .env.");
}

export function checkIngestion({ files }: Config, findings: Findings): void {
  if (files.concurrency > 0) return;
  findings.warn(
    "ingestion",
    "INGEST_CONCURRENCY is 0: servers with these settings ingest no files",
    'Have "vector-store worker" run on the same database, or uploaded files stay in_progress.',
  );
}

/** @param hasFirstKey whether a start has made a key */
export function checkKey(config: Config, hasFirstKey: boolean, findings: Findings): void {
  const { server, master } = config.keys;
  const file = firstKeyFile(config.dataDir);
  if (server !== null && server === master) {
    findings.warn(
      "key",
      "SERVER_API_KEY and LITELLM_MASTER_KEY are the same",
      "Give the server its own key: whoever has this one is the proxy's administrator.",
    );
  } else if (server !== null) findings.ok("key", "SERVER_API_KEY is set");
  else if (master !== null)
    findings.warn(
      "key",
      "only LITELLM_MASTER_KEY opens the server",
      "Set SERVER_API_KEY, so that callers need not know the master key.",
    );
  else if (hasFirstKey) findings.ok("key", `none is set; the generated one in ${file} is used`);
  else
    findings.warn(
      "key",
      `none is set, and ${file} does not exist yet`,
      "Nothing to do: the first start makes a key there. Or set SERVER_API_KEY.",
    );
}
