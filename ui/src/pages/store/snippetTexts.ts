import type { SearchBody } from "../../api/search.js";

/** The same search in other languages. Each says where the key comes from; none holds one. */

export const snippetLanguages = ["curl", "python", "typescript"] as const;
export type SnippetLanguage = (typeof snippetLanguages)[number];

interface Snippet {
  /** With /v1. */
  api: string;
  storeId: string;
  body: SearchBody;
}

export const snippetIn = (language: SnippetLanguage, of: Snippet): string => writers[language](of);

const writers: Record<SnippetLanguage, (of: Snippet) => string> = {
  curl: ({ api, storeId, body }) =>
    [
      `curl '${shell(`${api}/vector_stores/${storeId}/search`)}' \\`,
      `  -H "Authorization: Bearer $VECTOR_STORE_API_KEY" \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d '${shell(JSON.stringify(body, null, 2))}'`,
    ].join("\n"),
  python: ({ api, storeId, body: { rewrite_query: rewrite, ...body } }) =>
    [
      "import os",
      "from openai import OpenAI",
      "",
      `client = OpenAI(base_url=${JSON.stringify(api)}, api_key=os.environ["VECTOR_STORE_API_KEY"])`,
      "results = client.vector_stores.search(",
      `    ${JSON.stringify(storeId)},`,
      ...Object.entries({ ...body, ...(rewrite != null && { rewrite_query: rewrite }) }).map(
        ([name, value]) => `    ${name}=${python(value)},`,
      ),
      ")",
      "for result in results:",
      "    print(result.score, result.filename, result.content[0].text)",
    ].join("\n"),
  typescript: ({ api, storeId, body: { ranking_options: ranking, ...body } }) =>
    [
      'import OpenAI from "openai";',
      "",
      `const client = new OpenAI({ baseURL: ${JSON.stringify(api)}, apiKey: process.env.VECTOR_STORE_API_KEY });`,
      `const results = await client.vectorStores.search(${JSON.stringify(storeId)}, {`,
      ...Object.entries(body).map(([name, value]) => `  ${name}: ${indented(value, "  ")},`),
      ...(ranking == null
        ? []
        : [
            `  // This service knows more options than the SDK's type.`,
            `  ranking_options: ${indented(ranking, "  ")} as OpenAI.VectorStoreSearchParams["ranking_options"],`,
          ]),
      "});",
      "for (const { score, filename, content } of results.data) console.log(score, filename, content[0]?.text);",
    ].join("\n"),
};

const indented = (value: unknown, by: string): string => JSON.stringify(value, null, 2).replaceAll("\n", `\n${by}`);

/** Inside single quotes of a shell. */
const shell = (text: string): string => text.replaceAll("'", `'\\''`);

/** JSON as Python writes it. */
function python(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, each]) => `${JSON.stringify(key)}: ${python(each)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}
