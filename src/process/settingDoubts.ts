import { letterChanges } from "../words/spelling.js";
import type { Config } from "./config.js";
import { isExampleKey } from "./settingProblems.js";
import { aliases, settings } from "./settings.js";

const known = [...Object.keys(settings.shape), ...Object.values(aliases)];

/** A key this short can be guessed. 16 random characters are more than anybody can try. */
const shortKey = 16;

/**
 * Names that only settings of ours begin with. Others, such as LITELLM_, belong to the proxy as well, whose environment
 * may be shared.
 */
const ourPrefixes = ["EMBEDDING__", "DB_FIELDS__", "DB_TABLES__", "DATABASE_", "HNSW_", "INGEST_"];
/** What Kubernetes and Docker set for a service called "database". */
const link = /_(SERVICE_(HOST|PORT).*|PORT|PORT_\d+_.*)$/;

/**
 * What in the environment is probably a mistake, though the service can start with it: misspelt names, which would be
 * ignored in silence, and weak keys. One sentence each, without any value.
 */
export function doubtsAbout(environment: Readonly<Record<string, string | undefined>>, config: Config): string[] {
  return [...misspelt(environment), ...weakKeys(config)];
}

function misspelt(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment)
    .filter(([name, value]) => value?.trim() && !known.includes(name.toUpperCase()) && !link.test(name.toUpperCase()))
    .flatMap(([name]) => {
      const near = nearest(name.toUpperCase());
      if (near !== null) return [`${name} is not a setting and is ignored; ${near} is one`];
      return ourPrefixes.some((prefix) => name.toUpperCase().startsWith(prefix))
        ? [`${name} is not a setting and is ignored; .env.example lists all settings`]
        : [];
    })
    .sort();
}

/** The setting that this name was probably meant to be: one wrong character in eight. */
function nearest(name: string): string | null {
  const [best] = known
    .map((setting) => ({ setting, wrong: letterChanges(name, setting) }))
    .filter(({ setting, wrong }) => wrong <= Math.min(3, Math.floor(setting.length / 8)))
    .sort((a, b) => a.wrong - b.wrong);
  return best?.setting ?? null;
}

function weakKeys({ keys }: Config): string[] {
  const sentences: string[] = [];
  for (const [name, key] of [["SERVER_API_KEY", keys.server] as const, ["LITELLM_MASTER_KEY", keys.master] as const]) {
    if (key === null) continue;
    if (isExampleKey(key)) sentences.push(`${name} is the key of an example, which everybody knows`);
    else if (key.length < shortKey) {
      sentences.push(
        `${name} has fewer than ${shortKey} characters and can be guessed; openssl rand -hex 24 makes one`,
      );
    }
  }
  return sentences;
}
