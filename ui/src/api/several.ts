import { Failure } from "./failure.js";
import { endIn } from "./sessionEnd.js";

/** What came of doing the same to several things. */
export interface Outcome {
  done: ReadonlySet<string>;
  failed: readonly { id: string; error: Error }[];
}

/** Does the same to several things, one after the other. Those that fail do not keep the others from it. */
export async function eachOf(ids: readonly string[], one: (id: string) => Promise<unknown>): Promise<Outcome> {
  const done = new Set<string>();
  const failed: { id: string; error: Error }[] = [];
  for (const id of ids) {
    try {
      await one(id);
      done.add(id);
    } catch (error) {
      // Signed out: none of them will go. Others may, also after one that the service did not answer.
      if (!(error instanceof Failure) || (await endIn(error)) !== null) throw error;
      failed.push({ id, error });
    }
  }
  return { done, failed };
}
