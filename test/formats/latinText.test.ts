import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isUtf8 } from "node:buffer";
import iconv from "iconv-lite";
import { decodeText } from "../../src/formats/encoding.js";

/** Texts by the encodings that must be recognised in them without a declaration. */
const texts: [encodings: string, texts: string[]][] = [
  [
    "windows-1252 iso-8859-15",
    [
      ...["Le café coûte 5 € à Noël.", "Élève", "naïve", "Il va à Paris.", "François", "ÉCOLE PRIMAIRE", "à", "é"],
      ...["Größe", "Müller", "Straße und Übermut", "ÜBER ÄRZTE", "Zürich, Genève", "40 €", "naïve résumé"],
      ...["¿Dónde está el baño?", "El niño comió piñas.", "Señor", "São Paulo não é a capital.", "coração"],
      ...["La città è più bella.", "één café", "geïnteresseerd", "Això és català, però no gaire.", "Åland"],
      ...["rødgrød med fløde", "Køb øl på Ærø", "Hyvää päivää", "Räksmörgås åt Åsa", "Þetta er íslenska"],
    ],
  ],
  [
    "windows-1252",
    [
      ...["Café … Zoë", "Où est l’hôtel ?", "d’été", "“Quoted” – it’s here…", "2 ½ cups", "Price: £5 ±2 % at 20 °C"],
      "Der schöne Käse kostet 3,50 € – „köstlich“, sagte Frau Müller.",
    ],
  ],
  ["iso-8859-15", ["cœur et sœur", "L'Œuvre coûte 5 €"]],
  ["macroman", ["Le café est à côté.", "Élève", "naïve", "Müller", "mañana", "Smørrebrød", "Crème brûlée"]],
  ["cp850", ["Crème brûlée", "Straße und Übermut", "Smørrebrød", "Français, élève", "mañana"]],
  [
    "windows-1250 iso-8859-2",
    [
      ...["Příliš žluťoučký kůň úpěl ďábelské ódy.", "Český jazyk", "Zażółć gęślą jaźń", "Łódź jest piękna"],
      ...["Dzień dobry, jak się masz?", "Árvíztűrő tükörfúrógép", "Čaša žute kave u Šibeniku"],
    ],
  ],
  ["windows-1254", ["Türkiye’nin başkenti Ankara’dır.", "Çalışıyorum"]],
  ["windows-1257", ["Ąžuolas ėjo į šaltinį", "Rīgas ielās šodien līst", "Lõuna-Eesti külad ja mäed"]],
  [
    "windows-1251 koi8-r cp866 iso-8859-5",
    [
      ...["Привет, как дела?", "Мама мыла раму", "Россия", "Я и ты", "Файл readme.txt удалён"],
      "Это короткий текст на русском языке.",
    ],
  ],
  ["windows-1251", ["Українська мова дуже гарна", "Българският език е красив", "Добрый день, заказ №5 выполнен."]],
  ["windows-1253 iso-8859-7", ["Καλημέρα κόσμε", "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας."]],
  ["windows-1255", ["שלום עולם, מה שלומך?"]],
  ["windows-1256", ["السلام عليكم ورحمة الله"]],
  ["cp932 euc-jp", ["東京は日本の首都です。"]],
  ["gb18030", ["这是一个测试文件。", "使用Python编写的程序"]],
  ["big5", ["這是一個測試文件，請不要刪除。"]],
  ["euc-kr", ["안녕하세요 세계", "대한민국의 수도는 서울입니다."]],
];
const cases = texts.flatMap(([encodings, each]) =>
  encodings.split(" ").flatMap((encoding) => each.map((text) => [encoding, text] as const)),
);

describe("a text that does not say its encoding", () => {
  test("the table has at least 40 sentences", () => {
    expect(new Set(cases.map(([, text]) => text)).size).toBeGreaterThanOrEqual(40);
  });

  test.each(cases)("%s: %s", (encoding, text) => {
    const bytes = iconv.encode(text, encoding);
    expect(iconv.decode(bytes, encoding)).toBe(text);
    expect(decodeText(bytes)).toBe(text);
  });

  const words = {
    French: "le la les café coûte élève à Noël été où forêt garçon naïve hôtel très déjà leçon là-bas maïs château",
    German: "der die das schön Größe Straße Übermut Käse für Mädchen Äpfel Öl groß fünf Müller heiß",
    Spanish: "el niño está año señor también más canción corazón mañana pingüino qué aquí fácil",
    Portuguese: "não coração é são você irmã avó ação português três país às pão",
    Italian: "la città è più perché così già università caffè qualità lunedì",
    Dutch: "de één coördinatie geïnteresseerd het financiële reünie café ideeën",
    Danish: "og på øl også rødgrød fløde være måske København smørrebrød",
    Swedish: "och är får på också räksmörgås flygplats ångström över Åsa två",
    Finnish: "päivää hyvää yö minä tämä sää Äiti työ ja on",
  };
  test.each(Object.entries(words))("any sentence of %s words in windows-1252 is read right", (_, language) => {
    const sentence = fc
      .tuple(
        fc.array(fc.constantFrom(...language.split(" ")), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(".", "…", " – 5 €.", "!"),
      )
      .map(([all, end]) => `${all.join(" ")}${end}`);
    fc.assert(
      fc.property(sentence, (text) => {
        const bytes = iconv.encode(text, "windows-1252");
        // The bytes of "ß…" are a letter of UTF-8 too, and what is valid UTF-8 is read as such.
        expect(decodeText(bytes)).toBe(isUtf8(bytes) ? bytes.toString() : text);
      }),
    );
  });
});
