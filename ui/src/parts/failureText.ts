import { Failure } from "../api/failure.js";
import type { Translate } from "../text/texts.js";

/** What went wrong: what the service says, or where none came, what the page knows. */
export function failureText(error: Error, t: Translate): string {
  if (!(error instanceof Failure) || error.status !== 0) return error.message;
  if (error.code === "broken_answer") return t("error.broken");
  if (error.code === "broken_off") return t("error.brokenOff");
  return t(error.code === "unreadable_file" ? "error.unreadable" : "error.away");
}
