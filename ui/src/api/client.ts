import createClient from "openapi-fetch";
import { brokenAnswer, failureOf, noAnswer } from "./failure.js";
import type { components, paths } from "./generated/schema.js";

/** The API of the service, which the page came from. The session's cookie says who asks. */
export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });

export type Schemas = components["schemas"];

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * What the service has answered.
 * @throws Failure
 */
export async function answered<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw error instanceof SyntaxError ? brokenAnswer(null) : noAnswer(error);
  }
  const { data, error, response } = answer;
  if (!response.ok) throw failureOf(response, error);
  if (data === undefined || data === null) throw brokenAnswer(response.headers.get("x-request-id"));
  return data;
}
