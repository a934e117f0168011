import { useAction } from "../../../api/once.js";
import { useState } from "react";
import { messagesIn } from "../../../api/failure.js";
import { useCreateLitellmKey } from "../../../api/litellmKeys.js";
import { TextArea, TextField } from "../../../parts/fields.js";
import { numberIn, numberProblem, typedInto } from "../../../parts/formFields.js";
import { useTexts } from "../../../text/texts.js";
import type { Kind } from "../../../api/people.js";
import { PersonField } from "../../people/personField.js";
import { UnknownPerson, useResolvePerson } from "../../people/resolve.js";
import { LifeField, listed } from "../life.js";
import { KeyDialog } from "../shownOnce.js";

const unsaid = { alias: "", user: "", team: "", models: "", stores: "", budget: "", life: "" };

/** Makes a key at LiteLLM for a user, a team or both. */
export default function CreateLitellmKey({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const create = useCreateLitellmKey();
  const [wanted, setWanted] = useState(unsaid);
  const set = (name: keyof typeof unsaid) => (value: string) => {
    setWanted({ ...wanted, [name]: value });
  };
  const typed = typedInto(wanted, setWanted);
  const idOf = useOwnerId();
  const make = useAction({
    mutationFn: async () => {
      const { alias, budget, life } = wanted;
      const [only, ids, sum] = [listed(wanted.models), listed(wanted.stores), numberIn(budget)];
      const [userId, teamId] = [await idOf("user", wanted.user), await idOf("team", wanted.team)];
      // Without the answer: only one place remembers the key.
      await create.mutateAsync({
        ...(alias.trim() !== "" && { alias: alias.trim() }),
        ...(userId !== "" && { user_id: userId }),
        ...(teamId !== "" && { team_id: teamId }),
        ...(only.length > 0 && { models: only }),
        ...(ids.length > 0 && { vector_store_ids: ids }),
        ...(sum !== undefined && { max_budget: sum }),
        ...(life !== "" && { expires_in_seconds: Number(life) }),
      });
    },
  });
  const wrongAt = messagesIn(make.error);
  const { user, team, budget } = wanted;
  const wrongBudget = numberProblem(budget, t) ?? ((numberIn(budget) ?? 0) < 0 ? t("keys.budgetNumber") : null);
  const why = user.trim() === "" && team.trim() === "" ? t("keys.whoseFirst") : wrongBudget;
  return (
    <KeyDialog
      onClose={onClose}
      title={t("keys.createLitellm")}
      about={t("keys.createLitellmAbout")}
      made={create.data?.key ?? null}
      submit={t("keys.create")}
      busy={make.isPending}
      why={why}
      error={make.error}
      onSubmit={() => {
        make.mutate();
      }}
    >
      <TextField label={t("keys.alias")} autoFocus error={wrongAt("alias")} {...typed("alias")} />
      <PersonField kind="user" label={t("keys.user")} value={user} onChange={set("user")} error={wrongAt("user_id")} />
      <PersonField
        kind="team"
        label={t("keys.team")}
        hint={t("keys.teamHint")}
        value={team}
        onChange={set("team")}
        error={wrongAt("team_id")}
      />
      <TextField label={t("keys.models")} hint={t("keys.modelsHint")} error={wrongAt("models")} {...typed("models")} />
      <TextArea
        label={t("keys.stores")}
        hint={t("keys.storesHint")}
        error={wrongAt("vector_store_ids")}
        {...typed("stores")}
      />
      <TextField
        label={t("keys.budget")}
        hint={t("keys.budgetHint")}
        inputMode="decimal"
        error={wrongBudget ?? wrongAt("max_budget")}
        {...typed("budget")}
      />
      <LifeField value={wanted.life} onChange={set("life")} />
    </KeyDialog>
  );
}

/** LiteLLM also makes keys for users that it does not have yet; an email that it does not know is no id. */
function useOwnerId() {
  const resolve = useResolvePerson();
  return async (kind: Kind, typed: string): Promise<string> => {
    try {
      return await resolve(kind, typed);
    } catch (error) {
      if (error instanceof UnknownPerson && !typed.includes("@")) return typed.trim();
      throw error;
    }
  };
}
