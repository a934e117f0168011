import { useQuery } from "@tanstack/react-query";
import { useMe } from "../../api/me.js";
import { health, serviceStatus } from "../../api/status.js";
import { useUrlState } from "../../app/urlState.js";
import { bytes, dateTime } from "../../parts/format.js";
import { ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Facts, Page, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { Doctor } from "./doctor.js";
import { HealthFacts, IndexFacts } from "./facts.js";
import { Settings, usualSettings } from "./settings.js";

/** Whether all is well, and what this service can do as it is set up. */
export function Component() {
  const { t } = useTexts();
  const [shown, show] = useUrlState(usualSettings);
  const { data, error, isPending, isFetching, refetch } = useQuery(health);
  const { data: service } = useQuery(serviceStatus);
  return (
    <Page
      title={t("health.title")}
      about={data === undefined ? t("health.about") : t("health.asOf", { at: dateTime(data.timestamp) })}
    >
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={8} />}
      {data !== undefined && (
        <div className="grid gap-x-6 lg:grid-cols-2">
          <HealthFacts of={data} proxy={service?.proxy} />
          {data.indexing !== null && <IndexFacts of={data.indexing} />}
        </div>
      )}
      <Doctor />
      <Abilities since={service?.started_at} />
      <Settings shown={shown} show={show} />
    </Page>
  );
}

/** What the settings let the service do. */
function Abilities({ since }: { since: number | undefined }) {
  const { t } = useTexts();
  const { features } = useMe();
  const say = (has: boolean) => t(has ? "yes" : "no");
  return (
    <Section title={t("health.abilities")}>
      <Facts
        of={[
          [t("health.version"), features.version],
          ...(since === undefined ? [] : [[t("health.since"), dateTime(since)] as const]),
          [t("health.litellm"), say(features.litellm)],
          [t("health.management"), say(features.litellm_management)],
          [t("health.semantic"), say(features.semantic)],
          [t("health.keywords"), say(features.keyword_search)],
          [t("health.chat"), say(features.chat_model)],
          [t("health.rerank"), say(features.rerank)],
          [t("health.largest"), bytes(features.max_file_bytes)],
          [t("health.url"), <Foreign key="url">{features.api_url ?? t("health.sameUrl")}</Foreign>],
        ]}
      />
    </Section>
  );
}
