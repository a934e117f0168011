import { useState } from "react";
import { useMe } from "../../api/me.js";
import type { SearchBody } from "../../api/search.js";
import { Code } from "../../parts/copy.js";
import { Section } from "../../parts/page.js";
import { useTexts } from "../../text/texts.js";
import { type SnippetLanguage, snippetIn, snippetLanguages } from "./snippetTexts.js";

const names: Record<SnippetLanguage, string> = {
  curl: "curl",
  python: "Python (openai)",
  typescript: "TypeScript (openai)",
};

/** The search that is shown, as code to copy. */
export default function Snippets({ storeId, body }: { storeId: string; body: SearchBody }) {
  const { t } = useTexts();
  const { api_url: apiUrl } = useMe().features;
  const [language, setLanguage] = useState<SnippetLanguage>("curl");
  const api = `${(apiUrl ?? window.location.origin).replace(/\/(v1\/?)?$/, "")}/v1`;
  return (
    <Section
      title={t("store.search.code")}
      actions={
        <div role="group" aria-label={t("store.search.language")} className="flex flex-wrap gap-1">
          {snippetLanguages.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === language}
              className="min-h-8 rounded-md border border-edge px-2.5 text-sm aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent"
              onClick={() => {
                setLanguage(each);
              }}
            >
              {names[each]}
            </button>
          ))}
        </div>
      }
    >
      <Code text={snippetIn(language, { api, storeId, body })} what={names[language]} />
    </Section>
  );
}
