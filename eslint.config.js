import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/dist/", "coverage/", "data/", "ui/src/api/generated/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "no-console": "error",
    },
  },
  { files: ["ui/**/*.{ts,tsx}"], ...reactHooks.configs.flat["recommended-latest"] },
  {
    files: ["ui/src/**/*.{ts,tsx}"],
    // The answer to another question takes the place of the one that is running.
    ignores: ["ui/src/api/once.ts", "ui/src/pages/store/useAnswer.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          name: "@tanstack/react-query",
          importNames: ["useMutation"],
          message: "useAction of api/once.ts sends once, also when somebody clicks twice.",
        },
      ],
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: {
      globals: {
        console: "readonly",
        process: "readonly",
        Buffer: "readonly",
        URL: "readonly",
        WebAssembly: "readonly",
        setInterval: "readonly",
      },
    },
  },
  {
    // A terminal program's output is its interface.
    files: ["bench/**/*.ts", "test/support/**/*.ts"],
    rules: { "no-console": "off" },
  },
  prettier,
);
