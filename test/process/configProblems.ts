import { expect } from "@jest/globals";
import { loadConfig } from "../../src/process/config.js";
import { StartupError } from "../../src/words/errors.js";

export function problemsOf(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    return (error as Error).message;
  }
  throw new Error("the settings were accepted");
}
