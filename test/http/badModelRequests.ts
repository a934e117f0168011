import { type BadRequest, nul, nulMessage } from "./badRequests.js";
import { type Wrong, at } from "./badRowsAndSearches.js";

export const models: BadRequest[] = (
  [
    ["no input", { model: "m" }, "input", /expected a string, an array/],
    ["input empty", { input: "" }, "input", />=1 characters/],
    ["input of nothing", { input: [] }, "input", /1 to 2048/],
    ["2,049 inputs", { input: Array(2049).fill("x") }, "input", /1 to 2048/],
    ["NUL in input", `{"input":["${nul}"]}`, "input[0]", nulMessage],
    ["tokens for the built-in embedder", { input: [1, 2] }, "input", /text only, not tokens/],
    ["unknown model", { input: "x", model: "gpt-9" }, "model", /'gpt-9' does not exist/, 404],
    ["model is a number", { input: "x", model: 9 }, "model", /expected string/],
    ["0 dimensions", { input: "x", dimensions: 0 }, "dimensions", />=1/],
    ["16,001 dimensions", { input: "x", dimensions: 16_001 }, "dimensions", /<=16000/],
    ["unknown format", { input: "x", encoding_format: "hex" }, "encoding_format", /"float"\|"base64"/],
  ] satisfies Wrong[]
).map(at("models", "/v1/embeddings"));
