import { afterAll, afterEach, beforeAll, beforeEach } from "@jest/globals";
import { type TestDatabase, createTestDatabase } from "../support/database.js";
import { urlOf } from "../support/serverDatabase.js";
import { type Outcome, type Place, createPlace, run } from "./support.js";
import { type ImportAnswer, runJson } from "./transferSupport.js";

/** A PostgreSQL database to import from, empty for each test, and a place to import into, emptied after each. */
export interface ImportPlaces {
  source: TestDatabase;
  place: Place;
  /** The URL of the source. */
  from: string;
  importing(...args: string[]): Promise<Outcome>;
  /** `import --json`. @throws Error if it fails */
  imported(...args: string[]): Promise<ImportAnswer>;
}

/** Registers the hooks that create them; the databases exist from the first test on. */
export function useImportPlaces(): ImportPlaces {
  const at = {} as ImportPlaces;
  at.importing = (...args) => run(["import", "--from", at.from, ...args], { environment: at.place.environment });
  at.imported = (...args) => runJson<ImportAnswer>(at.place, ["import", "--from", at.from, ...args]);
  beforeAll(async () => {
    at.place = await createPlace();
    await run(["migrate"], { environment: at.place.environment });
  });
  beforeEach(async () => {
    at.source = await createTestDatabase();
    at.from = await urlOf(at.source);
  });
  afterEach(async () => {
    await at.source.drop();
    await at.place.exec(
      "DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports; DELETE FROM vector_store_vectors",
    );
  });
  afterAll(() => at.place.remove());
  return at;
}
