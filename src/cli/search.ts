import { type Command, Option } from "commander";
import type { OpenAI } from "openai";
import { connect, type ServerOptions, withServerOptions } from "./connection.js";
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
The query need not be quoted; words that begin with a dash come after "--". The score is between 0 and 1; of vectors, 1 is the same
direction. SOURCE is the file's name where the result has one, otherwise the id of the chunk. On a terminal TEXT is cut to the line's
end.

--mode vector compares meaning, keyword words (codes, names), hybrid both. --recall exact compares every row, high and fast use the
store's index where it has one. Without them it is as the store was made, else vector and high.

--rerank needs a rerank model behind the server's LiteLLM proxy. The query comes before it, or a name after it, for it takes the next word.

--filter takes OpenAI's filters or plain key-values, on the chunks' metadata; 5 is not "5":
  '{"type": "and", "filters": [{"type": "gte", "key": "year", "value": 2024}, {"type": "in", "key": "lang", "value": ["en", "de"]}]}'
  '{"lang": "en"}'

Examples:
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c how do I reset my password
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c refunds --limit 3 --filter '{"lang": "en"}' --threshold 0.7
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c error E1042 --mode hybrid --recall exact
  $ vector-store search vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c how long is the warranty --rerank`;

export function searchCommand(program: Command, io: Io): void {
  withServerOptions(program.command("search").description("search a vector store of a running server"))
    .argument("<store-id>", "the store's id (vs_…)")
    .argument("<query...>", "what to look for")
    .option("--limit <n>", "how many results at most (1 to 50)", wholeNumber, 10)
    .option("--filter <json>", "only chunks whose metadata fits", jsonObject)
    .option("--threshold <score>", "only results with at least this score (0 to 1)", score)
    .addOption(new Option("--mode <mode>", "how to search").choices(searchModes))
    .addOption(new Option("--recall <recall>", "how thorough to be").choices(recalls))
    .option("--rerank [model]", "let a rerank model put the results in order; without a name the server chooses it")
    .option("--json", "print OpenAI's page of results")
    .addHelpText("after", help)
    .action(async (id: string, words: string[], options: SearchOptions) => {
      const server = connect(options, io);
      const ranking = {
        ...(options.threshold !== undefined && { score_threshold: options.threshold }),
        // Beyond OpenAI's fields, so unknown to the SDK's types.
        ...(options.mode !== undefined && { search_mode: options.mode }),
        ...(options.recall !== undefined && { recall: options.recall }),
        ...(options.rerank !== undefined && { rerank: "required" }),
        ...(typeof options.rerank === "string" && { rerank_model: options.rerank }),
      };
      // The response itself, not the SDK's page object, which keeps only a part of the answer.
      const answer = await server.ask(async (client) => {
        const response = await client.vectorStores
          .search(requireId(id), {
            query: words.join(" "),
            max_num_results: options.limit,
            // The flat form is this server's own; the SDK's types know OpenAI's alone.
            ...(options.filter && { filters: options.filter as unknown as OpenAI.ComparisonFilter }),
            ...(Object.keys(ranking).length > 0 && { ranking_options: ranking }),
          })
          .asResponse();
        return (await response.json()) as Partial<Answer> | null;
      });
      const results = answer?.data;
      if (answer?.object !== "vector_store.search_results.page" || !Array.isArray(results)) {
        throw notOurs(server.url, "without search results");
      }
      if (options.json) io.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
      else if (results.length === 0) io.stderr.write("Nothing found.\n");
      else io.stdout.write(renderTable(columns, results, io.stdout));
    });
}

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
