import { hashKey, skipToken, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { type AskBody, type AskEvent, type Source, ask } from "../../api/ask.js";
import { timedOut } from "../../api/failure.js";
import { mostSeconds, usePatience } from "./usePatience.js";

export interface Answer {
  /** What was asked. */
  question: string;
  state: "running" | "stopped" | "failed" | "completed";
  sources: readonly Source[];
  searchQuery: string | null;
  reranked: boolean | undefined;
  text: string;
  cited: readonly number[];
  end: Extract<AskEvent, { type: "rag.completed" }> | null;
  error: Error | null;
}

const begun = (question: string): Answer => ({
  question,
  state: "running",
  sources: [],
  searchQuery: null,
  reranked: undefined,
  text: "",
  cited: [],
  end: null,
  error: null,
});

/** A question, with how it is to be answered. */
export type Question = AskBody & { query: string };

interface Running {
  body: Question;
  controller: AbortController;
}

/**
 * The answer to what the address asks, as it comes. Each question keeps its own, so that the button back shows what
 * belongs to the question that it leads to; with everything that was seen, answers are forgotten on signing out. One at a
 * time is being written, and it is stopped when the page is left.
 */
export function useAnswer(storeId: string, shown: Question) {
  const queries = useQueryClient();
  const running = useRef<Running>(undefined);
  const { data: answer = null } = useQuery<Answer>({ queryKey: keyOf(storeId, shown), queryFn: skipToken });
  const change = (body: Question, to: (before: Answer) => Answer) => {
    queries.setQueryData<Answer>(keyOf(storeId, body), (before) => to(before ?? begun(body.query)));
  };
  const { mutate } = useMutation({
    mutationFn: ({ body, controller: { signal } }: Running) => {
      const tell = (event: AskEvent) => {
        if (!signal.aborted) change(body, (before) => after(before, event));
      };
      return ask(storeId, body, tell, signal);
    },
    onError: (error, { body, controller: { signal } }) => {
      // What has come of the answer stays.
      if (!signal.aborted) change(body, (before) => ({ ...before, state: "failed", error }));
    },
    onSettled: (_, __, variables) => {
      if (running.current === variables) running.current = undefined;
    },
  });
  const end = (as: Pick<Answer, "state"> & Partial<Answer>) => {
    const { current } = running;
    running.current = undefined;
    if (current === undefined) return;
    current.controller.abort();
    change(current.body, (before) => (before.state === "running" ? { ...before, ...as } : before));
  };
  const stop = () => {
    end({ state: "stopped" });
  };
  const leave = useRef(stop);
  useEffect(() => {
    leave.current = stop;
  });
  useEffect(
    () => () => {
      leave.current();
    },
    [],
  );
  const begin = (body: Question) => {
    // A second click in the same instant; another question stops the one before.
    if (running.current !== undefined && hashKey([running.current.body]) === hashKey([body])) return;
    stop();
    running.current = { body, controller: new AbortController() };
    change(body, () => begun(body.query));
    mutate(running.current);
  };
  // Each piece of it that comes is a sign of life.
  const awaited = answer?.state === "running" ? JSON.stringify([shown, answer.searchQuery, answer.text.length]) : null;
  const isLate = usePatience(awaited, () => {
    end({ state: "failed", error: timedOut(mostSeconds) });
  });
  return { answer, isLate, begin, stop };
}

const keyOf = (storeId: string, body: Question) => ["stores", "answer", storeId, body];

function after(before: Answer, event: AskEvent): Answer {
  switch (event.type) {
    case "rag.sources":
      return { ...before, sources: event.sources, searchQuery: event.search_query, reranked: event.reranked };
    case "rag.delta":
      return { ...before, text: before.text + event.delta };
    case "rag.completed":
      return { ...before, state: "completed", text: event.answer, cited: event.cited, end: event };
  }
}
