import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/**
 * What a page shows, kept in its address, so that a link, a reload and the back button show the same. Names that stand
 * at their default are left out.
 * @param defaults the names, with what each is when the address does not say it
 * @returns the values, and a function that changes some of them; a page of a list is forgotten when anything else
 *   changes
 */
export function useUrlState<T extends Record<string, string>>(
  defaults: T,
): [T, (change: Partial<T>, options?: { replace?: boolean }) => void] {
  const [params, setParams] = useSearchParams();
  const values = useMemo(
    () => Object.fromEntries(Object.entries(defaults).map(([name, usual]) => [name, params.get(name) ?? usual])) as T,
    [params, defaults],
  );
  const change = useCallback(
    (wanted: Partial<T>, options: { replace?: boolean } = {}) => {
      setParams((before) => {
        const next = new URLSearchParams(before);
        if (!("page" in wanted)) next.delete("page");
        for (const [name, value] of Object.entries<string | undefined>(wanted)) {
          if (value === undefined || value === defaults[name]) next.delete(name);
          else next.set(name, value);
        }
        return next;
      }, options);
    },
    [setParams, defaults],
  );
  return [values, change];
}
