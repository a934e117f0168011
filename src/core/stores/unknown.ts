import { ApiError, notFound } from "../../words/errors.js";

/**
 * The error for a store id that was not found, as OpenAI's API answers: 400 for a malformed id, 404 for a well-formed
 * one.
 * @param param the field that holds the id
 */
export function throwUnknown(id: string, param = "vector_store_id"): never {
  const shown = id.slice(0, 100);
  const malformed = (expected: string) =>
    new ApiError(400, `Invalid '${param}': '${shown}'. Expected an ID that ${expected}.`, {
      param,
      code: "invalid_value",
    });
  if (!/^[\w-]{1,200}$/.test(id)) {
    throw malformed(
      "contains letters, numbers, underscores, or dashes, but this value contained additional characters",
    );
  }
  const wellFormed =
    id.startsWith("vs_") || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) || /^\d+$/.test(id);
  if (!wellFormed) throw malformed("begins with 'vs_'");
  throw notFound("vector store", shown, param);
}

/** The error for using an expired store. */
export const expired = (id: string): ApiError =>
  new ApiError(400, `The vector store '${id}' has expired. Update it to bring it back, or create a new one.`, {
    param: "vector_store_id",
    code: "vector_store_expired",
  });
