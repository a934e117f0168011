import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { OpenAI } from "openai";
import { type Config, loadConfig } from "../process/config.js";
import { firstKeyFile } from "../process/firstKey.js";
import { exactJson, parseExactJson } from "../words/exactJson.js";
import { type Address, type FieldNames, explainFailure, notOurs } from "./failures.js";
import { CommandError, type Environment, type Io } from "./io.js";

/** Options of every command that talks to a running server. */
export interface ServerOptions {
  url?: string;
  key?: string;
}

export interface Server extends Address {
  client: OpenAI;
  /**
   * Runs a request.
   * @param fields the command's options by the API's fields, because its user does not know these
   * @throws CommandError that says in one sentence what to do
   */
  ask<T>(request: (client: OpenAI) => Promise<T>, fields?: FieldNames): Promise<T>;
}

/** Adds --url and --key to a command. */
export function withServerOptions(command: Command): Command {
  return command
    .option("--url <url>", "the running server (default: VECTOR_STORE_URL, else http://127.0.0.1:PORT)")
    .option("--key <key>", "its key (default: VECTOR_STORE_KEY, else SERVER_API_KEY, else the key file in DATA_DIR)");
}

/** A search may wait a minute for retries of a model call. */
const timeoutMs = 120_000;

/** A client of the running server that options or environment name. @throws CommandError without a usable URL or key */
export function connect(options: ServerOptions, io: Io): Server {
  const address = findServer(options, io);
  const { key, from: keyFrom } = findKey(options, io);
  const client = new OpenAI({
    baseURL: `${address.url}/v1`,
    apiKey: key,
    timeout: timeoutMs,
    maxRetries: 0, // the user waits, and can try again
    fetch: (input, init) => fetchJson(address.url, input, init),
    // fetch would turn a redirected POST into a GET. The user is asked for the right address instead.
    fetchOptions: { redirect: "manual" },
    // Not from the environment, where they are meant for OpenAI.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: "off",
  });
  const ask = async <T>(request: (client: OpenAI) => Promise<T>, fields: FieldNames = {}): Promise<T> => {
    try {
      return await request(client);
    } catch (error) {
      throw explainFailure(error, address, keyFrom, fields);
    }
  };
  return { ...address, client, ask };
}

/**
 * Fetches JSON, whose numbers keep their digits. Another web server's start page, with status 200, must not pass for an
 * empty list.
 */
async function fetchJson(url: string, input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (response.ok && !/\bjson\b/.test(response.headers.get("content-type") ?? ""))
    throw notOurs(url, "with something other than JSON");
  return Object.assign(response, { json: async () => parseExactJson(await response.text()) });
}

/** A request's body with the digits of all its numbers, for `client.post`. */
export const exactBody = (body: object) => ({
  body: exactJson(body),
  headers: { "content-type": "application/json" },
});

/** The server named by --url, else VECTOR_STORE_URL, else HOST and PORT. @throws CommandError if it cannot be used */
export function findServer(options: Pick<ServerOptions, "url">, io: Io): Address {
  if (options.url !== undefined) return { url: readUrl(options.url, "--url"), from: "--url" };
  const environment = io.environment();
  const named = variable(environment, "VECTOR_STORE_URL");
  if (named !== null) return { url: readUrl(named, "VECTOR_STORE_URL"), from: "VECTOR_STORE_URL" };
  const { host, port } = loadConfig(environment);
  if (port === 0) {
    throw new CommandError(
      "PORT is 0, so the server's port is not known here. Name the server with --url or VECTOR_STORE_URL.",
    );
  }
  // A server that listens on all addresses also answers on the loopback address.
  const everywhere = ["0.0.0.0", "::", "[::]", "localhost", ""].includes(host);
  const name = everywhere ? "127.0.0.1" : host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return { url: `http://${name}:${port}`, from: "the settings" };
}

/** The key to send, from the first place that has one. @throws CommandError if none has: only the server makes keys */
function findKey(options: Pick<ServerOptions, "key">, io: Io): { key: string; from: string } {
  if (options.key !== undefined) return { key: sendable(options.key, "--key"), from: "--key" };
  const environment = io.environment();
  const named = variable(environment, "VECTOR_STORE_KEY");
  if (named !== null) return { key: sendable(named, "VECTOR_STORE_KEY"), from: "VECTOR_STORE_KEY" };
  const config = loadConfig(environment);
  const { server, master } = config.keys;
  if (server !== null) return { key: sendable(server, "SERVER_API_KEY"), from: "SERVER_API_KEY" };
  if (master !== null) return { key: sendable(master, "LITELLM_MASTER_KEY"), from: "LITELLM_MASTER_KEY" };
  const file = firstKeyFile(config.dataDir);
  const kept = readFirstKey(config);
  if (kept !== null) return { key: sendable(kept, file), from: file };
  throw new CommandError(
    `No key for the server: none is configured and there is no readable file ${file}. Give one with --key or VECTOR_STORE_KEY.`,
  );
}

/** The key that the server's first start made, or null. */
export function readFirstKey(config: Config): string | null {
  try {
    const key = readFileSync(firstKeyFile(config.dataDir), "utf8").trim();
    return key === "" ? null : key;
  } catch {
    return null;
  }
}

/** A setting that only the command line uses. Its name is case-insensitive, like all settings. */
function variable(environment: Environment, name: "VECTOR_STORE_URL" | "VECTOR_STORE_KEY"): string | null {
  const found = Object.entries(environment).find(
    ([key, value]) => key.toUpperCase() === name && value !== undefined && value.trim() !== "",
  );
  return found?.[1]?.trim() ?? null;
}

/** A root URL without `/v1`. The error does not repeat the URL, which may contain a password. */
export function readUrl(text: string, from: string): string {
  let url: URL | null = null;
  try {
    url = new URL(text.trim());
  } catch {
    // reported below, together with URLs that parse but cannot be used
  }
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.password !== "" ||
    url.search !== ""
  ) {
    throw new CommandError(
      `${from} must be an http:// or https:// URL such as http://127.0.0.1:8000, without user name or query.`,
    );
  }
  return `${url.origin}${url.pathname}`
    .replace(/\/+$/, "")
    .replace(/(\/v1)+$/, "")
    .replace(/\/+$/, "");
}

/** A header can carry visible ASCII only; a key with a line break or a curly quote was copied wrongly. */
function sendable(key: string, from: string): string {
  const trimmed = key.trim();
  if (!/^[\x21-\x7e]+$/.test(trimmed)) {
    throw new CommandError(
      `The key from ${from} is empty, or contains a blank, a line break or a character that no key has. Copy it again.`,
    );
  }
  return trimmed;
}
