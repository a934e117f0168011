/** @type {import('jest').Config} */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  // Tests against a real LiteLLM proxy and the benchmarks' long loads have their own command (see .ci/run).
  testPathIgnorePatterns: ["/node_modules/", ...(process.env.LITELLM_URL ? [] : ["/test/contract/litellm"])],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "es6" } },
    ],
  },
  globalSetup: "<rootDir>/test/support/globalSetup.js",
  globalTeardown: "<rootDir>/test/support/globalTeardown.js",
  maxWorkers: 2,
  // An embedded database holds about 500 MB while it is open; a worker that has kept more than this is replaced.
  workerIdleMemoryLimit: "1500MB",
  testTimeout: 60_000,
};
