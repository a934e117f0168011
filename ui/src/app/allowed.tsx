import { Outlet, useLocation } from "react-router";
import { useMe } from "../api/me.js";
import { ButtonLink } from "../parts/button.js";
import { Empty } from "../parts/notes.js";
import { Page } from "../parts/page.js";
import { useTexts } from "../text/texts.js";
import { isFor, placeOf } from "./places.js";

/** The page of the address, or whom it is for: it would only ask for what the service refuses. */
export function Allowed() {
  const { t } = useTexts();
  const { may: rights } = useMe();
  const place = placeOf(useLocation().pathname);
  if (place === undefined || isFor(place, rights)) return <Outlet />;
  return (
    <Page title={t(`nav.${place.text}`)}>
      <Empty
        title={t(place.may === "admin:read" ? "forbidden.admins" : "forbidden.others")}
        action={<ButtonLink to="/">{t("missing.start")}</ButtonLink>}
      >
        {t("forbidden.text")}
      </Empty>
    </Page>
  );
}
