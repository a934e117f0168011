import type { ReactNode } from "react";
import { Foreign } from "../../parts/notes.js";
import { Facts, Section } from "../../parts/page.js";
import { number } from "../../parts/format.js";
import { useTexts } from "../../text/texts.js";
import { useStore } from "./context.js";
import { Pairs } from "./overview.js";

/** The settings of a vector store, for who cannot change them. @param why they cannot */
export function SettingsText({ why }: { why: string }) {
  const { t } = useTexts();
  const { store } = useStore();
  const { metadata, hybrid_search: weights, expires_after: expiry } = store;
  const unset = <span className="text-muted">{t("store.settings.usual")}</span>;
  const or = (value: ReactNode) => value ?? unset;
  const figure = (value: number | null | undefined) => (value == null ? unset : number(value));
  return (
    <>
      <p className="mb-4 text-sm text-muted">{why}</p>
      <Section title={t("store.settings.general")}>
        <Facts
          of={[
            [t("stores.name"), <Foreign key="name">{store.name || t("stores.nameless")}</Foreign>],
            [t("stores.days"), expiry == null ? t("never") : number(expiry.days)],
            [t("store.metadata"), Object.keys(metadata).length === 0 ? unset : <Pairs key="metadata" of={metadata} />],
          ]}
        />
      </Section>
      <Section title={t("store.settings.search")}>
        <Facts
          of={[
            [t("store.search.mode"), or(store.search_mode && t(`store.modes.${store.search_mode}`))],
            [t("store.search.recall"), or(store.recall && t(`store.recalls.${store.recall}`))],
            [t("store.settings.language"), or(store.language)],
            [t("store.settings.count"), figure(store.max_num_results)],
            [t("store.settings.vectorWeight"), figure(weights?.embedding_weight)],
            [t("store.settings.wordWeight"), figure(weights?.text_weight)],
            [t("store.search.rerank"), or(store.rerank == null ? null : t(store.rerank ? "yes" : "no"))],
            [t("store.search.rerankModel"), or(store.rerank_model && <Foreign>{store.rerank_model}</Foreign>)],
          ]}
        />
      </Section>
    </>
  );
}
