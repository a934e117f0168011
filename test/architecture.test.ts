import { describe, expect, test } from "@jest/globals";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import ts from "typescript";

const src = resolve("src");

/** Rooms that every other room may use: nouns, numbers, and the parts of a process. */
const open = ["words", "numbers", "process"];
const access = (...names: string[]) => names.map((name) => `core/access/${name}.ts`);
/** What each room of src/ may import beside these: rooms or single files. */
const rooms: Record<string, readonly string[]> = {
  words: [],
  numbers: ["words"],
  process: ["words"],
  http: ["core"],
  jobs: ["core/deps.ts", ...access("rotatedKeys", "sessions", "usage"), "core/stores", "core/files"],
  // The command line speaks HTTP to a server; only serving, migrating, diagnosing and moving rows open the database.
  cli: [
    "core/deps.ts",
    "core/transfer",
    "core/access",
    "core/status",
    "db",
    "litellm",
    "rows",
    "service.ts",
    "main.ts",
  ],
  // The dependencies of use cases. `core/deps.ts` names types only.
  "core/deps.ts": [
    ...access("attempts", "callers", "limiter", "payers", "usage"),
    "core/files/looks.ts",
    "db/database.ts",
    "engines/engine.ts",
    "litellm/contract.ts",
    "litellm/managementContract.ts",
    "reading",
    "storage",
  ],
  "core/stores": ["core/deps.ts", "db", "engines/engine.ts", "litellm/contract.ts"],
  "core/access": ["core/deps.ts", "core/stores", "db", "litellm/keyContract.ts", "litellm/managementContract.ts"],
  "core/search": ["core/deps.ts", "core/stores", "engines/engine.ts", "litellm/contract.ts", "chunking"],
  "core/answers": ["core/deps.ts", "core/search", "litellm/contract.ts", "chunking"],
  "core/chunks": ["core/deps.ts", "core/stores", "core/search", "db", "engines/engine.ts"],
  "core/files": ["core/deps.ts", "core/stores", "db", "engines/engine.ts", "storage", "chunking"],
  "core/models": ["core/deps.ts", "litellm/contract.ts"],
  "core/status": ["core/deps.ts", "db", "engines/engine.ts", "litellm/contract.ts"],
  "core/transfer": ["core/deps.ts", "core/stores", "core/search", "db", "engines/engine.ts"],

  "engines/bounds.ts": ["engines/engine.ts"],
  "engines/engine.ts": ["db/database.ts"],
  // pgvector lives in the database and runs on its connections.
  "engines/pgvector": ["engines/bounds.ts", "engines/engine.ts", "db"],

  db: [],
  litellm: [],
  storage: ["db"],
  rows: [],
  // Documents are read in threads, which import nothing else.
  reading: ["formats", "chunking"],
  formats: [],
  chunking: [],

  // The one wiring; only main.ts and the command line import it.
  "service.ts": [
    "core/access",
    "core/deps.ts",
    "core/files/looks.ts",
    "http",
    "jobs",
    "engines/pgvector",
    "db",
    "litellm",
    "storage",
    "reading",
  ],
  "main.ts": ["service.ts", "db", "http"],
};

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

const isIn = (file: string, room: string) => file === room || file.startsWith(`${room}/`);
const roomOf = (file: string) => Object.keys(rooms).find((room) => isIn(file, room));
const read = (file: string) => readFileSync(join(src, file), "utf8");

/**
 * What a source imports, as it names it: static and dynamic imports, `import x = require()`, re-exports and types.
 * null for an import whose name is made at run time.
 */
function specifiersIn(text: string): (string | null)[] {
  const found: (string | null)[] = [];
  const add = (name: ts.Node | undefined) => {
    found.push(name !== undefined && ts.isStringLiteralLike(name) ? name.text : null);
  };
  const visit = (node: ts.Node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) add(node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) add(node.expression);
    else if (ts.isImportTypeNode(node)) add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    else if (ts.isCallExpression(node) && isImport(node.expression)) add(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest));
  return found;
}

const isImport = (called: ts.Expression) =>
  called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === "require");

const specifiers = new Map(files.map((file) => [file, specifiersIn(read(file))]));
const namesIn = (file: string) => (specifiers.get(file) ?? []).filter((each) => each !== null);

/** Every module of src/ that a file names, types included. */
const importsOf = (file: string) =>
  namesIn(file)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(src, resolve(src, file, "..", name)).replace(/\.js$/, ".ts"));

/** The packages that a file imports, by their names in package.json. */
const packagesOf = (file: string) =>
  namesIn(file)
    .filter((name) => !name.startsWith("."))
    .map((name) =>
      name
        .split("/")
        .slice(0, name.startsWith("@") ? 2 : 1)
        .join("/"),
    );

const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** The files of an import cycle; undefined if there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const circle = walk(next, [...way, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = walk(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe("the rooms of src", () => {
  test("imports are seen in every form, and none is named at run time", () => {
    const text = `
      import a from "./a.js"; import "./b.js"; import type { C } from './c.js'; export * from "./d.js"; import e = require("./e.js");
      const f = await import(\`./f.js\`); const g = await import("./g.js" /* why */, {}); type H = import("./h.js").H;
      const i = require('./i.js'); const j = await import(name); const k = await import(\`./\${name}.js\`);
      // import "./comment.js"
      const text = 'import "./text.js"';`;
    const named = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map((name) => `./${name}.js`);
    expect(specifiersIn(text)).toEqual([...named, null, null]);
    expect(files.filter((file) => specifiers.get(file)?.includes(null))).toEqual([]);
  });

  test("every file is in a known room, and every known room has a file", () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
    expect(Object.keys(rooms).filter((room) => !files.some((file) => isIn(file, room)))).toEqual([]);
  });

  test.each(files)("%s imports only what its room may", (file) => {
    const own = roomOf(file) ?? file;
    const shared = open.includes(own) ? [] : open;
    const allowed = [own, ...shared, ...(rooms[own] ?? [])];
    const missing = importsOf(file).filter((target) => !files.includes(target));
    expect(missing).toEqual([]);
    expect(importsOf(file).filter((target) => !allowed.some((room) => isIn(target, room)))).toEqual([]);
  });

  test("core imports only the engines' contract, and only the wiring knows which engine is used", () => {
    const using = (room: string) => files.filter((file) => graph.get(file)?.some((target) => isIn(target, room)));
    const inside = using("engines").filter((file) => !isIn(file, "engines"));
    const beyond = inside.filter((file) =>
      graph.get(file)?.some((target) => isIn(target, "engines") && target !== "engines/engine.ts"),
    );
    expect(beyond).toEqual(["service.ts"]);
  });

  test("no modules import each other in a circle, types included", () => {
    expect(circleIn(graph)).toBeUndefined();
    const round = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(circleIn(round)).toEqual(["b", "c", "b"]);
  });

  test("only http uses Express, only db and pgvector SQL, only litellm and the command line OpenAI's client", () => {
    const using = (...names: string[]) => files.filter((file) => packagesOf(file).some((name) => names.includes(name)));
    const outside = (room: string | undefined, ...allowed: string[]) => room === undefined || !allowed.includes(room);
    expect(using("express").filter((file) => outside(roomOf(file), "http"))).toEqual([]);
    expect(using("kysely", "pg").filter((file) => outside(roomOf(file), "db", "engines/pgvector"))).toEqual([]);
    expect(using("openai").filter((file) => outside(roomOf(file), "litellm", "cli"))).toEqual([]);
  });

  test("statements on our own tables are typed; SQL is only where two tables or the plan are at stake", () => {
    const tables = files.filter((file) => isIn(file, "db/tables"));
    // A statement in SQL takes its table's name from the layout.
    expect(tables.filter((file) => /\bours(: tables|\[table\])/.test(read(file)))).toEqual([
      "db/tables/fileCounts.ts",
      "db/tables/fileDescriptions.ts",
      "db/tables/fileSlices.ts",
      "db/tables/handOver.ts",
      "db/tables/ingestQueue.ts",
      "db/tables/limits.ts",
      "db/tables/permissions.ts",
      "db/tables/uploads.ts",
    ]);
  });

  test("wire/ has only schemas and presenters: it reads no request and writes no answer", () => {
    const wire = files.filter((file) => isIn(file, "http/wire"));
    expect(
      wire.filter((file) => packagesOf(file).some((name) => name.startsWith("node:") || name === "express")),
    ).toEqual([]);
  });

  test("only process/config.ts reads the environment", () => {
    expect(files.filter((file) => read(file).includes("process.env"))).toEqual(["process/config.ts"]);
  });
});

describe("sizes", () => {
  const written = ["src", "test", "bench"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(ts|js|mjs)$/.test(file))
      .map((file) => join(folder, file)),
  );

  /** Every function of a file with its lines, except those in test/ that only group tests. */
  function functionsOf(file: string, text: string): { name: string; lines: number }[] {
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line;
    const found: { name: string; lines: number }[] = [];
    const visit = (node: ts.Node) => {
      if (ts.isFunctionLike(node) && !(isIn(file, "test") && groupsTests(node))) {
        const start = node.getStart(source);
        found.push({ name: `${file}:${lineAt(start) + 1}`, lines: lineAt(node.end) - lineAt(start) + 1 });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  }
  const groupsTests = (node: ts.SignatureDeclaration) => {
    const body = "body" in node ? node.body : undefined;
    const statements = body !== undefined && ts.isBlock(body) ? [...body.statements] : [];
    return statements.some((each) => /^(describe|test)\b/.test(each.getText()));
  };

  test("no file has more than 280 lines", () => {
    const lines = (file: string) => readFileSync(file, "utf8").split("\n").length - 1;
    expect(written.filter((file) => lines(file) > 280)).toEqual([]);
  });

  test("no function has more than 80 lines", () => {
    const long = written
      .flatMap((file) => functionsOf(file, readFileSync(file, "utf8")))
      .filter(({ lines }) => lines > 80);
    expect(long).toEqual([]);
    const grouping = "describe('x', () => {\n  test('y', () => {\n  });\n});";
    expect(functionsOf("test/a.ts", grouping)).toEqual([{ name: "test/a.ts:2", lines: 2 }]);
    expect(functionsOf("src/a.ts", grouping)).toEqual([
      { name: "src/a.ts:1", lines: 4 },
      { name: "src/a.ts:2", lines: 2 },
    ]);
  });
});
