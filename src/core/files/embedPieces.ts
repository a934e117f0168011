import type { Caller } from "../../words/caller.js";
import { TextError } from "../../words/errors.js";
import type { CuttingPlan } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { embedTexts } from "../stores/embedding.js";
import type { NumberedChunk } from "./fileChunks.js";
import { type Piece, halve } from "./plan.js";
import { type Twin, copyVectors } from "./twinVectors.js";

/** While nothing of a file is stored, so many refused chunks mean that all chunks are too large. */
const mostRefusedAtFirst = 8;
/** So many chunks of one file may be cut again: the plan records each. */
const mostSplits = 1_000;

/** Most chunks are longer than the model reads, and none is stored yet: cut the whole file smaller. */
export class TooCoarse extends Error {
  constructor(override readonly cause: TextError) {
    super("chunks are too large");
  }
}

export interface Embedded {
  chunks: NumberedChunk[];
  embeddings: Float32Array[];
  plan: CuttingPlan;
}

/**
 * Embeds pieces of a file, unless its twin has their vectors. One that the model refuses as too long is cut in halves,
 * again and again.
 * @param first the number of the first chunk
 * @throws TooCoarse; ApiError that names the chunk; as `embedTexts`
 */
export async function embedPieces(
  deps: Deps,
  store: VectorStore,
  given: { pieces: readonly Piece[]; first: number; plan: CuttingPlan; twin: Twin | null },
  asking: { caller: Caller; signal: AbortSignal },
): Promise<Embedded> {
  const { first, twin } = given;
  let { pieces, plan } = given;
  const made =
    twin === null ? new Map<Piece, Float32Array>() : await copyVectors(deps, store, twin, pieces, first, asking.signal);
  const mostRefused = first === 0 ? mostRefusedAtFirst : Infinity;
  for (;;) {
    const missing = pieces.filter((piece) => !made.has(piece));
    if (missing.length === 0) break;
    const numberOf = (index: number) => first + pieces.findIndex((piece) => piece === missing[index]);
    const refused = new Map<number, TextError>();
    const texts = missing.map((piece) => piece.text);
    const vectors = await embedTexts(deps, store, texts, { ...asking, ingesting: { refused, mostRefused } }).catch(
      (error: unknown) => {
        if (!(error instanceof TextError)) throw error;
        if (refused.size > mostRefused) throw new TooCoarse(named(error, numberOf(error.index)));
        throw named(error, numberOf(error.index));
      },
    );
    missing.forEach((piece, i) => {
      const vector = vectors[i];
      if (vector !== undefined && !refused.has(i)) made.set(piece, vector);
    });
    if (refused.size === 0) break;
    const halves = new Map<Piece, readonly Piece[]>();
    for (const [index, error] of refused) {
      const piece = missing[index];
      const cut = piece === undefined ? null : halve(piece, plan);
      if (piece === undefined || cut === null || Object.keys(cut.plan.splits).length > mostSplits)
        throw named(error, numberOf(index));
      halves.set(piece, cut.pieces);
      plan = cut.plan;
    }
    pieces = pieces.flatMap((piece) => halves.get(piece) ?? [piece]);
  }
  return {
    chunks: pieces.map(({ text, place }, i) => ({ text, place, number: first + i })),
    embeddings: pieces.flatMap((piece) => made.get(piece) ?? []),
    plan,
  };
}

/** An error about one text, naming it as the file's sender knows it: by the number of its chunk, from 0. */
function named(error: TextError, number: number): TextError {
  const { message } = error.named(`chunk ${number}`);
  return new TextError(number, error.status, message, error.details);
}
