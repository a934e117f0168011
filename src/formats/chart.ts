import type { Block, Place } from "../words/document.js";
import { cleanText } from "./blockWriter.js";
import type { Hold } from "./held.js";
import { joined, lengthened } from "./paragraphs.js";
import { attribute, parseXml } from "./xmlEvents.js";
import type { Zip } from "./zip.js";

type Points = Map<string, string>;

/** The elements of a series that hold text: its name, its categories and its values. */
const roles = new Map<string, "name" | "categories" | "values">([
  ["tx", "name"],
  ["cat", "categories"],
  ["xVal", "categories"],
  ["val", "values"],
  ["yVal", "values"],
]);

/** Adds to `found`, counted by `hold`, the titles of an Office document's chart, then one line per series. */
export async function readChart(zip: Zip, part: string, place: Place, found: Block[], hold: Hold): Promise<void> {
  let series: Record<"name" | "categories" | "values", Points> | undefined;
  let points: Points | undefined;
  let index = "";
  let text = "";
  let isText = false;

  function write(line: string) {
    const clean = cleanText(line);
    if (clean !== "") found.push({ kind: "text", text: hold(clean), place });
  }

  await parseXml(zip.stream(part), {
    open: (name, attributes) => {
      if (name === "ser") series = { name: new Map(), categories: new Map(), values: new Map() };
      const role = roles.get(name);
      if (role !== undefined) points = series?.[role];
      if (name === "pt") index = attribute(attributes, "idx") ?? "";
      // A title is rich text: its paragraphs consist of runs.
      if (name === "p" || name === "v") text = "";
      if (name === "t" || name === "v") isText = true;
    },
    text: (more) => {
      if (isText) text = lengthened(text, more);
    },
    close: (name) => {
      if (name === "t" || name === "v") isText = false;
      if (name === "v") points?.set(hold(index), hold(text));
      if (name === "p" && series === undefined) write(text);
      if (roles.has(name)) points = undefined;
      if (name !== "ser" || series === undefined) return;
      write(seriesText(series));
      series = undefined;
    },
  });
}

function seriesText({ name, categories, values }: Record<"name" | "categories" | "values", Points>): string {
  const label = joined([...name.values()], " ");
  const points = [...values].map(([index, value]) => {
    const category = categories.get(index);
    return category === undefined ? shortNumber(value) : `${category} = ${shortNumber(value)}`;
  });
  return [label, joined(points, ", ")].filter((text) => text !== "").join(": ");
}

/** Files store 4.2999999999999998 where the chart shows 4.3. */
function shortNumber(value: string): string {
  const number = Number(value);
  return value.trim() === "" || Number.isNaN(number) ? value : String(number);
}
