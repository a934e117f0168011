import { RefreshCw, Trash2 } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { useMay } from "../../api/me.js";
import { messagesIn } from "../../api/failure.js";
import { type StoreChange, useUpdateStore } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { TextArea, TextField } from "../../parts/fields.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { jsonObject, jsonText } from "../../parts/json.js";
import { numberIn, numberProblem, numberText, typedInto } from "../../parts/formFields.js";
import { useTexts } from "../../text/texts.js";
import { useStore, useWhyNot } from "./context.js";
import { SearchSettings } from "./searchSettings.js";
import { SettingsText } from "./settingsText.js";
import { useEdits } from "./useEdits.js";

const Reindex = lazy(() => import("./reindex.js"));
const DeleteStore = lazy(() => import("./deleteStore.js"));

/** What of a vector store can be changed. */
export function Component() {
  const { t } = useTexts();
  const { store, own } = useStore();
  const why = useWhyNot("admin");
  const mayWrite = useMay("store:write");
  const isKnown = own !== undefined || !mayWrite;
  const [asked, setAsked] = useState<"reindex" | "delete" | null>(null);
  const close = () => {
    setAsked(null);
  };
  return (
    <>
      {isKnown ? why === null ? <Forms /> : <SettingsText why={why} /> : <Skeleton />}
      <Section id="reindex" title={t("store.reindex")}>
        <p className="mb-3 max-w-prose text-sm text-muted">{t("store.settings.reindexAbout")}</p>
        <Button
          icon={<RefreshCw aria-hidden className="size-4" />}
          why={why}
          onClick={() => {
            setAsked("reindex");
          }}
        >
          {t("store.reindex")}
        </Button>
      </Section>
      <Section title={t("store.settings.delete")}>
        <p className="mb-3 max-w-prose text-sm text-muted">{t("stores.deleteAbout")}</p>
        <Button
          look="danger"
          icon={<Trash2 aria-hidden className="size-4" />}
          why={why}
          onClick={() => {
            setAsked("delete");
          }}
        >
          {t("store.settings.delete")}
        </Button>
      </Section>
      <Suspense>
        {asked === "reindex" && <Reindex store={store} onClose={close} />}
        {asked === "delete" && <DeleteStore store={store} onClose={close} />}
      </Suspense>
    </>
  );
}

function Forms() {
  return (
    <>
      <General />
      <SearchSettings />
    </>
  );
}

/** Sends a change, and says that it is done. */
export function useSave(storeId: string) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const update = useUpdateStore(storeId);
  const wrongAt = messagesIn(update.error);
  const save = (change: StoreChange, onSaved: () => void) => {
    update.mutate(change, {
      onSuccess: () => {
        announce(t("store.settings.saved"));
        onSaved();
      },
    });
  };
  return { save, wrongAt, error: update.error, busy: update.isPending };
}

function General() {
  const { t } = useTexts();
  const { store } = useStore();
  // To save it brings it back, also without a change.
  const isExpired = store.status === "expired";
  const { save, wrongAt, error, busy } = useSave(store.id);
  const { values, set, changed, forget } = useEdits({
    name: store.name,
    days: numberText(store.expires_after?.days),
    metadata: jsonText(store.metadata),
  });
  const field = typedInto(values, set);
  const metadata = jsonObject(values.metadata, t);
  const wrong = typeof metadata === "string" ? metadata : null;
  const days = numberIn(values.days);
  const wrongDays = numberProblem(values.days, t);
  const why = changed.size === 0 && !isExpired ? t("store.settings.unchanged") : (wrongDays ?? wrong);
  return (
    <Section title={t("store.settings.general")}>
      <form
        noValidate
        className="flex max-w-xl flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (why !== null || busy || typeof metadata === "string") return;
          const change: StoreChange = {
            ...(changed.has("name") && { name: values.name }),
            ...(changed.has("days") && {
              expires_after: days === undefined ? null : { anchor: "last_active_at", days },
            }),
            // The service says which value is no text, number or boolean.
            ...(changed.has("metadata") && { metadata: metadata as NonNullable<StoreChange["metadata"]> }),
          };
          save(change, () => {
            forget(values);
          });
        }}
      >
        <TextField label={t("stores.name")} error={wrongAt("name")} {...field("name")} />
        <TextField
          label={t("stores.days")}
          hint={t("stores.daysHint")}
          inputMode="numeric"
          error={wrongDays ?? wrongAt("expires_after")}
          {...field("days")}
        />
        <TextArea
          label={t("store.metadata")}
          hint={t("store.settings.metadataHint")}
          rows={5}
          error={wrong ?? wrongAt("metadata")}
          {...field("metadata")}
        />
        {error !== null && <ErrorNote error={error} />}
        <div>
          <Button type="submit" look="primary" busy={busy} why={why}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Section>
  );
}
