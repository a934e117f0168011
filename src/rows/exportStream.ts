import { noChecksum } from "../words/rows.js";
import type { ExportOutput } from "./exportFile.js";
import { type VectorText, createNdjsonWriter } from "./rowWriter.js";

/** Writes rows to a stream as NDJSON. An interrupted run starts over. */
export function createStreamOutput(
  put: (text: string) => unknown,
  options: { vectors: VectorText; rowsOnly: boolean },
): ExportOutput {
  const write = (text: string) => {
    put(text);
    return Promise.resolve();
  };
  const writer = createNdjsonWriter(write, { ...options, told: new Set() });
  return {
    begun: { position: null, rows: 0, checksum: noChecksum },
    write: ({ store, rows }) => writer.write(store, rows),
    finish: () => Promise.resolve(["-"]),
    leave: () => Promise.resolve(),
  };
}
