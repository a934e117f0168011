import { LRUCache } from "lru-cache";
import type { Database } from "../../db/database.js";
import { deleteMinted, insertMinted, listEndedMinted } from "../../db/tables/mintedKeys.js";
import type { Directory, Minter } from "../../litellm/keyContract.js";
import type { Log } from "../../process/log.js";
import { type Caller, type Payer, fullServer } from "../../words/caller.js";
import { newId } from "../../words/ids.js";
import type { Secret } from "../../words/secret.js";

/** Who makes the model calls of work that goes on after its request. */
export interface Payers {
  /**
   * A caller whose model calls are charged to this payer: with a short-lived key of the payer's user and team, made by
   * the master key; without a master key, with the service's own key and the payer's names in LiteLLM's spend log.
   * @throws ApiError 503 if LiteLLM does not answer, 502 `model_refused` if it makes no key
   */
  callerFor(payer: Payer | null): Promise<Caller>;
  /**
   * Such a key alone, for model calls of a request that does not carry its caller's; null without a master key.
   * @throws as `callerFor`
   */
  keyFor: ((payer: Payer) => Promise<Secret>) | null;
  /** Makes a new key for this payer from now on: LiteLLM does not accept the one made so far. */
  forget(payer: Payer): void;
  /** Deletes keys at LiteLLM that have ended. @returns how many */
  sweep(): Promise<number>;
  /** Deletes this process' keys at LiteLLM. */
  close(): Promise<void>;
}

const lifeSeconds = 3600;
/** A key that ends sooner is not used any more: a file may take a while. */
const reserveMs = 10 * 60_000;
const mostPayers = 1_000;
const sweepAtOnce = 100;

interface Parts {
  db: Database;
  log: Log;
  now: () => number;
  minter: Minter | null;
  directory: Directory | null;
}

const nameOf = ({ userId, teamId, keyHash }: Payer) => JSON.stringify([userId, teamId, keyHash]);

interface Minted {
  key: Secret;
  hash: string;
}

export function createPayers({ db, log, now, minter, directory }: Parts): Payers {
  const minted = new LRUCache<string, { asked: Promise<Minted>; endsAt: number }>({ max: mostPayers });
  const own = new Set<string>();

  const remove = async (by: Minter, hashes: readonly string[]) => {
    if (hashes.length === 0) return;
    await by.remove(hashes);
    await deleteMinted(db, hashes);
    for (const hash of hashes) own.delete(hash);
  };

  async function mint(by: Minter, payer: Payer, endsAt: number): Promise<Minted> {
    // The models of the key that attached the file bind the new key, too, unless it is gone.
    const models = (await directory?.modelsOf(payer.keyHash)) ?? [];
    const alias = `vector-store:${newId("key_", now())}`;
    const { key, hash } = await by.mint({ payer, models, alias, seconds: lifeSeconds });
    own.add(hash);
    await insertMinted(db, hash, endsAt);
    return { key, hash };
  }

  /** Payers of the same moment share one key, so nothing is awaited between looking and remembering. */
  function mintedFor(by: Minter, payer: Payer): Promise<Minted> {
    const id = nameOf(payer);
    const known = minted.get(id);
    if (known !== undefined && known.endsAt - now() > reserveMs) return known.asked;
    const endsAt = now() + lifeSeconds * 1000;
    const made = { asked: mint(by, payer, endsAt), endsAt };
    minted.set(id, made);
    made.asked.catch(() => {
      if (minted.get(id) === made) minted.delete(id);
    });
    return made.asked;
  }

  return {
    callerFor: async (payer) => {
      if (payer === null) return fullServer;
      if (minter === null) return { ...fullServer, onBehalfOf: payer };
      const { key, hash } = await mintedFor(minter, payer);
      return { kind: "user", userId: payer.userId, teamId: payer.teamId, keyHash: hash, key, onlyStores: null };
    },
    keyFor: minter === null ? null : async (payer) => (await mintedFor(minter, payer)).key,
    forget: (payer) => {
      minted.delete(nameOf(payer));
    },
    sweep: async () => {
      if (minter === null) return 0;
      const ended = await listEndedMinted(db, now(), sweepAtOnce);
      await remove(minter, ended);
      return ended.length;
    },
    close: async () => {
      if (minter === null) return;
      await remove(minter, [...own]).catch((error: unknown) => {
        log.warn({ err: error, keys: own.size }, "keys for ingestion are left at LiteLLM; a sweep will delete them");
      });
    },
  };
}
