import type { KeyboardEvent } from "react";
import { type Translate, currentLanguage } from "../text/texts.js";
import { type DecimalSign, ambiguous, readNumber, writeNumber } from "./numbers.js";

/** For each field of a form of texts: what it shows, and what typing or choosing in it does. */
export const typedInto =
  <T extends Record<string, string>>(values: T, set: (next: T) => void) =>
  (name: keyof T & string) => ({
    value: values[name],
    onChange: ({ target }: { target: { value: string } }) => {
      set({ ...values, [name]: target.value });
    },
  });

const decimal = (): DecimalSign => (currentLanguage() === "de" ? "," : ".");

/** What was typed as a number; undefined: nothing, NaN: something else, or one that may mean two numbers. */
export function numberIn(text: string): number | undefined {
  const value = readNumber(text, decimal());
  return value === ambiguous ? Number.NaN : value;
}

/** What is wrong with what was typed as a number; null: nothing. */
export function numberProblem(text: string, t: Translate): string | null {
  const value = readNumber(text, decimal());
  if (value === ambiguous) return t("ambiguousNumber");
  return Number.isNaN(value) ? t("noNumber") : null;
}

export const isNumber = (text: string): boolean => !Number.isNaN(numberIn(text));

/** A number in a field, as people of the language write it. */
export const numberText = (value: number | null | undefined): string => writeNumber(value, decimal());

/** A number of an address, which is the same in all languages; undefined: nothing. */
export const numberInUrl = (text: string): number | undefined => {
  const value = readNumber(text, ".");
  return typeof value === "number" && !Number.isNaN(value) ? value : undefined;
};

export const isUrlNumber = (text: string): boolean => text.trim() === "" || numberInUrl(text) !== undefined;

/** As an address has what was typed as a number. */
export const urlNumber = (typed: string): string => String(numberIn(typed) ?? "");

/** Enter sends the form of a text area; with Shift, or while an input method composes a word, it does what it always does. */
export function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}
