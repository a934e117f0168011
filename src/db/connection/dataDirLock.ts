import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartupError, errorCode } from "../../words/errors.js";

/** Another process has the data directory. */
export class DataDirInUse extends StartupError {}

/** The directory and name prefix of the sockets of all processes that want a data directory. */
interface Place {
  directory: string;
  prefix: string;
}

/**
 * Takes a data directory for this process alone. PGlite itself takes no lock: two processes on one directory silently
 * lose committed rows (measured). The lock is a listening Unix socket in the directory: the kernel frees it the moment
 * its owner dies, even by kill -9, so there are no stale process ids, and it also works between containers that share a
 * volume.
 *
 * Every process shows its socket before it looks for others, so of any two at least one sees the other. A process that
 * sees an owner, or a smaller name, gives up; one that sees a greater, undecided name waits for it to decide. Names of
 * dead processes are never reused, so a living process's name cannot be taken by mistake.
 * @returns a function that releases the directory.
 * @throws DataDirInUse if another process has it, StartupError if it cannot be written.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  let place: Place;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    place = placeFor(realpathSync(dataDir));
  } catch (error) {
    throw unusable(dataDir, error);
  }
  const own = await show(dataDir, place);
  try {
    if (await isTaken(place, own.name)) {
      throw new DataDirInUse(
        `The data directory ${dataDir} is in use by another vector-store process. Stop that one, or give this one another DATA_DIR ` +
          `(for several processes on the same data use PostgreSQL: DATABASE_URL).`,
      );
    }
    writeFileSync(ownedMark(place, own.name), "");
    return own.withdraw;
  } catch (error) {
    await own.withdraw();
    throw error instanceof StartupError ? error : unusable(dataDir, error);
  }
}

const unusable = (dataDir: string, error: unknown) =>
  new StartupError(
    `The data directory ${dataDir} cannot be used (${errorCode(error) ?? String(error)}). Set DATA_DIR to a directory that this process ` +
      `may write to, or use PostgreSQL: DATABASE_URL.`,
  );

/** A socket's path may have 107 bytes; for a longer one the sockets are in the temp directory under the path's hash. */
function placeFor(dataDir: string): Place {
  return Buffer.byteLength(dataDir) < 70 ? { directory: dataDir, prefix: "lock-" } : placeOutside(dataDir);
}

function placeOutside(dataDir: string): Place {
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  return { directory: tmpdir(), prefix: `vector-store-${hash}-` };
}

const ownedMark = (place: Place, name: string) => join(place.directory, `${name}.owned`);

/**
 * Listens on a socket for this process. The socket gets its name once it listens, so one that does not answer belongs
 * to a dead process.
 */
async function show(dataDir: string, place: Place): Promise<{ name: string; withdraw: () => Promise<void> }> {
  const name = place.prefix + randomBytes(6).toString("hex");
  const path = join(place.directory, `${name}.sock`);
  let server: Server;
  try {
    server = await listen(`${path}~`);
    renameSync(`${path}~`, path);
  } catch (error) {
    throw unusable(dataDir, error);
  }
  const withdraw = async () => {
    rmSync(path, { force: true });
    rmSync(ownedMark(place, name), { force: true });
    await close(server);
  };
  return { name, withdraw };
}

async function isTaken(place: Place, own: string): Promise<boolean> {
  const others = readdirSync(place.directory)
    .filter((file) => file.startsWith(place.prefix) && file.endsWith(".sock"))
    .map((file) => file.slice(0, -".sock".length))
    .filter((name) => name !== own);
  for (const other of others) {
    const path = join(place.directory, `${other}.sock`);
    while (await answers(path)) {
      if (other < own || existsSync(ownedMark(place, other))) return true;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    rmSync(path, { force: true });
    rmSync(ownedMark(place, other), { force: true });
  }
  return false;
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

/**
 * Whether a process listens there. Only "nobody does" from the kernel means no: another user's socket, or one with a
 * full queue, belongs to a living process.
 */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      resolve(!["ECONNREFUSED", "ENOENT"].includes(errorCode(error) ?? ""));
    });
  });
}
