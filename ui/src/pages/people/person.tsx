import { useQuery } from "@tanstack/react-query";
import { litellmKeys } from "../../api/litellmKeys.js";
import { useMe } from "../../api/me.js";
import type { Kind, Team, User } from "../../api/people.js";
import { ButtonLink } from "../../parts/button.js";
import { bytes, number, percent } from "../../parts/format.js";
import { ErrorNote, Skeleton } from "../../parts/notes.js";
import { Figure, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { LitellmKeyTable } from "../keys/litellm/table.js";
import { EstateSection } from "./estate.js";
import { LimitsSection } from "./limits.js";

const keysShown = 10;

/** What a user or a team has here: usage, vector stores, keys, limits, and what can be done with all of it. */
export function PersonHere({ kind, of }: { kind: Kind; of: User | Team }) {
  const { t } = useTexts();
  const { usage, vector_stores: stores, files } = of;
  const subject = `${kind}:${of.id}`;
  const share =
    usage.requests === 0 ? undefined : t("usage.share", { percent: percent(usage.failures / usage.requests) });
  const filter = new URLSearchParams({ [`${kind}_id`]: of.id }).toString();
  return (
    <>
      <div className="mb-3 grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure label={t("people.requests")} value={number(usage.requests)} note={t("people.lastDays")} />
        <Figure label={t("people.failures")} value={number(usage.failures)} note={share} />
        <Figure label={t("people.tokens")} value={number(usage.tokens)} note={t("people.lastDays")} />
        <Figure label={t("people.bytes")} value={bytes(stores.bytes + files.bytes)} />
      </div>
      <div className="mb-6 flex flex-wrap gap-2">
        <ButtonLink to={`/usage?${filter}`}>{t("people.usage")}</ButtonLink>
        <ButtonLink to={`/vector-stores?${new URLSearchParams({ owner: subject }).toString()}`}>
          {t("people.allStores")}
        </ButtonLink>
      </div>
      <LimitsSection subject={subject} used={{ stores: stores.count, bytes: stores.bytes + files.bytes }} />
      <Keys filter={filter} query={kind === "user" ? { user_id: of.id } : { team_id: of.id }} />
      <EstateSection subject={subject} />
    </>
  );
}

/** The newest of somebody's LiteLLM keys. */
function Keys({ filter, query }: { filter: string; query: { user_id?: string; team_id?: string } }) {
  const { t } = useTexts();
  const canAsk = useMe().features.litellm_management;
  const keys = useQuery({ ...litellmKeys({ ...query, limit: keysShown }), enabled: canAsk });
  return (
    <Section
      title={t("people.keys")}
      actions={canAsk && <ButtonLink to={`/keys/litellm?${filter}`}>{t("people.allKeys")}</ButtonLink>}
    >
      {!canAsk && <p className="text-sm text-muted">{t("people.needsMaster")}</p>}
      {keys.error !== null && <ErrorNote error={keys.error} retry={() => void keys.refetch()} busy={keys.isFetching} />}
      {canAsk && keys.isPending && <Skeleton lines={3} />}
      {keys.data?.data.length === 0 && <p className="text-sm text-muted">{t("people.noKeys")}</p>}
      {keys.data !== undefined && keys.data.data.length > 0 && <LitellmKeyTable keys={keys.data.data} />}
    </Section>
  );
}
