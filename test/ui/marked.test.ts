import { expect, test } from "@jest/globals";
import { marked } from "../../ui/src/text/marked.js";

test.each([
  ["\u202eevil\u202c.txt", "⟨U+202E⟩evil⟨U+202C⟩.txt"],
  ["\u2066a\u2069\u200b\ufeff\u2060", "⟨U+2066⟩a⟨U+2069⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+2060⟩"],
  ["\u0000\u001b[31m\u007f\u0085", "⟨U+0000⟩⟨U+001B⟩[31m⟨U+007F⟩⟨U+0085⟩"],
  // As they stand in real texts.
  ...[
    "Tab\tline\r\npage\f",
    "\u05d0\u200f(a)\u200e",
    "\u0645\u061c",
    "می\u200cخواهم",
    "👩\u200d🔬",
    "soft\u00adhyphen",
  ].map((text) => [text, text] as const),
])("%j is shown as %j", (text, shown) => {
  expect(marked(text)).toBe(shown);
  expect(marked(shown)).toBe(shown);
});
