import { describe, expect, test } from "@jest/globals";
import { loadConfig } from "../../src/process/config.js";
import { problemsOf } from "./configProblems.js";

describe("the database in parts", () => {
  const urlOf = (environment: Record<string, string>) => loadConfig(environment).database.url;

  test("becomes a URL, whatever characters the password has", () => {
    const parts = {
      DATABASE_HOST: "db",
      DATABASE_NAME: "vectors",
      DATABASE_USER: "us:er",
      DATABASE_PASSWORD: "p@ss/w%r?d#",
    };
    const url = new URL(urlOf(parts) ?? "");
    expect([url.hostname, url.port, url.pathname]).toEqual(["db", "5432", "/vectors"]);
    expect([url.username, url.password].map(decodeURIComponent)).toEqual(["us:er", "p@ss/w%r?d#"]);
  });

  test.each([
    [{ DATABASE_HOST: "db" }, "postgresql://db:5432/"],
    [{ DATABASE_HOST: "db", DATABASE_PORT: "6432", DATABASE_NAME: "v" }, "postgresql://db:6432/v"],
    [{ DATABASE_HOST: "::1", DATABASE_NAME: "v" }, "postgresql://[::1]:5432/v"],
    [{ DATABASE_HOST: "[::1]", DATABASE_NAME: "v" }, "postgresql://[::1]:5432/v"],
    [{ DATABASE_HOST: "/run/pg", DATABASE_NAME: "v" }, "postgresql://localhost:5432/v?host=%2Frun%2Fpg"],
    [
      { DATABASE_HOST: "db", DATABASE_NAME: "v", DATABASE_PARAMETERS: "?sslmode=require&schema=s" },
      "postgresql://db:5432/v?sslmode=require&schema=s",
    ],
  ])("%j", (environment, url) => {
    expect(urlOf(environment as Record<string, string>)).toBe(url);
  });

  test("indexes are built automatically, as with a URL", () => {
    expect(loadConfig({ DATABASE_HOST: "db" }).indexing.minRows).toBe(10_000);
  });

  test("with a URL, or without a host, stops the start", () => {
    expect(problemsOf({ DATABASE_HOST: "db", DATABASE_URL: "postgresql://db/v" })).toContain(
      "DATABASE_URL and DATABASE_HOST both name a database; keep one",
    );
    expect(problemsOf({ DATABASE_PASSWORD: "secret" })).toMatch(/DATABASE_PASSWORD is used with DATABASE_HOST only/);
    expect(problemsOf({ DATABASE_PASSWORD: "secret" })).not.toContain("secret");
  });
});
