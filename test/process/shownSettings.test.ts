import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { loadConfig } from "../../src/process/config.js";
import { settings } from "../../src/process/settings.js";

const shown = (environment: Record<string, string>, name: string) =>
  loadConfig(environment).shown.find((setting) => setting.name === name);

describe("the settings that an administrator sees", () => {
  test("are all there are, in the words of .env.example", () => {
    const names = loadConfig({}).shown.map(({ name }) => name);
    expect(names).toEqual(Object.keys(settings.shape));
    const written = [...readFileSync(".env.example", "utf8").matchAll(/^#([A-Z][A-Z0-9_]*)=/gm)].map(
      ([, name]) => name,
    );
    expect(written.filter((name) => !names.includes(name ?? ""))).toEqual([]);
  });

  test("have the value that counts, given or not", () => {
    expect(shown({}, "PORT")).toEqual({ name: "PORT", value: "8000", given: false, secret: false });
    expect(shown({ port: "9000" }, "PORT")).toEqual({ name: "PORT", value: "9000", given: true, secret: false });
    expect(shown({}, "API_URL")).toMatchObject({ value: null, given: false });
    expect(shown({ EMBEDDING_MODEL: "m" }, "EMBEDDING__MODEL")).toMatchObject({ value: "m", given: true });
    expect(shown({ ADMIN_USER_IDS: "ann, ben" }, "ADMIN_USER_IDS")).toMatchObject({ value: "ann, ben" });
    expect(shown({}, "ADMIN_USER_IDS")).toMatchObject({ value: null, given: false });
    expect(shown({ EMBEDDING__INPUT_TYPE: "passage" }, "EMBEDDING__INPUT_TYPE")).toMatchObject({ value: "passage" });
  });

  test("never have the value of a secret, wherever it stands", () => {
    const hidden = "hunter2hunter2hunter2hunter2hunter2";
    const config = loadConfig({
      DATABASE_URL: `postgresql://user:${hidden}@host/db`,
      SERVER_API_KEY: hidden,
      LITELLM_MASTER_KEY: hidden,
      LITELLM_IDENTITY_SECRET: hidden,
      EMBEDDING__API_KEY: hidden,
      LITELLM_PROXY_URL: `https://user:${hidden}@proxy.example`,
      EMBEDDING__BASE_URL: `https://${hidden}@proxy.example/v1`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://collector.example/x?token=${hidden}`,
    });
    expect(JSON.stringify(config.shown)).not.toContain("hunter2");
    const parts = loadConfig({ DATABASE_HOST: "h", DATABASE_PASSWORD: hidden, DATABASE_PARAMETERS: `a=${hidden}` });
    expect(JSON.stringify(parts.shown)).not.toContain("hunter2");
    const secrets = config.shown.filter(({ secret }) => secret);
    expect(secrets.every(({ value }) => value === null)).toBe(true);
    expect(secrets.filter(({ given }) => given).map(({ name }) => name)).toEqual([
      "DATABASE_URL",
      "SERVER_API_KEY",
      "LITELLM_MASTER_KEY",
      "LITELLM_IDENTITY_SECRET",
      "EMBEDDING__API_KEY",
    ]);
    expect(config.shown.find(({ name }) => name === "LITELLM_PROXY_URL")?.value).toBe("https://proxy.example");
    expect(config.shown.find(({ name }) => name === "OTEL_EXPORTER_OTLP_ENDPOINT")?.value).toBe(
      "https://collector.example/x?…",
    );
  });

  test("hide each setting whose name says that it is a secret", () => {
    // The key of DATABASE_SSL_KEY is in a file, which it names; the others are no secrets.
    const harmless = ["DATABASE_SSL_KEY", "KEY_CACHE_SECONDS", "KEY_GRACE_SECONDS"];
    const named = loadConfig({}).shown.filter(({ name }) => /KEY|SECRET|PASSWORD|TOKEN(?!S)/.test(name));
    expect(named.filter(({ name, secret }) => !secret && !harmless.includes(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });
});
