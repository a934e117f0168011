import { useSyncExternalStore } from "react";
import { readStored, writeStored } from "../app/stored.js";
import deUrl from "./de.ts?url";
import type { en } from "./en.js";
import type { Operation } from "./operations.js";
import enUrl from "./en.ts?url";
import { marked } from "./marked.js";

/**
 * The page's own words in the chosen language. A library would be an eighth of the script that may be loaded first (see
 * docs/decisions/0053-web-page.md), for what the browser's Intl and a type do.
 */

export const languages = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof languages;

/** The same keys as the English texts, each with its own words. */
export type Texts<T = typeof en> = { [K in keyof T]: T[K] extends string ? string : Texts<T[K]> };

/** The names of all texts: `stores.title`. One with `_one` and `_other` is asked for without them, by its `count`. */
export type TextKey = Singular<Names<typeof en>>;
type Names<T> = { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Names<T[K]>}` }[keyof T & string];
type Singular<K> = K extends `${infer Base}_one` ? Base : K extends `${string}_other` ? never : K;

/** The placeholders of a text, `{{name}}`, each with what is filled in. A `count` is written as people write numbers. */
type Values<K extends TextKey> = [Filled<TextAt<typeof en, K>>] extends [never]
  ? []
  : [values: Record<Filled<TextAt<typeof en, K>>, string | number>];
type Filled<Text> = Text extends `${string}{{${infer Name}}}${infer Rest}` ? Name | Filled<Rest> : never;
type TextAt<T, K extends string> = K extends `${infer First}.${infer Rest}`
  ? First extends keyof T
    ? TextAt<T[First], Rest>
    : never
  : K extends keyof T
    ? T[K]
    : `${K}_other` extends keyof T
      ? T[`${K}_other`] | "{{count}}"
      : never;

export type Translate = <K extends TextKey>(key: K, ...values: Values<K>) => string;

/** What usage counts, in people's words; of a newer service, its id. */
export function operationName(id: string, t: Translate): string {
  const key = `operations.${id as Operation}` as const;
  const text = t(key);
  return text === key ? id : text;
}

interface Chosen {
  language: Language;
  t: Translate;
}

const key = "vector-store.language";
const listeners = new Set<() => void>();
let chosen: Chosen = { language: "en", t: translator("en", null) };

/** Words in the chosen language; what uses them is shown again when another one is chosen. */
export const useTexts = (): Chosen => useSyncExternalStore(subscribe, current);

/** The language that the page is shown in. */
export const currentLanguage = (): Language => chosen.language;

const current = () => chosen;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The language that was chosen in this browser before, else the first of the browser's that the page has. */
export async function startTexts(): Promise<void> {
  const wished = [readStored(key), ...navigator.languages.map((each) => each.slice(0, 2))];
  await show(wished.find(isLanguage) ?? "en");
}

export async function chooseLanguage(language: Language): Promise<void> {
  await show(language);
  writeStored(key, language);
}

const isLanguage = (name: string | null): name is Language => name !== null && Object.hasOwn(languages, name);

const urls: Record<Language, string> = { en: enUrl, de: deUrl };

async function show(language: Language): Promise<void> {
  const answer = await fetch(urls[language]);
  if (!answer.ok) throw new Error(`The texts of the page did not come: ${answer.status}`);
  const texts = (await answer.json()) as Texts;
  chosen = { language, t: translator(language, texts) };
  document.documentElement.lang = language;
  for (const listener of listeners) listener();
}

/** @param texts null: not loaded yet */
function translator(language: Language, texts: Texts | null): Translate {
  const plurals = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (name, ...[values = {}]) => {
    const given: Record<string, string | number> = values;
    const { count } = given;
    const form = typeof count === "number" ? textAt(texts, `${name}_${plurals.select(count)}`) : undefined;
    const text = form ?? textAt(texts, name) ?? name;
    return text.replace(/{{(\w+)}}/g, (_, place: string) => {
      const value = given[place] ?? "";
      return typeof value === "number" ? numbers.format(value) : marked(value);
    });
  };
}

function textAt(texts: Texts | null, name: string): string | undefined {
  let place: unknown = texts;
  for (const part of name.split(".")) {
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, part)) return undefined;
    place = (place as Record<string, unknown>)[part];
  }
  return typeof place === "string" ? place : undefined;
}
