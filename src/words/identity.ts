/** What LiteLLM asks this service for on behalf of somebody, as its signed tokens name it. */
export type LitellmOperation =
  "search" | "create" | "retrieve" | "update" | "delete" | "list" | `file_${FileOperation}`;
type FileOperation = "create" | "list" | "retrieve" | "content" | "update" | "delete";

/** What a request says of who asks through LiteLLM, and what it is about. */
export interface AskedThroughLitellm {
  /** All headers with a token; more than one proves nothing. */
  readonly tokens: readonly string[];
  /** Null: LiteLLM never asks for this. */
  readonly operation: LitellmOperation | null;
  readonly storeId: string | null;
}
