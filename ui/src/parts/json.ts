import { isRecord } from "../api/failure.js";

/** A JSON object that somebody has typed; nothing is the empty one. A string says what is wrong. */
export function jsonObject(text: string): Record<string, unknown> | string {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : "{ … }";
  } catch (error) {
    return (error as Error).message;
  }
}

/** As it is shown to be changed. */
export const jsonText = (value: object | null): string =>
  value === null || Object.keys(value).length === 0 ? "" : JSON.stringify(value, null, 2);
