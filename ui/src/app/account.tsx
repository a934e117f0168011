import { LogOut } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { useMe, useSignOut } from "../api/me.js";
import { unsentUploads } from "../api/uploads/session.js";
import { useAnnounce } from "../parts/announcer.js";
import { Button } from "../parts/button.js";
import { SelectField } from "../parts/fields.js";
import { Person } from "../pages/people/name.js";
import { ErrorNote } from "../parts/notes.js";
import { type Language, chooseLanguage, languages, useTexts } from "../text/texts.js";
import { type Theme, chooseTheme, storedTheme, themes } from "./theme.js";

const AskSignOut = lazy(() => import("./askSignOut.js"));

/** Who is signed in, how the page looks, and the way out. */
export function Account() {
  const { t, language } = useTexts();
  const { name: caller, read_only: readOnly } = useMe();
  const announce = useAnnounce();
  const signOut = useSignOut();
  const [isAsking, setAsking] = useState(false);
  const [theme, setTheme] = useState(storedTheme);
  return (
    <div className="flex flex-col gap-3 border-t border-line px-1 pt-3">
      <div className="grid grid-cols-2 gap-2">
        <SelectField
          label={t("account.theme")}
          value={theme}
          onChange={(event) => {
            const chosen = event.target.value as Theme;
            setTheme(chosen);
            chooseTheme(chosen);
          }}
        >
          {themes.map((each) => (
            <option key={each} value={each}>
              {t(`theme.${each}`)}
            </option>
          ))}
        </SelectField>
        <SelectField
          label={t("account.language")}
          value={language}
          onChange={(event) => {
            chooseLanguage(event.target.value as Language).catch(() => {
              announce(t("error.away"));
            });
          }}
        >
          {Object.entries(languages).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </SelectField>
      </div>
      <div className="px-1.5 text-sm">
        <p className="text-xs text-muted">{t("account.signedIn")}</p>
        <div className="font-medium">
          <Person subject={caller} />
        </div>
        {readOnly && <p className="text-xs text-muted">{t("account.readOnly")}</p>}
      </div>
      <Button
        icon={<LogOut aria-hidden className="size-4" />}
        busy={signOut.isPending}
        onClick={() => {
          if (unsentUploads() > 0) setAsking(true);
          else signOut.mutate();
        }}
      >
        {t("account.signOut")}
      </Button>
      {signOut.error !== null && (
        <ErrorNote
          error={signOut.error}
          retry={() => {
            signOut.mutate();
          }}
          busy={signOut.isPending}
        />
      )}
      <Suspense>
        {isAsking && (
          <AskSignOut
            onClose={() => {
              setAsking(false);
            }}
          />
        )}
      </Suspense>
    </div>
  );
}
