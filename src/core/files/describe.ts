import { createHash } from "node:crypto";
import { findDescription, insertDescription } from "../../db/tables/fileDescriptions.js";
import type { StoreFile } from "../../db/tables/storeFiles.js";
import { ownWork } from "../../words/caller.js";
import type { Deps } from "../deps.js";

/** Without `vision_prompt`. What can be searched for is what was written, then what can be seen. */
const usualPrompt =
  "Give the full text in this picture exactly as written, in reading order, tables as Markdown. Then describe in a few sentences what else " +
  "can be seen: objects, people, diagrams and what they mean. Answer in the language of the text. No introduction.";

/**
 * What makes the text of a file's pictures: the vision model, asked once for each picture, whatever happens afterwards.
 * @returns a function that throws the ApiError of the model call
 */
export function describer(deps: Deps, file: StoreFile, signal: AbortSignal) {
  const model = file.settings.visionModel ?? deps.config.files.visionModel;
  const prompt = file.settings.visionPrompt ?? usualPrompt;
  return async (image: Uint8Array, mediaType: "image/png" | "image/jpeg"): Promise<string> => {
    const picture = createHash("sha256").update(image).digest();
    const known = await findDescription(deps.db, file, picture);
    if (known !== undefined) return known;
    const text = await deps.litellm.describePicture({ image, mediaType, model, prompt }, { caller: ownWork, signal });
    await insertDescription(deps.db, file, picture, text);
    return text;
  };
}
