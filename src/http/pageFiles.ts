import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCode } from "../words/errors.js";

/** Where `npm run ui:build` puts the page; the same from src/ and from dist/. */
export const usualPageDirectory = fileURLToPath(new URL("../../ui/dist/", import.meta.url));

/** A built file, in each of the encodings that it was written in. */
export interface PageFile {
  type: string;
  /** Its name says what is in it, so it never changes. */
  immutable: boolean;
  versions: Readonly<Partial<Record<Encoding, { body: Buffer; etag: string }>>>;
}
type Encoding = "br" | "gzip" | "identity";

export interface BuiltPage {
  html: string;
  /** By path without the first slash: `assets/index-4f3c2b1a.js`. Nothing else is served. */
  files: ReadonlyMap<string, PageFile>;
}

const types: Partial<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
};
const encodings: Partial<Record<string, Encoding>> = { ".br": "br", ".gz": "gzip" };

export const hasPage = (directory: string): boolean => existsSync(join(directory, "index.html"));

/** Reads the page that was built into a directory; null: none was. It has some megabytes and is kept in memory. */
export async function readPage(directory: string): Promise<BuiltPage | null> {
  let html: string;
  try {
    html = await readFile(join(directory, "index.html"), "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return null;
    throw error;
  }
  const files = new Map<string, PageFile>();
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of found.filter((each) => each.isFile())) {
    const place = join(entry.parentPath, entry.name);
    const path = place.slice(join(directory, sep).length).split(sep).join("/");
    const encoding = encodings[extname(path)] ?? "identity";
    const name = encoding === "identity" ? path : path.slice(0, path.lastIndexOf("."));
    const type = types[extname(name)];
    if (type === undefined) continue;
    const body = await readFile(place);
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    const { versions } = files.get(name) ?? { versions: {} };
    files.set(name, {
      type,
      immutable: name.startsWith("assets/"),
      versions: { ...versions, [encoding]: { body, etag } },
    });
  }
  return { html, files };
}
