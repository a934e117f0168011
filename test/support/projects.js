import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const known = new Map();

/** Our modules that a file imports at run time, so not by `import type`. */
function importsOf(file) {
  if (known.has(file)) return known.get(file);
  const text = readFileSync(join(root, file), "utf8");
  const imports = text.matchAll(
    /^(?:import|export)\s+(?!type\b)(?:([^;"]*?)\s+from\s+)?"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm,
  );
  const found = [...imports]
    .filter(([, names = ""]) => !/^{(\s*type [^,}]+,?)*\s*}$/.test(names))
    .map(([, , path, later]) => relative(root, resolve(root, dirname(file), path ?? later)).replace(/\.js$/, ".ts"))
    .filter((path) => existsSync(join(root, path)));
  known.set(file, found);
  return found;
}

/**
 * Our modules that a file loads, directly or not, as paths from the root.
 * @param {string} file
 * @returns {string[]}
 */
export function modulesOf(file) {
  const seen = new Set();
  const visit = (each) => {
    if (seen.has(each)) return;
    seen.add(each);
    importsOf(each).forEach(visit);
  };
  importsOf(file).forEach(visit);
  return [...seen];
}

/**
 * The test files of each of jest's projects. `service`: those that open the suite's database (embedded, or the
 * PostgreSQL that TEST_DATABASE_URL names), because they load test/support/testServer.ts. `proxy`: those that use a
 * LiteLLM proxy; `alone`: those that stop it, or keep it too busy for others; `browser`: those that use a proxy and
 * Chromium. `pure`: all others, which get no database.
 * @returns {Record<"pure" | "service" | "proxy" | "alone" | "browser", string[]>}
 */
export function testProjects() {
  const projects = { pure: [], service: [], proxy: [], alone: [], browser: [] };
  for (const name of readdirSync(join(root, "test"), { recursive: true }).sort()) {
    const file = join("test", name);
    if (!file.endsWith(".test.ts")) continue;
    if (file.startsWith("test/contract/litellm/alone/")) projects.alone.push(file);
    else if (file.startsWith("test/contract/litellm/")) projects.proxy.push(file);
    else if (file.startsWith("test/browser/")) projects.browser.push(file);
    else if (modulesOf(file).includes("test/support/testServer.ts")) projects.service.push(file);
    else projects.pure.push(file);
  }
  return projects;
}
