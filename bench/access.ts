import { newId } from "../src/words/ids.js";
import { absentAt, countLookUps, insertStores, pagesOf, sendUnknown } from "./accessTimes.js";
import { cleanUp } from "./cleanup.js";
import { type Source, createSource } from "./data.js";
import { type Target, createTarget } from "./database.js";
import { createFilledStore } from "./fill.js";
import { type HttpClient, createHttpClient } from "./http.js";
import { type KeyServer, startKeyServer } from "./keyServer.js";
import { type Pair, alternate, inTurn } from "./pairs.js";
import { type Goal, type Report, type Table, atLeast, atMost, makeTable } from "./results.js";
import { compareRowSecurity } from "./rowSecurity.js";
import { type Pace, k, measureSearches, searchPath } from "./searching.js";
import { type Service, startService } from "./service.js";

export interface AccessOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  rows: number;
  keys: number;
  unknownKeys: number;
  stores: number;
  rounds: number;
}

const dimensions = 384;
const queryCount = 100;
const clients = 8;
/** So few rows take no time, which would hide what the key costs. */
const fewRows = 100;
const ownStores = 50;
/** Short, so that a run sees several lives; the default is 60. */
const cacheSeconds = 5;

/** What it costs that a request comes with a LiteLLM key, and what LiteLLM is asked. */
export async function benchAccess(options: AccessOptions): Promise<Report> {
  const source = createSource("text", dimensions);
  const target = await createTarget(options.databaseUrl);
  if (target.kind === "pglite") throw new Error("access is measured on a PostgreSQL server");
  const litellm = await startKeyServer(options.keys, source.vectorOf);
  const service = await startService(target, {
    dimensions,
    embeddingUrl: litellm.url,
    settings: {
      LITELLM_MASTER_KEY: litellm.masterKey,
      KEY_CACHE_SECONDS: String(cacheSeconds),
      ...options.settings,
    },
  });
  const perKey = await countLookUps(service.url, litellm, cacheSeconds);
  const unknown = await sendUnknown(service.url, options.unknownKeys);
  const searches = await compareSearches(service, target, litellm, source, options);
  const absent = await compareAbsent(service, litellm, searches.storeId, options);
  await insertStores(target, options.stores, { user: "user-0", count: ownStores });
  const pages = await comparePages(service, litellm, options);
  const queries = Array.from({ length: queryCount }, (_, n) => source.query(n));
  const secured = await compareRowSecurity(target, searches.storeId, queries, options, k);
  const { version, database } = service;
  const rows = litellm.rows();
  await cleanUp();
  const { one, many, all } = searches;
  const stores = options.stores.toLocaleString("en");
  return {
    kind: "access",
    title: "Access",
    version,
    database,
    notes: [
      `${options.keys} LiteLLM keys, remembered for ${cacheSeconds} s each and asked for again after 85 to 100 % of ` +
        `that. ${options.unknownKeys.toLocaleString("en")} keys that LiteLLM does not know were refused in ` +
        `${unknown.seconds.toFixed(1)} s. Searches in ${options.rows.toLocaleString("en")} rows of ${dimensions} ` +
        `dimensions. One client sends both requests of a pair by turns; with ${clients} clients each is measured ` +
        `${options.rounds} times, and the pair with the median ratio counts. ` +
        "Queries of one moment are embedded in one call if one key pays for them, so keys of several users make more " +
        "calls.",
    ],
    tables: [
      tableOf("Searches:", [
        [`server key, 1 client, ${fewRows} rows`, `LiteLLM key, 1 client, ${fewRows} rows`, one],
        [`server key, ${clients} clients`, `LiteLLM key, ${clients} clients`, many],
        [`server key, ${clients} clients, again`, `${clients} LiteLLM keys, a client each`, all],
      ]),
      tableOf("The statements of searches alone, by a role that owns nothing:", [
        ["as they are", "with row-level security", secured],
      ]),
      tableOf("Answers of 404 to a search:", [["no such store", "somebody else's store", absent]]),
      tableOf(`Pages of 20 among ${stores} stores:`, [["administrator, all", `user with ${ownStores}`, pages]]),
    ],
    goals: [
      atMost("look-ups per key and life of what is remembered", 1 / 0.85, perKey, "fraction"),
      atMost(`rows that ${options.unknownKeys.toLocaleString("en")} unknown keys write in LiteLLM`, 0, rows, "whole"),
      ...goalsOf(one, many, pages, absent),
    ],
  };
}

function goalsOf(one: Pair, many: Pair, pages: Pair, absent: Pair): Goal[] {
  const longer = one.second.p50 - one.first.p50;
  const told = absent.second.p50 / absent.first.p50;
  const often = many.second.rate / many.first.rate;
  const page = pages.second.p95 / pages.first.p95;
  return [
    atMost("a LiteLLM key's search takes longer than the server key's, ms at p50", 0.1, longer, "fraction"),
    atLeast("searches/s with a LiteLLM key, relative to the server key", 0.97, often, "fraction"),
    atMost("a page of a user's stores, relative to the administrator's at p95", 1.5, page, "fraction"),
    atMost("somebody else's store, relative to none: time of the answer at p50", 1.05, told, "fraction"),
    atLeast("somebody else's store, relative to none: time of the answer at p50", 0.95, told, "fraction"),
  ];
}

function tableOf(title: string, pairs: [string, string, Pair][]): Table {
  return makeTable(
    title,
    ["", "requests/s:fraction", "p50 ms:fraction", "p95 ms:fraction", "p99 ms:fraction"],
    pairs.flatMap(([first, second, pair]) => [
      [first, pair.first.rate, pair.first.p50, pair.first.p95, pair.first.p99],
      [second, pair.second.rate, pair.second.p50, pair.second.p95, pair.second.p99],
    ]),
  );
}

/** The same searches by the server key, and by users who may read the store; then by several users at once. */
async function compareSearches(
  service: Service,
  target: Target,
  { keys }: KeyServer,
  source: Source,
  options: AccessOptions,
) {
  const storeId = await createFilledStore(service, target, { source, count: options.rows });
  await grantEveryone(service, storeId);
  const smallId = await createFilledStore(service, target, { source, count: fewRows });
  await grantEveryone(service, smallId);
  const queries = Array.from({ length: queryCount }, (_, n) => source.query(n).text);
  const searches = queries.map((query) => ({ path: searchPath(storeId), body: { query } }));
  const small = queries.map((query) => ({ path: searchPath(smallId), body: { query } }));
  const users = keys.slice(0, clients).map((key) => createHttpClient(service.url, key));
  const [user] = users;
  if (user === undefined) throw new Error("there is no key");
  let turn = 0;
  const everyUser: HttpClient = {
    ...user,
    post: (...given) => (users[(turn += 1) % users.length] ?? user).post(...given),
  };
  const asked = (http: HttpClient) => (at: number) => {
    const { path, body } = small[at % small.length] ?? { path: "", body: {} };
    return http.post(path, { max_num_results: k, ...body });
  };
  // The two differ by hundredths of a millisecond, which a few hundred searches do not show.
  const one = await alternate({ ...options, seconds: 8 * options.seconds }, asked(service.http), asked(user));
  const byServer = () => measureSearches(service.http, clients, options, searches);
  const many = await inTurn(options.rounds, byServer, () => measureSearches(user, clients, options, searches));
  const all = await inTurn(options.rounds, byServer, () => measureSearches(everyUser, clients, options, searches));
  return { storeId, one, many, all };
}

async function grantEveryone(service: Service, storeId: string): Promise<void> {
  const answer = await fetch(`${service.url}/v1/vector_stores/${storeId}/permissions/everyone`, {
    method: "PUT",
    headers: { authorization: `Bearer ${service.key}`, "content-type": "application/json" },
    body: '{"permission":"read"}',
  });
  if (!answer.ok) throw new Error(`the permission was answered ${answer.status}: ${await answer.text()}`);
}

/** The time of an answer must not tell whether somebody else has the store. */
async function compareAbsent(service: Service, { keys }: KeyServer, storeId: string, options: AccessOptions) {
  const [key = ""] = keys;
  const closed = await service.createStore();
  if (closed === storeId) throw new Error("the store is the one that everybody may read");
  return alternate(
    options,
    absentAt(service.url, key, searchPath(newId("vs_"))),
    absentAt(service.url, key, searchPath(closed)),
  );
}

async function comparePages(service: Service, litellm: KeyServer, options: AccessOptions) {
  const [key = ""] = litellm.keys;
  const [admin, user] = [litellm.masterKey, key].map((each) => createHttpClient(service.url, each));
  if (admin === undefined || user === undefined) throw new Error("there is no key");
  return alternate(options, pagesOf(admin), pagesOf(user));
}
