import { ApiError } from "../../words/errors.js";
import { type TransferPage, type TransferSource, sumDigests } from "../../words/rows.js";
import { type AssignedRow, checkRow, toChunks } from "./checkRows.js";
import { openCheckpoint } from "./checkpoint.js";
import {
  type ImportCounts,
  type ImportProgress,
  type ImportRequest,
  type ImportResult,
  type TransferDeps,
  noCounts,
} from "./importRequest.js";
import { readSteadily, steadily } from "./steadily.js";
import { type People, takePeople } from "./takePeople.js";
import { type Targets, createTargets } from "./targets.js";
import { writePage } from "./writePage.js";

/** Of rows that are left out, this many are named. */
const mostNamed = 10;

/** What the result says beside counts. */
type Told = Pick<ImportResult, "skippedRows" | "notUnderstood" | "peopleLeft">;

/**
 * Writes all rows of a source into vector stores, each once. Several pages are written at the same time. The target's
 * database keeps the position up to which all are done, so the same import continues there after any interruption.
 * Repeated rows are recognised, because each row has the same id in every run.
 * @throws ApiError naming the row and the remedy; earlier pages stay stored
 */
export async function importRows(
  deps: TransferDeps,
  source: TransferSource,
  request: ImportRequest,
  onProgress: (progress: ImportProgress) => void,
): Promise<ImportResult> {
  const checkpoint = await openCheckpoint(deps, source, request);
  const begun = checkpoint.counts;
  const targets = createTargets(deps, request, {
    origin: source.origin,
    dimensions: source.dimensions,
  });
  const told: Told = { skippedRows: [], notUnderstood: [], peopleLeft: false };
  const line = new Pages(request.writers, async ({ page, counts }) => {
    onProgress({ done: page.done, before: begun.read, counts: await checkpoint.advance(page.position, counts) });
  });
  try {
    for await (const page of readSteadily(source, checkpoint.position)) {
      if (request.signal.aborted || checkpoint.lost()) break;
      const assigned = await assign(deps, targets, page, request);
      const { people } = page;
      if (people !== undefined) await targets.finish();
      await line.add(page, () =>
        people === undefined
          ? writeRows(deps, assigned, { canonical: source.canonical, request, told })
          : writePeople(deps, targets, people, { request, told }),
      );
    }
    await line.end();
    if (checkpoint.lost()) throw takenOver();
    const finished = !request.signal.aborted;
    if (finished) await targets.finish();
    const counts = await checkpoint.end(finished);
    if (checkpoint.lost()) throw takenOver();
    return {
      finished,
      dryRun: request.dryRun,
      counts,
      resumedAfter: begun.read,
      repeated: checkpoint.repeated,
      verified: request.verify && !request.dryRun,
      ...told,
      stores: targets.list(),
    };
  } catch (error) {
    // Wait for pages under way, so that none is writing when the database is closed.
    await line.end().catch(() => undefined);
    await checkpoint.end(false).catch(() => undefined);
    throw error;
  }
}

async function writeRows(
  deps: TransferDeps,
  assigned: readonly AssignedRow[],
  { canonical, request, told }: { canonical: boolean; request: ImportRequest; told: Told },
): Promise<ImportCounts> {
  const { chunks, embedded } = await toChunks(deps, assigned, { canonical, request });
  const written = await steadily(() => writePage(deps, chunks, request));
  for (const chunk of written.skipped) if (told.skippedRows.length < mostNamed) told.skippedRows.push(chunk.at);
  return {
    ...noCounts,
    read: assigned.length,
    added: written.added,
    duplicates: written.duplicates,
    skipped: written.skipped.length,
    embedded,
    withoutDirection: chunks.filter(({ vector }) => Buffer.alloc(vector.length).equals(vector)).length,
    readChecksum: sumDigests(written.read),
    storedChecksum: sumDigests(written.stored),
  };
}

async function writePeople(
  deps: TransferDeps,
  targets: Targets,
  people: People,
  { request, told }: { request: ImportRequest; told: Told },
): Promise<ImportCounts> {
  if (request.store !== null || request.storeName !== null) {
    told.peopleLeft = true;
    return noCounts;
  }
  const { counts, notUnderstood } = await steadily(() => takePeople(deps, targets, people, request));
  for (const name of notUnderstood) if (told.notUnderstood.length < mostNamed) told.notUnderstood.push(name);
  return counts;
}

const takenOver = () =>
  new ApiError(409, "Another process has taken this import over, because this one stopped responding for a while.", {
    code: "import_under_way",
  });

/**
 * Assigns the rows of a page to stores and checks them. Pages are assigned one after the other, so nothing is written
 * before the first page is valid.
 */
async function assign(
  deps: TransferDeps,
  targets: Targets,
  page: TransferPage,
  request: ImportRequest,
): Promise<AssignedRow[]> {
  for (const store of page.stores) {
    const row = page.rows.find((each) => each.storeId === store.id && each.vector !== null);
    await targets.tell(store, row?.vector == null ? null : row.vector.length / 4);
  }
  const assigned: AssignedRow[] = [];
  for (const row of page.rows) {
    const store = await targets.storeFor(row.storeId, row.vector === null ? null : row.vector.length / 4, row.at);
    const one = { row, store };
    checkRow(deps, one, request);
    assigned.push(one);
  }
  return assigned;
}

interface DonePage {
  page: TransferPage;
  counts: ImportCounts;
}

/** Pages being written: at most `limit` at once. They finish in any order but are reported in the source's order. */
class Pages {
  private readonly underWay: Promise<DonePage>[] = [];

  constructor(
    private readonly limit: number,
    private readonly report: (page: DonePage) => Promise<void>,
  ) {}

  /** Starts a page, and waits until there is room for another. @throws what the earliest page threw */
  async add(page: TransferPage, work: () => Promise<ImportCounts>): Promise<void> {
    const done = work().then((counts) => ({ page, counts }));
    // `takeFirst` reports the error in its turn; this avoids an unhandled rejection.
    done.catch(() => undefined);
    this.underWay.push(done);
    if (this.underWay.length >= this.limit) await this.takeFirst();
  }

  async end(): Promise<void> {
    while (this.underWay.length > 0) await this.takeFirst();
  }

  private async takeFirst(): Promise<void> {
    try {
      const first = await this.underWay.shift();
      if (first !== undefined) await this.report(first);
    } catch (error) {
      // Later pages must not count as done, but wait for them to finish.
      await Promise.allSettled(this.underWay.splice(0));
      throw error;
    }
  }
}
