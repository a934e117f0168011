import { useCallback, useEffect, useMemo } from "react";
import { useLocation, useSearchParams } from "react-router";
import { Failure } from "../api/failure.js";

/** What of the names in an address the page knows: the values, or whether it is one. Absent: any text. */
type Known<T> = { readonly [K in keyof T]?: readonly string[] | ((value: string) => boolean) };

interface ShowOptions {
  /** In place of the address that is shown. */
  replace?: boolean;
  /** It only changes how the same list is shown, so its page stays. */
  keepPage?: boolean;
}

export type Show<T> = (change: Partial<T>, options?: ShowOptions) => void;

/**
 * What a page shows, kept in its address, so that a link, a reload and the back button show the same. Names that stand
 * at their default are left out; what the page does not know in an address is read as the default.
 * @param defaults the names, with what each is when the address does not say it
 * @param known outside of the component, as `defaults` are
 * @returns the values, and a function that changes some of them; a page of a list is forgotten when anything else
 *   changes
 */
export function useUrlState<T extends Record<string, string>>(defaults: T, known: Known<T> = unlimited): [T, Show<T>] {
  const [params, setParams] = useSearchParams();
  const { state } = useLocation() as { state: unknown };
  const values = useMemo(() => valuesIn(params, defaults, known), [params, defaults, known]);
  const change = useCallback(
    (wanted: Partial<T>, { replace = false, keepPage = false }: ShowOptions = {}) => {
      setParams(
        () => {
          // The browser's own address: the last change may not be drawn yet, and what was drawn before would undo it.
          const next = new URLSearchParams(window.location.search);
          if (!keepPage && !("page" in wanted)) next.delete("page");
          for (const [name, value] of Object.entries<string | undefined>(wanted)) {
            if (value === undefined || value === defaults[name]) next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        // The pages before this one are kept there.
        { replace, ...(keepPage && { state }) },
      );
    },
    [setParams, defaults, state],
  );
  return [values, change];
}

const unlimited = {};

function valuesIn<T extends Record<string, string>>(params: URLSearchParams, defaults: T, known: Known<T>): T {
  const valueOf = ([name, usual]: [string, string]): [string, string] => {
    const value = params.get(name);
    const of = known[name];
    const isKnown = value !== null && (of === undefined || (typeof of === "function" ? of(value) : of.includes(value)));
    return [name, isKnown ? value : usual];
  };
  return Object.fromEntries(Object.entries(defaults).map(valueOf)) as T;
}

/**
 * Leads to the first page of a list when the service cannot read the one in the address, which may be cut off, or of a
 * list in another order: to try again would not help.
 * @param isGone whether all that was on the page is gone
 * @returns whether it does so just now
 */
export function useFirstPage(error: Error | null, page: string, show: Show<{ page: string }>, isGone = false): boolean {
  const isUnreadable = error instanceof Failure && error.status === 400 && /^(page|after)$/.test(error.param ?? "");
  const isLeaving = page !== "" && (isUnreadable || isGone);
  useEffect(() => {
    if (isLeaving) show({ page: "" }, { replace: true });
  }, [isLeaving, show]);
  return isLeaving;
}
