import { createHash } from "node:crypto";
import { findDescription, insertDescription } from "../../db/tables/fileDescriptions.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import type { StoreFile } from "../../words/file.js";

/** The prompt without `vision_prompt`: first the text that was written, then what can be seen. */
const usualPrompt =
  "Give the full text in this picture exactly as written, in reading order, tables as Markdown. Then describe in a few sentences what else " +
  "can be seen: objects, people, diagrams and what they mean. Answer in the language of the text. No introduction.";

/**
 * Turns a file's pictures into text. The vision model is asked once per picture, even across restarts.
 * @returns a function that throws the ApiError of the model call
 */
export function describer(
  deps: Deps,
  file: StoreFile,
  asking: { caller: Caller; signal: AbortSignal },
): (image: Uint8Array, mediaType: "image/png" | "image/jpeg") => Promise<string> {
  const model = file.settings.visionModel ?? deps.config.files.visionModel;
  const prompt = file.settings.visionPrompt ?? usualPrompt;
  return async (image, mediaType) => {
    const picture = createHash("sha256").update(image).digest();
    const known = await findDescription(deps.db, file, picture);
    if (known !== undefined) return known;
    const text = await deps.litellm.describePicture({ image, mediaType, model, prompt }, asking);
    await insertDescription(deps.db, file, picture, text);
    return text;
  };
}
