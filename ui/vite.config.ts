import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { type Plugin, defineConfig, loadEnv } from "vite";
import { de } from "./src/text/de.js";
import { en } from "./src/text/en.js";

/** Where a page is built; on the disk of `dist`. */
const beside = "node_modules/.page";

/** Vite's own server fills in what the service fills in when it serves the built page. */
function placeholders(): Plugin {
  return {
    name: "placeholders",
    apply: "serve",
    transformIndexHtml: (html) => html.replaceAll(/__(BASE_PATH|CSP_NONCE|SIGNED_IN)__/g, ""),
  };
}

/** `./en.ts?url`: the texts of a language as a file of data, since they would be an eighth of the script loaded first. */
function texts(): Plugin {
  const languages: Record<string, object> = { en, de };
  let isBuilt = false;
  return {
    name: "texts",
    enforce: "pre",
    configResolved: ({ command }) => {
      isBuilt = command === "build";
    },
    load(id) {
      const language = /\/text\/(\w+)\.ts\?url$/.exec(id)?.[1];
      const source = language === undefined ? undefined : JSON.stringify(languages[language]);
      if (source === undefined) return undefined;
      if (!isBuilt) return `export default ${JSON.stringify(`data:application/json,${encodeURIComponent(source)}`)}`;
      const file = this.emitFile({ type: "asset", name: `${language ?? ""}.json`, source });
      return `export default import.meta.ROLLUP_FILE_URL_${file}`;
    },
  };
}

/**
 * Compresses what is built, so that the service need not do it for each browser, and puts it in the place of the page
 * before. Only now, because a server keeps what it finds, and may look at any moment.
 */
function finished(): Plugin {
  return {
    name: "finished",
    apply: "build",
    writeBundle: () => {
      const names = readdirSync(`${beside}/assets`).filter((name) => /\.(js|css|json)$/.test(name));
      for (const file of names.map((name) => `${beside}/assets/${name}`)) {
        const content = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(content));
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
      }
      rmSync("dist", { recursive: true, force: true });
      renameSync(beside, "dist");
    },
  };
}

/**
 * What every page loads, in two files instead of twenty small ones: they compress better together, by 7 kB of 150. A
 * new version of the page changes only the second. What else a page needs comes with it.
 */
const loadedFirst = [
  {
    name: "libraries",
    test: /node_modules\/(react|react-dom|scheduler|react-router|@tanstack\/(query-core|react-query)|openapi-fetch)\//,
  },
  {
    name: "base",
    test: new RegExp(
      [
        "/ui/src/(app/(?!askSignOut)|text/texts)",
        "/ui/src/api/(client|failure|me|queries)\\.",
        "/ui/src/parts/(announcer|button|failureText|fields|format|notes|page|pager)\\.",
        "lucide-react/dist/esm/\\w+\\.",
      ].join("|"),
    ),
  },
];

export default defineConfig(({ mode }) => {
  const api = loadEnv(mode, ".", "VITE_").VITE_API_URL ?? "http://localhost:8000";
  return {
    plugins: [texts(), react(), tailwindcss(), placeholders(), finished()],
    // The service knows the base path only when it serves, so index.html names a placeholder, and chunks each other.
    experimental: {
      renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `__BASE_PATH__/${file}` : { relative: true }),
    },
    build: {
      outDir: beside,
      target: "es2022",
      assetsInlineLimit: 0,
      sourcemap: false,
      modulePreload: { polyfill: false },
      rolldownOptions: { output: { codeSplitting: { groups: loadedFirst } } },
    },
    // With its own Host, a request is one of this page for the service, too; so `api` is a server on this machine, or a
    // port that leads to one (docs/page.md).
    server: { proxy: { "/v1": { target: api, changeOrigin: false } } },
  };
});
