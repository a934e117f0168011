import { ChevronLeft, ChevronRight } from "lucide-react";
import { useTexts } from "../text/texts.js";
import { useLocation, useSearchParams } from "react-router";
import { ButtonLink, buttonClass } from "./button.js";

interface PagerProps {
  /** What the list is of. */
  what: string;
  /** Where the next page begins; null: this is the last one. */
  next: string | null | undefined;
  /** The name in the address that says which page is shown. */
  name?: string;
}

/**
 * Leads through a list whose pages only name the next one. The pages before are kept with the browser's history, so that
 * "previous" works after a reload, too; from a link one can go back to the first page.
 */
export function Pager({ what, next, name = "page" }: PagerProps) {
  const { t } = useTexts();
  const [params] = useSearchParams();
  const { state } = useLocation() as { state: { trail?: string[] } | null };
  const current = params.get(name) ?? "";
  const trail = state?.trail ?? [];
  const to = (page: string) => {
    const changed = new URLSearchParams(params);
    if (page === "") changed.delete(name);
    else changed.set(name, page);
    return { search: changed.toString() };
  };
  if (current === "" && (next == null || next === "")) return null;
  const off = buttonClass("secondary", "opacity-55");
  const before = trail.at(-1);
  const back = <ChevronLeft aria-hidden className="size-4" />;
  return (
    <nav aria-label={t("table.pages", { what })} className="mt-4 flex flex-wrap justify-end gap-2">
      {before !== undefined ? (
        <ButtonLink to={to(before)} state={{ trail: trail.slice(0, -1) }}>
          {back}
          {t("table.previous")}
        </ButtonLink>
      ) : (
        current !== "" && (
          <ButtonLink to={to("")}>
            {back}
            {t("table.first")}
          </ButtonLink>
        )
      )}
      {next != null && next !== "" ? (
        <ButtonLink to={to(next)} state={{ trail: [...trail, current] }}>
          {t("table.next")}
          <ChevronRight aria-hidden className="size-4" />
        </ButtonLink>
      ) : (
        <span aria-disabled className={off}>
          {t("table.next")}
          <ChevronRight aria-hidden className="size-4" />
        </span>
      )}
    </nav>
  );
}
