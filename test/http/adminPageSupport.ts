import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import request from "supertest";

export const script = `console.log("${"x".repeat(500)}")`;
export const html = `<!doctype html><html><head><meta name="csp-nonce" content="__CSP_NONCE__" />
<meta name="base-path" content="__BASE_PATH__" /><link rel="icon" href="__BASE_PATH__/icon.svg" />
<meta name="signed-in" content="__SIGNED_IN__" />
<script type="module" src="__BASE_PATH__/assets/index-4f3c2b1a.js"></script></head><body></body></html>`;

/** A page as if it were built, with things beside it that must not be served. */
export function makePage(): { place: string; dist: string; remove: () => void } {
  const place = mkdtempSync(join(tmpdir(), "vector-store-page-"));
  const dist = join(place, "dist");
  mkdirSync(join(dist, "assets"), { recursive: true });
  const write = (name: string, body: string | Buffer) => {
    writeFileSync(join(dist, name), body);
  };
  write("index.html", html);
  write("icon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
  write("assets/index-4f3c2b1a.js", script);
  write("assets/index-4f3c2b1a.js.br", brotliCompressSync(script));
  write("assets/index-4f3c2b1a.js.gz", gzipSync(script));
  write("assets/plain-00000000.css", "body {}");
  write("assets/source.map", "hidden words");
  write(".env", "hidden words");
  writeFileSync(join(place, "secret.js"), "hidden words");
  symlinkSync(join(place, "secret.js"), join(dist, "assets/link-00000000.js"));
  return {
    place,
    dist,
    remove: () => {
      rmSync(place, { recursive: true });
    },
  };
}

/** As a browser that navigates. */
export const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
export const visit = (path: string, { url }: { url: string }) => request(url).get(path).set("accept", browser);
