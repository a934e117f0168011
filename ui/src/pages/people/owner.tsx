import { Navigate, useParams } from "react-router";
import { Foreign } from "../../parts/notes.js";
import { Page } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { EstateSection } from "./estate.js";
import { LimitsSection } from "./limits.js";

/** What a key has that belongs to nobody else. Users and teams have pages of their own. */
export function Component() {
  const { t } = useTexts();
  const { subject = "" } = useParams();
  const [, kind, id = ""] = /^(user|team):(.+)$/s.exec(subject) ?? [];
  if (kind !== undefined) return <Navigate replace to={`/people/${kind}s/${encodeURIComponent(id)}`} />;
  return (
    <Page
      title={t("people.ownerTitle", { subject })}
      heading={<Foreign>{subject}</Foreign>}
      about={t("people.ownerAbout")}
    >
      <LimitsSection subject={subject} />
      <EstateSection subject={subject} />
    </Page>
  );
}
