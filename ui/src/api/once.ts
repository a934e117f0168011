import { type UseMutationOptions, type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

/** What came of a second call: nothing, ever. */
const refused = <T>(): Promise<T> => new Promise(() => undefined);

/**
 * `useMutation` that sends once at a time. A second click in the same instant comes before the button is drawn as busy,
 * and would make a second key, row or deletion; so the first call locks at once, until what came of it is shown.
 */
export function useAction<Data, Wanted = void, Context = unknown>(
  options: UseMutationOptions<Data, Error, Wanted, Context>,
): UseMutationResult<Data, Error, Wanted, Context> {
  const mutation = useMutation(options);
  const { mutate, mutateAsync, isPending } = mutation;
  const isLocked = useRef(false);
  useEffect(() => {
    // After each drawing, not only when this changes: a failure may come before it was ever drawn as under way.
    if (!isPending) isLocked.current = false;
  });
  const lock = useCallback(() => {
    if (isLocked.current) return false;
    isLocked.current = true;
    return true;
  }, []);
  return {
    ...mutation,
    mutate: useCallback<typeof mutate>(
      (...wanted) => {
        if (lock()) mutate(...wanted);
      },
      [lock, mutate],
    ),
    mutateAsync: useCallback<typeof mutateAsync>(
      (...wanted) => (lock() ? mutateAsync(...wanted) : refused()),
      [lock, mutateAsync],
    ),
  };
}
