import { hash } from "node:crypto";

/** What a route needs, as the matrix of access expects it. */
export type Need =
  | "nothing"
  /** Any key. */
  | "key"
  | "search"
  | "read"
  | "write"
  | "admin"
  /** The permission to change a store, and to read a file of its owner. */
  | "write, and the file"
  | "share"
  | "create"
  | "list"
  | "file"
  | "own file"
  | "own upload"
  | "own session"
  | "model"
  | "administrator"
  | "reading administrator";

/** What each request may use. Those of one that takes something away are its own. */
export interface Things {
  store: string;
  row: string;
  file: string;
  attached: string;
  batch: string;
  upload: string;
  part: string;
  key: string;
  /** Of the owner. */
  session: string;
  /** A subject whose limits were set. */
  limited: string;
  /** A key of the service that may use only this store. */
  limitedKey: string;
}

export interface Tried {
  need: Need;
  /** Whoever succeeds leaves nothing, or something else, to the next one. A route that does so unsaid fails. */
  consumes?: true;
  /** Parameters of the path. */
  params?: (things: Things) => Record<string, string>;
  query?: string;
  body?: (things: Things) => object;
  headers?: Record<string, string>;
  /** A form with this file field; the other fields are text. */
  form?: Record<string, string>;
}

const embedding = [1, 0, 0, 0, 0, 0, 0, 0];
const inStore = ({ store }: Things) => ({ vector_store_id: store });
const row = (things: Things) => ({ ...inStore(things), embedding_id: things.row });
const attached = (things: Things) => ({ ...inStore(things), file_id: things.attached });
const batch = (things: Things) => ({ ...inStore(things), batch_id: things.batch });
const file = (things: Things) => ({ file_id: things.file });
const upload = ({ upload: id }: Things) => ({ upload_id: id });
const session = ({ session: id }: Things) => ({ session_id: id });
const key = ({ key: id }: Things) => ({ key_id: id });
const grantee = (things: Things) => ({ ...inStore(things), subject: "user:grantee" });
/** Of a key and a user whom nothing else concerns. */
const spareKey = () => ({ key_hash: hash("sha256", "sk-spare", "hex") });
const leaver = () => ({ subject: "user:leaver" });
const store = "/vector_stores/:vector_store_id";
const question = { query: "a", model: "chat" };
const reranked = (things: Things) => ({ query: "a", model: "rerank", vector_store_id: things.store });

/** Every route, by method and path. */
export const routesTried: Record<string, Tried> = {
  "get /health": { need: "nothing" },
  "get /livez": { need: "nothing" },
  "get /readyz": { need: "nothing" },

  "get /vector_stores": { need: "list" },
  "post /vector_stores": { need: "create", body: () => ({ name: "made" }) },
  [`get ${store}`]: { need: "read", params: inStore },
  [`post ${store}`]: { need: "admin", params: inStore, body: () => ({ name: "changed" }) },
  [`delete ${store}`]: { need: "admin", consumes: true, params: inStore },
  [`post ${store}/reindex`]: { need: "admin", params: inStore },

  [`post ${store}/search`]: { need: "search", params: inStore, body: () => ({ query: "a" }) },
  [`post ${store}/rag`]: { need: "read", params: inStore, body: () => question },
  "post /rag": { need: "read", body: (things) => ({ ...question, vector_store_ids: [things.store] }) },
  "post /rerank": { need: "read", body: reranked },
  "post /v2/rerank": { need: "read", body: reranked },

  [`get ${store}/embeddings`]: { need: "read", params: inStore },
  [`get ${store}/embeddings/:embedding_id`]: { need: "read", params: row },
  [`post ${store}/embeddings`]: { need: "write", params: inStore, body: () => ({ content: "b", embedding }) },
  [`post ${store}/embeddings/batch`]: {
    need: "write",
    params: inStore,
    body: () => ({ embeddings: [{ content: "b", embedding }] }),
  },
  [`patch ${store}/embeddings/:embedding_id`]: { need: "write", params: row, body: () => ({ metadata: { a: 1 } }) },
  [`delete ${store}/embeddings/:embedding_id`]: { need: "write", consumes: true, params: row },
  [`delete ${store}/embeddings`]: {
    need: "write",
    consumes: true,
    params: inStore,
    body: (things) => ({ ids: [things.row] }),
  },

  "get /files": { need: "list" },
  "post /files": { need: "create", form: { purpose: "assistants" } },
  "get /files/:file_id": { need: "file", params: file },
  "get /files/:file_id/content": { need: "file", params: file },
  "delete /files/:file_id": { need: "own file", consumes: true, params: file },
  "post /uploads": {
    need: "create",
    body: () => ({ filename: "a.txt", bytes: 1, purpose: "assistants", mime_type: "text/plain" }),
  },
  "post /uploads/:upload_id/parts": { need: "own upload", params: upload, form: {} },
  "post /uploads/:upload_id/complete": {
    need: "own upload",
    consumes: true,
    params: upload,
    body: ({ part }) => ({ part_ids: [part] }),
  },
  "post /uploads/:upload_id/cancel": { need: "own upload", consumes: true, params: upload },

  [`get ${store}/files`]: { need: "read", params: inStore },
  [`post ${store}/files`]: {
    need: "write, and the file",
    consumes: true,
    params: inStore,
    body: (things) => ({ file_id: things.file }),
  },
  [`post ${store}/upload`]: { need: "write", params: inStore, form: {} },
  [`get ${store}/files/:file_id`]: { need: "read", params: attached },
  [`post ${store}/files/:file_id`]: { need: "write", params: attached, body: () => ({ attributes: { a: 1 } }) },
  [`delete ${store}/files/:file_id`]: { need: "write", consumes: true, params: attached },
  [`get ${store}/files/:file_id/content`]: { need: "read", params: attached },
  [`post ${store}/file_batches`]: { need: "write", params: inStore, body: (things) => ({ file_ids: [things.file] }) },
  [`get ${store}/file_batches/:batch_id`]: { need: "read", params: batch },
  [`get ${store}/file_batches/:batch_id/files`]: { need: "read", params: batch },
  [`post ${store}/file_batches/:batch_id/cancel`]: { need: "write", consumes: true, params: batch },

  [`get ${store}/permissions/me`]: { need: "read", params: inStore },
  [`get ${store}/permissions`]: { need: "share", params: inStore },
  [`put ${store}/permissions/:subject`]: { need: "admin", params: grantee, body: () => ({ permission: "read" }) },
  [`delete ${store}/permissions/:subject`]: { need: "admin", consumes: true, params: grantee },
  [`put ${store}/owner`]: { need: "admin", consumes: true, params: inStore, body: () => ({ user_id: "heir" }) },

  "get /models": { need: "model" },
  "get /models/*model": { need: "model", params: () => ({ model: "embed" }) },
  "get /embeddings/models": { need: "model" },
  "get /vision/models": { need: "model" },
  "get /rerank/models": { need: "model" },
  "post /embeddings": { need: "model", body: () => ({ input: "a" }) },

  "get /me": { need: "key" },
  "get /me/vector_stores": { need: "list" },
  "post /sessions": {
    need: "nothing",
    body: () => ({ key: "sk-owner" }),
    headers: { "sec-fetch-site": "same-origin" },
  },
  "delete /sessions/current": { need: "nothing", headers: { "sec-fetch-site": "same-origin" } },
  "get /sessions": { need: "key" },
  "delete /sessions/:session_id": { need: "own session", consumes: true, params: session },
  "get /admin/sessions": { need: "reading administrator" },
  "delete /admin/sessions/:session_id": { need: "administrator", consumes: true, params: session },

  "get /usage": { need: "list" },
  "get /limits": { need: "list" },
  "get /admin/limits": { need: "reading administrator" },
  "put /admin/limits/:subject": {
    need: "administrator",
    params: () => ({ subject: "user:nobody" }),
    body: () => ({ bytes: 1 }),
  },
  "delete /admin/limits/:subject": {
    need: "administrator",
    consumes: true,
    params: ({ limited }) => ({ subject: limited }),
  },
  "get /admin/usage": { need: "reading administrator" },
  "get /admin/keys": { need: "reading administrator" },
  "get /admin/status": { need: "reading administrator" },
  "get /admin/settings": { need: "reading administrator" },
  "get /admin/doctor": { need: "reading administrator" },
  "get /admin/audit": { need: "reading administrator" },
  "get /admin/vector_stores": { need: "reading administrator" },
  "get /admin/users": { need: "reading administrator" },
  "get /admin/users/:user_id": { need: "reading administrator", params: () => ({ user_id: "owner" }) },
  "get /admin/teams": { need: "reading administrator" },
  "get /admin/teams/:team_id": { need: "reading administrator", params: () => ({ team_id: "red" }) },
  "get /admin/litellm_keys": { need: "reading administrator" },
  "post /admin/litellm_keys": { need: "administrator", body: () => ({ team_id: "red" }) },
  "post /admin/litellm_keys/:key_hash/block": { need: "administrator", params: spareKey },
  "post /admin/litellm_keys/:key_hash/unblock": { need: "administrator", params: spareKey },
  "post /admin/litellm_keys/:key_hash/rotate": { need: "administrator", params: spareKey },
  "get /admin/owners/:subject": { need: "reading administrator", params: leaver },
  "post /admin/owners/:subject/transfer": {
    need: "administrator",
    params: leaver,
    body: () => ({ to: "user:heir" }),
  },
  "post /admin/owners/:subject/erase": {
    need: "administrator",
    params: leaver,
    body: () => ({ confirm: "user:leaver" }),
  },
  "post /admin/keys": { need: "administrator", body: () => ({ name: `key ${Math.random()}`, scope: "read" }) },
  "post /admin/keys/:key_id/rotate": { need: "administrator", params: key },
  "delete /admin/keys/:key_id": { need: "administrator", consumes: true, params: key },
};
