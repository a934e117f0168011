import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { registry } from "../../src/cli/litellmConfig.js";
import { type TestService, startService } from "../support/service.js";
import { run } from "./support.js";
import { testKey } from "../support/settings.js";

let service: TestService;
let id: string;
beforeAll(async () => {
  service = await startService();
  id = ((await service.post("/v1/vector_stores", { name: "Support FAQ" })).body as { id: string }).id;
});
afterAll(() => service.close());

const cli = (args: string[], environment: Record<string, string> = {}) =>
  run(["litellm-config", ...args], {
    environment: { VECTOR_STORE_URL: service.url, VECTOR_STORE_KEY: testKey, ...environment },
  });

/**
 * Reads the entry as a YAML parser does, but more strictly: every value is either a plain word or a double-quoted
 * scalar of printable characters with escapes that YAML 1.1 and 1.2 share.
 */
function parseAll(yaml: string): Record<string, string>[] {
  const entries: Record<string, string>[] = [];
  const shape: string[] = [];
  // All line breaks of YAML 1.1.
  for (const line of yaml.split(/\r\n|[\n\r\u0085\u2028\u2029]/)) {
    if (line === "" || /^ *#/.test(line)) continue;
    const [, indent = "", key = "", value = ""] = /^([ -]*)(\w+):(?: (.*))?$/.exec(line) ?? [];
    shape.push(`${indent}${key}`);
    if (indent === "  - ") entries.push({});
    if (value !== "") Object.assign(entries.at(-1) ?? {}, { [key]: scalar(value) });
  }
  const entry = [
    "  - vector_store_name",
    "    litellm_params",
    "      vector_store_id",
    "      custom_llm_provider",
    "      api_base",
    "      api_key",
  ];
  expect(shape).toEqual(["vector_store_registry", ...entries.flatMap(() => entry)]);
  return entries;
}

function parse(yaml: string): Record<string, string> {
  const [entry, ...others] = parseAll(yaml);
  expect(others).toEqual([]);
  return entry ?? {};
}

function scalar(text: string): string {
  if (!text.startsWith('"')) {
    expect(text).toMatch(/^[A-Za-z][\w./]*$/);
    return text;
  }
  // PyYAML's reader refuses every other character, quoted or not.
  expect(text).toMatch(/^[\x20-\x7e\u00a1-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u);
  const [, inside = ""] = /^"((?:[^"\\]|\\.)*)"$/.exec(text) ?? [];
  expect(`"${inside}"`).toBe(text);
  const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", '"': '"', "\\": "\\" };
  return inside.replace(/\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g, (_, short?: string, long?: string, letter = "") => {
    const code = short ?? long;
    if (code !== undefined) return String.fromCodePoint(parseInt(code, 16));
    const meant = escapes[letter as string];
    if (meant === undefined) throw new Error(`YAML has no escape \\${String(letter)}`);
    return meant;
  });
}

describe("litellm-config", () => {
  test("prints the registry entry that LiteLLM reads", async () => {
    const { code, out, err } = await cli([id]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(parse(out)).toEqual({
      vector_store_name: "Support FAQ",
      vector_store_id: id,
      custom_llm_provider: "pg_vector",
      api_base: service.url,
      api_key: "os.environ/PG_VECTOR_API_KEY",
    });
  });

  test("comments name the variables that the proxy needs, and warn about a local address", async () => {
    const comments = (await cli([id])).out
      .split("\n")
      .filter((line) => line.trimStart().startsWith("#"))
      .join("\n");
    expect(comments).toContain("set the environment variable PG_VECTOR_API_KEY to a key that may only search");
    expect(comments).toContain("vector-store keys create 'litellm registry' --scope search");
    expect(comments).toContain("vector_store_deny_by_default: true");
    expect(comments).toContain("vector-store litellm-config --identity");
    expect(comments).toContain(`PG_VECTOR_API_BASE="${service.url}"`);
    expect(comments).toContain("only where proxy and server share one machine");
    expect((await cli([id, "--api-base", "http://vector-store:8000"])).out).not.toContain("share one machine");
    expect((await cli([id])).out).not.toContain(testKey);
  });

  test("--api-base and --name, and never /v1", async () => {
    const { out } = await cli([id, "--api-base", "http://vs.svc:8000/v1/", "--name", 'a: "b" # c']);
    expect(parse(out)).toMatchObject({ api_base: "http://vs.svc:8000", vector_store_name: 'a: "b" # c' });
  });

  test("the address is --url, then API_URL, then the one the command used", async () => {
    const settings = { API_URL: "https://vs.example/v1" };
    expect(parse((await cli([id], settings)).out)).toMatchObject({ api_base: "https://vs.example" });
    expect(parse((await cli([id, "--url", service.url], settings)).out)).toMatchObject({ api_base: service.url });
    expect(parse((await cli([id], { PORT: "nonsense" })).out)).toMatchObject({ api_base: service.url });
  });

  test("a store without a name is named by its id", async () => {
    const unnamed = ((await service.post("/v1/vector_stores")).body as { id: string }).id;
    expect(parse((await cli([unnamed])).out)).toMatchObject({ vector_store_name: unnamed });
  });

  test("--identity prints LiteLLM's callback and what it needs, alone or after the registry", async () => {
    const alone = await cli(["--identity", "--api-base", "http://vs:8000/v1"]);
    expect(alone).toMatchObject({ code: 0, err: "" });
    expect(alone.out.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
      "litellm_settings:",
      '  callbacks: ["vector_store_identity.instance"]',
      "",
    ]);
    expect(alone.out).toContain('VECTOR_STORE_API_BASE="http://vs:8000"');
    expect(alone.out).toContain("--scope write --identity-required");
    const both = (await cli([id, "--identity", "--api-base", "http://vs:8000/v1"])).out;
    expect(both.endsWith(alone.out)).toBe(true);
    expect(parse(both.slice(0, -alone.out.length))).toMatchObject({ vector_store_id: id });
  });

  test("several stores, or --all, make one registry", async () => {
    const other = ((await service.post("/v1/vector_stores", { name: "Manuals" })).body as { id: string }).id;
    const some = parseAll((await cli([other, id, other])).out);
    expect(some.map((each) => [each.vector_store_name, each.vector_store_id])).toEqual([
      ["Manuals", other],
      ["Support FAQ", id],
    ]);
    const page = (await service.get("/v1/vector_stores?limit=100")).body as { data: { id: string }[] };
    const all = parseAll((await cli(["--all"])).out);
    expect(all.map((each) => each.vector_store_id)).toEqual(page.data.map((store) => store.id));
  });

  test.each([
    [[], "Which vector stores? Give their ids, or --all."],
    [["--all", "vs_1"], "Give either ids or --all."],
    [["--all", "--name", "n"], "--name is for a single store."],
    [["vs_1", "vs_2", "--name", "n"], "--name is for a single store."],
  ])("%j is refused: %s", async (args, sentence) => {
    const { code, out, err } = await cli(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(sentence);
  });

  test("a missing store is an error", async () => {
    const { code, out, err } = await cli(["vs_00000000000000000000000000000000"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("No vector store found");
  });

  test("any name is a valid YAML value", () => {
    const hostile = [
      "\u0085",
      "\u2028",
      "\u00a0",
      "\ufeff",
      "\u007f",
      "\0",
      "\n",
      '"',
      "\\",
      "#",
      ": ",
      "- ",
      "\ufffe",
      "😀",
      "\u{e0001}",
      "\u{1fffe}",
    ];
    const name = fc
      .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary" })))
      .map((each) => each.join(""));
    fc.assert(
      fc.property(name, (text) => {
        const read = parse(registry([{ id: "vs_1", name: text }], "http://h:1"));
        expect(read.vector_store_name ?? "").toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});
