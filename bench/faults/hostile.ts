import { type Random, chance, oneOf, upTo } from "./chance.js";

/** Texts that programs stumble over. */
const texts = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "\u202eevil",
  "../../etc/passwd",
  "%00",
  "'; DROP TABLE embeddings; --",
  "null",
  "__proto__",
  "constructor",
  "1e400",
  "-1",
  "9007199254740993",
  "vs_",
  "file-",
  "é".normalize("NFD"),
  "\ufeff",
];

const makers: readonly ((random: Random) => unknown)[] = [
  (random) => oneOf(random, texts),
  (random) => "x".repeat(10 ** upTo(random, 5)),
  (random) => oneOf(random, [0, -0, -1, 1, 0.5, 1e21, -1e21, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e308, Number.MIN_VALUE]),
  () => null,
  (random) => chance(random, 0.5),
  () => [],
  () => ({}),
  () => [null],
  (random) => Array.from({ length: upTo(random, 300) }, () => "x"),
  (random) => nested(upTo(random, 200)),
  () => ({ type: "eq", key: "k" }),
  () => ({ type: "and", filters: [{ type: "or", filters: [] }] }),
  () => ({ __proto__: null, constructor: { prototype: {} } }),
  (random) => Object.fromEntries(Array.from({ length: upTo(random, 100) }, (_, i) => [`k${i}`, i])),
];

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? [value] : { filters: value };
  return value;
};

export const hostileText = (random: Random): string => oneOf(random, texts) ?? "";

/** The value with one place in it replaced, removed, renamed or added. */
export function mutate(value: unknown, random: Random): unknown {
  const isObject = typeof value === "object" && value !== null;
  if (!isObject || chance(random, 0.1)) return oneOf(random, makers)?.(random);
  if (Array.isArray(value)) {
    const at = Math.floor(random() * value.length);
    if (value.length === 0 || chance(random, 0.2)) return [...(value as unknown[]), oneOf(random, makers)?.(random)];
    return value.map((each: unknown, i) => (i === at ? mutate(each, random) : each));
  }
  const entries: [string, unknown][] = Object.entries(value);
  const at = Math.floor(random() * entries.length);
  const what = random();
  if (entries.length === 0 || what < 0.15) entries.push([hostileText(random), oneOf(random, makers)?.(random)]);
  else if (what < 0.3) entries.splice(at, 1);
  else {
    const [name, old] = entries[at] ?? ["", null];
    entries[at] = what < 0.4 ? [name.slice(1), old] : [name, mutate(old, random)];
  }
  return Object.fromEntries(entries);
}

/** The text of a body with something wrong in it as text. */
export function garble(text: string, random: Random): string {
  const at = Math.floor(random() * text.length);
  const garblers: readonly (() => string)[] = [
    () => text.slice(0, at),
    () => text.slice(0, at) + hostileText(random) + text.slice(at),
    () => `\ufeff${text}`,
    () => `${text}${text}`,
    () => text.replace(/\d+/, "1e400"),
    () => text.replace(/"([a-z_]+)":/, '"$1":1,"$1":'),
    () => text.replace(/"[^"]*"/, '"\\ud800\\u0000"'),
    () => "[".repeat(10 ** upTo(random, 4)),
    () => `${'{"filters":'.repeat(500)}1`,
    () => "",
  ];
  return oneOf(random, garblers)?.() ?? "";
}
