import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import { type Setting, settingList } from "../../api/status.js";
import { Button } from "../../parts/button.js";
import { Checkbox, TextField } from "../../parts/fields.js";
import { Badge, Empty, ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Section } from "../../parts/page.js";
import { type Column, DataTable } from "../../parts/table.js";
import { useTyped } from "../../parts/typed.js";
import { useTexts } from "../../text/texts.js";

export const usualSettings = { setting: "", given: "" };

interface SettingsProps {
  shown: typeof usualSettings;
  show: (change: Partial<typeof usualSettings>, options?: { replace?: boolean }) => void;
}

/** The settings of the process that answers, found by a part of their name or value. */
export function Settings({ shown, show }: SettingsProps) {
  const { t } = useTexts();
  const { data, error, isPending, isFetching, refetch } = useQuery(settingList);
  const columns = useColumns();
  const [text, setText] = useTyped(shown.setting, (setting) => {
    show({ setting }, { replace: true });
  });
  const wanted = text.trim().toLowerCase();
  const onlyGiven = shown.given !== "";
  const found = data?.filter(
    ({ name, value, given }) =>
      (given || !onlyGiven) && (name.toLowerCase().includes(wanted) || value?.toLowerCase().includes(wanted) === true),
  );
  return (
    <Section title={t("settings.title")}>
      <p className="mb-4 max-w-prose text-sm text-muted">{t("settings.about")}</p>
      <search className="mb-4 flex flex-wrap items-end gap-x-4 gap-y-2">
        <TextField
          label={t("settings.search")}
          type="search"
          className="min-w-48 flex-1"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
        <Checkbox
          label={t("settings.onlyGiven")}
          className="min-h-9 items-center"
          checked={onlyGiven}
          onChange={(event) => {
            show({ given: event.target.checked ? "yes" : "" });
          }}
        />
      </search>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={8} />}
      {found !== undefined && (
        <p role="status" className="mb-2 text-xs text-muted">
          {t("settings.found", { count: found.length, all: data?.length ?? 0 })}
        </p>
      )}
      {found?.length === 0 && (
        <Empty
          title={t("settings.noMatch")}
          action={
            <Button
              onClick={() => {
                setText("");
                show(usualSettings);
              }}
            >
              {t("settings.clear")}
            </Button>
          }
        />
      )}
      {found !== undefined && found.length > 0 && (
        <DataTable label={t("settings.table")} rows={found} columns={columns} idOf={({ name }) => name} />
      )}
    </Section>
  );
}

function useColumns(): Column<Setting>[] {
  const { t } = useTexts();
  return [
    {
      id: "name",
      title: t("settings.name"),
      cell: ({ name }) => (
        <code className="block min-w-36 font-mono text-xs">
          {/* A long one breaks where its words end. */}
          {name.split(/(?<=_)(?!_)/).map((word, place) => (
            <Fragment key={place}>
              {place > 0 && <wbr />}
              {word}
            </Fragment>
          ))}
        </code>
      ),
    },
    {
      id: "value",
      title: t("settings.value"),
      cell: ({ value, given, secret }) => {
        if (secret) return <Badge>{t(given ? "settings.secretSet" : "settings.secretUnset")}</Badge>;
        return value === null ? (
          <span className="text-muted">{t("settings.unset")}</span>
        ) : (
          <Foreign className="font-mono text-xs">{value}</Foreign>
        );
      },
    },
    {
      id: "from",
      title: t("settings.from"),
      cell: ({ given }) =>
        given ? (
          <Badge tone="accent">{t("settings.given")}</Badge>
        ) : (
          <span className="text-muted">{t("settings.usual")}</span>
        ),
    },
  ];
}
