import { z } from "zod";
import { invalid } from "../../words/errors.js";

/** `page` of a query. */
export const pageField = z.string().min(1, "must not be empty").max(4000, "at most 4000 characters").optional();

type Part = string | null;
const parts = z.array(z.string().nullable());

/**
 * Where the next page begins, as `next_page`. Callers must not rely on its form.
 * @param list what is listed and in which order; the next request must ask for the same
 */
export const writeToken = (list: readonly string[], place: readonly Part[]): string =>
  Buffer.from(JSON.stringify([...list, ...place])).toString("base64url");

/** @returns the place, of `length` parts. @throws ApiError 400 */
export function readToken(token: string, list: readonly string[], length: number): Part[] {
  let said: unknown;
  try {
    said = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    said = null;
  }
  const { data } = parts.safeParse(said);
  if (data?.length !== list.length + length) throw notOurs();
  if (list.some((part, i) => data[i] !== part)) {
    throw invalid("page", `is of another list: leave it out, or ask for what the page before asked for`);
  }
  return data.slice(list.length);
}

/** 400 for a page that no answer has named. */
export const notOurs = () => invalid("page", "is not a next_page of an answer");
