import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import express from "express";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { apiRoutes, buildApp } from "../../src/http/app.js";
import { renderError } from "../../src/http/middleware/renderError.js";
import { isAllowed, permissions } from "../../src/http/permissions.js";
import { type Route, mount } from "../../src/http/route.js";
import { type TestService, startService } from "../support/service.js";
import { errorOf, send } from "./requests.js";
import { testKey } from "../support/settings.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Everything that the service answers without a key. */
const open = [
  "GET /docs",
  "GET /health",
  "GET /livez",
  "GET /metrics",
  "GET /openapi.json",
  "GET /readyz",
  "GET /v1/openapi.json",
];

interface Layer {
  route?: { path: string; stack: { method?: string }[] };
  handle: { stack?: Layer[] };
}

/** Every `METHOD /path` of the app's routers, wherever they are mounted. */
function served(layers: readonly Layer[]): string[] {
  const names = layers.flatMap(({ route, handle }) => [
    ...(route?.stack ?? []).flatMap(({ method }) =>
      method === undefined ? [] : [`${method.toUpperCase()} ${route?.path ?? ""}`],
    ),
    ...(handle.stack === undefined ? [] : served(handle.stack)),
  ]);
  return [...new Set(names)].sort();
}

describe("permissions", () => {
  test("every served route is declared with a permission, or is public", () => {
    const app = buildApp(service.deps, { server: testKey, master: null }) as unknown as { router: { stack: Layer[] } };
    const declared = apiRoutes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const names = served(app.router.stack);
    expect(names).toEqual(expect.arrayContaining(declared));
    expect(names.filter((name) => !declared.includes(name) && !open.includes(name))).toEqual([]);
    expect(apiRoutes.filter(({ may }) => !permissions.includes(may))).toEqual([]);
    const public_ = apiRoutes.filter(({ may }) => may === "public");
    expect(public_.filter(({ method, path }) => !open.includes(`${method.toUpperCase()} ${path}`))).toEqual([]);
  });

  test.each(apiRoutes.filter(({ may }) => may !== "public").map((each) => [each.method.toUpperCase(), each.path]))(
    "%s %s requires a key under every prefix",
    async (method, path) => {
      for (const prefix of ["", "/v1", "/v1/v1"]) {
        const answer = await send(service.url, { method, path: prefix + path.replace(/:\w+/g, "x"), key: null });
        expect(answer.status).toBe(401);
      }
    },
  );

  test("the public routes need no key", async () => {
    for (const [method = "", path = ""] of open.map((each) => each.split(" "))) {
      expect((await send(service.url, { method, path, key: null })).status).toBe(200);
    }
  });

  test.each([
    ["without a permission", undefined],
    ["with an unknown permission", "store:paint"],
    ["with the name of a built-in property", "constructor"],
  ])("a route %s is refused to everyone", async (_name, may) => {
    const routes = apiRoutes.map((each) => ({ ...each, may }) as Route);
    const app = express();
    app.use(mount(routes, service.deps, { server: testKey, master: null }));
    app.use(renderError(service.deps.log));
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      for (const { method, path } of routes) {
        const asked = { method: method.toUpperCase(), path: path.replace(/:\w+/g, "x") };
        const refused = await send(url, { ...asked, key: testKey });
        expect(refused.status).toBe(403);
        expect(errorOf(refused)).toMatchObject({ code: "insufficient_permissions", type: "permission_error" });
        expect((await send(url, { ...asked, key: null })).status).toBe(401);
      }
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("the caller `nobody` may use only public routes", () => {
    expect(permissions.filter((may) => isAllowed({ kind: "nobody" }, may))).toEqual(["public"]);
  });
});
