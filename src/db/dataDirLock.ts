import { createHash, randomBytes } from "node:crypto";
import { linkSync, mkdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartupError } from "../errors.js";
import { errorCode } from "./errors.js";

/**
 * Takes a data directory for this process alone. PGlite takes no lock of its own: two processes on one directory lose
 * committed rows silently (measured). The lock is a listening Unix socket in the directory: the kernel frees it the moment its
 * owner dies, also by kill -9, so there are no stale process ids to guess about, and it holds between containers that share a volume.
 * @returns a function that gives the directory back.
 * @throws StartupError when another process has it.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = socketPath(dataDir);
  const own = `${path}.${randomBytes(4).toString("hex")}`;
  const server = await listen(own);
  const giveUp = async (): Promise<never> => {
    await close(server);
    rmSync(own, { force: true });
    throw new StartupError(
      `The data directory ${dataDir} is in use by another vector-store process. Stop that one, or give this one another DATA_DIR ` +
        `(for several processes on the same data use PostgreSQL: DATABASE_URL).`,
    );
  };
  // link() is atomic and fails when the name exists: of many processes that start at once, one wins.
  while (!tryLink(own, path)) {
    if (await answers(path)) return giveUp();
    // Left behind by a dead process. Move it away, then make sure that what was moved is not a lock taken in between.
    const moved = `${own}.old`;
    try {
      renameSync(path, moved);
    } catch (error) {
      if (errorCode(error) === "ENOENT") continue;
      throw error;
    }
    const wasAlive = await answers(moved);
    if (wasAlive) tryLink(moved, path);
    rmSync(moved, { force: true });
    if (wasAlive) return giveUp();
  }
  rmSync(own, { force: true });
  return async () => {
    rmSync(path, { force: true });
    await close(server);
  };
}

/** A socket's path may have 107 bytes; for a deeper directory the socket lies in the temp directory under the path's hash. */
function socketPath(dataDir: string): string {
  const path = join(realpathSync(dataDir), "lock.sock");
  if (Buffer.byteLength(path) < 85) return path;
  return join(tmpdir(), `vector-store-${createHash("sha256").update(path).digest("hex").slice(0, 16)}.sock`);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.destroy();
    });
    server.unref();
    server.once("error", reject);
    server.listen(path, () => {
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}
