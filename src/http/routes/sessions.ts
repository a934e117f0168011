import * as me from "../../core/access/me.js";
import * as sessions from "../../core/access/sessions.js";
import { actorOf } from "../actor.js";
import { requireSameSite } from "../middleware/sameSite.js";
import { originOf } from "../origin.js";
import { allowedTo } from "../permissions.js";
import { route } from "../route.js";
import { clearSessionCookie, sessionToken, setSessionCookie } from "../sessionCookie.js";
import {
  deletedSessionAnswer,
  newSessionAnswer,
  ownSessionsAnswer,
  presentMe,
  presentNewSession,
  presentSession,
  sessionParams,
  sessionsAnswer,
  sessionsQuery,
  signInBody,
  signedOutAnswer,
} from "../wire/session.js";

const tag = "Sessions";
const adminTag = "Administration";

/** Signing in to the web page, and out. */
export const sessionRoutes = [
  route({
    id: "createSession",
    method: "post",
    path: "/sessions",
    may: "public",
    tag,
    summary: "Sign in to the web page with a key",
    description:
      "For pages of this server only: a request without `Sec-Fetch-Site: same-origin`, or an Origin that is this server's, is 403 " +
      "`cross_site_request`. Sets a cookie that scripts cannot read; requests with it and without an Authorization header act as the key " +
      "does, until the session or the key ends. Ten failures in a minute from one address are followed by 429 `too_many_attempts`.",
    body: signInBody,
    answer: newSessionAnswer,
    handle: async ({ deps, req, res, body }) => {
      requireSameSite(req, deps.config.apiUrl);
      const userAgent = req.headers["user-agent"] ?? null;
      const from = { ...originOf(req, res), userAgent, replaces: sessionToken(req) };
      const { session, caller, token } = await sessions.create(deps, body.key, from);
      res.set("cache-control", "no-store");
      setSessionCookie(req, res, token, session.expiresAt - session.createdAt);
      return presentNewSession(session, presentMe(me.describe(deps, caller), allowedTo(caller)));
    },
  }),
  route({
    id: "listSessions",
    method: "get",
    path: "/sessions",
    may: "store:search",
    tag,
    summary: "List where you are signed in, newest first",
    answer: ownSessionsAnswer,
    handle: async ({ deps, caller }) => {
      const own = await sessions.listOwn(deps, caller);
      return { object: "list", data: own.map((each) => presentSession(each, caller.session?.id ?? null)) };
    },
  }),
  route({
    id: "signOut",
    method: "delete",
    path: "/sessions/current",
    may: "public",
    tag,
    summary: "Sign out of the web page",
    description:
      "Ends the session of the cookie at once on all replicas, and clears the cookie. Works while nobody can tell whose the session is; " +
      "without a session it says so and changes nothing. For pages of this server only, as signing in is.",
    answer: signedOutAnswer,
    handle: async ({ deps, req, res }) => {
      requireSameSite(req, deps.config.apiUrl);
      const token = sessionToken(req);
      const id = token === null ? null : await sessions.signOut(deps, token, originOf(req, res));
      clearSessionCookie(res);
      return { id, object: "session.deleted", deleted: id !== null };
    },
  }),
  route({
    id: "deleteSession",
    method: "delete",
    path: "/sessions/:session_id",
    may: "store:search",
    tag,
    summary: "End one of your sessions",
    description: "It stops at once on all replicas.",
    params: sessionParams,
    answer: deletedSessionAnswer,
    handle: async (call) => {
      const { deps, caller, params, res } = call;
      await sessions.endOwn(deps, caller, actorOf(call), params.session_id);
      if (params.session_id === caller.session?.id) clearSessionCookie(res);
      return { id: params.session_id, object: "session.deleted", deleted: true };
    },
  }),
  route({
    id: "listAllSessions",
    method: "get",
    path: "/admin/sessions",
    may: "admin:read",
    tag: adminTag,
    summary: "List who is signed in to the web page, newest first",
    query: sessionsQuery,
    answer: sessionsAnswer,
    handle: async ({ deps, caller, query }) => {
      const page = { limit: query.limit, before: query.after ?? null };
      const { sessions: found, hasMore } = await sessions.list(deps, page);
      const data = found.map((each) => presentSession(each, caller.session?.id ?? null));
      return { object: "list", data, last_id: found.at(-1)?.id ?? "", has_more: hasMore };
    },
  }),
  route({
    id: "deleteAnySession",
    method: "delete",
    path: "/admin/sessions/:session_id",
    may: "admin:write",
    tag: adminTag,
    summary: "Sign somebody out",
    description: "The session stops at once on all replicas. Whoever has the key can sign in again.",
    params: sessionParams,
    answer: deletedSessionAnswer,
    handle: async (call) => {
      await sessions.endAny(call.deps, actorOf(call), call.params.session_id);
      return { id: call.params.session_id, object: "session.deleted", deleted: true };
    },
  }),
];
