import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import request from "supertest";
import { bombs } from "../formats/amplify.js";
import { campaign } from "../support/campaign.js";
import { call } from "../support/httpClient.js";
import { createServerData, type ServerData } from "../support/serverData.js";
import { compileProgram, type Program, type ServerProcess } from "../support/serverProcess.js";
import { testKey } from "../support/settings.js";
import { readApart } from "./readApart.js";

/** Files of less than a megabyte that unfold to gigabytes take little memory and disk, and give all of it back. */

const { numRuns } = campaign(bombs.length);
const step = Math.ceil(bombs.length / numRuns);
const cuttings = [
  { by: "tokens", size: 800, overlap: 400 },
  { by: "characters", size: 512, overlap: 50 },
];

describe("a small file that unfolds", () => {
  test.each(bombs.filter((_, i) => i % step === 0))("$name", async ({ name, make }) => {
    const bytes = make();
    expect(bytes.length).toBeLessThanOrEqual(1_000_000 * 1.05);
    for (const cutting of cuttings) {
      const reading = await readApart(bytes, name, cutting);
      expect(reading.error ?? "").not.toContain("unforeseen");
      // 10,000 chunks take 140 MB with vectors of 1,536 dimensions.
      expect(reading.chunks).toBeLessThanOrEqual(Math.max(10_000, bytes.length / 100));
      if (process.platform === "linux") expect(reading.megabytes).toBeLessThan(300);
    }
  });

  test.each(["far character.pdf", "number of objects.pdf"])("does not end the process: %s", async (name) => {
    const bytes = bombs.find((bomb) => bomb.name === name)?.make() ?? Buffer.alloc(0);
    expect(await readApart(bytes, name, cuttings[0] ?? {})).toMatchObject({ error: null, chunks: 1 });
  });

  test("is refused for its chunks, if these would be tiny", async () => {
    const reading = await readApart(Buffer.from("a b ".repeat(200_000)), "a.txt", {
      by: "characters",
      size: 1,
      overlap: 0,
    });
    expect(reading).toMatchObject({
      chunks: 0,
      error: expect.stringMatching(/more chunks than the limit of 10,000 .*800,000 bytes/),
    });
  });

  test("is read as long as it is honest", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `Customer ${i},Switzerland,ordered a table of oak\n`).join(
      "",
    );
    const reading = await readApart(Buffer.from(`name,country,note\n${rows}`), "a.csv", cuttings[0] ?? {});
    expect(reading).toMatchObject({ error: null, chunks: expect.any(Number) });
    expect(reading.chunks).toBeGreaterThan(500);
  });
});

describe("the service", () => {
  let program: Program;
  let data: ServerData;
  let server: ServerProcess & { url: string };
  beforeAll(async () => {
    program = await compileProgram();
    data = await createServerData();
    server = await program.start({ ...data.environment, INGEST_CONCURRENCY: "2" });
  });
  afterAll(async () => {
    await program.remove();
    await data.remove();
  });

  interface File {
    id: string;
    status: string;
    last_error: { code: string; message: string } | null;
  }
  const sizeOf = (directory: string): number =>
    readdirSync(directory, { withFileTypes: true, recursive: true })
      .filter((each) => each.isFile())
      .reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0);

  test("goes on while bombs take all its workers, keeps nothing of them, and says why", async () => {
    const made = await call<{ id: string }>(server.url, "POST", "/v1/vector_stores", {});
    const path = `/v1/vector_stores/${made.body.id}`;
    const send = async (bytes: Buffer, name: string) => {
      const sent = request(server.url).post(`${path}/upload`).set("authorization", `Bearer ${testKey}`);
      return (await sent.set("prefer", "respond-async").attach("file", bytes, name)).body as File;
    };
    const directory = data.environment.DATA_DIR;
    const before = directory === undefined ? 0 : sizeOf(directory);
    const hostile = ["repeated.ods", "shared strings.xlsx", "repeated.ods"];
    const sent: File[] = [];
    for (const name of hostile) {
      const bytes = bombs.find((bomb) => bomb.name === name)?.make() ?? Buffer.alloc(0);
      sent.push(await send(bytes, `${sent.length} ${name}`));
    }
    const small = await send(Buffer.from("A small honest file."), "small.txt");
    const ended = async ({ id }: File): Promise<File> => {
      for (;;) {
        const file = (await call<File>(server.url, "GET", `${path}/files/${id}`)).body;
        if (file.status !== "in_progress") return file;
      }
    };
    expect(await ended(small)).toMatchObject({ status: "completed" });
    for (const file of sent) {
      expect(await ended(file)).toMatchObject({
        status: "failed",
        last_error: {
          code: "invalid_file",
          message: expect.stringMatching(/limit of 10,485,760 bytes|limit of 10,000 |nothing came of it for 12 s/),
        },
      });
    }
    const store = (await call<{ usage_bytes: number }>(server.url, "GET", path)).body;
    expect(store.usage_bytes).toBe(20);
    if (directory !== undefined) expect(sizeOf(directory) - before).toBeLessThan(50 * 2 ** 20);
  });
});
