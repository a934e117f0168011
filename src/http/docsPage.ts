import type { OpenApiDocument, OpenApiOperation } from "./openapi.js";
import type { JsonSchema } from "./reference/annotate.js";
import { curlLine } from "./docs/curl.js";
import { type Field, fieldsIn, typeOf } from "./docs/fields.js";

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const inline = (text: string) => escape(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");

/** Nothing is wider than the screen: long words break, long lines scroll in their own box, tables become lists. */
const css = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; }
  * { box-sizing: border-box; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
  code, pre, textarea { font: 14px/1.45 ui-monospace, monospace; }
  pre { background: var(--soft); padding: .75rem; overflow: auto; max-height: 30rem; border-radius: 6px; overflow-wrap: normal; }
  details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; } summary { cursor: pointer; }
  [id] { scroll-margin-top: 1rem; } h4 { margin: 1rem 0 .25rem; }
  .method { display: inline-block; min-width: 4.5rem; font-weight: 600; } .muted { opacity: .75; }
  table { border-collapse: collapse; width: 100%; } td { vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid var(--line); }
  label { display: block; margin: .5rem 0; } input, textarea { display: block; width: 100%; padding: .4rem; } textarea { min-height: 8rem; }
  button { padding: .4rem 1rem; margin: .25rem 0; }
  @media (max-width: 40rem) { td { display: block; padding-right: 0; } td + td { border: 0; padding-top: 0; } }`;

/**
 * The API documentation for people: one page from the OpenAPI document, without external resources. Its script opens
 * the entry that a link names and sends the requests of the forms; without it, everything can still be read.
 */
export function renderDocs(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const { schemas } = document.components;
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map(
    (tag) =>
      `<h2>${escape(tag)}</h2>${operations
        .filter(({ operation }) => operation.tags.includes(tag))
        .map(({ path, method, operation }) => renderOperation(path, method, operation, schemas))
        .join("")}`,
  );
  const entries = Object.entries(schemas).map(([id, schema]) =>
    entry(id, `<code>${escape(id)}</code>`, renderFields(fieldsIn(schema))),
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)}</title><style>${css}</style><script src="docs.js" defer></script></head><body>
<h1>${escape(document.info.title)} <span class="muted">${escape(document.info.version)}</span></h1>
<p>${inline(document.info.description)} Send your key as <code>Authorization: Bearer …</code>. The machine-readable form is
<a href="openapi.json">openapi.json</a>; errors always look like <code>{"error": {"message", "type", "param", "code"}}</code>.</p>
<p>The commands below need <code>API=${escape(document.servers[0]?.url.replace(/^\/$/, "http://localhost:8000") ?? "")}</code> and <code>KEY</code>.</p>
<label>Key for the forms below. It stays in this field: it is not stored, and gone when you leave the page.
<input type="password" id="key" autocomplete="off" spellcheck="false"></label>
${sections.join("")}<h2>Schemas</h2>${entries.join("")}</body></html>`;
}

/** An entry that can be opened. Its id is inside, so that browsers open it for a link even without the script. */
const entry = (id: string, summary: string, content: string) =>
  `<details><summary>${summary}</summary><div id="${escape(id)}">${content}</div></details>`;

function renderOperation(
  path: string,
  method: string,
  operation: OpenApiOperation,
  schemas: Readonly<Record<string, JsonSchema>>,
): string {
  const parameters = operation.parameters.map(({ name, in: where, required, schema, description = "" }): Field => {
    const type = `${typeOf(schema)}, in the ${where}`;
    return { name, type, links: [], required, description };
  });
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema, example }]) => {
    const id = typeof schema.$ref === "string" ? schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1) : null;
    return (
      `<h4>Body, <code>${escape(type)}</code></h4>${renderFields(fieldsIn(id === null ? schema : (schemas[id] ?? {})))}` +
      (type.startsWith("multipart/") ? "" : renderExample(example))
    );
  });
  const answers = Object.entries(operation.responses["200"]?.content ?? {}).map(
    ([type, { schema, example }]) =>
      `<h4>Answer, <code>${escape(type)}</code></h4>${renderFields(fieldsIn({ properties: { "": schema } }))}` +
      renderExample(example),
  );
  const summary =
    `<span class="method">${method.toUpperCase()}</span><code>${escape(path)}</code>\n` +
    `<span class="muted">${inline(operation.summary)}</span>`;
  return entry(
    operation.operationId,
    summary,
    `${operation.description === undefined ? "" : `<p>${inline(operation.description)}</p>`}
${parameters.length === 0 ? "" : `<h4>Parameters</h4>${renderFields(parameters)}`}${bodies.join("")}
<h4>Command</h4><pre>${escape(curlLine(path, method, operation))}</pre>${answers.join("")}${renderForm(path, method, operation)}`,
  );
}

function renderFields(fields: readonly Field[]): string {
  const rows = fields.map(({ name, type, links, required, description }) => {
    const targets = links.map((id) => `<a href="#${escape(id)}">${escape(id)}</a>`);
    const about = [escape(type), ...targets, ...(required ? ["required"] : [])]
      .filter((each) => each !== "")
      .join(", ");
    return `<tr>${name === "" ? "" : `<td><code>${escape(name)}</code></td>`}<td>${about}</td><td>${inline(description)}</td></tr>`;
  });
  return rows.length === 0 ? "" : `<table>${rows.join("")}</table>`;
}

function renderExample(example: unknown): string {
  if (example === undefined) return "";
  return `<pre>${escape(typeof example === "string" ? example : JSON.stringify(example, null, 2))}</pre>`;
}

/** What the script sends: path and query parameters, and the body as JSON or as a form with files. */
function renderForm(path: string, method: string, operation: OpenApiOperation): string {
  const content = operation.requestBody?.content ?? {};
  const form = content["multipart/form-data"]?.schema.properties as Record<string, JsonSchema> | undefined;
  const json = content["application/json"];
  const field = (name: string, where: string, more: string) =>
    `<label><code>${escape(name)}</code><input data-in="${where}" name="${escape(name)}" ${more}></label>`;
  const inputs = [
    ...operation.parameters.map(({ name, in: where, required, example }) =>
      field(name, where, `placeholder="${escape(String(example))}"${required ? " required" : ""}`),
    ),
    ...Object.entries(form ?? {}).map(([name, schema]) =>
      field(name, "form", schema.format === "binary" ? 'type="file" required' : ""),
    ),
    ...(json === undefined
      ? []
      : [`<label>Body<textarea data-in="json">${escape(JSON.stringify(json.example, null, 2))}</textarea></label>`]),
  ];
  return (
    `<h4>Try it</h4><div data-method="${method.toUpperCase()}" data-path="${escape(path)}">${inputs.join("")}` +
    `<button type="button">Send</button><pre hidden></pre></div>`
  );
}
