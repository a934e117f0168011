import { readFile } from "node:fs/promises";
import { z } from "zod";
import { comparableName, comparableText, type Item } from "./evaluation.js";
import { CommandError } from "./io.js";
import { errorCode } from "../words/errors.js";
import { parseExactJson } from "../words/exactJson.js";
import { printable } from "../words/readable.js";

/** A question, and what its results should contain. */
export interface Question {
  /** Its line in the file, from 1. */
  line: number;
  query: string;
  items: Item[];
  filters: Record<string, unknown> | null;
}

export type Input = AsyncIterable<Uint8Array | string>;

const example = '{"query": "…", "relevant": ["faq.md"]} or {"query": "…", "contains": "…"}';
const highestGrade = 1_000_000;

const text = z
  .string({ error: ({ input }) => (input === undefined ? "required: a string" : "expected a string") })
  .refine((value) => value.trim() !== "", "must not be empty");
const grade = z
  .number("expected a number")
  .positive("must be above 0")
  .max(highestGrade, `must be at most ${highestGrade}`);
const filled = (value: object) => Object.keys(value).length > 0;

/** As in the API, null counts as absent and unknown fields are ignored. */
const questionLine = z
  .object(
    {
      query: text,
      relevant: z
        .union(
          [
            z.array(text).refine(filled, "must not be empty"),
            z.record(text, grade).refine(filled, "must not be empty"),
          ],
          "expected an array of ids or file names, or an object with a grade for each",
        )
        .nullish(),
      contains: z
        .union([text, z.array(text).refine(filled, "must not be empty")], "expected a string or an array of strings")
        .nullish(),
      filters: z.record(z.string(), z.unknown(), "expected an object").nullish(),
    },
    `expected an object such as ${example}`,
  )
  .refine(({ relevant, contains }) => relevant != null || contains != null, {
    path: ["relevant"],
    message: "required, or contains: what the results should have",
  });

/**
 * Reads a file of questions.
 * @param path a file, or "-" for standard input
 * @returns its text, and its name for messages
 */
export async function openQuestions(path: string, stdin: () => Input): Promise<{ text: string; source: string }> {
  const source = path === "-" ? "standard input" : printable(path);
  const bytes = await (path === "-" ? readAll(stdin()) : readFile(path)).catch((error: unknown) => {
    throw new CommandError(`${source} cannot be read (${errorCode(error) ?? "unknown reason"}).`);
  });
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), source };
  } catch {
    throw new CommandError(`${source} is not UTF-8 text. Write one question per line: ${example}`);
  }
}

/** Parses one question per line, skipping empty lines. @throws CommandError that names the line and the field */
export function readQuestions(text: string, source: string): Question[] {
  const questions = text
    .split("\n")
    .map((content, index) => ({ content, line: index + 1 }))
    .filter(({ content }) => content.trim() !== "")
    .map(({ content, line }) => readQuestion(content, line, `${source}, line ${line}`));
  if (questions.length === 0) throw new CommandError(`${source} has no questions. Write one per line: ${example}`);
  return questions;
}

function readQuestion(content: string, line: number, where: string): Question {
  let value: unknown;
  try {
    value = parseExactJson(content);
  } catch {
    throw new CommandError(`${where}: is not valid JSON. Write one question per line: ${example}`);
  }
  const read = questionLine.safeParse(value);
  if (!read.success) throw new CommandError(`${where}: ${printable(describeIssue(read.error.issues))}`);
  const { query, relevant, contains, filters } = read.data;
  return { line, query, items: listItems(relevant ?? [], contains ?? []), filters: filters ?? null };
}

/** The items of a question, each once. */
function listItems(relevant: readonly string[] | Record<string, number>, contains: string | readonly string[]): Item[] {
  const graded = Array.isArray(relevant)
    ? relevant.map((name: string) => [name, 1] as const)
    : Object.entries(relevant as Record<string, number>);
  const phrases = typeof contains === "string" ? [contains] : contains;
  const items = new Map<string, Item>();
  const add = (key: string, item: Item) => {
    if (!items.has(key)) items.set(key, item);
  };
  for (const [name, grade] of graded) add(`name ${comparableName(name)}`, { kind: "name", text: name, grade });
  for (const phrase of phrases) add(`phrase ${comparableText(phrase)}`, { kind: "phrase", text: phrase, grade: 1 });
  return [...items.values()];
}

/** `relevant[2]: must not be empty`. For a union, the alternative that matched deeper gives the reason. */
function describeIssue(issues: readonly z.core.$ZodIssue[], outer: readonly PropertyKey[] = []): string {
  const [issue] = issues;
  if (issue === undefined) return "is not a question";
  const path = [...outer, ...issue.path];
  if (issue.code === "invalid_union") {
    const inside = issue.errors.find(([first]) => first !== undefined && first.path.length > 0);
    if (inside !== undefined) return describeIssue(inside, path);
  }
  // A refused key of an object has its own reason.
  const problem = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const field = path.reduce<string>((whole, each) => whole + step(each, whole === ""), "");
  return field === "" ? problem : `${field}: ${problem}`;
}

function step(each: PropertyKey, first: boolean): string {
  if (first) return String(each);
  return `[${typeof each === "number" ? each : JSON.stringify(String(each))}]`;
}

async function readAll(input: Input): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of input) parts.push(typeof part === "string" ? Buffer.from(part) : part);
  return Buffer.concat(parts);
}
