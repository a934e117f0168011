import type { Answer, Client } from "./client.js";
import type { Change } from "./ledger.js";
import {
  type Scene,
  type SentRow,
  attachedKey,
  attachedValue,
  fileKey,
  makeRow,
  newFilename,
  rowChange,
  rowKey,
  textOf,
  wireRow,
} from "./scene.js";

/** How many rows of an NDJSON body the server stores at once (`chunkLimits` in core/chunks/bulkLoad.ts). */
const rowsPerPortion = 500;

export interface Tally {
  /** Requests that were acknowledged, and those whose connection broke. */
  acknowledged: number;
  interrupted: number;
  /** Requests that the server declined for the moment: 503. */
  declined: number;
  /** Answers that no request of these should get, and requests that were never answered. */
  failures: string[];
}

interface Writer {
  scene: Scene;
  random: () => number;
  tally: Tally;
  /** What this writer may delete: no other writer touches it. */
  batches: { batch: number; ids: string[] }[];
  files: { name: string; id: string; attached: boolean }[];
}

type Act = (writer: Writer, client: Client) => Promise<void>;

/** One client that writes without a pause until it is told to stop. @param pick the server for the next request */
export async function write(
  scene: Scene,
  pick: () => Client,
  random: () => number,
  tally: Tally,
  stopped: () => boolean,
): Promise<void> {
  const writer: Writer = { scene, random, tally, batches: [], files: [] };
  while (!stopped()) {
    let at = random() * totalWeight;
    const [, act] = acts.find(([weight]) => (at -= weight) < 0) ?? [0, insertBatch];
    await act(writer, pick());
  }
}

/** Sends a request that changes these keys, and enters what became of it. @returns the answer if it was a success */
async function change(
  { scene, tally }: Writer,
  portions: readonly (readonly Change[])[],
  send: (acknowledge: (portions: number) => void) => Promise<Answer>,
): Promise<Answer | null> {
  const flight = scene.ledger.begin(portions);
  try {
    const answer = await send((count) => {
      flight.acknowledge(count);
    });
    if (answer.status === 200 || answer.status === 202) {
      flight.acknowledge();
      tally.acknowledged += 1;
      return answer;
    }
    if (answer.status === 503) tally.declined += 1;
    else tally.failures.push(`${portions[0]?.[0]?.key ?? ""}: ${answer.status} ${answer.text.slice(0, 300)}`);
  } catch (error) {
    tally.interrupted += 1;
    if (error instanceof Error && error.name === "TimeoutError") {
      tally.failures.push(`${portions[0]?.[0]?.key ?? ""}: no answer in time`);
    }
  }
  flight.abandon();
  return null;
}

function makeRows({ scene, random }: Writer, count: number): { batch: number; rows: SentRow[] } {
  const batch = scene.next();
  return {
    batch,
    rows: Array.from({ length: count }, (_, i) => makeRow(`${scene.name}-b${batch}-${i}`, batch, random)),
  };
}

const path = ({ scene }: Writer, rest: string) => `/v1/vector_stores/${scene.storeId}${rest}`;
const upTo = ({ random }: Writer, most: number) => 1 + Math.floor(random() * most);

const insertBatch: Act = (writer, client) => insertRows(writer, client, upTo(writer, 80));
/** So many that one statement does not take them all. */
const insertLargeBatch: Act = (writer, client) => insertRows(writer, client, 1100 + upTo(writer, 200));

async function insertRows(writer: Writer, client: Client, count: number): Promise<void> {
  const { batch, rows } = makeRows(writer, count);
  const json = { embeddings: rows.map(wireRow), return: "count" };
  const answer = await change(writer, [rows.map(rowChange)], () =>
    client.send("POST", path(writer, "/embeddings/batch"), { json }),
  );
  if (answer !== null) writer.batches.push({ batch, ids: rows.map(({ id }) => id) });
}

const insertLines: Act = async (writer, client) => {
  const { rows } = makeRows(writer, 400 + upTo(writer, 1200));
  const portions: Change[][] = [];
  for (let at = 0; at < rows.length; at += rowsPerPortion) {
    portions.push(rows.slice(at, at + rowsPerPortion).map(rowChange));
  }
  let read = "";
  await change(writer, portions, (acknowledge) =>
    client.send("POST", path(writer, "/embeddings/batch"), {
      raw: rows.map((row) => `${JSON.stringify(wireRow(row))}\n`).join(""),
      headers: { "content-type": "application/x-ndjson" },
      onText: (text) => {
        read += text;
        const counts = [...read.matchAll(/"object":"embedding\.batch\.progress","count":(\d+),.*\n/g)];
        acknowledge(Math.ceil(Number(counts.at(-1)?.[1] ?? 0) / rowsPerPortion));
      },
    }),
  );
};

const insertOne: Act = async (writer, client) => {
  const { batch, rows } = makeRows(writer, 1);
  const [row] = rows;
  if (row === undefined) return;
  const answer = await change(writer, [[rowChange(row)]], () =>
    client.send("POST", path(writer, "/embeddings"), { json: wireRow(row) }),
  );
  if (answer !== null) writer.batches.push({ batch, ids: [row.id] });
};

/** Takes one of a list, at random, out of it. */
function take<T>(random: () => number, list: T[]): T | undefined {
  return list.splice(Math.floor(random() * list.length), 1)[0];
}

const deleteRows: Act = async (writer, client) => {
  const taken = take(writer.random, writer.batches);
  if (taken === undefined) return insertBatch(writer, client);
  const byFilter = writer.random() < 0.4;
  const ids = byFilter ? taken.ids : taken.ids.slice(0, upTo(writer, taken.ids.length));
  const json = byFilter ? { filters: { type: "eq", key: "batch", value: taken.batch } } : { ids };
  await change(writer, [ids.map((id) => ({ key: rowKey(id), value: null }))], () =>
    client.send("DELETE", path(writer, "/embeddings"), { json }),
  );
};

function form(name: string, fields: Record<string, string>): FormData {
  const made = new FormData();
  for (const [field, value] of Object.entries(fields)) made.append(field, value);
  made.append("file", new Blob([textOf(name)]), name);
  return made;
}
const fileChange = (name: string) => ({ key: fileKey(name), value: String(Buffer.byteLength(textOf(name))) });
const idOf = ({ text }: Answer) => (JSON.parse(text) as { id: string }).id;
const attach = (name: string) => ({ key: attachedKey(name), value: attachedValue });

const upload: Act = async (writer, client) => {
  const name = newFilename(writer.scene, writer.random);
  const later: Record<string, string> = writer.random() < 0.7 ? { prefer: "respond-async" } : {};
  const answer = await change(writer, [[fileChange(name)], [attach(name)]], () =>
    client.send("POST", path(writer, "/upload"), {
      form: form(name, { chunk_size: "200", chunk_overlap: "0" }),
      headers: later,
    }),
  );
  if (answer !== null) writer.files.push({ name, id: idOf(answer), attached: true });
};

const keepFile: Act = async (writer, client) => {
  const name = newFilename(writer.scene, writer.random);
  const answer = await change(writer, [[fileChange(name)]], () =>
    client.send("POST", "/v1/files", { form: form(name, { purpose: "assistants" }) }),
  );
  if (answer !== null) writer.files.push({ name, id: idOf(answer), attached: false });
};

const attachFile: Act = async (writer, client) => {
  const file = take(
    writer.random,
    writer.files.filter(({ attached }) => !attached),
  );
  if (file === undefined) return keepFile(writer, client);
  const json = {
    file_id: file.id,
    chunking_strategy: { type: "static", static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 } },
  };
  const answer = await change(writer, [[attach(file.name)]], () =>
    client.send("POST", path(writer, "/files"), { json }),
  );
  // Without an answer nobody knows whether it is attached; it is left alone from now on.
  if (answer === null) writer.files.splice(writer.files.indexOf(file), 1);
  else file.attached = true;
};

/** Deletes a file, or detaches it. */
const removeFile: Act = async (writer, client) => {
  const file = take(writer.random, writer.files);
  if (file === undefined) return upload(writer, client);
  const gone = { key: attachedKey(file.name), value: null };
  if (file.attached && writer.random() < 0.5) {
    await change(writer, [[gone]], () => client.send("DELETE", path(writer, `/files/${file.id}`)));
    return;
  }
  // Store by store it is detached, then it is removed.
  const portions = [...(file.attached ? [[gone]] : []), [{ key: fileKey(file.name), value: null }]];
  await change(writer, portions, () => client.send("DELETE", `/v1/files/${file.id}`));
};

/** How often each request is made, relative to the others. */
const acts: readonly [weight: number, Act][] = [
  [30, insertBatch],
  [2, insertLargeBatch],
  [5, insertLines],
  [25, insertOne],
  [12, deleteRows],
  [12, upload],
  [5, keepFile],
  [5, attachFile],
  [6, removeFile],
];
const totalWeight = acts.reduce((sum, [weight]) => sum + weight, 0);
