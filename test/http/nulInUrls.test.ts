import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { z } from "zod";
import { apiRoutes } from "../../src/http/app.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { createStore } from "../support/stores.js";
import { send } from "./requests.js";

/** PostgreSQL cannot store U+0000, so every field of a URL must be refused by its name before it gets there. */

let litellm: FakeLitellm;
let service: TestService;
let store: string;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  service = await startService({ environment: litellm.environment });
  store = await createStore(service, { name: "a" });
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const fieldsOf = (schema: z.ZodType | undefined) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []);
const asked = apiRoutes.flatMap((route) => [
  ...fieldsOf(route.params).map((field) => ({ ...route, field, place: "path" })),
  ...fieldsOf(route.query).map((field) => ({ ...route, field, place: "query" })),
]);
const usual: Record<string, string> = { key_hash: "0".repeat(64), subject: "user:a", batch_id: "vsfb_a" };

test("there are fields in paths and queries", () => {
  expect(asked.length).toBeGreaterThan(100);
});

test.each(asked.map((each) => [each.method, each.path, each.place, each.field, each] as const))(
  "%s %s: U+0000 in the %s as %s",
  async (method, pattern, place, field, route) => {
    const path = pattern.replaceAll(/[:*](\w+)/g, (_all, name: string) =>
      place === "path" && name === field ? "%00" : name === "vector_store_id" ? store : (usual[name] ?? "a"),
    );
    const query = place === "query" ? `?${field}=%00` : "";
    const body = route.body === undefined ? undefined : (route.example ?? {});
    const answer = await send(service.url, {
      method: method.toUpperCase(),
      path: `/v1${path}${query}`,
      key: litellm.masterKey,
      ...(body !== undefined && { body }),
    });
    const { error } = JSON.parse(answer.text) as { error?: { param: string | null; message: string } };
    expect([400, 404, 415]).toContain(answer.status);
    // The database's own refusal does not know the field.
    expect(error?.message).not.toMatch(/A text holds/);
    // A 404 names the id of what is missing; what a body misses may be named before the field.
    if (route.body === undefined)
      expect([field, ...(answer.status === 404 ? ["id", "batch_id"] : [])]).toContain(error?.param);
  },
);
