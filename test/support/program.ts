import swc from "@swc/core";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const root = resolve(import.meta.dirname, "../..");

/**
 * The program in JavaScript, for processes and threads that tests start. The first test file of a run that needs it
 * compiles it, in a third of a second; the others share it.
 * @returns its directory, laid out as a build: `dist/cli/main.js`, `sql`, `ui`, `package.json`
 */
export async function compiledProgram(): Promise<string> {
  const shared = process.env.TEST_DIRECTORY ?? "";
  const program = join(shared, "program");
  if (existsSync(program)) return program;
  const own = mkdtempSync(join(shared, "compiling-"));
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  await Promise.all(sources.filter((each) => each.endsWith(".ts")).map((file) => compile(file, own)));
  for (const each of ["sql", "node_modules", "ui"]) symlinkSync(join(root, each), join(own, each));
  copyFileSync(join(root, "package.json"), join(own, "package.json"));
  try {
    renameSync(own, program);
  } catch (error) {
    // Another worker was faster.
    if (!existsSync(program)) throw error;
    rmSync(own, { recursive: true });
  }
  return program;
}

async function compile(file: string, directory: string): Promise<void> {
  const { code } = await swc.transformFile(join(root, "src", file), {
    swcrc: false,
    jsc: { parser: { syntax: "typescript" }, target: "es2022" },
    module: { type: "es6" },
  });
  const target = join(directory, "dist", file.replace(/ts$/, "js"));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, code);
}

/** The entry point of the threads that read documents. */
export async function readingThread(): Promise<URL> {
  return pathToFileURL(join(await compiledProgram(), "dist/reading/thread.js"));
}
