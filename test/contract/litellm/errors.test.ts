import { describe, expect, test } from "@jest/globals";
import { failure, facts, fill, search, sidecarKey, storeIds, texts } from "./support.js";

describe("errors through LiteLLM keep their status and message", () => {
  test("an unknown store is 404", async () => {
    const answer = await failure(search(storeIds.unknown, { query: "anything" }));
    expect(answer.status).toBe(404);
    expect(answer.message).toContain(`No vector store found with id '${storeIds.unknown}'`);
  });

  test("a registry entry with a wrong key is 401, and no key is repeated", async () => {
    const answer = await failure(search(storeIds.wrongKey, { query: "anything" }));
    expect(answer.status).toBe(401);
    expect(answer.message).toContain("Incorrect API key provided");
    expect(answer.message).not.toContain(sidecarKey);
  });

  test.each([
    ["max_num_results of 500", { query: "x", max_num_results: 500 }, "max_num_results"],
    ["max_num_results of 0", { query: "x", max_num_results: 0 }, "max_num_results"],
    ["max_num_results as text", { query: "x", max_num_results: "ten" }, "max_num_results"],
    ["a query that is a number", { query: 5 }, "query"],
    ["an empty query", { query: "" }, "query"],
    ["an empty list of queries", { query: [] }, "query"],
    ["filters as text", { query: "x", filters: "topic=office" }, "filters"],
    ["an unknown filter", { query: "x", filters: { type: "like", key: "a", value: "b" } }, "filters"],
    ["a threshold over 1", { query: "x", ranking_options: { score_threshold: 2 } }, "score_threshold"],
    ["a U+0000 in the query", { query: "a\u0000b" }, "query"],
  ])("%s is 400 and names the field", async (_, body, field) => {
    const answer = await failure(search(storeIds.errors, body));
    expect(answer.status).toBe(400);
    expect(answer.message).toContain(field);
  });

  test("SQL in a query or a filter is only text", async () => {
    await fill(storeIds.errors);
    const sql = "'; DROP TABLE embeddings; --";
    expect(texts(await search(storeIds.errors, { query: sql }))).toHaveLength(facts.length);
    expect(texts(await search(storeIds.errors, { query: "x", filters: { [sql]: sql } }))).toEqual([]);
    expect(texts(await search(storeIds.errors, { query: facts[0].text }))[0]).toBe(facts[0].text);
  });
});

/** LiteLLM sends a caller's headers beside its own: `authorization: Bearer evil, Bearer <key of the registry>`. */
describe("a caller's extra_headers give no access", () => {
  test("a second authorization beside the right one is refused", async () => {
    const evil = { extra_headers: { authorization: "Bearer evil" } };
    expect((await failure(search(storeIds.errors, { query: "x", ...evil }))).status).toBe(401);
  });

  test.each(["authorization", "Authorization", "AUTHORIZATION"])(
    "the right key in %s does not help an entry with a wrong key",
    async (header) => {
      const body = { query: "x", extra_headers: { [header]: `Bearer ${sidecarKey}` } };
      expect((await failure(search(storeIds.wrongKey, body))).status).toBe(401);
    },
  );

  test("headers with a user or a team change nothing", async () => {
    await fill(storeIds.errors);
    const headers = { "x-litellm-user-id": "admin", "x-forwarded-user": "admin", "x-user-role": "proxy_admin" };
    const query = facts[0].question;
    expect(await search(storeIds.errors, { query, extra_headers: headers })).toEqual(
      await search(storeIds.errors, { query }),
    );
  });
});
