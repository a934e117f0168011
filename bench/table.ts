import { readFileSync, writeFileSync } from "node:fs";
import type { InsertResult, Result, SearchResult } from "./results.js";

const begin = "<!-- bench:begin (filled by `npm run bench -- table`) -->";
const end = "<!-- bench:end -->";

/** Puts the tables between the two marks of a Markdown file; all else stays. */
export function fillIn(file: string, results: readonly Result[]): void {
  const text = readFileSync(file, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${file} has no place for the tables: ${begin} … ${end}`);
  writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${markdown(results)}\n\n${text.slice(to)}`);
}

export function markdown(results: readonly Result[]): string {
  return results.map((result) => (result.kind === "insert" ? insertTable(result) : searchTable(result))).join("\n\n");
}

function insertTable(result: InsertResult): string {
  const head = ["", "clients", "rows/s", "of bare INSERT", "of COPY", "p50 ms", "p95 ms", "p99 ms", "memory MB"];
  const rows = result.cases.map((each) => [
    each.what,
    each.clients,
    whole(each.rowsPerSecond),
    percent(each.ofInsert),
    percent(each.ofCopy),
    ...times(each),
    each.peakRssMb === null ? "" : whole(each.peakRssMb),
  ]);
  return [`### Insert: ${result.database}`, about(result), table(head, rows)].join("\n\n");
}

function searchTable(result: SearchResult): string {
  const head = ["rows", "clients", "searches/s", "bare server", "ratio", "p50 ms", "p95 ms", "p99 ms"];
  const rows = result.cases.map(({ rows: count, service, bare, ratio, recall, peakRssMb }) => [
    whole(count),
    service.clients,
    fraction(service.rate),
    fraction(bare.rate),
    percent(ratio),
    ...times(service),
    recall.toFixed(3),
    whole(peakRssMb),
  ]);
  const note = `Embedding a query takes ${result.embedMs.toFixed(2)} ms of each search; the bare server has it ready.`;
  return [`### Search: ${result.database}`, about(result), note, table([...head, "recall@10", "memory MB"], rows)].join(
    "\n\n",
  );
}

function about({ machine, measuredAt, version, seconds, dimensions }: Result): string {
  return (
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}; vector-store ${version}; ` +
    `${dimensions} dimensions; ${seconds} s a figure; ${measuredAt.slice(0, 10)}.`
  );
}

const whole = (value: number) => Math.round(value).toLocaleString("en");
const fraction = (value: number) => (value < 100 ? value.toFixed(1) : whole(value));
const percent = (share: number | null) => (share === null ? "" : `${Math.round(share * 100)} %`);
const times = ({ p50, p95, p99 }: { p50: number; p95: number; p99: number }) => [p50, p95, p99].map(fraction);

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const texts = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, i) => (i === 0 ? (row[i] ?? "").padEnd(width) : (row[i] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  const [first = [], ...others] = texts;
  return [line(first), rule, ...others.map(line)].join("\n");
}
