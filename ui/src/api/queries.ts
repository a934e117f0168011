import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { Failure } from "./failure.js";
import { meKey } from "./me.js";
import { onSessionEnd, pauseUploads } from "./uploads/session.js";

/** Remembers what was asked. Once a session has ended, the page asks to sign in. */
export function createQueries(): QueryClient {
  const onError = (error: Error) => {
    if (!(error instanceof Failure) || error.status !== 401) return;
    // Before the page is left, or leaving would be asked about.
    pauseUploads();
    client.setQueryData(meKey, null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // What the service refuses stays refused; what it cannot do just now may go the second time.
        retry: (count, error) => count < 2 && error instanceof Failure && (error.status === 0 || error.status >= 500),
      },
    },
  });
  onSessionEnd(() => {
    client.setQueryData(meKey, null);
  });
  return client;
}
