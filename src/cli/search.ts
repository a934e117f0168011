import { type Command, Option } from "commander";
import type { OpenAI } from "openai";
import { exactJson } from "../words/exactJson.js";
import { connect, exactBody, type ServerOptions, withServerOptions } from "./connection.js";
import { notOurs } from "./failures.js";
import type { Io } from "./io.js";
import { jsonObject, recalls, score, searchModes, wholeNumber } from "./options.js";
import { requireId } from "./stores.js";
import { type Column, renderTable } from "./table.js";

/** OpenAI's result, with the chunk's id that this server adds. */
type Result = OpenAI.VectorStores.VectorStoreSearchResponse & { id?: string };

const columns: Column<Result>[] = [
  { title: "SCORE", value: (result) => result.score.toFixed(4), align: "right" },
  { title: "SOURCE", value: (result) => result.filename || result.file_id || (result.id ?? "") },
  { title: "TEXT", value: (result) => result.content.map((part) => part.text).join(" "), flexible: true },
];

const help = `
The query needs no quotes; put "--" before words that begin with a dash. Scores are from 0 to 1; in a vector search, 1
means the same direction. SOURCE is the name of the result's file, or the id of the chunk if it has no file. On a
terminal, TEXT is cut to the line.

--mode vector compares meaning, keyword compares words (codes, names), hybrid does both. --recall exact compares every
row; high and fast use the store's index if it has one. The defaults are the store's settings, else vector and high.

--rerank needs a rerank model behind the server's LiteLLM proxy. It takes the next word as the model's name, so put it
after the query.

--filter takes OpenAI's filters or plain key-values, and compares them with the chunks' metadata; 5 is not "5":
  '{"type": "and", "filters": [{"type": "gte", "key": "year", "value": 2024},
                               {"type": "in", "key": "lang", "value": ["en", "de"]}]}'
  '{"lang": "en"}'

Examples:
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c how do I reset my password
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c refunds --limit 3 --filter '{"lang": "en"}' --threshold 0.7
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c error E1042 --mode hybrid --recall exact
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c how long is the warranty --rerank`;

/** The options behind the API's fields, for its messages. */
const fields = {
  query: "<query>",
  max_num_results: "--limit",
  filters: "--filter",
  "ranking_options.score_threshold": "--threshold",
  "ranking_options.search_mode": "--mode",
  "ranking_options.recall": "--recall",
  "ranking_options.rerank_model": "--rerank",
};

export function searchCommand(program: Command, io: Io): void {
  withServerOptions(program.command("search").description("search a vector store of a running server"))
    .argument("<store-id>", "the store's id (vs_…)")
    .argument("<query...>", "what to look for")
    .option("--limit <n>", "how many results at most (1 to 50)", wholeNumber, 10)
    .option("--filter <json>", "only chunks whose metadata matches", jsonObject)
    .option("--threshold <score>", "only results with at least this score (0 to 1)", score)
    .addOption(new Option("--mode <mode>", "how to search").choices(searchModes))
    .addOption(new Option("--recall <recall>", "how thorough to be").choices(recalls))
    .option("--rerank [model]", "order the results by a rerank model (default: the server's choice)")
    .option("--json", "print OpenAI's page of results")
    .addHelpText("after", help)
    .action(async (id: string, words: string[], options: SearchOptions) => {
      const server = connect(options, io);
      const ranking = {
        ...(options.threshold !== undefined && { score_threshold: options.threshold }),
        // Not OpenAI's fields, so unknown to the SDK's types.
        ...(options.mode !== undefined && { search_mode: options.mode }),
        ...(options.recall !== undefined && { recall: options.recall }),
        ...(options.rerank !== undefined && { rerank: "required" }),
        ...(typeof options.rerank === "string" && { rerank_model: options.rerank }),
      };
      const body = {
        query: words.join(" "),
        max_num_results: options.limit,
        ...(options.filter && { filters: options.filter }),
        ...(Object.keys(ranking).length > 0 && { ranking_options: ranking }),
      };
      // The whole answer: the SDK's page object keeps only a part of it.
      const answer = await server.ask(
        (client) => client.post<Partial<Answer> | null>(searchPath(requireId(id)), exactBody(body)),
        fields,
      );
      const results = answer?.data;
      if (answer?.object !== "vector_store.search_results.page" || !Array.isArray(results)) {
        throw notOurs(server.url, "without search results");
      }
      if (options.json) io.stdout.write(`${exactJson(answer, 2)}\n`);
      else if (results.length === 0) io.stderr.write("Nothing found.\n");
      else io.stdout.write(renderTable(columns, results, io.stdout));
    });
}

const searchPath = (id: string) => `/vector_stores/${encodeURIComponent(id)}/search`;

interface Answer {
  object: string;
  data: Result[];
}

type SearchOptions = ServerOptions & {
  limit: number;
  filter?: Record<string, unknown>;
  threshold?: number;
  mode?: string;
  recall?: string;
  rerank?: string | true;
  json?: true;
};
