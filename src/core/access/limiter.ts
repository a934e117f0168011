import { LRUCache } from "lru-cache";
import type { Db } from "../../db/database.js";
import { bytesOfStore, readLimits, sumOwned, versionOfLimits } from "../../db/tables/limits.js";
import type { Config } from "../../process/config.js";
import type { Log } from "../../process/log.js";
import { type Caller, type Owner, noOwner } from "../../words/caller.js";
import { ApiError } from "../../words/errors.js";
import { type Limits, type SubjectKind, subjectsOf, subjectsOfOwner } from "../../words/limit.js";
import type { VectorStore } from "../../words/store.js";

/** Keeps callers within their limits. */
export interface Limiter {
  /** Counts a request of a caller. @throws ApiError 429 with the number and `retry-after` */
  admit(caller: Caller): Promise<void>;
  /** Counts a request for a store that the caller may use, once per request. @throws as `admit` */
  admitTo(caller: Caller, storeId: string): Promise<void>;
  /** Before an owner gets another store. @throws ApiError 403 `limit_reached` with the number */
  requireStore(owner: Owner): Promise<void>;
  /** Before an owner gets more bytes of files. @throws as `requireStore` */
  requireBytes(owner: Owner, more: number): Promise<void>;
  /** Before a store, and so its owner, gets more bytes of contents. @throws as `requireStore` */
  requireRoom(store: VectorStore, more: number): Promise<void>;
  /** The limits that hold for a subject: an administrator's, else the settings'. */
  of(subject: string): Promise<Limits>;
  /** Makes limits be looked up again, after they were changed in this process. */
  forget(): void;
}

const mostSubjects = 20_000;
const minuteMs = 60_000;

interface Parts {
  config: Config["limits"];
  db: Db;
  log: Log;
  now: () => number;
}

const none: Limits = { vectorStores: null, bytes: null, requestsPerMinute: null };

export function createLimiter({ config, db, log, now }: Parts): Limiter {
  const entries = knownLimits({ db, now, log });
  const minutes = new LRUCache<string, { endsAt: number; requests: number }>({ max: mostSubjects });

  const of = async (subject: string): Promise<Limits> => {
    const kind = subject.slice(0, subject.indexOf(":")) as SubjectKind;
    const usual = kind === "key" ? none : config[kind];
    return { ...usual, ...(await entries.current()).get(subject) };
  };
  const minuteOf = (subject: string) => {
    const moment = now();
    const found = minutes.get(subject);
    if (found !== undefined && moment < found.endsAt) return found;
    const next = { endsAt: moment + minuteMs, requests: 0 };
    minutes.set(subject, next);
    return next;
  };
  /** Counts a request of all of the subjects, or of none if one has no more. */
  const count = async (subjects: readonly string[]) => {
    const limited = await Promise.all(subjects.map(async (subject) => [subject, await of(subject)] as const));
    const counted = limited.flatMap(([subject, { requestsPerMinute: most }]) =>
      most === null ? [] : [{ subject, most, minute: minuteOf(subject) }],
    );
    const full = counted.find(({ most, minute }) => minute.requests >= most);
    if (full !== undefined) throw tooMany(full.subject, full.most, full.minute.endsAt - now());
    for (const { minute } of counted) minute.requests += 1;
  };
  const requireBytes = async (owner: Owner, more: number) => {
    for (const [subject, part] of partsOf(owner)) {
      const { bytes: most } = await of(subject);
      if (most === null || (await sumOwned(db, part)).bytes + more <= most) continue;
      throw reached(subject, `${most} bytes of files and contents`);
    }
  };

  return {
    of,
    admit: (caller) => count(subjectsOf(caller)),
    admitTo: async (caller, storeId) => {
      if (caller.kind === "admin" || caller.kind === "nobody" || caller.meter?.stores.has(storeId) === true) return;
      caller.meter?.stores.add(storeId);
      await count([`store:${storeId}`]);
    },
    requireStore: async (owner) => {
      for (const [subject, part] of partsOf(owner)) {
        const { vectorStores: most } = await of(subject);
        if (most === null || (await sumOwned(db, part)).vectorStores < most) continue;
        throw reached(subject, `${most} vector stores`);
      }
    },
    requireBytes,
    requireRoom: async (store, more) => {
      const { ownerUserId: userId, ownerTeamId: teamId, ownerKeyId: keyId } = store;
      await requireBytes({ userId, teamId, keyId }, more);
      const subject = `store:${store.id}`;
      const { bytes: most } = await of(subject);
      if (most === null || (await bytesOfStore(db, store.id)) + more <= most) return;
      throw reached(subject, `${most} bytes of contents`);
    },
    forget: entries.forget,
  };
}

/** A change of limits is noticed by a busy replica within this time. */
const freshMs = 5_000;

/**
 * The limits that administrators have set. Only the first question waits for the database; later ones get what is known
 * while it is read again, so that no search waits for it.
 */
function knownLimits({ db, log, now }: Omit<Parts, "config">) {
  let known: { version: string; limits: ReadonlyMap<string, Partial<Limits>> } | null = null;
  let readAt = 0;
  let reading: Promise<void> | null = null;
  const read = async () => {
    const begunAt = now();
    const version = await versionOfLimits(db);
    if (known?.version !== version) known = { version, limits: await readLimits(db) };
    readAt = begunAt;
  };
  const readOnce = () =>
    (reading ??= read().finally(() => {
      reading = null;
    }));
  return {
    current: async (): Promise<ReadonlyMap<string, Partial<Limits>>> => {
      if (known === null) await readOnce();
      else if (now() - readAt >= freshMs) {
        readOnce().catch((error: unknown) => {
          log.warn({ err: error }, "limits could not be read; those last seen hold");
        });
      }
      return known?.limits ?? new Map<string, Partial<Limits>>();
    },
    forget: () => {
      known = null;
    },
  };
}

/** The subjects of an owner, each with the part of the owner that it is. */
export const partsOf = (owner: Owner): (readonly [string, Partial<Owner>])[] => [
  ...(["userId", "teamId", "keyId"] as const).flatMap((part) => {
    const id = owner[part];
    return id === null
      ? []
      : subjectsOfOwner({ ...noOwner, [part]: id }).map((name) => [name, { [part]: id }] as const);
  }),
];

/** As people say it: `team 'support'`. */
const nameOf = (subject: string): string => {
  const [kind = "", ...id] = subject.split(":");
  return `${kind === "store" ? "vector store" : kind} '${id.join(":").slice(0, 100)}'`;
};

const tooMany = (subject: string, most: number, waitMs: number): ApiError => {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new ApiError(429, `The ${nameOf(subject)} may make ${most} requests a minute. Try again in ${seconds} s.`, {
    type: "rate_limit_error",
    code: "rate_limit_exceeded",
    retryAfterSeconds: seconds,
  });
};

const reached = (subject: string, what: string): ApiError =>
  new ApiError(
    403,
    `The ${nameOf(subject)} may have ${what}, which would be exceeded. Delete some, or ask an administrator.`,
    {
      type: "permission_error",
      code: "limit_reached",
    },
  );
