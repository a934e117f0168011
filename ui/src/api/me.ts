import { type QueryClient, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { createContext, useContext } from "react";
import { type Schemas, answered, api } from "./client.js";
import { fromPage, noteSignedIn } from "../app/page.js";
import { Failure } from "./failure.js";
import { forgetEnd, noteEnd, reasonOf } from "./sessionEnd.js";
import { tellTabs } from "./tabs.js";
import { pauseUploads, stopUploads, uploadAs } from "./uploads/session.js";

export type Me = Schemas["Me"];
export type Right = Me["may"][number];

export const meKey = ["me"] as const;

/** Who is signed in; null: nobody. */
export const me = queryOptions({
  queryKey: meKey,
  queryFn: async ({ client }): Promise<Me | null> => {
    // The browser would write its answer into the console, where it looks like a fault.
    if (fromPage("signed-in") === "no") return null;
    try {
      return await answered(api.GET("/v1/me"));
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 401) throw error;
      noteEnd(reasonOf(error, client.getQueryData<Me | null>(meKey), Date.now()));
      pauseUploads();
      return null;
    }
  },
  staleTime: 60_000,
});

/** Whom the pages are shown to. They keep it until the way to sign in is shown in their place. */
export const SignedIn = createContext<Me | null>(null);

/** Who is signed in, on a page that only they see. */
export function useMe(): Me {
  const signedIn = useContext(SignedIn);
  if (signedIn === null) throw new Error("useMe outside of SignedIn");
  return signedIn;
}

let shownTo: string | null = null;

/**
 * Somebody is signed in. Another tab may have signed in as somebody else than before: then what was shown is forgotten,
 * before anything of it is shown to them, and what was being uploaded stops.
 */
export function noteCaller(queries: QueryClient, { name }: Me): void {
  if (shownTo !== null && shownTo !== name) {
    queries.removeQueries({ predicate: ({ queryKey: [of] }) => of !== meKey[0] });
    queries.getMutationCache().clear();
  }
  shownTo = name;
  forgetEnd();
  uploadAs(name);
}

/** Whether the API lets the caller do something; the page only hides or disables what it would refuse. */
export const useMay = (right: Right): boolean => useMe().may.includes(right);

export function useSignIn() {
  const queries = useQueryClient();
  return useAction({
    mutationFn: (key: string) => {
      tellTabs("changing");
      return answered(api.POST("/v1/sessions", { body: { key } }));
    },
    onSuccess: ({ caller }) => {
      noteSignedIn();
      queries.clear();
      queries.setQueryData(meKey, caller);
      noteCaller(queries, caller);
    },
    onSettled: () => {
      tellTabs("changed");
    },
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useAction({
    mutationFn: () => answered(api.DELETE("/v1/sessions/current")),
    onSuccess: () => {
      forgetEnd();
      // First, so that what shows the caller hears of it; then whatever the caller saw is forgotten.
      queries.setQueryData(meKey, null);
      queries.removeQueries({ predicate: ({ queryKey: [of] }) => of !== meKey[0] });
      queries.getMutationCache().clear();
      stopUploads();
      tellTabs("changed");
    },
  });
}
