import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { createIdentityReader } from "../../src/litellm/identityToken.js";
import { identitySecret } from "../support/identity.js";

const python = (file: string) =>
  spawnSync("python3", ["-B", join("test/contract/callback", file)], { encoding: "utf8", timeout: 120_000 });

test("LiteLLM's callback file passes its own tests", () => {
  const { status, stderr } = python("callback_test.py");
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/Ran \d{2} tests[^]*OK\n$/) });
});

test("what it signs is what the server reads", () => {
  const { stdout, stderr } = python("print_token.py");
  expect(stderr).toBe("");
  expect(createIdentityReader([identitySecret], Date.now)(stdout.trim())).toEqual({
    identity: {
      userId: "änn@exämple.com 😀",
      teamId: '"red"',
      keyHash: "ab".repeat(32),
      role: "internal_user",
      operation: "search",
      storeId: "vs_ü",
    },
  });
});
