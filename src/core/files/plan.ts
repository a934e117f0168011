import { findMiddle } from "../../chunking/halve.js";
import { tokenCounter } from "../../chunking/tokens.js";
import type { Cutting, TextChunk } from "../../words/document.js";
import type { CuttingPlan, IngestSettings } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { tokenLimit } from "../stores/embedding.js";
import { modelInUse } from "../stores/model.js";

/** In tokens or characters. A model that cannot read even this much refuses everything. */
const smallest = 32;

/**
 * How to cut a file of which nothing is stored: as its settings say, but never larger than the store's model reads. A
 * size in characters is not limited, because characters have no certain length in tokens; nor is any if LiteLLM does
 * not know the model. What the model refuses all the same is cut again.
 */
export async function newPlan(
  deps: Deps,
  store: VectorStore,
  { cutting }: IngestSettings,
  asking: { caller: Caller; signal: AbortSignal },
): Promise<CuttingPlan> {
  const plan = planOf(modelInUse(deps, store), cutting);
  if (cutting.by !== "tokens") return plan;
  const limit = await tokenLimit(deps, store, "document", asking, tokenCounter);
  const most = limit === null ? Infinity : Math.max(smallest, limit.most);
  return most >= plan.size ? plan : { ...plan, ...scaled(cutting, most) };
}

/** How a version that recorded no plan has cut a file. */
export const planOf = (model: string, { size, overlap }: Cutting): CuttingPlan => ({
  model,
  size,
  overlap,
  splits: {},
});

/** With chunks of half the size; null if they are as small as they can be. */
export const halved = (plan: CuttingPlan): CuttingPlan | null =>
  plan.size < 2 * smallest ? null : { ...plan, ...scaled(plan, Math.floor(plan.size / 2)) };

/** The same share of overlap in chunks of another size. */
const scaled = ({ size, overlap }: Pick<Cutting, "size" | "overlap">, to: number) => ({
  size: to,
  overlap: Math.floor((overlap * to) / size),
});

/** A chunk, or a part of one that was cut again. */
export interface Piece extends TextChunk {
  /** The chunk's place among the document's chunks, from 0, before any was cut again. */
  ordinal: number;
  /** Where it begins in that chunk, in UTF-16 units. */
  from: number;
}

/** The parts of a chunk that the plan cuts again; the whole chunk otherwise. */
function piecesOf(chunk: TextChunk, ordinal: number, { splits }: CuttingPlan): Piece[] {
  const starts = [0, ...(splits[ordinal] ?? [])];
  return starts.map((from, i) => ({ ...chunk, text: chunk.text.slice(from, starts[i + 1]), ordinal, from }));
}

/** A piece in halves, and the plan that says so; null if it is too short. */
export function halve(piece: Piece, plan: CuttingPlan): { pieces: Piece[]; plan: CuttingPlan } | null {
  const at = findMiddle(piece.text);
  if (at === null) return null;
  const { ordinal, from, text } = piece;
  const starts = [...(plan.splits[ordinal] ?? []), from + at].sort((a, b) => a - b);
  return {
    pieces: [
      { ...piece, text: text.slice(0, at) },
      { ...piece, text: text.slice(at), from: from + at },
    ],
    plan: { ...plan, splits: { ...plan.splits, [ordinal]: starts } },
  };
}

/** Pieces in portions of about `size`, whole chunks each. */
export async function* portions(
  chunks: AsyncIterable<TextChunk>,
  size: number,
  plan: CuttingPlan,
): AsyncGenerator<Piece[]> {
  let portion: Piece[] = [];
  let ordinal = 0;
  for await (const chunk of chunks) {
    portion.push(...piecesOf(chunk, ordinal, plan));
    ordinal += 1;
    if (portion.length < size) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}
