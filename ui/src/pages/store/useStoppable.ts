import { type QueryKey, useIsFetching, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { timedOut } from "../../api/failure.js";
import { mostSeconds, usePatience } from "./usePatience.js";

/** How a question to the service was ended before its answer. */
type Stop = "cancelled" | "over";

/** Ends a query when its asker wants, and by itself if no answer comes. */
export function useStoppable(queryKey: QueryKey) {
  const queries = useQueryClient();
  const name = JSON.stringify(queryKey);
  const [stopped, setStopped] = useState<{ name: string; how: Stop } | null>(null);
  const stop = (how: Stop) => {
    setStopped({ name, how });
    void queries.cancelQueries({ queryKey, exact: true });
  };
  const isRunning = useIsFetching({ queryKey, exact: true }) > 0;
  const isLate = usePatience(isRunning ? name : null, () => {
    stop("over");
  });
  const how = stopped?.name === name ? stopped.how : null;
  return {
    isLate,
    /** Then it must not be asked by itself again, such as when the window is looked at. */
    isStopped: how !== null,
    isCancelled: how === "cancelled",
    error: how === "over" ? timedOut(mostSeconds) : null,
    cancel: () => {
      stop("cancelled");
    },
    forget: () => {
      setStopped(null);
    },
  };
}
