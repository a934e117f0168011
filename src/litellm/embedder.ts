/** A store's embedding model. */
export interface ModelChoice {
  readonly model: string;
  /** Numbers per vector. */
  readonly dimensions: number;
  /** The provider is asked for that length (OpenAI's `dimensions`). */
  readonly sendDimensions: boolean;
}

/** Turns texts into vectors. Both variants, through the proxy and built-in, keep this contract. */
export interface Embedder {
  /** The name sent to the proxy; `built-in-hashing` for the built-in one. */
  readonly model: string;
  /** Numbers per vector; an answer of any other length is an error, never a vector. */
  readonly dimensions: number;
  /** true: lexical hashing without a model, so not semantic. */
  readonly builtIn: boolean;
  /**
   * One vector per text, in the order of the texts. All or nothing: the first failure stops the rest.
   * @throws ApiError, or the signal's reason once it is aborted.
   */
  embed(texts: readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
  /**
   * The vector of one query, from a cache where possible and joined with other calls at the same time; not to be modified.
   * @throws as `embed`; a failure is shared by the joined calls, unless it may be the fault of one text, and never cached.
   */
  embedQuery(text: string, options?: { signal?: AbortSignal }): Promise<Float32Array>;
}
