/** Starts a service and fetches its OpenAPI document before the tests of each suite that imports this module. */
import { afterAll, beforeAll } from "@jest/globals";
import { type OpenApiDocument } from "../../src/http/openapi.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { send } from "./requests.js";

export let service: TestService;
export let document: OpenApiDocument;
export let litellm: FakeLitellm;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  service = await startService({
    environment: { ...litellm.environment, CHAT_MODEL: "chat", API_URL: "https://vectors.example" },
  });
  const { text } = await send(service.url, { path: "/openapi.json", method: "GET", key: null });
  document = JSON.parse(text) as OpenApiDocument;
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

/** Every object in a JSON value with its path. */
export function* objectsIn(value: unknown, path = "#"): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  yield [path, value as Record<string, unknown>];
  for (const [key, item] of Object.entries(value)) yield* objectsIn(item, `${path}/${key}`);
}
export const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
