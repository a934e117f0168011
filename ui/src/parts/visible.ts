/** Texts as people see them, who cannot tell one kind of white space from another, nor type what is not shown. */

const unseen = /[\p{C}\p{Default_Ignorable_Code_Point}]/gu;
/** The braille pattern without dots is drawn as a space. */
const spaces = /[\s\u2800]+/gu;

/** Without what is not shown, and with one space where there is any. */
export const visible = (text: string): string =>
  text.normalize("NFC").replace(spaces, " ").replace(unseen, "").replace(spaces, " ").trim();
