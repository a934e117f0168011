import type { Translate } from "../text/texts.js";
import { type JsonFault, jsonFault } from "./jsonFault.js";

/** As a sentence. */
export function jsonFaultText(fault: JsonFault, t: Translate): string {
  const problem = typeof fault === "string" ? t(`json.${fault}`) : t("json.at", fault);
  return t("store.json", { problem });
}

/** A JSON object that somebody has typed; nothing is the empty one. A string says what is wrong. */
export function jsonObject(text: string, t: Translate): Record<string, unknown> | string {
  if (text.trim() === "") return {};
  const fault = jsonFault(text);
  return fault === null ? (JSON.parse(text) as Record<string, unknown>) : jsonFaultText(fault, t);
}

/** As it is shown to be changed. */
export const jsonText = (value: object | null): string =>
  value === null || Object.keys(value).length === 0 ? "" : JSON.stringify(value, null, 2);
