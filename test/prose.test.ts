import { describe, expect, test } from "@jest/globals";
import { readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";

/** Columns of a line of prose, and of a comment. */
const width = 120;

/** Released migrations are checksummed, comments included, so these four stay as they are. */
const released = /^sql\/000[1-4]_/;

const folders = ["src", "test", "bench", "sql", ".ci", "chart", "docs"];
/** Not written by hand, or not in the repository. */
const isForeign = (file: string) => file === "package-lock.json" || file === ".env" || file.endsWith(".log");

const files = [
  ...readdirSync(".", { withFileTypes: true }).flatMap((each) => (each.isFile() ? [each.name] : [])),
  ...folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true, encoding: "utf8" }).flatMap((each) =>
      each.isFile() ? [join(each.parentPath, each.name)] : [],
    ),
  ),
].filter((file) => !isForeign(file) && !released.test(file));

type Lines = [line: number, text: string][];

/** The lines that `isProse` accepts, with their numbers from 1. */
const pick = (text: string, isProse: (line: string) => boolean): Lines =>
  text.split("\n").flatMap((line, i): Lines => (isProse(line) ? [[i + 1, line]] : []));

/** Every line but those of code blocks, tables and HTML comments. */
function proseOfMarkdown(text: string): Lines {
  let inCode = false;
  return pick(text, (line) => {
    const fence = /^\s*(```|~~~)/.test(line);
    if (fence) inCode = !inCode;
    return !inCode && !fence && !/^\s*(\||<!--)/.test(line);
  });
}

/** Lines between two marks, and those with a mark. */
function between(text: string, opens: RegExp, closes: RegExp): Lines {
  let open = false;
  return pick(text, (line) => {
    const begins = !open && opens.test(line);
    const inside = open || begins;
    const rest = begins ? line.replace(opens, "") : line;
    if (inside) open = !closes.test(rest);
    return inside;
  });
}

/** The help texts of a command: people read them in a terminal. */
const helpOf = (text: string) => between(text, /^const \w+ = `$/, /`;$/);

// A comment that follows code on its line counts too, except for a directive to a tool.
const slashes = /^\s*(\/\/|\/?\*)|\s\/\/ (?!prettier-ignore)/;
const hash = /(^|\s)# (?!shellcheck|prettier-ignore)/;
const dashes = /(^|\s)-- /;

/** The lines of a file that are prose: comments, help texts, or Markdown outside code and tables. */
function proseOf(file: string, text: string): Lines {
  switch (extname(file)) {
    case ".md":
    case ".gotmpl":
      return proseOfMarkdown(text);
    case ".ts":
    case ".js":
    case ".mjs":
      return [...pick(text, (line) => slashes.test(line)), ...(file.startsWith("src/cli/") ? helpOf(text) : [])];
    case ".sql":
      return pick(text, (line) => dashes.test(line));
    case ".tpl":
      return between(text, /\{\{-?\s*\/\*/, /\*\//);
    case ".py":
      return [...between(text, /"""/, /"""/), ...pick(text, (line) => hash.test(line))];
    case ".json":
    case ".txt":
    case ".pdf":
    case ".parquet":
      return [];
    default:
      return pick(text, (line) => hash.test(line));
  }
}

/** Whether a line is too long and could be broken: a URL alone on its line cannot. */
const isTooLong = (line: string) =>
  line.length > width && line.replace(/^\s*([#*-]|\/\/|--|\d+\.)?\s*/, "").includes(" ");

const tooLong = (file: string, text: string) =>
  proseOf(file, text).flatMap(([line, prose]) => (isTooLong(prose) ? [`${file}:${line}`] : []));

describe("prose", () => {
  test("wraps at 120 columns in comments, help texts and Markdown", () => {
    expect(files.flatMap((file) => tooLong(file, readFileSync(file, "utf8")))).toEqual([]);
  });

  const long = "word ".repeat(30).trim();
  const url = `https://example.com/${"a".repeat(130)}`;
  test.each([
    ["prose", "a.md", `text\n${long}`, ["a.md:2"]],
    ["lists", "a.md", `- ${long}`, ["a.md:1"]],
    ["no tables, code or URLs", "a.md", `| ${long} |\n\`\`\`sh\n${long}\n\`\`\`\n${url}`, []],
    ["prose after code", "a.md", `\`\`\`\n\`\`\`\n${long}`, ["a.md:3"]],
    [
      "comments",
      "a.ts",
      `// ${long}\n/** ${long} */\n * ${long}\nf("x"); // ${long}`,
      [1, 2, 3, 4].map((n) => `a.ts:${n}`),
    ],
    ["no code or URLs", "a.ts", `const text = "${long}";\n// ${url}`, []],
    [
      "comments, but no directives",
      "a.sh",
      `# ${long}\n# shellcheck disable=${long}\nrun # ${long}`,
      ["a.sh:1", "a.sh:3"],
    ],
    ["comments", "Dockerfile", `# ${long}`, ["Dockerfile:1"]],
    ["comments after values", "a.yaml", `a: 1 # ${long}\nb: ${long}`, ["a.yaml:1"]],
    ["comments", "a.sql", `-- ${long}\nSELECT ${long}`, ["a.sql:1"]],
    ["comments of templates", "a.tpl", `{{/* one\n${long} */}}\n${long}`, ["a.tpl:2"]],
    ["docstrings", "a.py", `"""${long}"""\n"""\n${long}\n"""\nx = "${long}"`, ["a.py:1", "a.py:3"]],
    ["help texts", "src/cli/a.ts", `const help = \`\n${long}\`;\nconst text = "${long}";`, ["src/cli/a.ts:2"]],
  ])("%s: %s", (_what, file, text, found) => {
    expect(tooLong(file, text)).toEqual(found);
  });
});
