import { describe, expect, test } from "@jest/globals";
import { Parser } from "htmlparser2";
import { docsScript } from "../../src/http/docs/script.js";
import { document, operations, service } from "./openapiSupport.js";
import { send } from "./requests.js";

const get = (path: string) => send(service.url, { path, method: "GET", key: null });

interface Element {
  name: string;
  attributes: Record<string, string>;
  /** The names of the elements around it, outermost first. */
  parents: string[];
  text: string;
}

/** The page's elements in order, each with the text below it. @throws if an element is not closed */
function elementsOf(html: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  const empty = ["meta", "input"];
  const parser = new Parser({
    onopentag: (name, attributes) => {
      const element = { name, attributes, parents: open.map((each) => each.name), text: "" };
      elements.push(element);
      if (!empty.includes(name)) open.push(element);
    },
    ontext: (text) => {
      for (const each of open) each.text += text;
    },
    onclosetag: (name, isImplied) => {
      if (empty.includes(name)) return;
      expect({ name, isImplied, open: open.pop()?.name }).toEqual({ name, isImplied: false, open: name });
    },
  });
  parser.end(html);
  expect(open).toEqual([]);
  return elements;
}

describe("/docs", () => {
  test("is one page with a script of its own, and may speak to this server only", async () => {
    const answer = await get("/docs");
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["content-security-policy"]).toBe(
      "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.text).toMatch(/^<!doctype html><html lang="en">/);
    expect(answer.text).not.toMatch(/<img|<iframe|<link|<form|\son\w+=|javascript:|(src|href)="(https?:)?\/\//i);
    expect(answer.text.match(/<script[^>]*>/g)).toEqual(['<script src="docs.js" defer>']);
    const script = await get("/docs.js");
    expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(script.text).toBe(docsScript);
  });

  test("has an entry for every route: fields, examples, a command and a form", async () => {
    const elements = elementsOf((await get("/docs")).text);
    for (const { path, method, operation } of operations()) {
      const entry = elements.find((each) => each.attributes.id === operation.operationId);
      expect(entry?.parents.at(-1)).toBe("details");
      const text = entry?.text ?? "";
      expect(text).toContain(`curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} "$API`);
      for (const { name, description = "" } of operation.parameters) {
        expect(text).toContain(name);
        expect(text).toContain(description.replaceAll("`", ""));
      }
      const contents = [operation.requestBody?.content ?? {}, operation.responses["200"]?.content ?? {}];
      const json = contents.flatMap((each) => each["application/json"] ?? []);
      for (const { example } of json) expect(text).toContain(JSON.stringify(example, null, 2));
      const form = elements.find(
        ({ attributes }) => attributes["data-path"] === path && attributes["data-method"] === method.toUpperCase(),
      );
      expect(form?.text).toContain("Send");
    }
    const search = elements.find((each) => each.attributes.id === "searchVectorStore")?.text ?? "";
    expect(search).toContain("max_num_resultsinteger 1…50 or nullnumber of results");
    expect(search).toContain(`-H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -d '{"query":`);
  });

  test("every link leads to a place inside an entry, which browsers open", async () => {
    const elements = elementsOf((await get("/docs")).text);
    const targets = elements.flatMap(({ attributes, parents }) =>
      attributes.id === undefined ? [] : [[attributes.id, parents.at(-1)]],
    );
    const places = new Map(targets as [string, string][]);
    expect(places.size).toBe(targets.length);
    const links = elements.flatMap(({ attributes: { href = "" } }) => (href.startsWith("#") ? [href.slice(1)] : []));
    expect(links.length).toBeGreaterThan(40);
    expect([...new Set(links)].filter((id) => places.get(id) !== "details")).toEqual([]);
    for (const id of Object.keys(document.components.schemas)) expect(places.get(id)).toBe("details");
  });

  test("nothing is wider than a phone: words break, boxes scroll, tables become lists", async () => {
    const { text } = await get("/docs");
    const style = text.slice(text.indexOf("<style>"), text.indexOf("</style>"));
    expect(text).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(style).toMatch(/body \{[^}]*overflow-wrap: anywhere/);
    expect(style).toMatch(/pre \{[^}]*overflow: auto/);
    expect(style).toMatch(/@media \(max-width: 40rem\) \{ td \{ display: block/);
    expect(style).not.toMatch(/(?<!max-|min-)width: \d+(px|rem|em)/);
  });

  test("the script keeps the key in its field: out of URLs, storage and cookies", () => {
    expect(docsScript).not.toMatch(/localStorage|sessionStorage|indexedDB|cookie|history\.|innerHTML|eval/);
    expect(docsScript.match(/getElementById\("key"\)/g)).toHaveLength(1);
    expect(docsScript).toContain('credentials: "omit"');
  });
});
