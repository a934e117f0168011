import type { ReactNode } from "react";
import { useMe } from "../../api/me.js";
import type { Health, ServiceStatus } from "../../api/status.js";
import { number, percent } from "../../parts/format.js";
import { Badge, Foreign } from "../../parts/notes.js";
import { Facts, Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";

const circuitTones = { closed: "ok", open: "danger", "half-open": "warn" } as const;

interface HealthFactsProps {
  of: Health;
  /** What the proxy itself has answered; null: no proxy is set; absent: it was not asked yet. */
  proxy?: ServiceStatus["proxy"] | undefined;
  actions?: ReactNode;
}

/** The database and the models. */
export function HealthFacts({ of: { database, embedding }, proxy: asked, actions }: HealthFactsProps) {
  const { t } = useTexts();
  const { litellm } = useMe().features;
  const isWell = database.status === "healthy";
  const kind = database.kind === "postgres" ? "PostgreSQL" : "PGlite";
  const circuit = asked?.circuit ?? embedding.circuit;
  const proxy =
    asked?.status === "unhealthy" ? (
      <Badge tone="danger">{t(asked.error === null ? "dashboard.unwell" : "dashboard.unhealthy")}</Badge>
    ) : (
      <Badge tone={circuitTones[circuit]}>{t(`dashboard.circuits.${circuit}`)}</Badge>
    );
  return (
    <Section title={t("dashboard.state")} actions={actions}>
      <Facts
        of={[
          [
            t("dashboard.database"),
            <>
              <Badge tone={isWell ? "ok" : "danger"}>{t(isWell ? "dashboard.healthy" : "dashboard.unhealthy")}</Badge>{" "}
              {kind} {database.version} {database.pgvector !== null && `· pgvector ${database.pgvector}`}
            </>,
          ],
          [
            t("dashboard.proxy"),
            litellm ? (
              <>
                {proxy} {asked != null && <Foreign>{asked.url}</Foreign>}
                {asked?.error != null && <Foreign className="block text-xs text-muted">{asked.error}</Foreign>}
              </>
            ) : (
              t("dashboard.noProxy")
            ),
          ],
          [
            t("dashboard.embedding"),
            <>
              <Foreign>{embedding.model}</Foreign> ({number(embedding.dimensions)})
              {!embedding.semantic && <div className="text-xs text-muted">{t("dashboard.builtIn")}</div>}
            </>,
          ],
        ]}
      />
    </Section>
  );
}

const states = ["ready", "building", "waiting", "none"] as const;

/** The vector stores by the state of their index, and what is built just now. */
export function IndexFacts({ of }: { of: NonNullable<Health["indexing"]> }) {
  const { t } = useTexts();
  const { stores, keywords_building: keywords, builds } = of;
  return (
    <Section title={t("dashboard.indexes")}>
      <Facts
        of={[
          ...states.map((each) => [t(`dashboard.indexStates.${each}`), number(stores[each])] as const),
          [t("dashboard.keywordsBuilding"), number(keywords)],
          [
            t("dashboard.builds"),
            builds.length === 0 ? (
              t("dashboard.noBuilds")
            ) : (
              <ul className="flex flex-col gap-2">
                {builds.map(({ phase, done, total, percent: share }, place) => (
                  <li key={`${phase} ${place}`}>
                    <span className="text-xs">{phase}</span>
                    <progress
                      className="block h-2 w-full accent-accent"
                      aria-label={phase}
                      max={100}
                      {...(share !== null && { value: share })}
                    />
                    <span className="text-xs text-muted">
                      {share !== null && `${percent(share / 100)} · `}
                      {t("dashboard.built", { done: number(done), total: number(total) })}
                    </span>
                  </li>
                ))}
              </ul>
            ),
          ],
        ]}
      />
    </Section>
  );
}
