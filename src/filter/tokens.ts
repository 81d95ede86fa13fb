/** What the languages read here have in common on their way from text to tokens. */

/** Takes what a sticky form finds at the present place, if it does. */
export type Take = (form: RegExp) => string | undefined;

interface Token<Kind extends string> {
  kind: Kind;
  text: string;
  /** Where it begins, in UTF-16 units. */
  at: number;
}

const SPACE = /[ \t\r\n]*/y;
/** A name, a keyword or a bare value. */
export const WORD = /[A-Za-z0-9_.:/-]+/y;

/** `one` reads the token that begins at `start`. The last token is the end. */
export function tokenise<Kind extends string>(text: string, one: (start: number, take: Take) => Omit<Token<Kind>, 'at'>): Token<Kind | 'end'>[] {
  const tokens: Token<Kind | 'end'>[] = [];
  let at = 0;
  const take: Take = (form) => {
    form.lastIndex = at;
    const found = form.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  for (;;) {
    take(SPACE);
    const start = at;
    if (at >= text.length) return [...tokens, { kind: 'end', text: '', at }];
    tokens.push({ ...one(start, take), at: start });
  }
}
