import { useQuery } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { type Permission, levels, permissionsOn, useGrant } from "../../api/permissions.js";
import { useMay } from "../../api/me.js";
import { useAnnounce, useComplain } from "../../parts/announcer.js";
import { Button, IconButton } from "../../parts/button.js";
import { useDraft } from "../../parts/draft.js";
import { SelectField } from "../../parts/fields.js";
import { dateTime } from "../../parts/format.js";
import { Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { type Column, DataTable } from "../../parts/table.js";
import { useTexts } from "../../text/texts.js";
import { Person, usePersonName } from "../people/name.js";
import { useStore, useWhyNot } from "./context.js";
import { Owner } from "./overview.js";

const Grant = lazy(() => import("./grant.js"));
const Revoke = lazy(() => import("./revoke.js"));
const Transfer = lazy(() => import("./transfer.js"));

type Asked = "grant" | "transfer" | Permission;

/** Who may use a vector store. */
export function Component() {
  const { t } = useTexts();
  const { store, own } = useStore();
  const why = useWhyNot("admin");
  const seesAll = useMay("admin:read");
  const maySee = seesAll || own?.permission === "admin";
  const list = useQuery({ ...permissionsOn(store.id), enabled: maySee });
  const [asked, setAsked] = useState<Asked | null>(null);
  const columns = useColumns(why, setAsked);
  const close = () => {
    setAsked(null);
  };
  const grant = (
    <Button
      look="primary"
      icon={<Plus aria-hidden className="size-4" />}
      why={why}
      onClick={() => {
        setAsked("grant");
      }}
    >
      {t("store.share.grant")}
    </Button>
  );
  return (
    <>
      <Section
        title={t("stores.owner")}
        actions={
          <Button
            why={why ?? (own?.owner === true ? null : t("store.share.onlyOwner"))}
            onClick={() => {
              setAsked("transfer");
            }}
          >
            {t("store.share.transfer")}
          </Button>
        }
      >
        <div className="font-medium">
          <Owner of={store.owner} />
        </div>
        <p className="text-sm text-muted">{t("store.share.ownerAbout")}</p>
        {own !== undefined && (
          <p className="mt-1 text-sm text-muted">
            {t("store.share.you", { level: t(`store.levels.${own.permission}`) })}
          </p>
        )}
      </Section>
      <Section title={t("store.share.title")} actions={grant}>
        {list.error !== null && (
          <ErrorNote error={list.error} retry={() => void list.refetch()} busy={list.isFetching} />
        )}
        {own !== undefined && !maySee && <p className="text-sm text-muted">{t("store.share.hidden")}</p>}
        {(own === undefined || list.isLoading) && <Skeleton />}
        {list.data?.data.length === 0 && <Empty title={t("store.share.none")}>{t("store.share.noneAbout")}</Empty>}
        {list.data !== undefined && list.data.data.length > 0 && (
          <DataTable
            label={t("store.share.list")}
            rows={list.data.data}
            columns={columns}
            idOf={({ subject }) => subject}
          />
        )}
      </Section>
      <Suspense>
        {asked === "grant" && <Grant storeId={store.id} onClose={close} />}
        {asked === "transfer" && <Transfer store={store} onClose={close} />}
        {asked !== null && typeof asked === "object" && (
          <Revoke storeId={store.id} permission={asked} onClose={close} />
        )}
      </Suspense>
    </>
  );
}

function useColumns(why: string | null, ask: (asked: Asked) => void): Column<Permission>[] {
  const { t } = useTexts();
  return [
    {
      id: "subject",
      title: t("store.share.subject"),
      cell: ({ subject }) => (
        <div className="font-medium">
          {subject === "everyone" ? t("store.share.kinds.everyone") : <Person subject={subject} />}
        </div>
      ),
    },
    { id: "level", title: t("store.share.level"), cell: (permission) => <LevelOf permission={permission} why={why} /> },
    {
      id: "since",
      title: t("store.share.since"),
      minor: true,
      cell: ({ granted_at: at, granted_by: by }) => (
        <>
          {dateTime(at)} <Foreign className="text-xs text-muted">{by}</Foreign>
        </>
      ),
    },
    {
      id: "actions",
      title: t("store.files.actions"),
      cell: (permission) => (
        <RevokeButton
          subject={permission.subject}
          why={why}
          onClick={() => {
            ask(permission);
          }}
        />
      ),
    },
  ];
}

function RevokeButton({ subject, ...rest }: { subject: string; why: string | null; onClick: () => void }) {
  const { t } = useTexts();
  const name = usePersonName(subject) ?? subject;
  return (
    <IconButton
      {...rest}
      className="-my-1"
      icon={<Trash2 aria-hidden className="size-4" />}
      label={t("store.share.revoke", { subject: name })}
    />
  );
}

/**
 * The level, to be changed in its place. It is sent by its button: with the keyboard, one passes other levels on the way
 * to the one that is meant.
 */
function LevelOf({ permission: { subject, permission }, why }: { permission: Permission; why: string | null }) {
  const { t } = useTexts();
  const { store } = useStore();
  const announce = useAnnounce();
  const complain = useComplain();
  const grant = useGrant(store.id);
  const name = usePersonName(subject) ?? subject;
  const [level, setLevel] = useDraft(permission);
  const change = () => {
    grant.mutate(
      { subject, permission: level },
      {
        onSuccess: () => {
          announce(t("store.share.granted", { subject: name, level: t(`store.levels.${level}`) }));
        },
        onError: (error) => {
          complain(error, change);
        },
      },
    );
  };
  if (why !== null) return t(`store.levels.${permission}`);
  return (
    <form
      className="flex flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!grant.isPending && level !== permission) change();
      }}
    >
      <SelectField
        hidden
        label={t("store.share.levelOf", { subject: name })}
        value={level}
        onChange={(event) => {
          setLevel(levels.find((each) => each === event.target.value) ?? permission);
        }}
      >
        {levels.map((each) => (
          <option key={each} value={each}>
            {t(`store.levels.${each}`)}
          </option>
        ))}
      </SelectField>
      <Button
        type="submit"
        busy={grant.isPending}
        why={level === permission ? t("store.settings.unchanged") : null}
        aria-label={t("store.share.changeLevel", { subject: name })}
      >
        {t("store.share.change")}
      </Button>
    </form>
  );
}
