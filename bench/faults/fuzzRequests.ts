import { type Random, chance, oneOf, upTo } from "./chance.js";
import { garble, hostileText, mutate } from "./hostile.js";
import { type Maker, type Schema, valueOf } from "./schemaValues.js";

interface Parameter {
  name: string;
  in: "path" | "query";
  required: boolean;
  schema: Schema;
}

interface Operation {
  parameters: readonly Parameter[];
  requestBody?: { content: Readonly<Record<string, { schema: Schema }>> };
}

/** Our OpenAPI document, as far as it is needed here. */
export interface Document {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  components: { schemas: Readonly<Record<string, Schema>> };
}

export interface FuzzRequest {
  method: string;
  /** With the query string. */
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
}

/** Requests from a document: a third as it allows, the others with something wrong somewhere. */
export function createRequests(document: Document, hint: Maker["hint"]): (random: Random) => FuzzRequest {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  return (random) => {
    const { path, method, operation } = oneOf(random, operations) ?? {
      path: "/",
      method: "GET",
      operation: { parameters: [] },
    };
    const maker: Maker = { random, schemas: document.components.schemas, hint };
    // Where it goes wrong: nowhere (a third), in the path, in the query, or in the body.
    const wrong = random();
    const inPath = wrong > 0.9;
    const inQuery = wrong > 0.75 && wrong <= 0.9;
    const inBody = wrong > 0.35 && wrong <= 0.75;
    return {
      method: chance(random, 0.01) ? (oneOf(random, ["PUT", "PATCH", "OPTIONS", "GET", "DELETE"]) ?? method) : method,
      path: pathOf(path, operation, maker, inPath) + queryOf(operation, maker, inQuery),
      ...bodyOf(operation, maker, inBody),
    };
  };
}

const asText = (value: unknown) =>
  typeof value === "string" ? value : ((JSON.stringify(value) as string | undefined) ?? "");
/** encodeURIComponent refuses lone surrogates. */
const escape = (text: string) => encodeURIComponent(text.toWellFormed());

function pathOf(path: string, { parameters }: Operation, maker: Maker, wrong: boolean): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (wrong && chance(maker.random, 0.7)) return escape(hostileText(maker.random)) || "%20";
    const schema = parameters.find((each) => each.name === name)?.schema ?? {};
    return escape(asText(valueOf(schema, maker, name))).slice(0, 300) || "x";
  });
}

function queryOf({ parameters }: Operation, maker: Maker, wrong: boolean): string {
  const { random } = maker;
  const pairs = parameters
    .filter((each) => each.in === "query" && (each.required || chance(random, 0.3)))
    .map(({ name, schema }) => [name, asText(valueOf(schema, maker, name))]);
  if (wrong) {
    const name =
      oneOf(
        random,
        parameters.filter((each) => each.in === "query"),
      )?.name ?? "limit";
    pairs.push([chance(random, 0.8) ? name : hostileText(random), asText(mutate("", random)).slice(0, 4000)]);
  }
  const query = pairs.map(([name = "", value = ""]) => `${escape(name)}=${escape(value)}`).join("&");
  return query === "" ? "" : `?${query}${wrong && chance(random, 0.1) ? "&%ff=%00&limit[]=1&limit[a]=2" : ""}`;
}

function bodyOf({ requestBody }: Operation, maker: Maker, wrong: boolean): Pick<FuzzRequest, "headers" | "body"> {
  const { random } = maker;
  const [type = "", { schema } = { schema: {} }] = oneOf(random, Object.entries(requestBody?.content ?? {})) ?? [];
  if (type === "") return wrong && chance(random, 0.2) ? { headers: {}, body: "{" } : { headers: {} };
  const sentType = wrong && chance(random, 0.1) ? (oneOf(random, contentTypes) ?? type) : type;
  if (type === "multipart/form-data") return formOf(schema, sentType, maker, wrong);
  const rows = { $ref: "#/components/schemas/EmbeddingInput" };
  const lines = type === "application/x-ndjson" ? Array.from({ length: upTo(random, 20) }, () => rows) : [schema];
  const values = lines.map((each) => valueOf(each, maker));
  const sent = wrong && chance(random, 0.75) ? values.map((each) => mutate(each, random)) : values;
  const text = sent.map((each) => JSON.stringify(each)).join("\n");
  return { headers: { "content-type": sentType }, body: wrong && chance(random, 0.35) ? garble(text, random) : text };
}

const contentTypes = [
  "text/plain",
  "application/json; charset=utf-16",
  "application/x-www-form-urlencoded",
  "",
  "*/*",
  "multipart/form-data",
];
const boundary = "----faults";
const names = [
  "a.txt",
  "b.md",
  "c.pdf",
  "d.docx",
  "e.csv",
  "f.html",
  "g.json",
  "h",
  "ü.txt",
  '"q".txt',
  "i.xlsx",
  "j.eml",
];

function formOf(schema: Schema, type: string, maker: Maker, wrong: boolean): Pick<FuzzRequest, "headers" | "body"> {
  const { random } = maker;
  const { data, ...fields } = valueOf(schema, maker) as Record<string, unknown>;
  delete fields.file;
  let pairs = Object.entries(fields).map(([name, value]): [string, string] => [name, asText(value)]);
  if (wrong && chance(random, 0.5)) {
    pairs = Object.entries(mutate(Object.fromEntries(pairs), random) ?? {}).map(([name, value]) => [
      name,
      asText(value),
    ]);
  }
  if (wrong && chance(random, 0.2)) pairs.push(...pairs);
  const quoted = (text: string) => text.replaceAll(/["\r\n]/g, "%22");
  const parts = pairs.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`,
  );
  const part = data === undefined ? "file" : "data";
  const name = wrong && chance(random, 0.2) ? hostileText(random) : (oneOf(random, names) ?? "a.txt");
  if (!wrong || chance(random, 0.8)) {
    const bytes = chance(random, 0.7)
      ? `Some text, ${String(random())}, about Zürich and pets.\n\n`.repeat(upTo(random, 20))
      : asText(mutate({}, random));
    parts.push(
      `--${boundary}\r\nContent-Disposition: form-data; name="${part}"; filename="${quoted(name)}"\r\n\r\n${bytes}\r\n`,
    );
  }
  const text = `${parts.join("")}--${boundary}--\r\n`;
  const body = wrong && chance(random, 0.3) ? garble(text, random) : text;
  return { headers: { "content-type": type === "multipart/form-data" ? `${type}; boundary=${boundary}` : type }, body };
}
