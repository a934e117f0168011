import { z } from "zod";
import type { TransferPage } from "../../words/rows.js";
import type { SourceDatabase } from "./connect.js";
import { type OwnTables, type PeopleTables, pagesOf, readGrants, readPermissions, readUses } from "./people.js";

/** The table, and the key of the last row that was read of it. */
const position = z.object({ people: z.enum(["grants", "permissions", "usage"]), key: z.array(z.string()) });

/** Whether an import has read all rows, and has come to who may use the stores. */
export const isPeoplePosition = (after: unknown): boolean => position.safeParse(after).success;

/** Permissions, then usage, page by page like rows. @param done how many rows have been read before */
export async function* readPeople(
  source: SourceDatabase,
  { grants, audit, permissions, usage }: PeopleTables & OwnTables,
  { after, done }: { after: unknown; done: number },
): AsyncGenerator<TransferPage> {
  const reached = position.safeParse(after).data ?? { people: "grants" as const, key: null };
  const common = { stores: [], rows: [], done };
  if (grants !== null && reached.people === "grants") {
    const pages = pagesOf((key) => source.reading((tx) => readGrants(tx, grants, key)), reached.key);
    for await (const { rows, key } of pages) {
      yield { ...common, position: { people: "grants", key }, people: { permissions: rows, uses: [] } };
    }
  }
  if (permissions !== null && reached.people !== "usage") {
    const begin = reached.people === "permissions" ? reached.key : null;
    const pages = pagesOf(
      (key) => source.reading((tx) => readPermissions(tx, permissions, key, { grants, audit })),
      begin,
    );
    for await (const { rows, key } of pages) {
      yield { ...common, position: { people: "permissions", key }, people: { permissions: rows, uses: [] } };
    }
  }
  if (usage === null) return;
  const begin = reached.people === "usage" ? reached.key : null;
  for await (const { rows, key } of pagesOf((at) => source.reading((tx) => readUses(tx, usage, at)), begin)) {
    yield { ...common, position: { people: "usage", key }, people: { permissions: [], uses: rows } };
  }
}
