import { Failure } from "../api/failure.js";
import { marked } from "../text/marked.js";
import type { Translate } from "../text/texts.js";

/** What went wrong: what the service says, or where none came, what the page knows. */
export const failureText = (error: Error, t: Translate): string => ownText(error, t) ?? marked(error.message);

/** The language of what is said about an error; undefined: the page's. The service speaks English. */
export const languageOf = (error: Error, t: Translate): "en" | undefined =>
  error instanceof Failure && ownText(error, t) === null ? "en" : undefined;

/** In the page's own words; null: the error has words already. */
function ownText(error: Error, t: Translate): string | null {
  if (!(error instanceof Failure)) return null;
  if (error.code === noSuchStore) return t("error.noStore");
  if (error.status !== 0) return null;
  if (error.code === "broken_answer") return t("error.broken");
  if (error.code === "broken_off") return t("error.brokenOff");
  if (error.code === "timed_out") return t("error.timedOut");
  return t(error.code === "unreadable_file" ? "error.unreadable" : "error.away");
}

/** The code of what the page itself finds missing. */
export const noSuchStore = "no_such_store";
