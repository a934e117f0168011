import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import express, { type Express } from "express";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { apiRoutes, buildApp } from "../../src/http/app.js";
import { renderError } from "../../src/http/middleware/renderError.js";
import { type Permission, isAllowed, permissions } from "../../src/http/permissions.js";
import { type Route, mount } from "../../src/http/route.js";
import type { Caller } from "../../src/words/caller.js";
import { type TestService, startService } from "../support/service.js";
import { errorOf, send } from "./requests.js";
import { testKey } from "../support/settings.js";
import { master, user } from "../support/callers.js";
import { type KeyScope, fullServer } from "../../src/words/caller.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Everything that the service answers without a key. */
const open = [
  // Names the ways to the two documents.
  "GET /",
  "GET /docs",
  "GET /docs.js",
  "GET /health",
  "GET /livez",
  "GET /metrics",
  "GET /openapi.json",
  "GET /readyz",
  "GET /v1/openapi.json",
];
/** The page, which is built without anything that is stored; adminPage.test.ts tries it. */
const page = ["GET /admin", "GET /admin/*path"];
/** Signing in takes the key in its body, and signing out the session in its cookie. Both need to come from the page. */
const sessions = ["POST /sessions", "DELETE /sessions/current"];

/**
 * The app's layers without a route, in order, by the name of their function and its number of parameters. Such a layer
 * sees requests whatever the declared routes are, and could answer them without a key, so every one is listed here.
 */
const unrouted = [
  "helmetMiddleware/3",
  // observeRequests
  "<anonymous>/3",
  // The page, the documentation, the metrics, and the API under each prefix. They contain nothing but routes.
  ...Array.from({ length: 6 }, () => "router/3"),
  // The 404 of unknown URLs, and renderError.
  "<anonymous>/1",
  "<anonymous>/4",
];

/** What each kind of caller may do. A permission that no line here grants is refused to all. */
const granted: [Caller, Permission[]][] = [
  [{ kind: "nobody" }, ["public"]],
  [fullServer, ["public", "store:search", "store:read", "model:use", "store:write"]],
  [{ ...fullServer, scope: "search" }, ["public", "store:search"]],
  [{ ...fullServer, scope: "read" }, ["public", "store:search", "store:read", "model:use"]],
  [{ ...fullServer, scope: "admin" }, [...permissions]],
  // As an older program reads the row of a key that requires an identity (sql/0015).
  [{ ...fullServer, scope: "user:write" as KeyScope }, []],
  [master, [...permissions]],
  [{ ...master, through: "write" }, ["public", "store:search", "store:read", "model:use", "store:write"]],
  [{ ...user("u"), through: "search" }, ["public", "store:search"]],
  [{ ...user("u"), through: "read" }, ["public", "store:search", "store:read", "model:use"]],
  [
    { kind: "admin", readOnly: true, user: user("u") },
    ["public", "store:search", "store:read", "model:use", "admin:read"],
  ],
  [user("u"), ["public", "store:search", "store:read", "model:use", "store:write"]],
];

interface Layer {
  name: string;
  route?: { path: string; stack: { method?: string }[] };
  handle: { length: number; stack?: Layer[] };
}

/**
 * What the app answers, wherever a router is mounted: every `METHOD /path` (`ALL` for handlers of any method), and
 * the layers that have no route.
 */
function served(layers: readonly Layer[]): { names: string[]; others: string[] } {
  const names = new Set<string>();
  const others: string[] = [];
  for (const { name, route, handle } of layers) {
    for (const { method } of route?.stack ?? []) names.add(`${method?.toUpperCase() ?? "ALL"} ${route?.path ?? ""}`);
    if (route === undefined) others.push(`${name}/${handle.length}`);
    const inside = served(handle.stack ?? []);
    for (const each of inside.names) names.add(each);
    others.push(...inside.others);
  }
  return { names: [...names].sort(), others };
}

describe("permissions", () => {
  const appLayers = () => buildApp(service.deps) as Express & { router: { stack: Layer[] } };

  test("every served route is declared with a permission, or is public", () => {
    const { names, others } = served(appLayers().router.stack);
    const declared = apiRoutes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const known = [...new Set([...declared, ...open])];
    // Every known path, and no other, refuses the methods that it does not have (405).
    const refusing = [...known, "GET /admin", "GET /admin/assets/*path"].map((name) => name.replace(/^\w+/, "ALL"));
    expect(names).toEqual([...new Set([...known, ...page, ...refusing])].sort());
    expect(others).toEqual(unrouted);
    expect(apiRoutes.filter(({ may }) => !permissions.includes(may))).toEqual([]);
    const public_ = apiRoutes.filter(({ may }) => may === "public");
    const unkeyed = [...open, ...sessions];
    expect(public_.filter(({ method, path }) => !unkeyed.includes(`${method.toUpperCase()} ${path}`))).toEqual([]);
  });

  test("a handler that is mounted beside the routes is seen", () => {
    const app = appLayers();
    const before = served(app.router.stack);
    app.use("/secret", (_req, res) => void res.end());
    app.router.all("/hidden", (_req, res) => void res.end());
    const { names, others } = served(app.router.stack);
    expect(names.filter((name) => !before.names.includes(name))).toEqual(["ALL /hidden"]);
    expect(others).toEqual([...before.others, "<anonymous>/2"]);
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
    const headers = { "sec-fetch-site": "same-origin" };
    const signedIn = await send(service.url, { path: "/v1/sessions", key: null, headers, body: { key: testKey } });
    expect(signedIn.status).toBe(200);
    const signedOut = await send(service.url, { method: "DELETE", path: "/v1/sessions/current", key: null, headers });
    expect(signedOut.status).toBe(200);
  });

  test.each([
    ["without a permission", undefined],
    ["with an unknown permission", "store:paint"],
    ["with the name of a built-in property", "constructor"],
  ])("a route %s is refused to everyone", async (_name, may) => {
    const routes = apiRoutes.map((each) => ({ ...each, may }) as Route);
    const app = express();
    app.use(mount(routes, service.deps));
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

  test.each(granted)("the caller %j may do what is granted, and nothing else", (caller, rights) => {
    expect(permissions.filter((may) => isAllowed(caller, may))).toEqual(rights);
    expect(isAllowed(caller, "store:paint" as Permission)).toBe(false);
  });
});
