import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { openRaw, type Target } from "./database.js";
import { createHttpClient, type HttpClient } from "./http.js";
import type { KeyServer } from "./keyServer.js";

/** What `npm run bench -- access` measures. */

/**
 * All keys work for several lives of what is remembered of them.
 * @returns look-ups per key and life of what is remembered, after the first ones
 */
export async function countLookUps(url: string, { keys, lookUps }: KeyServer, cacheSeconds: number): Promise<number> {
  const clients = keys.map((key) => createHttpClient(url, key));
  const ask = () => Promise.all(clients.map((client) => client.get("/v1/vector_stores?limit=1")));
  await ask();
  const [before, begun] = [lookUps(), performance.now()];
  const lives = 4;
  while (performance.now() - begun < lives * cacheSeconds * 1000) {
    await ask();
    await wait(20);
  }
  const passed = (performance.now() - begun) / 1000;
  return (lookUps() - before) / keys.length / (passed / cacheSeconds);
}

/** Sends keys that LiteLLM does not know. @throws if one is answered other than with 401 or 429 */
export async function sendUnknown(url: string, count: number): Promise<{ seconds: number; refused: number }> {
  const begun = performance.now();
  let [next, refused] = [0, 0];
  const send = async () => {
    while (next < count) {
      next += 1;
      const headers = { authorization: `Bearer sk-unknown-${next}` };
      const answer = await fetch(`${url}/v1/vector_stores`, { headers });
      await answer.arrayBuffer();
      if (answer.status === 401) refused += 1;
      else if (answer.status !== 429) throw new Error(`an unknown key was answered ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, send));
  return { seconds: (performance.now() - begun) / 1000, refused };
}

/** Stores of many other users, and some of one. As SQL, because 100,000 requests would take minutes. */
export async function insertStores(
  target: Target,
  others: number,
  own: { user: string; count: number },
): Promise<void> {
  const raw = await openRaw(target.environment);
  await raw.query(
    `INSERT INTO vector_stores (id, name, owner_user_id, owner_team_id, created_at, last_active_at)
     SELECT 'vs_' || md5(n::text), 'store ' || n,
            CASE WHEN n <= $1 THEN $2 ELSE 'other-' || n % 1000 END, 'team-of-others-' || n % 100,
            now() - n * interval '1 second', now()
     FROM generate_series(1, $3::int) AS n ORDER BY random()`,
    [own.count, own.user, own.count + others],
  );
  await raw.query("ANALYZE vector_stores");
  await raw.close();
}

const page = z.object({ last_id: z.string().nullable() });

/** Reads three pages of 20 stores in a row, again and again. @returns reads the next page */
export function pagesOf(http: HttpClient): () => Promise<void> {
  let [after, read]: [string | null, number] = [null, 0];
  return async () => {
    const from: string = read % 3 === 0 || after === null ? "" : `&after=${after}`;
    after = page.parse(JSON.parse(await http.get(`/v1/vector_stores?limit=20${from}`))).last_id;
    read += 1;
  };
}

/** @returns sends a search that must be answered 404 */
export function absentAt(url: string, key: string, path: string): () => Promise<void> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return async () => {
    const answer = await fetch(url + path, { method: "POST", headers, body: '{"query":"first text"}' });
    await answer.arrayBuffer();
    if (answer.status !== 404) throw new Error(`${path} was answered ${answer.status}`);
  };
}
