import { type Settings, settings } from "./settings.js";

/** A setting as it may be shown to an administrator: as in `.env`, without secrets. */
export interface ShownSetting {
  name: string;
  /** Null: a secret, or nothing is set. */
  value: string | null;
  /** Whether the environment says it; otherwise the value is the default. */
  given: boolean;
  secret: boolean;
}

/** Keys, and what may contain a password. */
const secrets: ReadonlySet<string> = new Set<keyof Settings>([
  "DATABASE_URL",
  "DATABASE_PASSWORD",
  "DATABASE_PARAMETERS",
  "SERVER_API_KEY",
  "LITELLM_MASTER_KEY",
  "LITELLM_IDENTITY_SECRET",
  "EMBEDDING__API_KEY",
]);

/** All settings in the order of their schema. @param given as the environment says them, by their main names */
export function showSettings(read: Settings, given: Readonly<Record<string, string>>): readonly ShownSetting[] {
  return Object.freeze(
    (Object.keys(settings.shape) as (keyof Settings)[]).map((name) => {
      const said = given[name];
      const secret = secrets.has(name);
      const value = secret ? null : said === undefined ? textOf(read[name]) : withoutLogin(said);
      return Object.freeze({ name, value, given: said !== undefined, secret });
    }),
  );
}

/** A default, as the environment would say it. */
function textOf(value: Settings[keyof Settings]): string | null {
  if (typeof value === "string" || typeof value === "number") return String(value);
  return Array.isArray(value) && value.length > 0 ? value.join(",") : null;
}

/** URLs as they may be shown: without a login, or a token behind the question mark. */
export const withoutLogin = (text: string) =>
  text.replaceAll(/(?<=^|[\s,])(\w+:\/\/)[^/?#\s]*@/g, "$1").replace(/^(\w+:\/\/[^?]*)\?.*/s, "$1?…");
