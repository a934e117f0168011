import { RefreshCw, Trash2 } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { Failure } from "../../api/failure.js";
import { type StoreChange, useUpdateStore } from "../../api/stores.js";
import { useAnnounce } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { TextArea, TextField } from "../../parts/fields.js";
import { ErrorNote } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { jsonObject, jsonText } from "../../parts/json.js";
import { useTexts } from "../../text/texts.js";
import { useStore, useWhyNot } from "./context.js";
import { SearchSettings } from "./searchSettings.js";

const Reindex = lazy(() => import("./reindex.js"));
const DeleteStore = lazy(() => import("./deleteStore.js"));

/** What of a vector store can be changed. */
export function Component() {
  const { t } = useTexts();
  const { store } = useStore();
  const why = useWhyNot("admin");
  const [asked, setAsked] = useState<"reindex" | "delete" | null>(null);
  const close = () => {
    setAsked(null);
  };
  return (
    <>
      <General />
      <SearchSettings />
      <Section title={t("store.reindex")}>
        <p id="reindex" className="mb-3 max-w-prose text-sm text-muted">
          {t("store.settings.reindexAbout")}
        </p>
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

/** Sends a change, and says that it is done. */
export function useSave(storeId: string) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const update = useUpdateStore(storeId);
  const wrongAt = (param: string) =>
    update.error instanceof Failure && update.error.param?.startsWith(param) === true ? update.error.message : null;
  const save = (change: StoreChange) => {
    update.mutate(change, {
      onSuccess: () => {
        announce(t("store.settings.saved"));
      },
    });
  };
  return { save, wrongAt, error: update.error, busy: update.isPending };
}

function General() {
  const { t } = useTexts();
  const { store } = useStore();
  const why = useWhyNot("admin");
  const { save, wrongAt, error, busy } = useSave(store.id);
  const [name, setName] = useState(store.name);
  const [days, setDays] = useState(String(store.expires_after?.days ?? ""));
  const [text, setText] = useState(() => jsonText(store.metadata));
  const metadata = jsonObject(text);
  const wrong = typeof metadata === "string" ? t("store.json", { problem: metadata }) : null;
  const hasDays = days.trim() !== "";
  return (
    <Section title={t("store.settings.general")}>
      <form
        noValidate
        className="flex max-w-xl flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (why !== null || typeof metadata === "string") return;
          save({
            name,
            expires_after: hasDays ? { anchor: "last_active_at", days: Number(days) } : null,
            // The service says which value is no text, number or boolean.
            metadata: metadata as NonNullable<StoreChange["metadata"]>,
          });
        }}
      >
        <TextField
          label={t("stores.name")}
          value={name}
          error={wrongAt("name")}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
        <TextField
          label={t("stores.days")}
          hint={t("stores.daysHint")}
          inputMode="numeric"
          value={days}
          error={wrongAt("expires_after")}
          onChange={(event) => {
            setDays(event.target.value);
          }}
        />
        <TextArea
          label={t("store.metadata")}
          hint={t("store.settings.metadataHint")}
          rows={5}
          value={text}
          error={wrong ?? wrongAt("metadata")}
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
        {error !== null && <ErrorNote error={error} />}
        <div>
          <Button type="submit" look="primary" busy={busy} why={why ?? wrong}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Section>
  );
}
