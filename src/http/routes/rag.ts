import { type RagAnswer, type RagRequest, type RagSources, answerQuestion } from "../../core/answers/answerQuestion.js";
import { timed } from "../../core/search/spent.js";
import { setTimes } from "../answerHeaders.js";
import { type EventStream, openEventStream } from "../eventStream.js";
import { asApiError, logFailure } from "../middleware/renderError.js";
import { type Call, route } from "../route.js";
import { storeParams } from "../wire/common.js";
import {
  type RagEvent,
  describePassage,
  presentCompleted,
  presentRag,
  presentSources,
  ragAnswer,
  ragBody,
  ragEvents,
  ragOverStoresBody,
  readRag,
} from "../wire/rag.js";

const example = { query: "How many days do I have for returns?", model: "openai/gpt-4o-mini" };

const shared = {
  method: "post",
  may: "store:read",
  tag: "Answers",
  description:
    "Searches, then has a chat model of the proxy answer from the results, with numbered citations. With `stream`, the answer comes as " +
    "server-sent events: `rag.sources`, then `rag.delta` for each piece, then `rag.completed` with the numbers of the cited sources and the usage.",
  answer: ragAnswer,
  streamAnswer: ragEvents,
} as const;

export const ragRoutes = [
  route({
    ...shared,
    id: "answerFromVectorStore",
    path: "/vector_stores/:vector_store_id/rag",
    summary: "Answer a question from a vector store",
    params: storeParams,
    body: ragBody,
    example,
    handle: (call) => answer(call, readRag([call.params.vector_store_id], call.body), call.body.stream ?? false),
  }),
  route({
    ...shared,
    id: "answerFromVectorStores",
    path: "/rag",
    summary: "Answer a question from several vector stores",
    body: ragOverStoresBody,
    example: { ...example, vector_store_ids: ["vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c"] },
    handle: (call) => answer(call, readRag(call.body.vector_store_ids, call.body), call.body.stream ?? false),
  }),
];

async function answer(
  {
    deps,
    caller,
    res,
    signal,
    startedAt,
    warn,
  }: Pick<Call<never, never, never>, "deps" | "caller" | "res" | "signal" | "startedAt" | "warn">,
  request: RagRequest,
  stream: boolean,
): Promise<unknown> {
  const parts = answerQuestion(deps, caller, request, { describe: describePassage, signal });
  // A failure before the model has begun to answer still gets its own status.
  const first = await parts.next();
  if (first.done === true || typeof first.value === "string") throw new Error("an answer begins with its sources");
  const sources = first.value;
  sources.warnings.forEach(warn);
  if (!stream) {
    const whole = await timed(sources.spent, "model", () => lastOf(parts));
    setTimes(res, sources.spent, startedAt);
    return presentRag(sources, whole);
  }
  setTimes(res, sources.spent, startedAt);
  const events = openEventStream(res);
  try {
    await sendAll(events, sources, parts);
  } catch (error) {
    if (signal.aborted) return undefined;
    const known = asApiError(error);
    logFailure(deps.log, error, known, res);
    await events.send("error", known.envelope);
  }
  events.end();
  return undefined;
}

type Parts = AsyncGenerator<RagSources | string, RagAnswer>;

async function lastOf(parts: Parts): Promise<RagAnswer> {
  for (;;) {
    const { done, value } = await parts.next();
    if (done === true) return value;
  }
}

async function sendAll(events: EventStream, sources: RagSources, parts: Parts): Promise<void> {
  const send = (event: RagEvent) => events.send(event.type, event);
  await send({ type: "rag.sources", ...presentSources(sources, []) });
  for (;;) {
    const { done, value } = await parts.next();
    if (done === true) {
      await send(presentCompleted(value));
      return;
    }
    if (typeof value === "string") await send({ type: "rag.delta", delta: value });
  }
}
