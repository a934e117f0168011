import type { KeyboardEvent } from "react";

/** For each field of a form of texts: what it shows, and what typing or choosing in it does. */
export const typedInto =
  <T extends Record<string, string>>(values: T, set: (next: T) => void) =>
  (name: keyof T & string) => ({
    value: values[name],
    onChange: ({ target }: { target: { value: string } }) => {
      set({ ...values, [name]: target.value });
    },
  });

/** What was typed as a number, with a point or a comma; undefined: nothing, NaN: something else. */
export function numberIn(text: string): number | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : Number.NaN;
}

export const isNumber = (text: string): boolean => !Number.isNaN(numberIn(text));

/** Enter sends the form of a text area; with Shift, or while an input method composes a word, it does what it always does. */
export function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}
