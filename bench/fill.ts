import { wireBatch } from "./data.js";
import type { Row, Source } from "./data.js";
import type { Target } from "./database.js";
import { openRaw } from "./database.js";
import type { Service } from "./service.js";

const batch = 500;
/** Concurrent requests: while one is prepared and two are in flight, neither side waits. */
const senders = 3;

export interface Filling {
  storeId: string;
  count: number;
  /** The number of the first row. */
  from?: number;
  /** Default: `row-<number>`. */
  idOf?: (n: number) => string;
  row: (n: number) => Row;
  /** Called once for each row, in any order. */
  onRow?: (n: number, row: Row) => void;
}

/** Fills a store as a bulk load does: base64 batches, several at once. @returns seconds */
export async function fill(service: Service, filling: Filling): Promise<number> {
  const { storeId, count, from = 0, row, onRow, idOf = (n) => `row-${n}` } = filling;
  const begun = performance.now();
  let next = 0;
  const send = async () => {
    for (let start = next; start < count; start = next) {
      next += batch;
      const rows = Array.from({ length: Math.min(batch, count - start) }, (_, i) => {
        const n = from + start + i;
        const made = row(n);
        onRow?.(n, made);
        return { ...made, id: idOf(n) };
      });
      await service.http.post(`/v1/vector_stores/${storeId}/embeddings/batch`, wireBatch(rows, "base64"));
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  const seconds = (performance.now() - begun) / 1000;
  if (count >= 10_000) {
    console.error(`${count} rows filled in, in ${seconds.toFixed(0)} s: ${Math.round(count / seconds)} rows/s`);
  }
  return seconds;
}

/** A store with a source's first rows, indexed if it will be, and settled as after a while at rest. */
export async function createFilledStore(
  service: Service,
  target: Target,
  filling: Omit<Filling, "storeId" | "row"> & { source: Source; body?: object; row?: (n: number) => Row },
): Promise<string> {
  const storeId = await service.createStore(filling.body);
  await fill(service, { row: filling.source.row, ...filling, storeId });
  await service.expectRows(storeId, filling.count);
  console.error(`${filling.count} rows: ${await service.untilIndexed(storeId)}`);
  await settle(target);
  return storeId;
}

/** Does what autovacuum and the checkpointer would do during a measurement. The embedded database has neither. */
export async function settle(target: Target): Promise<void> {
  if (target.kind === "pglite") return;
  const raw = await openRaw(target.environment);
  await raw.query("VACUUM (ANALYZE)");
  // Only a superuser may; otherwise the figures vary more.
  await raw.query("CHECKPOINT").catch(() => undefined);
  await raw.close();
}

/** The number of a row with the default id. */
export const numberOf = (id: string) => Number(id.replace("row-", ""));
