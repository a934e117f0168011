import { createRequire } from "node:module";
import type iconvLite from "iconv-lite";

// Loaded when first needed, because most files are UTF-8.
const load = createRequire(import.meta.url);
const iconv = () => load("iconv-lite") as typeof iconvLite;

/**
 * The letters beyond a–z of languages in Latin script, by the encodings of their old texts. The first of equals wins,
 * so short texts are Western European.
 */
const languages: readonly (readonly [encodings: string, alphabets: readonly string[]])[] = [
  [
    "windows-1252 iso-8859-15 macroman cp850 cp437",
    // French, German, Spanish, Portuguese, Italian,
    // Dutch, Catalan, Danish and Norwegian, Swedish and Finnish, Icelandic
    [
      ...["àâæçéèêëîïôœùûüÿ", "äöüß", "áéíñóúü", "àáâãçéêíóôõú", "àèéìòù"],
      ...["áéëíïóöü", "àçéèíïóòúü", "æøåéô", "äöåé", "áæéðíóöþúý"],
    ],
  ],
  [
    "windows-1250 iso-8859-2 cp852",
    // Czech, Slovak, Polish, Hungarian, Croatian and Slovene, Romanian
    ["áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţ"],
  ],
  // Latvian, Lithuanian, Estonian
  ["windows-1257", ["āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž"]],
  ["windows-1254", ["çğıİöşüâî"]],
  ["windows-1258", ["àáâãăèéêìíòóôõùúýđơư\u0300\u0301\u0303\u0309\u0323"]],
];
const choices = languages.flatMap(([encodings, alphabets]) => {
  const letters = alphabets.map((each) => new Set(each + each.toUpperCase()));
  return encodings.split(" ").map((encoding) => ({ encoding, alphabets: letters }));
});

/** Signs of ordinary prose. */
const signs = new Set("\u00a0\u00ad–—‘’‚“”„«»‹›…•·§©®™€£¥°±²³¹¼½¾×¿¡†‡´ªº");
const opening = new Set("‘‚“„«‹¿¡");
const closing = new Set("’”»›…");
/** What signs between two letters say, for those that may stand there. */
const joints: Readonly<Record<string, number>> = { "’": 0, "·": 0, "\u00ad": 0, "–": -1, "—": -1, "…": -1 };
/** Letters that are words. */
const words = new Set("àáéèêíóôúåöøæÀÁÉÈÊÍÓÔÚÅÖØÆ");
/** Encodings of old Macs and of DOS, which few files have. */
const rare = /^(macroman|cp\d+)$/;
/** Letters and signs from which on the detector's frequencies say something. */
const enoughPlaces = 20;
/** Places that are compared; more do not change the result. */
const mostPlaces = 2_000;

const isLetter = (text: string) => /[\p{L}\p{M}]/u.test(text) && text !== "ª" && text !== "º";
const isUpper = (letter: string) => letter !== letter.toLowerCase();
const isLower = (letter: string) => letter !== letter.toUpperCase();

/** A character beyond ASCII, and what its neighbours say of it whatever the language. */
interface Place {
  character: string;
  /** What it adds to the score if it is in the alphabet; a sign adds this in any case. */
  score: number;
  isLetter: boolean;
}

function placesIn(text: string): Place[] {
  const places: Place[] = [];
  for (let at = 0; at < text.length && places.length < mostPlaces; at++) {
    const character = text[at] ?? "";
    if (character <= "\u007f") continue;
    const [before, after] = [text[at - 1] ?? "", text[at + 1] ?? ""];
    const [joined, continued] = [isLetter(before), isLetter(after)];
    if (isLetter(character)) {
      const odd = isUpper(character) ? joined && (isLower(before) || isLower(after)) : isUpper(after);
      const score = odd ? -2 : joined || continued || words.has(character) ? 1 : -1;
      places.push({ character, score, isLetter: true });
    } else {
      places.push({ character, score: scoreOfSign(character, joined, continued), isLetter: false });
    }
  }
  return places;
}

/** @param joined whether a letter stands before it @param continued whether one stands after it */
function scoreOfSign(sign: string, joined: boolean, continued: boolean): number {
  if (!signs.has(sign)) return -3;
  if (joined && continued) return joints[sign] ?? -3;
  if (opening.has(sign)) return joined ? -1 : 1;
  if (closing.has(sign)) return continued ? -1 : 1;
  return joined || continued ? 0 : 1;
}

const fit = (places: readonly Place[], alphabet: ReadonlySet<string>) =>
  places.reduce((sum, place) => sum + (place.isLetter && !alphabet.has(place.character) ? -1 : place.score), 0);

/**
 * The encoding of a text in Latin script: the one in which its letters belong to one language, stand where letters do,
 * and its signs where signs do. Detectors by frequency need more text than a line of an address list has.
 * @param preferred wins over others that fit as well, in a text that is not short
 */
export function latinEncoding(bytes: Buffer, preferred: string): string {
  let best = { encoding: "windows-1252", score: -Infinity };
  for (const { encoding, alphabets } of choices) {
    const places = placesIn(iconv().decode(bytes, encoding));
    const likely = encoding === preferred && places.length >= enoughPlaces ? 0.5 : 0;
    const unlikely = encoding !== preferred && rare.test(encoding) ? 0.5 : 0;
    const score = Math.max(...alphabets.map((each) => fit(places, each))) + likely - unlikely;
    if (score > best.score) best = { encoding, score };
  }
  return best.encoding;
}

const foreignRun = /[^\0-\u024f\u1e00-\u1eff\P{L}]+/gu;
const hasWide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/**
 * Whether a text is in another script than Latin: its letters form words of their own. Western text that is decoded
 * wrongly has them inside of Latin words, as in "cafй". Chinese, Japanese and Korean need no spaces around Latin
 * words.
 */
export function isForeign(text: string): boolean {
  const isLatin = (character: string | undefined) => character !== undefined && /[A-Za-z]/.test(character);
  const hasLatin = /[A-Za-z]/.test(text);
  let [inWords, strewn] = [0, 0];
  for (const { 0: run, index } of text.matchAll(foreignRun)) {
    const touches = isLatin(text[index - 1]) || isLatin(text[index + run.length]);
    const isWide = hasWide.test(run);
    const isWord = isWide ? run.length > 2 || !(touches || (hasLatin && run.length === 1)) : run.length > 1 && !touches;
    if (isWord) inWords += run.length;
    else if (touches || hasLatin) strewn += run.length;
  }
  return inWords > strewn;
}
