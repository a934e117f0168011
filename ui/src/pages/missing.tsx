import { useTexts } from "../text/texts.js";
import { ButtonLink } from "../parts/button.js";
import { Empty } from "../parts/notes.js";
import { Page } from "../parts/page.js";

export function Component() {
  const { t } = useTexts();
  return (
    <Page title={t("missing.title")}>
      <Empty title={t("missing.text")} action={<ButtonLink to="/">{t("missing.start")}</ButtonLink>} />
    </Page>
  );
}
