import { writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { run, startOther, temporaryDirectory } from "./support.js";

export const anyQuestion = { query: "password", relevant: ["c1"] };
export const emptyPage = { object: "vector_store.search_results.page", data: [] };

/** A directory for a file of questions. */
export function questionsFile() {
  const folder = temporaryDirectory();
  return {
    ...folder,
    /** The file with these lines: objects as JSON, strings as they are. */
    of: (...lines: (object | string)[]): string => {
      const path = join(folder.path, "questions.jsonl");
      writeFileSync(path, lines.map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join("\n"));
      return path;
    },
  };
}

/** `eval` at a fake server, which takes any key and store. */
export const evalAt = (url: string, path: string, ...args: string[]) =>
  run(["eval", path, "--url", url, "--key", "k", "--store", "vs_1", ...args]);

export interface Report {
  question_count: number;
  modes: { mode: string; recall: number; mrr: number; ndcg: number; median_ms: number }[];
  questions: { line: number; modes: Record<string, { recall: number; places: { place: number | null }[] }> }[];
}

/** What `eval --json` printed. */
export const reportOf = (out: string) => JSON.parse(out) as Report;

export interface Asked {
  query: string;
  rerank: boolean | string;
}

/** A fake server for searches; `answer` gets the request. */
export const startFake = (answer: (asked: Asked, response: ServerResponse) => void) =>
  startOther((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.once("end", () => {
      response.setHeader("content-type", "application/json");
      answer(JSON.parse(body) as Asked, response);
    });
  });

/** Answers with this error. */
export const refuse = (response: ServerResponse, error: object) => {
  response.writeHead(400).end(JSON.stringify({ error: { type: "invalid_request_error", param: null, ...error } }));
};
