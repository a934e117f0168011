import type { Settings } from "./settings.js";

/** Finds settings that contradict each other, or that nobody should have. Each answers with sentences. */

/** Two fields must not share a column, nor both tables a name: nothing could be written. */
function repeatedNames(s: Settings): string[] {
  const names = Object.entries(s).flatMap(([name, value]) =>
    typeof value === "string" && /^DB_(FIELDS|TABLES)__/.test(name) ? [[name, value] as const] : [],
  );
  return names.flatMap(([name, value], i) => {
    const kind = name.slice(0, 11);
    const other = names.slice(0, i).find(([earlier, its]) => earlier.startsWith(kind) && its === value);
    return other === undefined ? [] : [`${name} and ${other[0]} are both "${value}"; they must differ`];
  });
}

/** pgvector would refuse such an index, and only a background job would notice. */
function unusableIndex({ HNSW_M: m, HNSW_EF_CONSTRUCTION: ef }: Settings): string[] {
  return ef >= 2 * m ? [] : [`HNSW_EF_CONSTRUCTION is ${ef} and must be at least twice HNSW_M, which is ${m}`];
}

/** The database is named by one URL or by its parts. If both were allowed, one would be ignored silently. */
function twoDatabases({ DATABASE_URL: url, DATABASE_HOST: host }: Settings, given: object): string[] {
  const parts = ["PORT", "NAME", "USER", "PASSWORD", "PARAMETERS"].map((each) => `DATABASE_${each}`);
  if (url !== undefined && host !== undefined) return ["DATABASE_URL and DATABASE_HOST both name a database; keep one"];
  const stray = host === undefined ? parts.find((name) => name in given) : undefined;
  return stray === undefined ? [] : [`${stray} is used with DATABASE_HOST only, which is not set`];
}

/** Keys of examples: everybody knows them. From READMEs of the services that this one replaces, and from our own. */
const exampleKeys = new Set([
  ...["your-api-key-here", "your-api-key", "your_api_key", "your-key", "sk-your-api-key", "sk-your-key"],
  ...["sk-1234", "sk-12345", "sk-123456", "sk-...", "sk-…", "sk-test", "sk-master-key", "sk-key"],
  ...["changeme", "change-me", "change_me", "sk-changeme", "secret", "password", "api-key", "test", "…", "..."],
  "a-long-random-key",
]);
/** Whether this key stands in an example, so that it protects nothing. */
export const isExampleKey = (key: string): boolean => exampleKeys.has(key.toLowerCase());

function knownKey({ SERVER_API_KEY: key }: Settings): string[] {
  return key === undefined || !isExampleKey(key)
    ? []
    : ["SERVER_API_KEY is the key of an example, which everybody knows; make one, for example: openssl rand -hex 24"];
}

/** Files would wait for ever: no second process can open the embedded database. */
function nobodyIngests(s: Settings): string[] {
  return s.INGEST_CONCURRENCY > 0 || s.DATABASE_URL !== undefined || s.DATABASE_HOST !== undefined
    ? []
    : ["INGEST_CONCURRENCY is 0, but only this process can open the embedded database, so nobody would ingest files"];
}

/** Half of a chunk at most: a larger overlap would repeat every text more than twice. Default: half. */
export const overlapOf = (s: Settings, given: object): number =>
  "CHUNK_OVERLAP_TOKENS" in given ? s.CHUNK_OVERLAP_TOKENS : Math.floor(s.CHUNK_SIZE_TOKENS / 2);

function wideOverlap(s: Settings, given: object): string[] {
  const most = Math.floor(s.CHUNK_SIZE_TOKENS / 2);
  if (overlapOf(s, given) <= most) return [];
  return [`CHUNK_OVERLAP_TOKENS is ${s.CHUNK_OVERLAP_TOKENS} and must be at most half of CHUNK_SIZE_TOKENS, ${most}`];
}

/** All of these problems. @param given the settings as they were given, by their main names */
export const problemsOf = (s: Settings, given: object): string[] => [
  ...repeatedNames(s),
  ...unusableIndex(s),
  ...twoDatabases(s, given),
  ...knownKey(s),
  ...nobodyIngests(s),
  ...wideOverlap(s, given),
];
