import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compiledProgram } from "../support/program.js";

/** How the reading of a document ended, in a process of its own. */
export interface Reading {
  /** Why it was refused; null: it was read. */
  error: string | null;
  chunks: number;
  /** How much the process grew, its threads included; known on Linux only. */
  megabytes: number;
}

const script = (program: string) => `
  import { readFileSync } from "node:fs";
  import { platform } from "node:process";
  import { createDocumentReader, defaultLimits } from ${JSON.stringify(join(program, "dist/reading/documentReader.js"))};
  const [path, name, size, cutting] = process.argv.slice(2);
  const thread = new URL(${JSON.stringify(`file://${join(program, "dist/reading/thread.js")}`)});
  const reader = createDocumentReader(thread, defaultLimits);
  const before = process.memoryUsage.rss();
  const { signal } = new AbortController();
  const options = { cutting: JSON.parse(cutting), pdfVision: false, describe: () => Promise.resolve(""), signal };
  let [chunks, error] = [0, null];
  try {
    for await (const chunk of reader.read({ path, size: Number(size), name }, options)) chunks += chunk.text === "" ? 0 : 1;
  } catch (cause) {
    error = cause.name === "DocumentError" ? cause.message : \`unforeseen: \${cause.stack}\`;
  }
  // Not resourceUsage().maxRSS, which begins with the peak of the process that started this one.
  const peak = platform === "linux" ? /VmHWM:\\s+(\\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1] : 0;
  const megabytes = peak / 1024 - before / 2 ** 20;
  console.log(JSON.stringify({ error, chunks, megabytes }));
  await reader.close();
`;

/** Reads a document in a separate process, whose memory is measured. */
export async function readApart(bytes: Buffer, name: string, cutting: object): Promise<Reading> {
  const directory = mkdtempSync(join(tmpdir(), "vector-store-apart-"));
  try {
    const path = join(directory, "document");
    writeFileSync(path, bytes);
    writeFileSync(join(directory, "read.mjs"), script(await compiledProgram()));
    const args = [join(directory, "read.mjs"), path, name, String(bytes.length), JSON.stringify(cutting)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [out, problems] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.on("data", (text: Buffer) => (problems += text.toString()));
    await new Promise((ended) => child.once("close", ended));
    if (out === "") throw new Error(`the process ended without a result: ${problems}`);
    return JSON.parse(out) as Reading;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
