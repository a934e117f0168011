import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { noteSignedIn } from "../app/page.js";
import { Failure, isUnknownStore } from "./failure.js";
import { type Me, meKey, noteCaller } from "./me.js";
import { endIn, noteEnd, reasonOf } from "./sessionEnd.js";
import { onTabNews } from "./tabs.js";
import { onSessionEnd, pauseUploads } from "./uploads/session.js";

/** What the service refuses stays refused; what it cannot do just now may go the second time. */
const mayGoAgain = (error: Error) =>
  error instanceof Failure && (error.status >= 500 || (error.status === 0 && navigator.onLine));

/** Something has found a vector store gone: whether it is the one that is shown, its page asks once more. */
function askForShownStore(client: QueryClient): void {
  void client.invalidateQueries({
    queryKey: ["stores", "detail"],
    predicate: ({ state: { data, error } }) => data !== undefined && error === null,
  });
}

/** Remembers what was asked. Once a session has ended, the page asks to sign in. */
export function createQueries(): QueryClient {
  const onError = (error: Error) => {
    if (isUnknownStore(error)) askForShownStore(client);
    // A wrong key is refused to who signs in.
    if (client.getQueryData<Me | null>(meKey) == null) return;
    void endIn(error).then((end) => {
      if (end !== null) signedOut(end);
    });
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError,
      onSuccess: (data, { queryKey: [of] }) => {
        if (of === meKey[0] && data !== null) noteCaller(client, data as Me);
      },
    }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // Offline is a failure as any other, with a way to try again: a request that waits unseen looks like none, a
        // deletion that was cancelled meanwhile would still be done later, and a service nearby may still be reached.
        networkMode: "always",
        refetchOnReconnect: true,
        retry: (count, error) => count < 2 && mayGoAgain(error),
      },
      mutations: { networkMode: "always" },
    },
  });
  const signedOut = (end: Failure) => {
    noteEnd(reasonOf(end, client.getQueryData<Me | null>(meKey), Date.now()));
    // Before the page is left, or leaving would be asked about.
    pauseUploads();
    client.setQueryData(meKey, null);
  };
  onSessionEnd(signedOut);
  onTabNews((news) => {
    // Nothing of the one caller may be sent with the other's cookie; it goes on if they turn out to be the same.
    pauseUploads();
    if (news === "changing") return;
    noteSignedIn();
    void client.invalidateQueries({ queryKey: meKey, refetchType: "all" });
  });
  return client;
}
