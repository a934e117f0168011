import { z } from "zod";
import type { Erased, Estate, HandedOver, Heir } from "../../core/access/owners.js";
import { storePermissions } from "../../words/caller.js";
import { holderName } from "../../words/holder.js";
import { readHolder } from "./adminStore.js";
import { presentSums } from "./people.js";

const holder = (kinds: string, expected: string) =>
  z
    .string()
    .max(262, "at most 262 characters")
    .regex(new RegExp(`^(${kinds}):[^\\0]+$`, "su"), expected);

export const ownerParams = z.object({
  subject: holder("user|team|key", 'expected "user:ID", "team:ID" or "key:ID"').describe(
    "`user:ID`, `team:ID` or `key:ID`, percent-encoded",
  ),
});

export const transferBody = z
  .object({ to: holder("user|team", 'expected "user:ID" or "team:ID"') })
  .meta({ id: "TransferRequest" });

export const eraseBody = z.object({ confirm: z.string() }).meta({ id: "EraseRequest" });

export const estateAnswer = z
  .object({
    object: z.literal("owner"),
    subject: z.string(),
    in_litellm: z.boolean().nullable(),
    vector_stores: z.object({
      count: z.int(),
      rows: z.int(),
      bytes: z.int(),
      data: z
        .array(z.object({ id: z.string(), name: z.string(), rows: z.int(), bytes: z.int() }))
        .describe("the 100 largest; GET /v1/admin/vector_stores lists all"),
    }),
    files: z.object({
      count: z.int(),
      bytes: z.int(),
      data: z.array(z.object({ id: z.string(), filename: z.string(), bytes: z.int() })).describe("the 100 largest"),
    }),
    permissions: z.object({
      count: z.int(),
      data: z
        .array(z.object({ vector_store_id: z.string(), permission: z.enum(storePermissions) }))
        .describe("the first 100, in the order of the vector stores' ids"),
    }),
    usage: z.object({
      requests: z.int(),
      failures: z.int().describe("requests with a status of 400 or more"),
      tokens: z.int().describe("as the LiteLLM proxy counted them"),
      duration_ms: z.int(),
      first_day: z.string().nullable(),
      last_day: z.string().nullable(),
    }),
  })
  .meta({ id: "Estate" });

const counts = { vector_stores: z.int(), files: z.int(), permissions: z.int() };
export const transferAnswer = z
  .object({ object: z.literal("owner.transferred"), subject: z.string(), to: z.string(), ...counts })
  .meta({ id: "TransferredOwner" });
export const eraseAnswer = z
  .object({ object: z.literal("owner.erased"), subject: z.string(), ...counts, requests: z.int(), sessions: z.int() })
  .meta({ id: "ErasedOwner" });

/** The schema allows no key. */
export const readHeir = (text: string): Heir => readHolder(text) as Heir;

export const presentEstate = ({ holder: of, ...estate }: Estate): z.input<typeof estateAnswer> => ({
  object: "owner",
  subject: holderName(of),
  in_litellm: estate.inLitellm,
  vector_stores: {
    count: estate.stores.count,
    rows: estate.stores.rows,
    bytes: estate.stores.bytes,
    data: estate.stores.first,
  },
  files: { count: estate.files.count, bytes: estate.files.bytes, data: estate.files.first },
  permissions: {
    count: estate.permissions.count,
    data: estate.permissions.first.map(({ storeId, permission }) => ({ vector_store_id: storeId, permission })),
  },
  usage: {
    ...presentSums(estate.usage),
    first_day: estate.usage.firstDay,
    last_day: estate.usage.lastDay,
  },
});

const presentCounts = ({ stores, files, permissions }: HandedOver) => ({ vector_stores: stores, files, permissions });

export const presentTransfer = (subject: string, to: string, moved: HandedOver): z.input<typeof transferAnswer> => ({
  object: "owner.transferred",
  subject,
  to,
  ...presentCounts(moved),
});

export const presentErased = (subject: string, erased: Erased): z.input<typeof eraseAnswer> => ({
  object: "owner.erased",
  subject,
  ...presentCounts(erased),
  requests: erased.requests,
  sessions: erased.sessions,
});
