import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useState } from "react";
import { Link } from "react-router";
import { useMay } from "../../api/me.js";
import { type Estate, ownerOf } from "../../api/owners.js";
import { titleOf } from "../../api/stores.js";
import { Button } from "../../parts/button.js";
import { Code } from "../../parts/copy.js";
import { bytes } from "../../parts/format.js";
import { ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";

const Transfer = lazy(() => import("./transfer.js"));
const Erase = lazy(() => import("./erase.js"));

/** What belongs to somebody, to be handed over, exported or erased. */
export function EstateSection({ subject }: { subject: string }) {
  const { t } = useTexts();
  const why = useMay("admin:write") ? null : t("mayOnlyLook");
  const { data, error, isPending, isFetching, refetch } = useQuery(ownerOf(subject));
  const [doing, setDoing] = useState<"transfer" | "erase" | null>(null);
  const close = () => {
    setDoing(null);
  };
  const nothing = data !== undefined && isEmpty(data) ? t("people.ownsNothing") : null;
  return (
    <Section
      title={t("people.estate")}
      actions={
        data !== undefined && (
          <div className="flex flex-wrap gap-2">
            <Button
              why={why ?? nothing}
              onClick={() => {
                setDoing("transfer");
              }}
            >
              {t("people.transfer")}
            </Button>
            <Button
              why={why}
              onClick={() => {
                setDoing("erase");
              }}
            >
              {t("people.erase")}
            </Button>
          </div>
        )
      }
    >
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={4} />}
      {data !== undefined && <Owned of={data} />}
      <Suspense>
        {doing === "transfer" && <Transfer subject={subject} onClose={close} />}
        {doing === "erase" && data !== undefined && <Erase of={data} onClose={close} />}
      </Suspense>
    </Section>
  );
}

const isEmpty = ({ vector_stores: stores, files, permissions }: Estate): boolean =>
  stores.count + files.count + permissions.count === 0;

const link = "text-accent underline-offset-2 hover:underline";
const list = "mt-1 max-h-56 overflow-auto text-sm";

function Owned({ of: { vector_stores: stores, files, permissions } }: { of: Estate }) {
  const { t } = useTexts();
  const more = (count: number, shown: number) =>
    count > shown && <li className="text-muted">{t("people.more", { count: count - shown })}</li>;
  const first = stores.data[0];
  return (
    <div className="flex flex-col gap-4">
      <div className="grid gap-6 md:grid-cols-3">
        <div>
          <h3 className="text-sm font-medium">{t("people.ownedStores", { count: stores.count })}</h3>
          <p className="text-xs text-muted">
            {t("people.rowsBytes", { count: stores.rows, bytes: bytes(stores.bytes) })}
          </p>
          <ul className={list} tabIndex={stores.count > 0 ? 0 : undefined} aria-label={t("people.stores")}>
            {stores.data.map(({ id, name }) => (
              <li key={id}>
                <Link to={`/vector-stores/${encodeURIComponent(id)}`} className={link}>
                  <Foreign>{titleOf({ id, name })}</Foreign>
                </Link>
              </li>
            ))}
            {more(stores.count, stores.data.length)}
          </ul>
        </div>
        <div>
          <h3 className="text-sm font-medium">{t("people.ownedFiles", { count: files.count })}</h3>
          <p className="text-xs text-muted">{bytes(files.bytes)}</p>
          <ul className={list} tabIndex={files.count > 0 ? 0 : undefined} aria-label={t("people.files")}>
            {files.data.map(({ id, filename }) => (
              <li key={id}>
                <Foreign>{filename || id}</Foreign>
              </li>
            ))}
            {more(files.count, files.data.length)}
          </ul>
        </div>
        <div>
          <h3 className="text-sm font-medium">{t("people.granted", { count: permissions.count })}</h3>
          <ul className={list} tabIndex={permissions.count > 0 ? 0 : undefined} aria-label={t("people.permissions")}>
            {permissions.data.map(({ vector_store_id: id, permission }) => (
              <li key={id}>
                <Link to={`/vector-stores/${encodeURIComponent(id)}`} className={`font-mono text-xs ${link}`}>
                  {id}
                </Link>{" "}
                <span className="text-xs text-muted">{t(`people.levels.${permission}`)}</span>
              </li>
            ))}
            {more(permissions.count, permissions.data.length)}
          </ul>
        </div>
      </div>
      {first !== undefined && (
        <div>
          <p className="mb-1 text-sm text-muted">{t("people.exportHint")}</p>
          <Code
            what={t("people.exportCommand")}
            text={stores.data.map(({ id }) => `vector-store export ${id} --output ${id}.ndjson.gz`).join("\n")}
          />
        </div>
      )}
    </div>
  );
}
