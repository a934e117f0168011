import { InvalidArgumentError } from "commander";
import { parseExactJson } from "../words/exactJson.js";

/** Values that the API accepts. */
export const searchModes = ["vector", "keyword", "hybrid"];
export const recalls = ["exact", "high", "fast"];

/** Parsers of option values. commander puts the option's name before their messages. */

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError("It must be a whole number, at least 1.");
  return Number(text);
}

export function score(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("It must be a number from 0 to 1.");
  return value;
}

export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    throw new InvalidArgumentError("It is not valid JSON. Put it in single quotes to protect it from the shell.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidArgumentError("It must be a JSON object.");
  return value as Record<string, unknown>;
}

/** Collects repeated `key=value`. The value is everything after the first `=`, always a string. */
export function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError("It must be key=value. (The store's name comes before --metadata.)");
  }
  if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`The key ${key} is given twice.`);
  return Object.fromEntries([...Object.entries(before), [key, value]]);
}
