const space = /[ \t\r\n]*/y;
/** Characters of a string that stand for themselves: no control characters, quotes or backslashes. */
const plain = /[ !#-[\]-\uffff]+/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** Number, true, false or null. */
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;
const notANumber = /-?(?:NaN|Infinity)/y;
const marks = { quote: /"/y, colon: /:/y, comma: /,/y, closeObject: /\}/y, closeArray: /\]/y };

/**
 * Where a text stops being JSON: the index of the first character that cannot be there, or the text's length if it ends
 * too early. JSON.parse names no place for many mistakes.
 * @param text one that JSON.parse refuses, with few levels
 */
export function findFault(text: string): { at: number; isNotANumber: boolean } {
  let at = 0;
  const isAt = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.test(text);
  };
  /** Goes on behind the pattern, if the text has it here. */
  const take = (pattern: RegExp): boolean => {
    const isHere = isAt(pattern);
    if (isHere) at = pattern.lastIndex;
    return isHere;
  };
  const takeString = (): boolean => {
    if (!take(marks.quote)) return false;
    while (take(plain) || take(escape));
    return take(marks.quote);
  };
  const takeItems = (close: RegExp, takeItem: () => boolean): boolean => {
    at += 1;
    take(space);
    if (take(close)) return true;
    do {
      if (!takeItem()) return false;
      take(space);
    } while (take(marks.comma));
    return take(close);
  };
  const takeMember = (): boolean => {
    take(space);
    if (!takeString()) return false;
    take(space);
    return take(marks.colon) && takeValue();
  };
  const takeValue = (): boolean => {
    take(space);
    switch (text.charAt(at)) {
      case "{":
        return takeItems(marks.closeObject, takeMember);
      case "[":
        return takeItems(marks.closeArray, takeValue);
      case '"':
        return takeString();
      default:
        return take(scalar);
    }
  };
  if (takeValue()) take(space);
  return { at, isNotANumber: isAt(notANumber) };
}
