import { hashText } from "../../src/litellm/hashing.js";
import { chatModel, startAnswerModels } from "../answerModels.js";
import { seededRandom } from "../data.js";
import { type Target, createTarget } from "../database.js";
import { startService } from "../service.js";
import type { Random } from "./chance.js";
import { oneOf } from "./chance.js";
import { type Answer, createClient, hangMs } from "./client.js";
import { type Document, type FuzzRequest, createRequests } from "./fuzzRequests.js";
import { type Pace, left } from "./pace.js";
import { dimensions } from "./scene.js";
import { type Outcome, check } from "./verdict.js";

/** Of both databases together. */
/** To each database, also in a run so short that its server is ready late. */
const leastRequests = 200;
const wholeRequests = 10_000;
const clients = 4;
/** Ids of each kind that are remembered. */
const remembered = 30;

/** Sends requests made from /openapi.json, valid or not: none may break the server or hang; errors have one form. */
export async function fuzz(pace: Pace): Promise<Outcome> {
  let sent = 0;
  const next = () => (sent < wholeRequests && left(pace) > 0 ? sent++ : null);
  const kinds = ["postgres", "pglite"] as const;
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const target = await createTarget(kind === "pglite" ? "pglite" : pace.databaseUrl);
      return { kind, ...(await attack(target, pace.seed, next)) };
    }),
  );
  const figures = found.map(({ kind, statuses, slowest }) => {
    const counted = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    return `${kind}: ${counted.join(", ")}; slowest ${Math.round(slowest)} ms`;
  });
  const checks = found.map(({ kind, problems }) =>
    check(`${kind}: no 5xx, no hang, and every error in its form`, problems),
  );
  if (pace.whole)
    checks.push(check(`${wholeRequests} requests`, sent < wholeRequests ? [`only ${sent} in the time`] : []));
  return { figures: [`${sent} requests, seed ${pace.seed}`, ...figures], checks };
}

async function attack(target: Target, seed: number, next: () => number | null) {
  const models = await startAnswerModels((text) => hashText(text, dimensions), 4096);
  const service = await startService(target, {
    dimensions,
    embeddingUrl: models.url,
    settings: { CHAT_MODEL: chatModel, RERANK_MODEL: "bench-rerank", LOG_LEVEL: "fatal" },
  });
  const client = createClient(service.url, service.key);
  const pool = createPool();
  pool.learn(JSON.stringify({ id: await service.createStore() }));
  const document = JSON.parse((await client.send("GET", "/openapi.json")).text) as Document;
  const statuses = new Map<number, number>();
  const problems: string[] = [];
  let slowest = 0;
  const one = async (number: number) => {
    const random = seededRandom(seed * 100_000 + number);
    const request = createRequests(document, (name) => pool.hint(name, random))(random);
    try {
      const answer = await client.send(request.method, request.path, {
        headers: request.headers,
        ...(request.body !== undefined && !["GET", "HEAD"].includes(request.method) && { raw: request.body }),
      });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      slowest = Math.max(slowest, answer.ms);
      problems.push(...problemsOf(answer).map((problem) => `${problem}: ${describe(request)}`));
      if (answer.status === 200) pool.learn(answer.text);
      if (!pool.has("vs_")) pool.learn(JSON.stringify({ id: await service.createStore() }));
    } catch (error) {
      problems.push(`${wordsOf(error)}: ${describe(request)}`);
    }
  };
  let asked = 0;
  const work = async () => {
    for (;;) {
      const number = next() ?? (asked < leastRequests ? wholeRequests + asked : null);
      if (number === null) return;
      asked += 1;
      await one(number);
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
  const ready = await client.send("GET", "/readyz").catch((error: unknown) => wordsOf(error));
  if (typeof ready === "string" || ready.status !== 200) problems.push("the server is not ready afterwards");
  await service.stop();
  return { statuses, problems, slowest };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${hangMs / 1000} s`;
  return `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`;
}

const describe = ({ method, path, headers, body = "" }: FuzzRequest) =>
  `${method} ${path.slice(0, 300)} ${headers["content-type"] ?? ""} ${body.toString().slice(0, 300)}`;

/** What is wrong with an answer. 503 is in order where it says when to come again: the server declines, and lives. */
export function problemsOf({ status, text, headers }: Pick<Answer, "status" | "text" | "headers">): string[] {
  if (status < 400) return [];
  if (status >= 500 && !(status === 503 && headers.has("retry-after"))) return [`${status} ${text.slice(0, 200)}`];
  try {
    const { error } = JSON.parse(text) as { error?: Record<string, unknown> };
    const isText = (name: string) => typeof error?.[name] === "string" && error[name] !== "";
    const isTextOrNull = (name: string) => error?.[name] === null || isText(name);
    if (isText("message") && isText("type") && isTextOrNull("param") && isTextOrNull("code")) return [];
  } catch {
    // Not JSON.
  }
  return [`${status} without OpenAI's error envelope: ${text.slice(0, 200)}`];
}

/** Ids from answers, for later requests. */
function createPool() {
  const ids = new Map<string, string[]>();
  const of = (prefix: string) => ids.get(prefix) ?? [];
  const prefixes: Readonly<Record<string, string>> = {
    vector_store_id: "vs_",
    file_id: "file-",
    batch_id: "vsfb_",
    upload_id: "upload_",
    part_id: "part_",
    id: "emb_",
  };
  const fixed: Readonly<Record<string, readonly unknown[]>> = {
    model: [chatModel, "bench", "bench-rerank"],
    embedding_model: ["bench"],
    rerank_model: ["bench-rerank"],
    filters: [{ type: "eq", key: "kind", value: "pet" }, { kind: "pet" }],
    embedding: [Array.from({ length: dimensions }, (_, i) => i / dimensions)],
  };
  return {
    has: (prefix: string) => of(prefix).length > 0,
    learn(text: string) {
      for (const [id, prefix = ""] of text.matchAll(/\b(vs_|file-|vsfb_|upload_|part_|emb_)[0-9a-f]{32}\b/g)) {
        const known = of(prefix);
        if (!known.includes(id)) ids.set(prefix, [...known, id].slice(-remembered));
      }
      if (text.includes('"deleted":true')) {
        const [gone = ""] = /"id":"([^"]+)"/.exec(text)?.slice(1) ?? [];
        for (const [prefix, known] of ids)
          ids.set(
            prefix,
            known.filter((id) => id !== gone),
          );
      }
    },
    hint: (name: string, random: Random): unknown => {
      const known = of(prefixes[name] ?? "");
      return oneOf(random, known.length > 0 ? known : (fixed[name] ?? []));
    },
  };
}
