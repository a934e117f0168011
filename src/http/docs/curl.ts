import type { OpenApiOperation } from "../openapi.js";

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The operation's example as a command for a shell with the variables API and KEY. */
export function curlLine(
  path: string,
  method: string,
  { parameters, requestBody, security }: OpenApiOperation,
): string {
  const example = (name: string) => {
    const shown = parameters.find((each) => each.name === name)?.example;
    return typeof shown === "string" ? shown : name;
  };
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => example(name));
  const json = requestBody?.content["application/json"];
  const form = requestBody?.content["multipart/form-data"];
  const files = Object.entries((form?.schema.properties ?? {}) as Record<string, { format?: string }>);
  const shown = form?.example as Record<string, unknown> | undefined;
  const required = (form?.schema.required ?? []) as string[];
  return [
    `curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} "$API${url}"`,
    ...(security === undefined ? [`-H "Authorization: Bearer $KEY"`] : []),
    ...(json === undefined ? [] : [`-H "Content-Type: application/json" -d ${quoted(JSON.stringify(json.example))}`]),
    ...files
      .filter(([name]) => required.includes(name))
      .map(([name, { format }]) => `-F ${quoted(`${name}=${format === "binary" ? "@" : ""}${String(shown?.[name])}`)}`),
  ].join(" ");
}
