import type { Failure } from "../../api/failure.js";
import { ButtonLink } from "../../parts/button.js";
import { Empty, RequestId } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";

/** In place of a vector store that is not there: nothing of it can be shown or changed. */
export function Gone({ id, error }: { id: string; error: Failure }) {
  const { t } = useTexts();
  return (
    <Page title={t("store.gone.title")}>
      <Empty
        title={t("store.gone.text", { id })}
        action={<ButtonLink to="/vector-stores">{t("store.gone.list")}</ButtonLink>}
      >
        {t("store.gone.about")}
        <RequestId of={error} className="mt-2 block text-xs" />
      </Empty>
    </Page>
  );
}
