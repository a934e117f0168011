import { useOutletContext } from "react-router";
import type { Schemas } from "../../api/client.js";
import { useMay } from "../../api/me.js";
import type { ListedStore } from "../../api/stores.js";
import { useTexts } from "../../text/texts.js";

export interface StoreContext {
  store: ListedStore;
  /** What the caller may do with it; undefined: not known yet. */
  own: Schemas["OwnPermission"] | undefined;
}

/** The vector store of the page, on each of its tabs. */
export const useStore = () => useOutletContext<StoreContext>();

/** Why the caller may not add to the vector store (`write`), or change and share it (`admin`); null: they may. */
export function useWhyNot(need: "write" | "admin"): string | null {
  return useWhyNotOf(useStore().own, need);
}

/** The same for what somebody has, which is undefined until it is known. */
export function useWhyNotOf(own: StoreContext["own"], need: "write" | "admin"): string | null {
  const { t } = useTexts();
  if (!useMay("store:write")) return t("stores.mayNot");
  if (own === undefined) return t("loading");
  const fits = own.permission === "admin" || own.permission === need;
  return fits ? null : t("store.mayOnly", { level: t(`store.levels.${own.permission}`) });
}
