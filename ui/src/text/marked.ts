/**
 * Characters that are not drawn, but change how others are: they turn their direction (U+202A–U+202E, U+2066–U+2069), so
 * that a name may end in another way than it looks, or hide in it. Marks that real Arabic, Hebrew and Persian texts need
 * stay as they are, since they turn nothing (U+200C–U+200F, U+061C), and so do tabs and the ends of lines and pages.
 */
const unseen = /(?![\t\n\f\r])\p{Cc}|[\u200B\u202A-\u202E\u2060-\u206F\uFEFF]/gu;

const code = (character: string): string => character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");

/** What somebody else wrote, as it is shown: with such characters as `⟨U+202E⟩`. What is sent or copied keeps them. */
export const marked = (text: string): string => text.replace(unseen, (character) => `⟨U+${code(character)}⟩`);
