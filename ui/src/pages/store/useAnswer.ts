import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { type AskBody, type AskEvent, type Source, ask } from "../../api/ask.js";

export interface Answer {
  state: "none" | "running" | "stopped" | "failed" | "completed";
  sources: readonly Source[];
  searchQuery: string | null;
  reranked: boolean | undefined;
  text: string;
  cited: readonly number[];
  end: Extract<AskEvent, { type: "rag.completed" }> | null;
  error: Error | null;
}

const nothing: Answer = {
  state: "none",
  sources: [],
  searchQuery: null,
  reranked: undefined,
  text: "",
  cited: [],
  end: null,
  error: null,
};

/** One answer as it comes. It is stopped when the page is left. */
export function useAnswer(storeId: string) {
  const [answer, setAnswer] = useState<Answer>(nothing);
  const running = useRef<AbortController>(undefined);
  const { mutate, variables } = useMutation({
    mutationFn: ({ body, signal }: { body: AskBody; signal: AbortSignal }) => {
      const tell = (event: AskEvent) => {
        if (!signal.aborted) setAnswer((before) => after(before, event));
      };
      return ask(storeId, body, tell, signal);
    },
    onError: (error, { signal }) => {
      // What has come of the answer stays.
      if (!signal.aborted) setAnswer((before) => ({ ...before, state: "failed", error }));
    },
  });
  useEffect(
    () => () => {
      running.current?.abort();
    },
    [],
  );
  const begin = (body: AskBody) => {
    running.current?.abort();
    const { signal } = (running.current = new AbortController());
    setAnswer({ ...nothing, state: "running" });
    mutate({ body, signal });
  };
  const again = () => {
    if (variables !== undefined) begin(variables.body);
  };
  const stop = () => {
    running.current?.abort();
    setAnswer((before) => ({ ...before, state: "stopped" }));
  };
  return { answer, begin, again, stop };
}

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
