import { type Command, InvalidArgumentError } from "commander";
import { connect, type ServerOptions, withServerOptions } from "./connection.js";
import { evaluateModes, type ModeFigures, type Answered } from "./evalSearches.js";
import type { Io } from "./io.js";
import { searchModes, wholeNumber } from "./options.js";
import { type Input, openQuestions, readQuestions } from "./questions.js";
import { requireId } from "./stores.js";
import { type Column, renderTable } from "./table.js";

const modes = [...searchModes, "reranked"];
const mostResults = 50;

const help = `
QUESTIONS has one question per line, with what its results should contain: ids of chunks, ids or names of files, or
phrases.
  {"query": "how long can I return things?", "relevant": ["returns.md"]}
  {"query": "error E-4711", "relevant": {"codes.pdf": 3, "faq.md": 1}, "filters": {"lang": "en"}}
  {"query": "what does shipping cost?", "contains": ["free for orders over $50", "within 3 days"]}
A number is a grade: how much an item counts compared with the others. Case and line breaks of phrases do not matter.

Every question is searched in every mode, up to 4 at once. RECALL@10 is the share of its items in the first 10
results; MRR is 1 / the rank of the first result with an item; NDCG@10 is 1 if all items come in the best order; each
is the mean of all questions. MEDIAN MS is the time of a search as seen from here, without embedding the question. The
mode reranked is the store's own mode plus a rerank model; it is left out if there is none. docs/evaluation.md
explains the figures.

Examples:
  $ vector-store eval questions.jsonl --store vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c
  $ vector-store eval questions.jsonl --store $ID --k 5 --modes vector,hybrid
  $ vector-store eval - --store $ID --json < questions.jsonl | jq '.questions[] | select(.modes.hybrid.recall < 1)'`;

interface EvalOptions extends ServerOptions {
  store: string;
  k: number;
  modes?: string[];
  json?: true;
}

/** @param stdin the source of questions if the file is "-" */
export function evalCommand(program: Command, io: Io, stdin: () => Input = () => process.stdin): void {
  withServerOptions(
    program.command("eval").description("measure how well a running server's searches answer questions"),
  )
    .argument("<questions>", 'a file of questions, as JSON Lines; "-" for standard input')
    .requiredOption("--store <id>", "the store's id (vs_…)")
    .option("--k <n>", `how many results count (1 to ${mostResults})`, resultCount, 10)
    .option("--modes <list>", `which modes, separated by commas (default: ${modes.join(",")})`, modeList)
    .option("--json", "print all figures as JSON, with those of each question")
    .addHelpText("after", help)
    .action(async (path: string, options: EvalOptions) => {
      const server = connect(options, io);
      const storeId = requireId(options.store);
      const { text, source } = await openQuestions(path, stdin);
      const questions = readQuestions(text, source);
      const request = {
        server,
        storeId,
        k: options.k,
        source,
        modes: options.modes ?? modes,
        // Named with --modes, it must work.
        mayLeaveOut: options.modes === undefined ? ["reranked"] : [],
      };
      const { figures, answered } = await evaluateModes(request, questions, io);
      if (options.json) {
        io.stdout.write(`${JSON.stringify(present(storeId, options.k, figures, answered), null, 2)}\n`);
      } else {
        io.stdout.write(renderTable(columnsFor(options.k, questions.length), figures, io.stdout));
      }
    });
}

function resultCount(text: string): number {
  const count = wholeNumber(text);
  if (count > mostResults) throw new InvalidArgumentError(`It must be a whole number from 1 to ${mostResults}.`);
  return count;
}

function modeList(text: string): string[] {
  const named = text.split(",").map((each) => each.trim());
  if (!named.every((each) => modes.includes(each)))
    throw new InvalidArgumentError(`It must be some of ${modes.join(", ")}, separated by commas.`);
  return [...new Set(named)];
}

const share = (value: number, plain: boolean) => (plain ? String(value) : value.toFixed(3));

function columnsFor(k: number, questions: number): Column<ModeFigures>[] {
  return [
    { title: "MODE", value: ({ mode }) => mode },
    { title: `RECALL@${k}`, value: ({ recall }, plain) => share(recall, plain), align: "right" },
    { title: "MRR", value: ({ mrr }, plain) => share(mrr, plain), align: "right" },
    { title: `NDCG@${k}`, value: ({ ndcg }, plain) => share(ndcg, plain), align: "right" },
    { title: "MEDIAN MS", value: ({ medianMs }) => medianMs.toFixed(1), align: "right" },
    { title: "QUESTIONS", value: () => String(questions), align: "right" },
  ];
}

/** The result of --json, in the API's style. */
function present(storeId: string, k: number, figures: readonly ModeFigures[], answered: readonly Answered[]) {
  return {
    store_id: storeId,
    k,
    question_count: answered.length,
    modes: figures.map(({ mode, recall, mrr, ndcg, medianMs }) => ({ mode, recall, mrr, ndcg, median_ms: medianMs })),
    questions: answered.map(({ question, searches }) => ({
      line: question.line,
      query: question.query,
      modes: Object.fromEntries(
        [...searches].map(([mode, { recall, reciprocalRank, ndcg, ms, places }]) => [
          mode,
          {
            recall,
            reciprocal_rank: reciprocalRank,
            ndcg,
            ms,
            places: places.map(({ item, place }) => ({
              [item.kind === "name" ? "relevant" : "contains"]: item.text,
              place,
            })),
          },
        ]),
      ),
    })),
  };
}
