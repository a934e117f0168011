/**
 * Any text as a double-quoted YAML scalar, for parsers of YAML 1.1 (PyYAML, which LiteLLM uses) and 1.2. It is a JSON
 * string in which characters that JSON allows but YAML forbids or folds are escaped.
 */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}\u00a0]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}
