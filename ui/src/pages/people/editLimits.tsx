import { useState } from "react";
import { type Limits, useSetLimits } from "../../api/limits.js";
import { useAnnounce } from "../../parts/announcer.js";
import { FormModal } from "../../parts/dialog.js";
import { SelectField, TextField } from "../../parts/fields.js";
import { bytes } from "../../parts/format.js";
import { Foreign } from "../../parts/notes.js";
import { useTexts } from "../../text/texts.js";

const names = ["vector_stores", "bytes", "requests_per_minute"] as const;
type Name = (typeof names)[number];
interface Choice {
  kind: "settings" | "none" | "number";
  number: string;
}

interface EditLimitsProps {
  subject: string;
  of: Limits | null;
  onClose: () => void;
}

/** Sets somebody's limits: each is as the settings say, lifted, or a number. */
export default function EditLimits({ subject, of, onClose }: EditLimitsProps) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const save = useSetLimits(subject);
  const [choices, setChoices] = useState(
    () => Object.fromEntries(names.map((name) => [name, choiceOf(of?.[name])])) as Record<Name, Choice>,
  );
  const set = (name: Name, change: Partial<Choice>) => {
    setChoices({ ...choices, [name]: { ...choices[name], ...change } });
  };
  const isWrong = names.some((name) => choices[name].kind === "number" && !isWhole(choices[name].number));
  const submit = () => {
    const given = names.filter((name) => choices[name].kind !== "settings");
    const body = Object.fromEntries(
      given.map((name) => [name, choices[name].kind === "none" ? null : Number(choices[name].number)]),
    );
    // None were set, and none are: there is nothing to remove.
    if (given.length === 0 && of === null) onClose();
    else {
      save.mutate(given.length === 0 ? null : body, {
        onSuccess: () => {
          onClose();
          announce(t("people.limitsSaved"));
        },
      });
    }
  };
  return (
    <FormModal
      onClose={onClose}
      title={t("people.editLimits")}
      about={
        <>
          {t("people.limitsAbout")} <Foreign className="font-mono">{subject}</Foreign>
        </>
      }
      submit={t("save")}
      busy={save.isPending}
      why={isWrong ? t("people.wholeNumber") : null}
      error={save.error}
      onSubmit={submit}
    >
      {names.map((name) => {
        const { kind, number } = choices[name];
        return (
          <div key={name} className="grid grid-cols-2 items-start gap-3">
            <SelectField
              label={t(`people.limitNames.${name}`)}
              value={kind}
              onChange={(event) => {
                set(name, { kind: event.target.value as Choice["kind"] });
              }}
            >
              <option value="settings">{t("people.asSettings")}</option>
              <option value="none">{t("people.unlimited")}</option>
              <option value="number">{t("people.upTo")}</option>
            </SelectField>
            {kind === "number" && (
              <TextField
                label={t("people.most", { what: t(`people.limitNames.${name}`) })}
                inputMode="numeric"
                value={number}
                hint={name === "bytes" && isWhole(number) ? bytes(Number(number)) : undefined}
                error={number === "" || isWhole(number) ? null : t("people.wholeNumber")}
                onChange={(event) => {
                  set(name, { number: event.target.value });
                }}
              />
            )}
          </div>
        );
      })}
    </FormModal>
  );
}

const isWhole = (text: string): boolean => /^\d{1,15}$/.test(text.trim());

function choiceOf(limit: number | null | undefined): Choice {
  if (limit === undefined) return { kind: "settings", number: "" };
  return limit === null ? { kind: "none", number: "" } : { kind: "number", number: String(limit) };
}
