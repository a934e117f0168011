import { testProjects } from "./test/support/projects.js";

const files = testProjects();

/** @param {string[]} testFiles */
const project = (displayName, testFiles) => ({
  displayName,
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: testFiles.map((file) => `<rootDir>/${file}`),
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "es6" } },
    ],
  },
  globalSetup: `<rootDir>/test/support/${displayName === "service" ? "databaseSetup" : "globalSetup"}.js`,
  globalTeardown: "<rootDir>/test/support/globalTeardown.js",
});

/**
 * With LITELLM_URL the suites that need a LiteLLM proxy, with LITELLM_ALONE those that need it for themselves, or with
 * BROWSER those of the web page; with TEST_DATABASE_URL those that a database changes; otherwise all others.
 */
function projects() {
  if (process.env.BROWSER) return [project("browser", files.browser)];
  if (process.env.LITELLM_ALONE) return [project("alone", files.alone)];
  if (process.env.LITELLM_URL) return [project("proxy", files.proxy)];
  if (process.env.TEST_DATABASE_URL) return [project("service", files.service)];
  return [project("pure", files.pure), project("service", files.service)];
}

/** @type {import('jest').Config} */
export default {
  projects: projects(),
  // One more than the cores that CI has: some suites wait for processes that they stop. Browsers keep both cores busy.
  maxWorkers: process.env.BROWSER ? 2 : 3,
  // An embedded database holds about 500 MB while it is open; a worker that has kept more than this is replaced.
  workerIdleMemoryLimit: "1500MB",
  // A guard against hanging, not a measure of speed.
  testTimeout: 300_000,
};
