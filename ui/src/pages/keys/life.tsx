import { SelectField } from "../../parts/fields.js";
import { useTexts } from "../../text/texts.js";

const daySeconds = 86_400;

interface SecondsFieldProps {
  /** Seconds; "": never. */
  value: string;
  onChange: (seconds: string) => void;
}

/** After how many days a key ends. */
export function LifeField({ value, onChange }: SecondsFieldProps) {
  const { t } = useTexts();
  return (
    <SelectField
      label={t("keys.life")}
      hint={t("keys.lifeHint")}
      value={value}
      onChange={(event) => {
        onChange(event.target.value);
      }}
    >
      <option value="">{t("keys.lifeNever")}</option>
      {[1, 7, 30, 90, 365].map((days) => (
        <option key={days} value={days * daySeconds}>
          {t("keys.lifeDays", { count: days })}
        </option>
      ))}
    </SelectField>
  );
}

/** How long a replaced key works beside the new one. */
export function OverlapField({ value, onChange }: SecondsFieldProps) {
  const { t } = useTexts();
  return (
    <SelectField
      label={t("keys.overlap")}
      hint={t("keys.overlapHint")}
      value={value}
      onChange={(event) => {
        onChange(event.target.value);
      }}
    >
      <option value="0">{t("keys.overlapNone")}</option>
      <option value="3600">{t("keys.overlapHours", { count: 1 })}</option>
      <option value={daySeconds}>{t("keys.overlapHours", { count: 24 })}</option>
      <option value={7 * daySeconds}>{t("keys.overlapDays", { count: 7 })}</option>
    </SelectField>
  );
}

/** Ids or names that somebody typed, between spaces, commas or lines. */
export const listed = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);
