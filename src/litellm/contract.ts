import type { Caller } from "../words/caller.js";
import type { TextError } from "../words/errors.js";
import type { Prompts } from "../words/prompts.js";

/*
 * What this room offers. Implementations import these types, and the rest of the service needs nothing else but
 * `createLitellm`. Every function that may ask the proxy throws ApiError, or the signal's reason once it is aborted.
 */

/**
 * Who calls a model, and what ends the call early. The proxy gets the caller's own key: a user's, or the service's
 * (EMBEDDING__API_KEY, else LITELLM_MASTER_KEY) for the server and the administrator. If the proxy refuses a user's
 * key, that user gets the proxy's status and message (401, 403, 422 `budget_exceeded`, 429); other callers are not
 * affected.
 * @throws ApiError 401 for `nobody`
 */
interface CallOptions {
  readonly caller: Caller;
  readonly signal?: AbortSignal | undefined;
}

/** Adds up what calls cost their caller. */
export interface Usage {
  tokens: number;
}

/** For texts of files, which nobody waits for and which must not disturb searches. */
export interface Ingesting {
  /**
   * Texts that are longer than the model reads, by their index, are put here and get an empty vector, instead of ending
   * the call.
   */
  readonly refused: Map<number, TextError>;
  /** The call ends with the error of the first once more than these are refused. */
  readonly mostRefused: number;
}

export interface QueryOptions extends CallOptions {
  /** Gets the tokens that the proxy counted for the query: none for a cached one, or one that another call pays for. */
  readonly usage?: Usage | undefined;
}

export interface EmbedOptions extends CallOptions {
  /**
   * The requests have a gate of their own, so that their failures refuse no search. If the model fails on one text
   * although it answers for others, the call ends with a `TextError` 502 `text_failed` that has the text's index. An
   * outage is any other 5xx, except `model_refused`: that lasts until somebody corrects the model, the key or settings.
   */
  readonly ingesting?: Ingesting | undefined;
}

export type BreakerState = "closed" | "open" | "half-open";

/** A store's embedding model, and what goes with each text to it. */
export interface ModelChoice {
  readonly model: string;
  /** Numbers per vector. */
  readonly dimensions: number;
  /** Whether requests carry OpenAI's `dimensions`, which asks the provider for vectors of that length. */
  readonly sendDimensions: boolean;
  /** Absent: texts go out as they are. The built-in embedder has no use for them. */
  readonly prompts?: Prompts | undefined;
}

/** A model whose vectors are measured. `dimensions`: how many the request asks for; null: it does not say. */
export interface ModelTrial {
  readonly model: string;
  readonly dimensions: number | null;
  readonly prompts: Prompts;
}

/** Turns texts into vectors: through the proxy, or built in. */
export interface Embedder {
  /** The name sent to the proxy; `built-in-hashing` for the built-in embedder. */
  readonly model: string;
  /** Numbers per vector. An answer of any other length is an error, never a vector. */
  readonly dimensions: number;
  /** true: hashes words without a model, so it compares words, not meaning. */
  readonly builtIn: boolean;
  /**
   * One vector per text, in the order of the texts. All or nothing: the first failure stops the rest.
   * @throws TextError 400 with the index of a text: `context_length_exceeded` if it is longer than the model reads,
   * `text_refused` if the model refuses it although it takes others
   */
  embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]>;
  /**
   * The vector of one query, from a cache or a request shared with other queries of the same moment; only queries on
   * the same key share. Do not modify it. Calls that share a request share its failure, unless one text alone may be at
   * fault. Failures are never cached.
   */
  embedQuery(text: string, options: QueryOptions): Promise<Float32Array>;
}

/** The body of POST /v1/embeddings, already validated. Without `model` it means the configured one. */
export interface EmbeddingsBody {
  readonly model?: string | undefined;
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  readonly encoding_format?: "float" | "base64" | undefined;
  readonly dimensions?: number | undefined;
  readonly user?: string | undefined;
}

/** OpenAI's list of embeddings. The proxy may add fields that are not named here. */
export interface EmbeddingsAnswer {
  readonly object: "list";
  readonly data: readonly {
    readonly object: "embedding";
    readonly index: number;
    readonly embedding: readonly number[] | string;
  }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/**
 * OpenAI's model object. `created` in Unix seconds; LiteLLM adds `mode`, `dimensions` and `max_input_tokens` if known.
 */
export interface Model {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  readonly [further: string]: unknown;
}

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatRequest {
  model: string;
  /** Whose mistake it is when the proxy refuses the model. */
  namedBy: "caller" | "settings";
  messages: readonly ChatMessage[];
  temperature?: number | undefined;
  maxTokens?: number | undefined;
}

/** Token counts, as OpenAI names them. */
export interface ChatUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface ChatAnswer {
  text: string;
  /** The model's name in the proxy's answer, which may be more exact than that in the request. */
  model: string;
  finishReason: string | null;
  usage: ChatUsage | null;
}

/** Chat completions (POST /v1/chat/completions): text in, text out. Requests never offer tools. */
export interface Chat {
  complete(request: ChatRequest, options: Required<CallOptions>): Promise<ChatAnswer>;
  /**
   * The same, piece by piece. Resolves when the model begins to answer, so a refusal still has its status. Read the
   * pieces to the end, or return the iterator, which ends the request. Reading may throw as well.
   */
  stream(request: ChatRequest, options: Required<CallOptions>): Promise<AsyncGenerator<string, ChatAnswer>>;
}

export interface RerankRequest {
  model: string;
  /** Whose mistake it is when the proxy refuses the model. */
  namedBy: "caller" | "settings";
  query: string;
  documents: readonly string[];
  /** Results wanted; all by default. */
  topN?: number | undefined;
}

/** `index`: the document's place in the request. `relevance`: the model's own number, usually but not always 0…1. */
interface Ranked {
  index: number;
  relevance: number;
}

/**
 * POST /v1/rerank of the proxy, best first. One attempt, because a late reranking is worth less than the existing
 * order.
 */
export type Rerank = (request: RerankRequest, options: Required<CallOptions>) => Promise<Ranked[]>;

/** The body of POST /v1/rerank (Cohere's), already validated. */
interface RerankBody {
  readonly model: string;
  readonly [further: string]: unknown;
}

interface Picture {
  image: Uint8Array;
  mediaType: "image/png" | "image/jpeg";
  model: string;
  prompt: string;
}

/** What a vision model says about a picture. A refusal has the proxy's message. */
export type DescribePicture = (picture: Picture, options: Required<CallOptions>) => Promise<string>;

/** Everything this service asks of the LiteLLM proxy. */
export interface Litellm {
  /** Uses the model of the settings. */
  readonly embedder: Embedder;
  /**
   * The embedder of a store's own model; the same object for the same choice, for the 100 used last. Makes no request.
   * @throws ApiError 400 without a proxy, for any model but the built-in one
   */
  readonly embedderFor: (choice: ModelChoice) => Embedder;
  /**
   * Numbers per vector. Embeds one short text to find out, and remembers the answer for that key: another key may not
   * be allowed to use the model, or the name may mean another model for it (LiteLLM's aliases). A model that refuses
   * `dimensions` is measured without. Retries for at most 10 s; `briefly`: the first attempt takes no longer either.
   * @throws ApiError 400 naming `embedding_model` if the proxy refuses the model
   */
  readonly dimensionsOf: (trial: ModelTrial, options: CallOptions & { readonly briefly?: boolean }) => Promise<number>;
  /**
   * What a model wants with its texts: what the settings say, for their model, else what is known of the family that
   * the name of its deployment, as LiteLLM shows it to this key, or its own name belongs to. `learnt`: false if
   * neither the name nor the proxy says anything, because the proxy is `away` or has no such list. `insist`: ask again,
   * although it was so a moment ago.
   */
  readonly promptsOf: (
    model: string,
    options: CallOptions & { readonly insist?: boolean },
  ) => Promise<{ prompts: Prompts; learnt: boolean; away: boolean }>;
  /** POST /v1/embeddings for a caller who names the model: the proxy's answer and refusals, unchanged. */
  readonly createEmbeddings: (body: EmbeddingsBody, options: CallOptions) => Promise<EmbeddingsAnswer>;
  /** The models that the caller's key may see; so do the next three. */
  readonly models: (options: CallOptions) => Promise<Model[]>;
  readonly embeddingModels: (options: CallOptions) => Promise<Model[]>;
  readonly visionModels: (options: CallOptions) => Promise<Model[]>;
  /** Up to a minute old; so are the next. */
  readonly chatModels: (options: CallOptions) => Promise<Model[]>;
  readonly rerankModels: (options: CallOptions) => Promise<Model[]>;
  /** How many tokens a model reads; null if LiteLLM does not tell this key. Up to a minute old. */
  readonly maxInputTokens: (model: string, options: CallOptions) => Promise<number | null>;
  readonly chat: Chat;
  readonly rerank: Rerank;
  /** POST /v1/rerank for a caller who names the model, passed on as by `createEmbeddings`. */
  readonly passRerank: (body: RerankBody, options: Required<CallOptions>) => Promise<object>;
  /** Rejects without a proxy. */
  readonly describePicture: DescribePicture;
  /** `configured`: there is a proxy. `breaker`: of requests with the settings' embedding model. */
  readonly state: () => { readonly configured: boolean; readonly breaker: BreakerState };
}

/** What a look at the proxy finds. */
export interface Readiness {
  /** The status of GET /health/readiness, which needs no key; null: nothing answers. */
  readonly status: number | null;
  /** What LiteLLM says of its database: `connected`, `disconnected`, `Not connected`; null: nothing. */
  readonly database: string | null;
  /** Why nothing answers; null: something does. */
  readonly failure: string | null;
}

/** Looks at the proxy as it is now. */
export interface ProxyProbe {
  /** Root of the proxy, without a login that its URL may have. */
  readonly url: string;
  readonly readiness: (limitMs: number) => Promise<Readiness>;
  /** A client that remembers nothing and asks once. */
  readonly litellm: () => Litellm;
}
