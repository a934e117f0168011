import type { OpenApiDocument, OpenApiOperation } from "./openapi.js";

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const inline = (text: string) => escape(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");

const css = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  code, pre { font: 14px/1.45 ui-monospace, monospace; } pre { background: var(--soft); padding: .75rem; overflow: auto; border-radius: 6px; }
  details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; } summary { cursor: pointer; }
  .method { display: inline-block; min-width: 4.5rem; font-weight: 600; } .muted { opacity: .75; }
  table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid var(--line); }`;

/**
 * The API documentation for people: one page of plain HTML from the OpenAPI document, without scripts or external
 * resources.
 */
export function renderDocs(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map(
    (tag) =>
      `<h2>${escape(tag)}</h2>${operations
        .filter(({ operation }) => operation.tags.includes(tag))
        .map(({ path, method, operation }) => renderOperation(path, method, operation))
        .join("")}`,
  );
  const schemas = Object.entries(document.components.schemas).map(
    ([id, schema]) =>
      `<details id="${escape(id)}"><summary><code>${escape(id)}</code></summary>${renderJson(schema)}</details>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(document.info.title)}</title><style>${css}</style></head><body>
<h1>${escape(document.info.title)} <span class="muted">${escape(document.info.version)}</span></h1>
<p>${inline(document.info.description)} Send your key as <code>Authorization: Bearer …</code>. The machine-readable form is
<a href="/openapi.json">/openapi.json</a>; errors always look like <code>{"error": {"message", "type", "param", "code"}}</code>.</p>
${sections.join("")}<h2>Schemas</h2>${schemas.join("")}</body></html>`;
}

function renderOperation(path: string, method: string, operation: OpenApiOperation): string {
  const rows = operation.parameters.map(
    (each) =>
      `<tr><td><code>${escape(each.name)}</code></td><td>${each.in}${each.required ? ", required" : ""}</td>` +
      `<td>${inline(each.description ?? "")} <code>${escape(JSON.stringify(each.schema))}</code></td></tr>`,
  );
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p>Body, <code>${escape(type)}</code>:</p>${renderJson(schema)}`,
  );
  const answer = operation.responses["200"]?.content["application/json"]?.schema ?? {};
  return `<details><summary><span class="method">${method.toUpperCase()}</span><code>${escape(path)}</code>
<span class="muted">${inline(operation.summary)}</span></summary>
${operation.description === undefined ? "" : `<p>${inline(operation.description)}</p>`}
${rows.length === 0 ? "" : `<table>${rows.join("")}</table>`}${bodies.join("")}<p>Answer:</p>${renderJson(answer)}</details>`;
}

/** JSON in which references to schemas are links. */
function renderJson(value: unknown): string {
  const text = escape(JSON.stringify(value, null, 2));
  return `<pre>${text.replaceAll(/#\/components\/schemas\/(\w+)/g, '<a href="#$1">$1</a>')}</pre>`;
}
