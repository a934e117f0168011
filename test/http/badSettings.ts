import { type BadRequest, create, deep, get, nul, nulMessage, stores } from "./badRequests.js";
import { type Wrong, at } from "./badRowsAndSearches.js";

/** Fields of both creation and update. */
const settings: [name: string, body: object | string, param: string, message: RegExp][] = [
  ["search_mode is unknown", { search_mode: "semantic" }, "search_mode", /"vector"\|"keyword"\|"hybrid"/],
  ["search_mode in capitals", { search_mode: "Hybrid" }, "search_mode", /"vector"\|"keyword"\|"hybrid"/],
  ["search_mode is empty", { search_mode: "" }, "search_mode", /"vector"/],
  ["search_mode is a list", { search_mode: ["vector", "keyword"] }, "search_mode", /"vector"/],
  ["99-deep search_mode", `{"search_mode":${deep(99)}}`, "search_mode", /"vector"/],
  ["recall is unknown", { recall: "perfect" }, "recall", /"exact"\|"high"\|"fast"/],
  ["recall is a number", { recall: 0.99 }, "recall", /"exact"/],
  ["language is unknown", { language: "klingon" }, "language", /'klingon' is no text search configuration/],
  ["language is a number", { language: 1 }, "language", /expected string/],
  ["language is empty", { language: "" }, "language", /must not be empty/],
  ["language is too long", { language: "e".repeat(64) }, "language", /at most 63 characters/],
  ["language is SQL", { language: "simple'); DROP TABLE embeddings; --" }, "language", /is no text search config/],
  ["NUL in language", `{"language":"${nul}"}`, "language", nulMessage],
  ["hybrid_search is a number", { hybrid_search: 0.5 }, "hybrid_search", /expected object/],
  [
    "hybrid_search without text_weight",
    { hybrid_search: { embedding_weight: 1 } },
    "hybrid_search.text_weight",
    /expected number/,
  ],
  [
    "embedding_weight above 1",
    { hybrid_search: { embedding_weight: 1.1, text_weight: 1 } },
    "hybrid_search.embedding_weight",
    /at most 1/,
  ],
  [
    "text_weight below 0",
    { hybrid_search: { embedding_weight: 1, text_weight: -0.1 } },
    "hybrid_search.text_weight",
    /at least 0/,
  ],
  [
    "text_weight as text",
    { hybrid_search: { embedding_weight: 1, text_weight: "1" } },
    "hybrid_search.text_weight",
    /expected number/,
  ],
  [
    "both weights are 0",
    { hybrid_search: { embedding_weight: 0, text_weight: 0 } },
    "hybrid_search",
    /at least one weight must be above 0/,
  ],
];

export const modelsAndSettings: BadRequest[] = [
  ...settings.map((each) => create(...each)),
  ...settings.map(([name, body, param, message]): BadRequest => ({
    name: `update: ${name}`,
    path: `${stores}/{store}`,
    body,
    param,
    message,
  })),
  create("embedding_model is a number", { embedding_model: 3 }, "embedding_model", /expected string/),
  create("embedding_model is empty", { embedding_model: "" }, "embedding_model", /must not be empty/),
  create("embedding_model is too long", { embedding_model: "m".repeat(257) }, "embedding_model", /at most 256/),
  create("embedding_model is unknown", { embedding_model: "none" }, "embedding_model", /'none'/),
  create("NUL in embedding_model", `{"embedding_model":"${nul}"}`, "embedding_model", nulMessage),
  create("embedding_dimensions 0", { embedding_dimensions: 0 }, "embedding_dimensions", /at least 1/),
  create("embedding_dimensions -1", { embedding_dimensions: -1 }, "embedding_dimensions", /at least 1/),
  create("embedding_dimensions 16,001", { embedding_dimensions: 16_001 }, "embedding_dimensions", /at most 16000/),
  create("embedding_dimensions 1.5", { embedding_dimensions: 1.5 }, "embedding_dimensions", /expected int/),
  create("embedding_dimensions as text", { embedding_dimensions: "8" }, "embedding_dimensions", /expected number/),
  create("embedding_dimensions 1e300", { embedding_dimensions: 1e300 }, "embedding_dimensions", /int/),
  create("embedding_dimensions is a list", { embedding_dimensions: [8] }, "embedding_dimensions", /expected number/),
  ...(["embedding_model", "embedding_dimensions"] as const).flatMap((field) =>
    ["other", 8, "", false].map((value): BadRequest => ({
      name: `update: ${field} ${JSON.stringify(value)}`,
      path: `${stores}/{store}`,
      body: { [field]: value },
      param: field,
      message: /a store keeps the embedding_\w+ that it was created with; create another store/,
    })),
  ),
  get("reindex of an unknown store", `${stores}/vs_0/reindex`, "vector_store_id", /No vector store/, 404),
].map((each) => (each.path.endsWith("/reindex") ? { ...each, method: "POST" } : each));

/** A search with one wrong field in ranking_options. */
const ranked = (name: string, options: object, field: string, message: RegExp): Wrong => [
  name,
  { query: "x", ranking_options: options },
  `ranking_options.${field}`,
  message,
];

export const rankings: BadRequest[] = [
  ...[
    "best",
    "",
    "Hybrid",
    "hybrid-",
    "hybrid-best",
    "exact-hybrid",
    "vector-keyword",
    "keyword exact",
    "x".repeat(5000),
  ].map((ranker) =>
    ranked(
      `ranker ${JSON.stringify(ranker.slice(0, 20))}`,
      { ranker },
      "ranker",
      /"auto".*vector, keyword, hybrid.*exact, high, fast/,
    ),
  ),
  ranked("ranker is a number", { ranker: 1 }, "ranker", /expected string/),
  ranked("unknown search_mode", { search_mode: "semantic" }, "search_mode", /"vector"\|"keyword"\|"hybrid"/),
  ranked("search_mode is a list", { search_mode: ["vector"] }, "search_mode", /"vector"/),
  ranked("unknown recall", { recall: "most" }, "recall", /"exact"\|"high"\|"fast"/),
  ranked("recall is a number", { recall: 1 }, "recall", /"exact"/),
  ranked("hybrid_search is true", { hybrid_search: true }, "hybrid_search", /expected object/),
  ranked("no text_weight", { hybrid_search: { embedding_weight: 1 } }, "hybrid_search.text_weight", /expected number/),
  ranked(
    "embedding_weight 2",
    { hybrid_search: { embedding_weight: 2, text_weight: 1 } },
    "hybrid_search.embedding_weight",
    /at most 1/,
  ),
  ranked(
    "text_weight -1",
    { hybrid_search: { embedding_weight: 1, text_weight: -1 } },
    "hybrid_search.text_weight",
    /at least 0/,
  ),
  ranked(
    "both weights 0",
    { hybrid_search: { embedding_weight: 0, text_weight: 0 } },
    "hybrid_search",
    /at least one weight/,
  ),
  ranked("diversity -0.1", { diversity: -0.1 }, "diversity", /at least 0/),
  ranked("diversity 1.1", { diversity: 1.1 }, "diversity", /at most 1/),
  ranked("diversity as text", { diversity: "0.5" }, "diversity", /expected number/),
  ranked("diversity is true", { diversity: true }, "diversity", /expected number/),
  ranked("expand -1", { expand: -1 }, "expand", /at least 0/),
  ranked("expand 6", { expand: 6 }, "expand", /at most 5/),
  ranked("expand 0.5", { expand: 0.5 }, "expand", /expected int/),
  ranked("expand as text", { expand: "1" }, "expand", /expected number/),
].map(at("search", "/v1/vector_stores/{store}/search"));
