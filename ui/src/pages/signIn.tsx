import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useTexts } from "../text/texts.js";
import { Navigate, useSearchParams } from "react-router";
import { me, useSignIn } from "../api/me.js";
import { useEndReason } from "../api/sessionEnd.js";
import { usePausedUploads } from "../api/uploads/session.js";
import { Button } from "../parts/button.js";
import { TextField } from "../parts/fields.js";
import { ErrorNote } from "../parts/notes.js";

/** Only a path of this page: nobody is led elsewhere by a link. */
const within = (path: string | null): string => (path !== null && /^\/(?![/\\])/.test(path) ? path : "/");

/** Exchanges a key for a session. The key is sent once, and stays nowhere in the browser. */
export function SignIn() {
  const { t } = useTexts();
  const [params] = useSearchParams();
  const { data: caller } = useQuery(me);
  const signIn = useSignIn();
  const paused = usePausedUploads();
  const reason = useEndReason();
  const [key, setKey] = useState("");
  if (caller != null) return <Navigate replace to={within(params.get("next"))} />;
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    if (key.trim() !== "") signIn.mutate(key.trim());
  };
  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center gap-5 p-4">
      <title>{t("title", { page: t("signIn.title") })}</title>
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">{t("signIn.title")}</h1>
        <p className="mt-1 text-sm text-muted">{t("signIn.about")}</p>
      </div>
      {(reason !== null || paused > 0) && (
        <div role="alert" className="flex flex-col gap-2 rounded-md bg-warn-soft p-3 text-sm text-warn">
          {reason !== null && <p>{t(`signIn.ended.${reason}`)}</p>}
          {paused > 0 && <p>{t("signIn.uploads", { count: paused })}</p>}
        </div>
      )}
      <form onSubmit={send} className="flex flex-col gap-4 rounded-lg border border-line bg-surface p-5">
        <TextField
          label={t("signIn.key")}
          hint={t("signIn.hint")}
          type="password"
          autoFocus
          value={key}
          onChange={(event) => {
            setKey(event.target.value);
          }}
        />
        {signIn.error !== null && <ErrorNote error={signIn.error} />}
        <Button type="submit" look="primary" busy={signIn.isPending} why={key.trim() === "" ? t("signIn.why") : null}>
          {t("signIn.submit")}
        </Button>
      </form>
    </main>
  );
}
