import type { StoreFile, StoreFileKey } from "../../words/file.js";

/**
 * How an attached file is now; undefined: it is not attached. Those who ask while others look are answered together.
 * @throws what `find` throws
 */
export type FileLooks = (key: StoreFileKey) => Promise<StoreFile | undefined>;

interface Asked {
  fileId: string;
  resolve: (file: StoreFile | undefined) => void;
  reject: (error: unknown) => void;
}

/** After a look, four times as long without one. */
const restFactor = 4;

/**
 * Looks at files for all who wait for them. Each looking by itself, two hundred who waited for their uploads kept the
 * embedded database's only connection from what they waited for.
 * @param find those of a store's files that are attached to it
 */
export function createFileLooks(
  find: (storeId: string, fileIds: readonly string[]) => Promise<readonly StoreFile[]>,
): FileLooks {
  let asked = new Map<string, Asked[]>();
  let looking = false;
  const look = async (storeId: string, these: readonly Asked[]) => {
    try {
      const found = await find(storeId, [...new Set(these.map(({ fileId }) => fileId))]);
      const files = new Map(found.map((file) => [file.fileId, file]));
      for (const { fileId, resolve } of these) resolve(files.get(fileId));
    } catch (error) {
      for (const { reject } of these) reject(error);
    }
  };
  const lookAtAll = async () => {
    looking = true;
    while (asked.size > 0) {
      const these = asked;
      asked = new Map();
      const begun = performance.now();
      for (const [storeId, ofStore] of these) await look(storeId, ofStore);
      const rest = restFactor * (performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, rest));
    }
    looking = false;
  };
  return ({ vectorStoreId: storeId, fileId }) =>
    new Promise((resolve, reject) => {
      const ofStore = asked.get(storeId) ?? [];
      ofStore.push({ fileId, resolve, reject });
      asked.set(storeId, ofStore);
      if (!looking) void lookAtAll();
    });
}
