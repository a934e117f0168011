import { useQuery } from "@tanstack/react-query";
import { ownLimits } from "../../api/limits.js";
import { bytes, number } from "../../parts/format.js";
import { ErrorNote, Foreign, Skeleton } from "../../parts/notes.js";
import { Facts, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";

/** What somebody may have and do here, and what they have; nothing for a key to which no limit applies. */
export function OwnLimits() {
  const { t } = useTexts();
  const { data, error, isPending, isFetching, refetch } = useQuery(ownLimits);
  const say = (limit: number | null, used: number, write: (value: number) => string) =>
    limit === null
      ? t("limits.unlimited", { used: write(used) })
      : t("limits.of", { used: write(used), most: write(limit) });
  if (data?.length === 0) return null;
  return (
    <Section title={t("limits.title")}>
      <p className="mb-3 text-sm text-muted">{t("limits.about")}</p>
      {error !== null && <ErrorNote error={error} retry={() => void refetch()} busy={isFetching} />}
      {isPending && <Skeleton lines={3} />}
      <div className="grid gap-6 md:grid-cols-2">
        {data?.map(({ subject, ...of }) => (
          <div key={subject}>
            <h3 className="mb-2 text-sm font-medium">
              <Foreign>{subject}</Foreign>
            </h3>
            <Facts
              of={[
                [t("people.limitNames.vector_stores"), say(of.vector_stores, of.used_vector_stores, number)],
                [t("people.limitNames.bytes"), say(of.bytes, of.used_bytes, bytes)],
                [
                  t("people.limitNames.requests_per_minute"),
                  of.requests_per_minute === null
                    ? t("people.unlimited")
                    : t("limits.most", { most: number(of.requests_per_minute) }),
                ],
              ]}
            />
          </div>
        ))}
      </div>
    </Section>
  );
}
