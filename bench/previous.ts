import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { atEnd } from "./cleanup.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

/**
 * The commit before the one that added the newest migration; later edits of that file (a comment, a header) do not
 * change the schema.
 * @throws if the history does not go back that far
 */
export function commitBeforeSchema(): string {
  const added = git("log", "-1", "--diff-filter=A", "--format=%H", "--", "sql");
  if (added === "") throw new Error("there is no history of sql/ here; name a commit with --from");
  return git("rev-parse", `${added}^`);
}

/** Builds an earlier version in a separate directory, which is removed at the end. @returns the directory */
export function buildPrevious(commit: string): string {
  const directory = mkdtempSync(join(tmpdir(), "vector-store-previous-"));
  atEnd(() => {
    rmSync(directory, { recursive: true, force: true });
    return Promise.resolve();
  });
  const files = execFileSync("git", ["archive", commit], { cwd: root, maxBuffer: 2 ** 30 });
  execFileSync("tar", ["-x", "-C", directory], { input: files });
  const lock = (place: string) => readFileSync(join(place, "package-lock.json"), "utf8");
  if (lock(directory) === lock(root)) {
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
    execFileSync("npm", ["run", "build", "--silent"], { cwd: directory, stdio: "inherit" });
  } else {
    // Its `prepare` script builds it.
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: directory, stdio: "inherit" });
  }
  return directory;
}
