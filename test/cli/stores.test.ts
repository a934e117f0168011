import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { run, startRecorder } from "./support.js";
import { testKey } from "../support/settings.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const environment = () => ({ VECTOR_STORE_URL: service.url, VECTOR_STORE_KEY: testKey });
const cli = (args: string[], columns?: number) =>
  run(args, { environment: environment(), ...(columns !== undefined && { columns }) });
const retrieve = async (id: string) => (await service.get(`/v1/vector_stores/${id}`)).body as Record<string, unknown>;
const storeIn = (out: string) => JSON.parse(out) as { id: string; [key: string]: unknown };

describe("stores list of an empty server", () => {
  test("says how to create a store, and prints nothing on standard output", async () => {
    const { code, out, err } = await cli(["stores", "list"]);
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toContain("vector-store stores create");
  });

  test("--json is an empty list", async () => {
    expect(JSON.parse((await cli(["stores", "list", "--json"])).out)).toEqual({
      object: "list",
      data: [],
      first_id: "",
      last_id: "",
      has_more: false,
    });
  });
});

describe("stores create", () => {
  test("prints only the id, for $(…), and creates the store as requested", async () => {
    const { code, out, err } = await cli([
      ...["stores", "create", "Support FAQ", "--metadata", "team=a", "formula=a=b", "--metadata", "empty="],
      ...["--expires-after-days", "7"],
    ]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^vs_[0-9a-f]{32}\n$/);
    expect(await retrieve(out.trim())).toMatchObject({
      name: "Support FAQ",
      metadata: { team: "a", formula: "a=b", empty: "" },
      expires_after: { anchor: "last_active_at", days: 7 },
    });
  });

  test("with metadata and expiry", async () => {
    const settings = ["--search-mode", "hybrid", "--recall", "fast", "--language", "english"];
    const { code, out, err } = await cli(["stores", "create", "own", ...settings]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(await retrieve(out.trim())).toMatchObject({ search_mode: "hybrid", recall: "fast", language: "english" });
  });

  test("model and dimensions reach the server; options not given are not sent", async () => {
    const other = await startRecorder({ object: "vector_store", id: "vs_1" });
    const create = (...args: string[]) => run(["stores", "create", "n", "--url", other.url, "--key", "k", ...args]);
    try {
      expect((await create()).out).toBe("vs_1\n");
      expect((await create("--embedding-model", "m", "--embedding-dimensions", "12")).code).toBe(0);
    } finally {
      await other.close();
    }
    expect(other.asked).toEqual([{ name: "n" }, { name: "n", embedding_model: "m", embedding_dimensions: 12 }]);
  });

  test("--json prints the API's answer", async () => {
    const { out } = await cli(["stores", "create", "j", "--json"]);
    const store = storeIn(out);
    expect(store).toEqual(await retrieve(store.id));
  });

  test.each([
    [["stores", "create"], "missing required argument 'name'"],
    [["stores", "create", "--metadata", "a=b", "name"], "It must be key=value"],
    [["stores", "create", "n", "--metadata", "=b"], "It must be key=value"],
    [["stores", "create", "n", "--metadata", "a=b", "a=c"], "The key a is given twice"],
    [["stores", "create", "n", "--expires-after-days", "soon"], "It must be a whole number"],
    [["stores", "create", "n", "--expires-after-days", "0"], "It must be a whole number, at least 1"],
    [["stores", "create", "n", "--expires-after-days", "366"], "--expires-after-days: must be at most 365"],
    [["stores", "create", "n".repeat(257)], "<name>: at most 256 characters"],
    [["stores", "create", ""], "The store's name must not be empty."],
    [["stores", "create", " "], "The store's name must not be empty."],
    [["stores", "create", "n", "--embedding-dimensions", "many"], "It must be a whole number"],
    [["stores", "create", "n", "--embedding-dimensions", "16001"], "--embedding-dimensions: must be at most 16000"],
    [["stores", "create", "n", "--search-mode", "meaning"], "Allowed choices are vector, keyword, hybrid"],
    [["stores", "create", "n", "--recall", "best"], "Allowed choices are exact, high, fast"],
    [["stores", "create", "n", "--language", "klingon"], "klingon"],
  ])("%j is refused: %s", async (args, sentence) => {
    const before = (await service.get("/v1/vector_stores?limit=100")).body as { data: unknown[] };
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^vector-store: /);
    expect(err).toContain(sentence);
    const after = (await service.get("/v1/vector_stores?limit=100")).body as { data: unknown[] };
    expect(after.data).toHaveLength(before.data.length);
  });
});

describe("stores list", () => {
  test("on a terminal: headings, aligned columns, one line per store whatever its name, cut to the width", async () => {
    const evil = storeIn((await cli(["stores", "create", "a\u001b[2Jb\nc\td\u202e", "--json"])).out).id;
    const wide = storeIn((await cli(["stores", "create", "日本語".repeat(40), "--json"])).out).id;
    const { out } = await cli(["stores", "list", "--limit", "2"], 130);
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^ID +NAME +STATUS +INDEX +ITEMS +SIZE +CREATED \(UTC\) +EXPIRES$/);
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(new RegExp(`^${wide}  (日本語)+.{0,2}…`));
    expect(lines[2]).toMatch(
      new RegExp(`^${evil}  a \\[2Jb c d +completed +none +0 +0 B +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d +-$`),
    );
    expect(out.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
    // Wide characters take two cells.
    const cells = (lines[1] ?? "").replace(/[\u3000-\u9fff]/g, "ww").length;
    expect(cells).toBeLessThanOrEqual(130);
    expect(cells).toBeGreaterThan(120);
  });

  test("in a pipe: tab-separated, uncut, without headings, exact bytes and times", async () => {
    const name = "long ".repeat(40).trim();
    const { id, created_at } = storeIn((await cli(["stores", "create", name, "--json"])).out);
    await service.post(`/v1/vector_stores/${id}/embeddings`, { content: "x".repeat(1234) }).expect(200);
    const { out } = await cli(["stores", "list", "--limit", "1"]);
    const created = new Date((created_at as number) * 1000).toISOString().replace(".000", "");
    expect(out).toBe(`${[id, name, "completed", "none", "1", "1234", created, "-"].join("\t")}\n`);
  });

  test("--limit beyond the API's page of 100 reads further pages, and a note says if there are more", async () => {
    for (let i = 0; i < 105; i += 1) await service.post("/v1/vector_stores", { name: `s${i}` }).expect(200);
    const some = await cli(["stores", "list", "--limit", "103", "--json"]);
    const page = JSON.parse(some.out) as { data: { name: string }[]; has_more: boolean };
    expect(page.data.map((each) => each.name)).toEqual(Array.from({ length: 103 }, (_, i) => `s${104 - i}`));
    expect(page.has_more).toBe(true);
    expect(some.err).toBe("");
    const told = await cli(["stores", "list", "--limit", "103"]);
    expect(told.out.trimEnd().split("\n")).toHaveLength(103);
    expect(told.err).toContain("There are more");
    const all = await cli(["stores", "list", "--limit", "1000", "--json"]);
    expect(JSON.parse(all.out)).toMatchObject({ has_more: false });
    expect((JSON.parse(all.out) as { data: unknown[] }).data.length).toBeGreaterThan(105);
    expect(all.err).toBe("");
  });

  test.each(["0", "-1", "1.5", "many"])("--limit %s is refused", async (limit) => {
    const { code, err } = await cli(["stores", "list", `--limit=${limit}`]);
    expect(code).toBe(1);
    expect(err).toContain("whole number, at least 1");
  });
});

describe("stores delete", () => {
  test("deletes the store; a second time it is missing", async () => {
    const id = (await cli(["stores", "create", "gone"])).out.trim();
    expect(await cli(["stores", "delete", id, "--yes"])).toEqual({ code: 0, out: `Deleted ${id}\n`, err: "" });
    const again = await cli(["stores", "delete", id, "-y"]);
    expect(again.code).toBe(1);
    expect(again.err).toBe(
      `vector-store: No vector store found with id '${id}'. To see all: vector-store stores list\n`,
    );
  });

  test("asks on a terminal, naming the store, and deletes only after a yes", async () => {
    const id = (await cli(["stores", "create", "asked\u001b[2J"])).out.trim();
    const asked: string[] = [];
    const answering = (yes: boolean) => (question: string) => {
      asked.push(question);
      return Promise.resolve(yes);
    };
    const remove = (yes: boolean) =>
      run(["stores", "delete", id], { environment: environment(), confirm: answering(yes) });
    expect(await remove(false)).toEqual({ code: 1, out: "", err: "vector-store: Nothing was deleted.\n" });
    expect(await retrieve(id)).toMatchObject({ id });
    expect(await remove(true)).toMatchObject({ code: 0, out: `Deleted ${id}\n` });
    expect(asked[0]).toBe(`Delete the vector store "asked [2J" (${id}) with 0 items?`);
    expect(asked).toHaveLength(2);
  });

  test("without a terminal it needs --yes", async () => {
    const id = (await cli(["stores", "create", "scripted"])).out.trim();
    const { code, out, err } = await cli(["stores", "delete", id]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("needs --yes");
    expect(await retrieve(id)).toMatchObject({ id });
  });

  test.each(["", " ", ".", ".."])("an id of %j reaches no other path", async (id) => {
    for (const args of [[], ["--yes"]]) {
      const { code, err } = await run(["stores", "delete", id, ...args], {
        environment: environment(),
        confirm: () => Promise.resolve(true),
      });
      expect(code).toBe(1);
      expect(err).toContain("id is missing");
    }
  });

  test("an id with slashes stays one path segment", async () => {
    const id = (await cli(["stores", "create", "kept"])).out.trim();
    expect((await cli(["stores", "delete", `x/../${id}`, "--yes"])).code).toBe(1);
    expect(await retrieve(id)).toMatchObject({ name: "kept" });
  });
});
