import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useRef } from "react";
import { type Schemas, answered, api } from "./client.js";
import { fromPage, noteSignedIn } from "../app/page.js";
import { Failure } from "./failure.js";
import { stopUploads, uploadAs } from "./uploads/session.js";

export type Me = Schemas["Me"];
export type Right = Me["may"][number];

export const meKey = ["me"] as const;

/** Who is signed in; null: nobody. */
export const me = queryOptions({
  queryKey: meKey,
  queryFn: async (): Promise<Me | null> => {
    // The browser would write its answer into the console, where it looks like a fault.
    if (fromPage("signed-in") === "no") return null;
    try {
      return await answered(api.GET("/v1/me"));
    } catch (error) {
      if (error instanceof Failure && error.status === 401) return null;
      throw error;
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

/**
 * Forgets what was shown to somebody else once another tab has signed in as another caller: answers, new keys, and what
 * was being uploaded.
 */
export function useForgetOthers(name: string | undefined): void {
  const queries = useQueryClient();
  const before = useRef(name);
  useEffect(() => {
    if (name !== undefined && before.current !== undefined && before.current !== name) {
      queries.removeQueries({ predicate: ({ queryKey: [of] }) => of !== meKey[0] });
      queries.getMutationCache().clear();
    }
    if (name !== undefined) uploadAs(name);
    before.current = name;
  }, [name, queries]);
}

/** Whether the API lets the caller do something; the page only hides or disables what it would refuse. */
export const useMay = (right: Right): boolean => useMe().may.includes(right);

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => answered(api.POST("/v1/sessions", { body: { key } })),
    onSuccess: (session) => {
      noteSignedIn();
      queries.clear();
      queries.setQueryData(meKey, session.caller);
    },
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answered(api.DELETE("/v1/sessions/current")),
    onSuccess: () => {
      // First, so that what shows the caller hears of it; then whatever the caller saw is forgotten.
      queries.setQueryData(meKey, null);
      queries.removeQueries({ predicate: ({ queryKey: [of] }) => of !== meKey[0] });
      queries.getMutationCache().clear();
      stopUploads();
    },
  });
}
