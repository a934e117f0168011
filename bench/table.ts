import { readFileSync, writeFileSync } from "node:fs";
import type { As, Goal, Result, Table } from "./results.js";

const begin = "<!-- bench:begin (filled by `npm run bench -- table`) -->";
const end = "<!-- bench:end -->";

/**
 * Writes results between the two marker lines of a Markdown file. Each result replaces the section with its title and
 * database, or is added at the end; the rest stays, so that one benchmark can be repeated without the others.
 */
export function fillIn(file: string, results: readonly Result[]): void {
  const text = readFileSync(file, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from)
    throw new Error(`${file} has no place for the tables; it needs the two lines ${begin} and ${end}`);
  const sections = new Map(
    text
      .slice(from + begin.length, to)
      .split(/^(?=### )/m)
      .filter((each) => each.trim() !== "")
      .map((each) => [headingOf(each), each.trim()]),
  );
  for (const result of results) {
    const section = markdown(result);
    sections.set(headingOf(section), section);
  }
  writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${[...sections.values()].join("\n\n")}\n\n${text.slice(to)}`);
}

const headingOf = (section: string) => section.slice(0, `${section}\n`.indexOf("\n"));

/** A Markdown section: machine, notes, tables, goals. */
export function markdown(result: Result): string {
  const tables = result.tables.flatMap((each) => [...(each.title === "" ? [] : [wrap(each.title)]), draw(each)]);
  const goals = result.goals.length === 0 ? [] : [goalTable(result.goals)];
  const prose = [about(result), ...result.notes].map(wrap);
  return [`### ${result.title}: ${result.database}`, ...prose, ...tables, ...goals].join("\n\n");
}

/** Wraps prose at 120 columns (`test/prose.test.ts`). No line begins with what Markdown reads as a list. */
function wrap(text: string): string {
  const units = text.match(/\S+(?: (?:[-+*#>]|\d+[.)])(?= |$))*/g) ?? [];
  const lines: string[] = [];
  for (const unit of units) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + unit.length < 120) lines[lines.length - 1] = `${last} ${unit}`;
    else lines.push(unit);
  }
  return lines.join("\n");
}

/** A goal, for the terminal. */
export const goalLine = (goal: Goal): string =>
  `goal ${goal.goal} ${boundOf(goal)}: ${goal.met ? "met" : "NOT met"} (${show(goal.figure, goal.as)})`;

const boundOf = ({ at, bound, as }: Goal) => `${at === "least" ? "≥" : "≤"} ${show(bound, as)}`;

function goalTable(goals: readonly Goal[]): string {
  const head = ["goal", "", "figure", ""];
  const rows = goals.map((each) => [
    each.goal,
    boundOf(each),
    show(each.figure, each.as),
    each.met ? "met" : "not met",
  ]);
  return lines([head, ...rows]);
}

function about({ machine, measuredAt, version, seconds, settings }: Result): string {
  const own = Object.entries(settings).map(([name, value]) => `; ${name}=${value}`);
  return (
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}; vector-store ${version}; ` +
    `${seconds} s per figure; ${measuredAt.slice(0, 10)}${own.join("")}.`
  );
}

function show(value: string | number | null, as: As): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  switch (as) {
    case "text":
      return String(value);
    case "whole":
      return Math.round(value).toLocaleString("en");
    case "percent":
      return `${Math.round(value * 100)} %`;
    case "recall":
      return value.toFixed(4);
    case "fraction":
      return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : show(value, "whole");
  }
}

function draw({ columns, rows }: Table): string {
  const shown = rows.map((row) => columns.map(({ as }, i) => show(row[i] ?? null, as)));
  return lines([columns.map((each) => each.name), ...shown], (column) => columns[column]?.as !== "text");
}

function lines(rows: readonly (readonly string[])[], isNumber: (column: number) => boolean = () => false): string {
  const [head = [], ...others] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (text: string, i: number, width: number) => (isNumber(i) ? text.padStart(width) : text.padEnd(width));
  const line = (row: readonly string[]) => `| ${widths.map((width, i) => pad(row[i] ?? "", i, width)).join(" | ")} |`;
  const rules = widths.map((width, i) => (isNumber(i) ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(head), `| ${rules.join(" | ")} |`, ...others.map(line)].join("\n");
}
