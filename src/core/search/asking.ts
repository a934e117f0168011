import type { Usage } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";

/** Who searches, and a signal that ends the search when the client has left. */
export interface Asking {
  caller: Caller;
  signal: AbortSignal;
}

/** The same, for searches that embed their queries. */
export interface EmbedAsking extends Asking {
  /** Gets the tokens of the queries' embeddings. */
  usage?: Usage;
  /** Is told what of a query was left out. */
  warn: (warning: string) => void;
}
