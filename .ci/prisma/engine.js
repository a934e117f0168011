/**
 * Stands in for Prisma's query engine, a binary that LiteLLM's database mode runs beside it and that no package
 * registry carries. LiteLLM's Python client starts it as `query-engine -p PORT` and sends GraphQL over HTTP. The same
 * engine exists as WebAssembly in the package @prisma/client, which speaks JSON and reaches PostgreSQL through the pg
 * package: this file translates between the two.
 */
import { bindAdapter } from "@prisma/driver-adapter-utils";
import { PrismaPg } from "@prisma/adapter-pg";
import { parse } from "graphql";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import pg from "pg";

const schema = readFileSync(process.env.PRISMA_DML_PATH, "utf8").replace(
  /generator\s+\w+\s*{[^}]*}/g,
  'generator client {\n provider = "prisma-client-js"\n previewFeatures = ["driverAdapters"]\n}',
);
const engine = await startEngine();

async function startEngine() {
  const require = createRequire(import.meta.url);
  const glue = require("@prisma/client/runtime/query_engine_bg.postgresql.js");
  const wasm = readFileSync(require.resolve("@prisma/client/runtime/query_engine_bg.postgresql.wasm"));
  const { instance } = await WebAssembly.instantiate(wasm, { "./query_engine_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  const url = new URL(process.env.DATABASE_URL);
  // Parameters that only Prisma understands.
  for (const name of ["connection_limit", "pool_timeout", "schema"]) url.searchParams.delete(name);
  const adapter = bindAdapter(new PrismaPg(new pg.Pool({ connectionString: url.href, max: 10 })));
  const options = { datamodel: schema, logLevel: "error", logQueries: false, engineProtocol: "json" };
  const started = new glue.QueryEngine(options, () => undefined, adapter);
  await started.connect("{}");
  return started;
}

/** Field names of type Json, by model. */
const jsonFields = new Map(
  [...schema.matchAll(/^model\s+(\w+)\s*{(.*?)^}/gms)].map(([, model, fields]) => [
    model,
    new Set([...fields.matchAll(/^\s*(\w+)\s+Json\b/gm)].map(([, name]) => name)),
  ]),
);

/** Longer names come before their own prefixes. */
const actions = [
  ..."findUniqueOrThrow findUnique findFirstOrThrow findFirst findMany createManyAndReturn createMany createOne".split(
    " ",
  ),
  ..."updateMany updateOne upsertOne deleteMany deleteOne aggregate groupBy queryRaw executeRaw".split(" "),
];

/** @param node a value of GraphQL @param json the names of fields whose strings are JSON */
function valueOf(node, json, name) {
  switch (node.kind) {
    case "NullValue":
      return null;
    case "IntValue": {
      const number = Number(node.value);
      return Number.isSafeInteger(number) ? number : { $type: "BigInt", value: node.value };
    }
    case "FloatValue":
      return Number(node.value);
    case "ListValue":
      return node.values.map((each) => valueOf(each, json, name));
    case "ObjectValue":
      return argumentsOf(node.fields, json, name);
    default:
      return json.has(name) && node.kind === "StringValue" ? { $type: "Json", value: node.value } : node.value;
  }
}

/** @param parent the field that a filter, `{equals: …}`, is about */
const argumentsOf = (nodes, json, parent) =>
  Object.fromEntries(
    nodes.map(({ name, value }) => [name.value, valueOf(value, json, name.value === "equals" ? parent : name.value)]),
  );

function selectionOf(set, json) {
  const fields = (set?.selections ?? []).map((field) => {
    const plain = field.selectionSet === undefined && field.arguments.length === 0;
    const inner = { arguments: argumentsOf(field.arguments, json), selection: selectionOf(field.selectionSet, json) };
    return [field.name.value, plain || inner];
  });
  return Object.fromEntries(fields);
}

/** Values without the engine's `{$type, value}` around dates, decimals, bytes and JSON. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if ("$type" in value && "value" in value) return value.value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

async function query(text, transaction) {
  const data = {};
  for (const field of parse(text).definitions.flatMap((each) => each.selectionSet.selections)) {
    const name = field.name.value;
    const action = actions.find((each) => name.startsWith(each));
    const modelName = name.slice(action.length);
    const json = jsonFields.get(modelName) ?? new Set();
    const body = {
      ...(modelName === "" ? {} : { modelName }),
      action,
      query: { arguments: argumentsOf(field.arguments, json), selection: selectionOf(field.selectionSet, json) },
    };
    const answer = JSON.parse(await engine.query(JSON.stringify(body), "{}", transaction));
    if (answer.errors) return { errors: answer.errors };
    data[field.alias?.value ?? name] = plain(Object.values(answer.data)[0]);
  }
  return { data };
}

async function batch({ batch: queries, transaction: together }, outer) {
  const begin = async () => JSON.parse(await engine.startTransaction('{"max_wait":5000,"timeout":60000}', "{}")).id;
  const own = together && outer === undefined ? await begin() : undefined;
  const results = [];
  for (const each of queries) {
    const result = await query(each.query, own ?? outer);
    if (result.errors) {
      if (own !== undefined) await engine.rollbackTransaction(own, "{}");
      return result;
    }
    results.push(result);
  }
  if (own !== undefined) await engine.commitTransaction(own, "{}");
  return { batchResult: results };
}

async function answer(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = parts.length === 0 ? {} : JSON.parse(Buffer.concat(parts).toString());
  const [, room, id, end] = request.url.split(/[/?]/);
  if (room === "status") return { status: "ok" };
  if (room === "metrics") return { counters: [], gauges: [], histograms: [] };
  if (room === "transaction") {
    if (id === "start") return JSON.parse(await engine.startTransaction(JSON.stringify(body), "{}"));
    const finish = end === "commit" ? "commitTransaction" : "rollbackTransaction";
    return JSON.parse(await engine[finish](id, "{}"));
  }
  const transaction = request.headers["x-transaction-id"];
  return body.batch ? batch(body, transaction) : query(body.query, transaction);
}

createServer(async (request, response) => {
  const reply = await answer(request).catch(({ message }) => {
    const shown = { is_panic: false, message, error_code: "P2010", meta: {} };
    return { errors: [{ error: message, user_facing_error: shown }] };
  });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(reply));
}).listen(Number(process.argv[process.argv.indexOf("-p") + 1]), "localhost");

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
// LiteLLM does not end its engine when it is killed.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, 2000).unref();
