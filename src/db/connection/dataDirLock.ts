import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartupError } from "../../words/errors.js";
import { errorCode } from "./errors.js";

/** Another process has the data directory. */
export class DataDirInUse extends StartupError {}

/** Where the sockets of the processes that want a data directory lie, and how their names begin. */
interface Place {
  directory: string;
  prefix: string;
}

/**
 * Takes a data directory for this process alone. PGlite takes no lock of its own: two processes on one directory lose
 * committed rows silently (measured). The lock is a listening Unix socket in the directory: the kernel frees it the moment its
 * owner dies, also by kill -9, so there are no stale process ids to guess about, and it holds between containers that share a volume.
 *
 * Every process shows a socket of its own before it looks for others, so of any two at least one sees the other. Who sees an owner,
 * or a smaller name, gives up; who sees a greater name that is undecided waits for it to decide. No name is ever taken over from a
 * dead process, so there is no moment at which a living one's could be taken by mistake.
 * @returns a function that gives the directory back.
 * @throws DataDirInUse when another process has it, StartupError when it cannot be written.
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

/** A socket's path may have 107 bytes; for a deeper directory the sockets lie in the temp directory under the path's hash. */
function placeFor(dataDir: string): Place {
  return Buffer.byteLength(dataDir) < 70 ? { directory: dataDir, prefix: "lock-" } : placeOutside(dataDir);
}

function placeOutside(dataDir: string): Place {
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  return { directory: tmpdir(), prefix: `vector-store-${hash}-` };
}

const ownedMark = (place: Place, name: string) => join(place.directory, `${name}.owned`);

/** Listens on a socket of this process's own. It gets its name once it listens: a socket that does not answer is a dead one's. */
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

/** Does a process listen there? Only the kernel's "nobody does" is a no: another user's socket, or a full queue, is a living one. */
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
