import { type Request, type Response, Router } from "express";
import { z } from "zod";
import { type Caller, newMeter } from "../words/caller.js";
import type { Deps } from "../core/deps.js";
import { writtenId } from "../core/stores/writtenId.js";
import { ApiError, clientLeft, forbidden, invalid } from "../words/errors.js";
import { exactJson, isObject } from "../words/exactJson.js";
import type { LitellmOperation } from "../words/identity.js";
import { userOf } from "../words/usage.js";
import { originOf } from "./origin.js";
import { authenticate } from "./middleware/authenticate.js";
import { readJson } from "./bodies/jsonBody.js";
import { type Warnings, warningsOf } from "./warnings.js";
import type { Parse } from "./wire/parse.js";
import { requestParser } from "./requestParser.js";
import { type Permission, isAllowed } from "./permissions.js";

export interface Call<Params, Query, Body> extends Warnings {
  deps: Deps;
  caller: Caller;
  params: Params;
  query: Query;
  body: Body;
  req: Request;
  res: Response;
  /** Aborted if the client leaves before its answer is complete. */
  signal: AbortSignal;
  /** When the request came in, on the clock of performance.now(). */
  startedAt: number;
  /** Checks what the handler itself reads of the request, such as a form, as its other parts have been. */
  parse: Parse;
}

interface Declaration<Params, Query, Body> {
  /** The operation's unique name in the OpenAPI document, for generated clients: `createVectorStore`. */
  id: string;
  method: "get" | "post" | "put" | "patch" | "delete";
  /**
   * In Express' form, mounted below every prefix: `/vector_stores/:vector_store_id`. A parameter `*model` may contain
   * slashes.
   */
  path: string;
  may: Permission;
  /** What LiteLLM calls this, where it asks for it on behalf of somebody. */
  litellm?: LitellmOperation;
  tag: string;
  summary: string;
  description?: string;
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  /** Absent: a body that says something is refused, unless there is a form, which the handler reads. */
  body?: z.ZodType<Body>;
  /** The fields of a form (multipart/form-data), for the OpenAPI document; the handler reads it. */
  form?: z.ZodType;
  /** An example of the JSON body, for the OpenAPI document; default: one with all its fields. */
  example?: object;
  /** A request without a body counts as `{}`. */
  bodyOptional?: boolean;
  /** The answer's schema, for the OpenAPI document. */
  answer: z.ZodType;
  /** The answer's media type, if it is not JSON. */
  answerType?: string;
  /** The schema of a streamed answer's events, for the OpenAPI document. */
  streamAnswer?: z.ZodType;
  /** Another status with the same answer, for the OpenAPI document. */
  alsoStatus?: { status: number; when: string };
  /** The largest body in bytes; the default suits requests without bulk data. */
  bodyLimit?: (deps: Deps) => number;
  /** Reads a body of at most `limit` bytes into the value that `body` checks; the default parses it as a whole. */
  readBody?: (req: Request, res: Response, limit: number, parse: Parse) => Promise<unknown>;
  /** Handles and answers a request with this content type instead of JSON. */
  handleStream?: { contentType: string; handle: (call: Call<Params, Query, undefined>) => Promise<void> };
  /** Returns the JSON to answer; undefined if the handler has answered itself. */
  handle: (call: Call<Params, Query, Body>) => unknown;
}

/** A route as data: Express, the OpenAPI document and the 405 answers are all made from it. */
export type Route = Omit<Declaration<never, never, never>, "handle" | "handleStream" | "params" | "query" | "body"> & {
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  contentTypes: string[];
  run: (call: Omit<Call<never, never, never>, "params" | "query" | "body" | "parse">) => Promise<void>;
};

const defaultBodyLimit = 10 * 1024 * 1024;
/** Of a body that a route does not take. */
const strayBodyLimit = 1024 * 1024;
const nothing = z.object({});
const noBody = nothing.nullable();

/** Makes a route; its `run` parses the request, calls the handler and answers. @throws ApiError 400, 413, 415 */
export function route<Params = undefined, Query = undefined, Body = undefined>(
  declaration: Declaration<Params, Query, Body>,
): Route {
  const { handle, handleStream, ...rest } = declaration;
  const contentTypes = [
    ...(declaration.body === undefined ? [] : ["application/json"]),
    ...(declaration.form === undefined ? [] : ["multipart/form-data"]),
  ];
  return {
    ...rest,
    contentTypes: handleStream === undefined ? contentTypes : [...contentTypes, handleStream.contentType],
    run: async (base) => {
      const { method, path, may } = declaration;
      // A health probe that asks for `?verbose` must not take the service out.
      const onlyWarns = (may === "public" && method === "get") || base.deps.config.unknownFields === "warn";
      const parse = requestParser(base.deps, { route: `${method} ${path}`, onlyWarns, res: base.res, warn: base.warn });
      const params = ofStore(base.deps, parse<unknown>(declaration.params ?? nothing, base.req.params, null)) as Params;
      const query = parse<unknown>(declaration.query ?? nothing, single(base.req.query), null) as Query;
      const call = { ...base, params, query, parse };
      if (handleStream !== undefined && base.req.is(handleStream.contentType)) {
        await handleStream.handle({ ...call, body: undefined });
        return;
      }
      const limit = declaration.bodyLimit?.(base.deps) ?? defaultBodyLimit;
      const { body: schema, bodyOptional = false, readBody, form } = declaration;
      let body: unknown;
      if (schema !== undefined) {
        const raw =
          readBody === undefined
            ? await readJson(base.req, base.res, limit, bodyOptional)
            : await readBody(base.req, base.res, limit, parse);
        body = parse(schema, raw, null);
      } else if (form === undefined) {
        await checkStrayBody(call, onlyWarns);
      }
      const answer = await handle({ ...call, body: body as Body });
      if (answer !== undefined) base.res.type("json").send(exactJson(answer));
    },
  };
}

/** All spellings of a UUID mean one store: handlers get the one that the database writes. */
const ofStore = (deps: Deps, params: unknown): unknown =>
  isObject(params) && typeof params.vector_store_id === "string"
    ? { ...params, vector_store_id: writtenId(deps, params.vector_store_id) }
    : params;

/**
 * A body that a route does not take may say what its sender meant to narrow: a DELETE with `filters` must not delete
 * everything. An empty object says nothing. @throws ApiError 400, 413, 415
 */
async function checkStrayBody(call: Omit<Call<unknown, unknown, unknown>, "body">, onlyWarns: boolean): Promise<void> {
  const { req, res, parse, warn } = call;
  try {
    parse(noBody, await readJson(req, res, strayBodyLimit, true), null);
  } catch (error) {
    if (!onlyWarns || !(error instanceof ApiError)) throw error;
    warn(`the body was ignored: ${error.message}`);
  }
}

/** Refuses a query string that names a field twice: choosing one value would be a guess. */
function single(query: Request["query"]): Request["query"] {
  const [repeated] = Object.entries(query).find(([, value]) => Array.isArray(value)) ?? [];
  if (repeated !== undefined) throw invalid(repeated.slice(0, 64), "given more than once in the query string");
  return query;
}

/** An Express router of these routes. Known paths answer 405 to other methods; everything else falls through to 404. */
export function mount(routes: readonly Route[], deps: Deps): Router {
  const router = Router({ caseSensitive: true });
  for (const each of routes) {
    router[each.method](each.path, async (req: Request, res: Response) => {
      const startedAt = performance.now();
      const caller: Caller =
        each.may === "public"
          ? { kind: "nobody" }
          : {
              ...countUse(each, await authenticate(req, res, deps, each.litellm ?? null), {
                deps,
                req,
                res,
                startedAt,
              }),
              from: originOf(req, res),
            };
      if (!isAllowed(caller, each.may)) throw forbidden("This key may not do that.");
      await deps.limiter.admit(caller);
      await each.run({ deps, caller, req, res, signal: leavingOf(res), startedAt, ...warningsOf(res) });
    });
  }
  for (const path of new Set(routes.map((each) => each.path))) {
    const here = routes.filter((each) => covers(each.path, path)).map((each) => each.method);
    refuseOthers(router, path, [...new Set(here)]);
  }
  return router;
}

/**
 * Records the request as the caller's once it is answered, with the tokens of the model calls that it makes.
 * @returns the caller, with a meter for them
 */
function countUse(
  { id: action }: Route,
  caller: Caller,
  { deps, req, res, startedAt }: { deps: Deps; req: Request; res: Response; startedAt: number },
): Caller {
  const user = userOf(caller);
  if (user === null) return caller;
  const meter = newMeter();
  const storeId = req.params.vector_store_id;
  res.once("close", () => {
    const status = res.writableFinished ? res.statusCode : 499;
    // What the URL says is anything that its sender has thought up, and no business of whoever may not see it.
    const known = storeId === undefined ? null : meter.found;
    const durationMs = Math.round(performance.now() - startedAt);
    deps.usage.record({ ...user, storeId: known, action, tokens: meter.tokens, durationMs, status });
  });
  return { ...caller, meter };
}

/** Whether a route answers a path too: `/embeddings/:id` answers `/embeddings/batch`, for a row with that id. */
function covers(pattern: string, path: string): boolean {
  const parts = path.split("/");
  const own = pattern.split("/");
  return own.length === parts.length && own.every((part, i) => part.startsWith(":") || part === parts[i]);
}

/** Answers OPTIONS with the methods of a path, and other methods with 405. Must follow the path's own handlers. */
export function refuseOthers(router: Router, path: string, methods: readonly Route["method"][]): void {
  const names = [...methods.map((each) => each.toUpperCase()), ...(methods.includes("get") ? ["HEAD"] : []), "OPTIONS"];
  const allow = names.join(", ");
  router.all(path, (req: Request, res: Response) => {
    if (req.method === "OPTIONS") {
      res.status(204).set({ allow }).end();
      return;
    }
    throw new ApiError(405, `${req.method} is not allowed here; this URL takes ${allow}.`, {
      code: "method_not_allowed",
      headers: { allow },
    });
  });
}

function leavingOf(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort(clientLeft());
  });
  return controller.signal;
}
