import type { Deps } from "../../deps.js";
import { checkDatabase } from "./database.js";
import { type Finding, findingsTo, wordsOf } from "./findings.js";
import { checkProxy } from "./proxy.js";
import { checkIngestion, checkKey, checkSettings } from "./settings.js";

/** Counting all rows of a very large table takes longer, and is then reported as not done. */
const statementLimitMs = 5_000;
/** Of all questions to the proxy together. */
const proxyLimitMs = 15_000;

/**
 * What `vector-store doctor` says, from inside a running server. Changes nothing.
 * @param options.embed whether a test text is embedded, for which a provider may charge
 */
export async function examine(
  deps: Deps,
  { embed, signal }: { embed: boolean; signal: AbortSignal },
): Promise<Finding[]> {
  const { config, db, proxy, doubts } = deps;
  const found: Finding[] = [];
  const findings = findingsTo((finding) => found.push(finding));
  checkSettings(doubts, findings);
  checkIngestion(config, findings);
  // A server without a configured key runs with the one that its first start made.
  checkKey(config, true, findings);
  const look = <T>(work: Parameters<typeof db.reading<T>>[1]) =>
    db.reading({ statement_timeout: statementLimitMs }, work);
  try {
    await checkDatabase({ look: (work) => look((tx) => work(tx.run)) }, config, findings);
  } catch (error) {
    findings.fail(
      "database",
      `could not be checked completely: ${wordsOf(error)}`,
      "Look at the server's log under this request's id, and at the database's.",
    );
    deps.log.warn({ err: error }, "the doctor could not check the database completely");
  }
  const limited = AbortSignal.any([signal, AbortSignal.timeout(proxyLimitMs)]);
  await checkProxy({ config, findings, proxy, embed, signal: limited });
  return found;
}
