import { afterEach, describe, expect, test } from "@jest/globals";
import { type Claims, signIdentity } from "../support/identity.js";
import { testKey } from "../support/settings.js";
import { current, header, parsed, start, stop } from "./identitySupport.js";
import { type Answer, errorOf } from "./requests.js";

afterEach(stop);

describe("such a key is refused with 401", () => {
  const refusal = (answer: Answer) => [answer.status, errorOf(answer).code];

  test("without a token, with two, and for another operation or vector store", async () => {
    const { ask, makeStore, running, key } = await start();
    const id = await makeStore({ by: "sk-ann" }, "ann's");
    const other = await makeStore({ by: "sk-ann" }, "another");
    const token = (claims: Partial<Claims>) => signIdentity({ by: "sk-ann", op: "retrieve", store: id, ...claims });
    const retrieve = (text: string | null) => ask(text, "GET", `/${id}`);
    expect((await retrieve(token({}))).status).toBe(200);
    const twice = await fetch(`${running.url}/v1/vector_stores/${id}`, {
      headers: [
        ["authorization", `Bearer ${key}`],
        [header, token({})],
        ["X-Vector-Store-Identity", token({})],
      ],
    });
    expect(twice.status).toBe(401);
    const wrong = [
      await retrieve(null),
      await retrieve(""),
      await retrieve(token({ op: "search" })),
      await retrieve(token({ op: "avector_store_retrieve" })),
      await retrieve(token({ store: other })),
      await retrieve(token({ store: null })),
      await retrieve(token({ aud: "other" })),
      await retrieve(signIdentity({ by: "master", op: "retrieve", store: id }, { secret: "x".repeat(32) })),
      await ask(token({ op: "create" }), "POST", "", {}),
      await ask(token({ op: "list" }), "GET", ""),
      // LiteLLM asks for none of these, so no token is for them.
      await ask(token({ op: "search" }), "POST", `/${id}/rag`, { query: "a", model: "chat" }),
      await ask(token({ op: "update" }), "POST", `/${id}/reindex`),
    ];
    expect(wrong.map(refusal)).toEqual(wrong.map(() => [401, "identity_required"]));
  });

  test("once its token has expired", async () => {
    const { ask, running } = await start();
    const token = signIdentity({ by: "sk-ann", op: "list" });
    expect((await ask(token, "GET", "")).status).toBe(200);
    running.advance(85_000);
    expect((await ask(token, "GET", "")).status).toBe(200);
    running.advance(10_000);
    expect(refusal(await ask(token, "GET", ""))).toEqual([401, "identity_required"]);
  });

  test("if the server has no secret", async () => {
    const { ask } = await start({ environment: { LITELLM_IDENTITY_SECRET: "" } });
    const answer = await ask(signIdentity({ by: "sk-ann", op: "list" }), "GET", "");
    expect([...refusal(answer), errorOf(answer).message]).toEqual([
      401,
      "identity_required",
      expect.stringMatching(/LITELLM_IDENTITY_SECRET/),
    ]);
  });

  test("and 503 if LiteLLM cannot tell whose the key is, unless it has in the last minutes", async () => {
    const { fake, running, ask } = await start();
    const list = (by: string) => ask(signIdentity({ by, op: "list", ...aged }), "GET", "");
    let aged = {};
    expect((await list("sk-ann")).status).toBe(200);
    fake.outage = { status: 500, json: { error: { type: "internal_server_error", message: "down" } } };
    expect(refusal(await list("sk-ben"))).toEqual([503, "key_check_failed"]);
    for (const [minutes, status] of [
      [10, 200],
      [2, 503],
    ] as const) {
      running.advance(minutes * 60_000);
      const iat = Math.floor(running.deps.now() / 1000);
      aged = { iat, exp: iat + 60 };
      expect((await list("sk-ann")).status).toBe(status);
    }
    // A key that is sent directly gets only KEY_GRACE_SECONDS.
    expect((await ask(null, "GET", "", undefined, "sk-ann")).status).toBe(503);
  });
});

test("beside any other key, a token proves nothing", async () => {
  const { ask, makeStore } = await start();
  await makeStore({ by: "sk-ann" }, "ann's");
  current.litellm?.keys.set("sk-cat", { user_id: "cat" });
  const token = signIdentity({ by: "sk-ann", op: "list" });
  const names = async (key: string) =>
    (parsed(await ask(token, "GET", "", undefined, key)).data as { name: string }[]).map(({ name }) => name);
  expect([await names("sk-cat"), await names(testKey)]).toEqual([[], ["ann's"]]);
});
