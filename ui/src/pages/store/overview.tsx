import { RefreshCw } from "lucide-react";
import { Link } from "react-router";
import { useMe } from "../../api/me.js";
import type { ListedStore } from "../../api/stores.js";
import { ButtonLink } from "../../parts/button.js";
import { Code } from "../../parts/copy.js";
import { Ago } from "../../parts/ago.js";
import { bytes, dateTime, number } from "../../parts/format.js";
import { Badge, Foreign, type Tone } from "../../parts/notes.js";
import { Facts, Figure, Section } from "../../parts/page.js";
import { marked } from "../../text/marked.js";
import { Person } from "../people/name.js";
import { type Translate, useTexts } from "../../text/texts.js";
import { useStore } from "./context.js";
import { registry } from "./registry.js";

/** What a vector store is and has. */
export function Component() {
  const { t } = useTexts();
  const { store } = useStore();
  const { api_url: apiUrl } = useMe().features;
  const { file_counts: files } = store;
  const base = (apiUrl ?? window.location.origin).replace(/\/(v1\/?)?$/, "");
  return (
    <>
      <div className="mb-6 grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure
          label={t("stores.files")}
          value={number(files.total)}
          note={
            <span className="flex flex-wrap gap-1.5">
              {files.total > 0 && <span className="w-full">{t("store.filesNote")}</span>}
              {files.in_progress > 0 && (
                <Badge tone="accent">{t("stores.inProgress", { count: files.in_progress })}</Badge>
              )}
              {files.failed > 0 && (
                <Link to={`/vector-stores/${store.id}/files?state=failed`} className="rounded-full underline">
                  <Badge tone="danger">{t("stores.failed", { count: files.failed })}</Badge>
                </Link>
              )}
              {files.cancelled > 0 && <Badge>{t("store.cancelledCount", { count: files.cancelled })}</Badge>}
            </span>
          }
        />
        <Figure label={t("stores.rows")} value={number(store.rows)} />
        <Figure label={t("stores.size")} value={bytes(store.bytes)} note={t("store.sizeNote")} />
        <Figure
          label={t("stores.lastUse")}
          value={store.last_active_at === null ? t("never") : <Ago at={store.last_active_at} />}
        />
      </div>
      <div className="grid items-start gap-x-6 lg:grid-cols-2">
        <Section title={t("store.facts")}>
          <Facts of={factsOf(store, t)} />
        </Section>
        <Index store={store} />
      </div>
      <Section title={t("store.registry")}>
        <p className="mb-3 max-w-prose text-sm text-muted">{t("store.registryAbout")}</p>
        <Code text={registry(store, base)} what="YAML" />
      </Section>
    </>
  );
}

function factsOf(store: ListedStore, t: Translate) {
  const { owner, metadata } = store;
  const pairs = Object.entries(metadata);
  const facts: [string, React.ReactNode][] = [
    [t("stores.model"), <Foreign key="model">{store.embedding_model}</Foreign>],
    [t("stores.dimensions"), number(store.embedding_dimensions)],
    [t("stores.owner"), <Owner key="owner" of={owner} />],
    [t("stores.created"), dateTime(store.created_at)],
    [
      t("stores.expires"),
      store.expires_at === null ? (
        t("never")
      ) : (
        <span key="expires">
          {dateTime(store.expires_at)} (<Ago at={store.expires_at} />)
        </span>
      ),
    ],
  ];
  if (store.description !== undefined && store.description !== "")
    facts.unshift([t("store.description"), <Foreign key="description">{store.description}</Foreign>]);
  if (pairs.length > 0) facts.push([t("store.metadata"), <Pairs key="metadata" of={metadata} />]);
  return facts;
}

/** Whose a vector store is; without user, team and key it is the service's own. */
export function Owner({ of: { user_id: user, team_id: team, key_id: key } }: { of: ListedStore["owner"] }) {
  const { t } = useTexts();
  if (user !== null) return <Person subject={`user:${user}`} />;
  if (team !== null) return <Person subject={`team:${team}`} />;
  return <Foreign>{key === null ? t("stores.service") : `key:${key.slice(0, 16)}`}</Foreign>;
}

/** Keys with their values, as somebody has written them. */
export function Pairs({ of, most = Infinity }: { of: Record<string, unknown>; most?: number }) {
  const pairs = Object.entries(of);
  return (
    <ul className="flex flex-wrap gap-1">
      {pairs.slice(0, most).map(([key, value]) => (
        <li key={key} className="rounded bg-hover px-1.5 py-0.5 text-xs">
          <Foreign>{`${key}: ${shown(value)}`}</Foreign>
        </li>
      ))}
      {pairs.length > most && <li className="px-1 py-0.5 text-xs text-muted">+{number(pairs.length - most)}</li>}
    </ul>
  );
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

const tones: Record<string, Tone> = { ready: "ok", building: "accent", waiting: "warn" };

function Index({ store }: { store: ListedStore }) {
  const { t } = useTexts();
  const { index } = store;
  const { state, keywords, indexed, fresh } = index;
  const facts: [string, React.ReactNode][] = [
    [
      t("store.index.vectors"),
      <div key="vectors">
        <Badge tone={tones[state] ?? "plain"}>{t(`store.index.states.${state}`)}</Badge>
        <p className="mt-1 text-xs text-muted">{t(`store.index.about.${state}`)}</p>
      </div>,
    ],
  ];
  if (indexed !== undefined) facts.push([t("store.index.indexed"), number(indexed)]);
  if (fresh !== undefined) facts.push([t("store.index.fresh"), number(fresh)]);
  facts.push(
    [
      t("store.index.keywords"),
      <Badge key="keywords" tone={tones[keywords] ?? "plain"}>
        {t(`store.index.words.${keywords}`)}
      </Badge>,
    ],
    [t("store.search.recall"), t(`store.recalls.${store.recall ?? "high"}`)],
    [t("store.search.mode"), t(`store.modes.${store.search_mode ?? "vector"}`)],
  );
  return (
    <Section
      title={t("store.index.title")}
      actions={
        <ButtonLink to={`/vector-stores/${store.id}/settings#reindex`}>
          <RefreshCw aria-hidden className="size-4" />
          {t("store.reindex")}
        </ButtonLink>
      }
    >
      <Facts of={facts} />
      {store.warnings?.map((warning) => (
        <p key={warning} lang="en" className="foreign mt-3 rounded-md bg-warn-soft p-2 text-sm text-warn">
          {marked(warning)}
        </p>
      ))}
    </Section>
  );
}
