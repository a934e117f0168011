import { Upload } from "lucide-react";
import { Suspense, lazy, useRef, useState } from "react";
import { type FileStatus, type StoreFile, fileStatuses } from "../../api/storeFiles.js";
import { addUploads } from "../../api/uploads/queue.js";
import { useUrlState } from "../../app/urlState.js";
import { useAnnounce, useComplain } from "../../parts/announcer.js";
import { Button } from "../../parts/button.js";
import { useTakeDrops } from "../../parts/drops.js";
import { SelectField } from "../../parts/fields.js";
import { Skeleton } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";
import { useStore, useWhyNot } from "./context.js";
import { droppedFiles } from "./dropped.js";
import { UploadPanel } from "./uploadPanel.js";

const FileList = lazy(() => import("./fileList.js"));
const AttachFiles = lazy(() => import("./attachFiles.js"));
const RemoveFile = lazy(() => import("./removeFile.js"));
const Attributes = lazy(() => import("./attributes.js"));

const usual = { state: "" };
const known = { state: fileStatuses };

/** The files of a vector store, and the way to add some. */
export function Component() {
  const { t } = useTexts();
  const { store } = useStore();
  const why = useWhyNot("write");
  const announce = useAnnounce();
  const complain = useComplain();
  const [{ state }, show] = useUrlState(usual, known);
  const [removing, setRemoving] = useState<StoreFile | null>(null);
  const [attaching, setAttaching] = useState(false);
  const [changing, setChanging] = useState<StoreFile | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const add = (files: readonly File[]) => {
    addUploads(store.id, files);
    if (files.length > 0) announce(t("store.uploads.added", { count: files.length }));
  };
  const over = useTakeDrops((dropped) => {
    if (why !== null) {
      announce(why);
      return;
    }
    void droppedFiles(dropped).then(({ files, unreadable }) => {
      add(files);
      const [name] = unreadable;
      if (name !== undefined) complain(new Error(t("store.uploads.unreadable", { name, count: unreadable.length })));
    });
  });
  const choose = (
    <Button
      look="primary"
      icon={<Upload aria-hidden className="size-4" />}
      why={why}
      onClick={() => input.current?.click()}
    >
      {t("store.uploads.choose")}
    </Button>
  );
  const status = fileStatuses.find((each) => each === state) ?? null;
  return (
    <div className={`rounded-lg ${over ? "outline-2 outline-offset-8 outline-accent outline-dashed" : ""}`}>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t("store.uploads.choose")}
        onChange={(event) => {
          add([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
        <SelectField
          label={t("store.files.state")}
          value={state}
          onChange={(event) => {
            show({ state: event.target.value });
          }}
        >
          <option value="">{t("store.files.all")}</option>
          {fileStatuses.map((each: FileStatus) => (
            <option key={each} value={each}>
              {t(`store.files.states.${each}`)}
            </option>
          ))}
        </SelectField>
        <div className="flex flex-wrap items-center gap-3">
          <span className="text-sm text-muted max-md:hidden">{t("store.uploads.drop")}</span>
          <Button
            why={why}
            onClick={() => {
              setAttaching(true);
            }}
          >
            {t("store.attach.open")}
          </Button>
          {choose}
        </div>
      </div>
      <UploadPanel storeId={store.id} />
      <Suspense fallback={<Skeleton lines={8} />}>
        <FileList
          key={state}
          storeId={store.id}
          status={status}
          why={why}
          choose={choose}
          showAll={() => {
            show({ state: "" });
          }}
          onRemove={setRemoving}
          onChange={setChanging}
        />
      </Suspense>
      <Suspense>
        {removing !== null && (
          <RemoveFile
            file={removing}
            onClose={() => {
              setRemoving(null);
            }}
          />
        )}
        {attaching && (
          <AttachFiles
            storeId={store.id}
            onClose={() => {
              setAttaching(false);
            }}
          />
        )}
        {changing !== null && (
          <Attributes
            file={changing}
            onClose={() => {
              setChanging(null);
            }}
          />
        )}
      </Suspense>
    </div>
  );
}
