import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sql } from "kysely";
import { fromSql, toSql } from "pgvector";
import {
  decodeSentVector,
  encodeTextArray,
  encodeVector,
  encodeVectorArray,
  sentVector,
} from "../../../src/engines/pgvector/binary.js";
import { fromNetworkOrder } from "../../../src/numbers/float32.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import type { Database } from "../../../src/db/database.js";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db } = await database.open());
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

async function one<T>(query: ReturnType<typeof sql<T>>): Promise<T> {
  const [row] = (await query.execute(db.run)).rows;
  if (row === undefined) throw new Error("no row");
  return row;
}

/** To the database and back, both ways in binary; and as the database's own text. */
async function roundTrip(vector: Float32Array): Promise<{ back: Float32Array; text: string; dimensions: number }> {
  const { sent, ...rest } = await one(
    sql<{ sent: string; text: string; dimensions: number }>`
      SELECT ${sentVector(sql`v`)} AS sent, v::text AS text, vector_dims(v) AS dimensions
      FROM (SELECT ${encodeVector(vector)}::vector AS v) AS t`,
  );
  return { back: decodeSentVector(sent), ...rest };
}

const backAsJson = async (values: readonly (string | null)[]) => {
  const { back } = await one(
    sql<{ back: (string | null)[] }>`SELECT to_jsonb(${encodeTextArray(values)}::text[]) AS back`,
  );
  return back;
};

/** 24 significant bits, so that the text of each is exact. */
const plain = Float32Array.of(1, -2.5, 0.1, 1e-7, 123456.79);

describe("vectors in binary", () => {
  test("PostgreSQL reads the numbers we wrote, in their order", async () => {
    const { text, dimensions } = await roundTrip(plain);
    expect(text).toBe("[1,-2.5,0.1,1e-07,123456.79]");
    expect(dimensions).toBe(5);
  });

  test("pgvector's own client reads what we write, and we read what it writes", async () => {
    // It writes -0 as 0.
    const number = fc.float({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 300 }), async (numbers) => {
        const theirs = sql`${String(toSql(numbers))}::vector`;
        const read = await one(
          sql<{ ours: string; theirs: string }>`
            SELECT ${encodeVector(Float32Array.from(numbers))}::vector::text AS ours, ${sentVector(theirs)} AS theirs`,
        );
        expect([...Float32Array.from(fromSql(read.ours) as number[])]).toEqual(numbers);
        expect([...decodeSentVector(read.theirs)]).toEqual(numbers);
      }),
      { numRuns: 60 },
    );
  });

  test("every float32 comes back bit by bit, subnormals, both zeros and the largest included", async () => {
    const bits = Uint32Array.of(0x00000001, 0x007fffff, 0x00800000, 0x80000001, 0x80000000, 0, 0x7f7fffff, 0xff7fffff);
    const { back } = await roundTrip(new Float32Array(bits.buffer));
    expect([...new Uint32Array(back.buffer, back.byteOffset, back.length)]).toEqual([...bits]);
  });

  test("any vector of 1 to 300 numbers survives", async () => {
    const anyVector = fc.float32Array({ minLength: 1, maxLength: 300, noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(anyVector, async (vector) => {
        expect((await roundTrip(vector)).back).toEqual(vector);
      }),
      { numRuns: 60 },
    );
  });

  test("a view into the middle of a larger buffer gives its own numbers only", async () => {
    const whole = Float32Array.of(9, 9, 1, 2, 3, 9);
    expect((await roundTrip(whole.subarray(2, 5))).text).toBe("[1,2,3]");
  });

  test("encoding leaves its input as it was", () => {
    const vector = Float32Array.from(plain);
    encodeVector(vector);
    expect(vector).toEqual(plain);
  });

  test("decoding needs no alignment", () => {
    const bytes = encodeVector(plain);
    for (const offset of [0, 1, 2, 3]) {
      const shifted = new Uint8Array(bytes.length + offset);
      shifted.set(bytes, offset);
      expect(fromNetworkOrder(shifted.subarray(offset + 4))).toEqual(plain);
    }
  });

  test("as many dimensions as pgvector takes", async () => {
    const vector = Float32Array.from({ length: 16_000 }, (_, i) => i + 0.5);
    const { back, dimensions } = await roundTrip(vector);
    expect(dimensions).toBe(16_000);
    expect(back).toEqual(vector);
  });

  test("an array of vectors, with nulls between them", async () => {
    const { vectorOid } = db.layout.embeddings;
    const array = encodeVectorArray(vectorOid, [null, plain, null, Float32Array.of(7)]);
    const { rows } = await sql<{ text: string | null }>`
      SELECT v::text AS text FROM unnest(${array}::vector[]) WITH ORDINALITY AS u(v, n) ORDER BY n`.execute(db.run);
    expect(rows.map((row) => row.text)).toEqual([null, "[1,-2.5,0.1,1e-07,123456.79]", null, "[7]"]);
  });

  test("an array without elements", async () => {
    const { n } = await one(
      sql<{
        n: number;
      }>`SELECT cardinality(${encodeVectorArray(db.layout.embeddings.vectorOid, [])}::vector[])::int AS n`,
    );
    expect(n).toBe(0);
  });
});

describe("texts in binary", () => {
  test("empty, null, long and every plane of Unicode", async () => {
    const values = [
      "",
      null,
      "é",
      "e\u0301",
      "😀",
      "\u{10FFFF}",
      "\uFFFD",
      '"\\{},',
      "NULL",
      "a".repeat(100_000),
      null,
    ];
    expect(await backAsJson(values)).toEqual(values);
    expect(await backAsJson([])).toEqual([]);
    expect(await backAsJson([null])).toEqual([null]);
  });

  test("any list of texts survives", async () => {
    const text = fc.string({ unit: "binary", maxLength: 20 }).filter((value) => !value.includes("\0"));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text), { maxLength: 20 }), async (values) => {
        expect(await backAsJson(values)).toEqual(values);
      }),
      { numRuns: 60 },
    );
  });

  test("the array says whether it holds nulls", () => {
    expect(encodeTextArray(["a"]).readInt32BE(4)).toBe(0);
    expect(encodeTextArray(["a", null]).readInt32BE(4)).toBe(1);
  });
});
