/** Places in a text that are blanked, and how one that has not ended goes on in what follows. */

/** What stands where something was removed: always the same, so that neither length nor content shows. */
export const BLANK = '[removed]';

/** The longest construct that is found whole (a name with its value, a token); what is longer is blanked as it comes. */
export const REACH = 8192;

export interface Span {
  from: number;
  to: number;
  /** It reaches the end of the text that was looked at, and would go on until this matches. */
  until?: RegExp;
}

/** Blanks the spans, which may overlap and stand in any order. */
export function blank(text: string, spans: readonly Span[]): string {
  let out = '';
  let done = 0;
  for (const { from, to } of merged(spans)) {
    out += text.slice(done, from) + BLANK;
    done = to;
  }
  return out + text.slice(done);
}

/** In order and disjoint. Of those that reach furthest together, the one with an open end decides how it goes on. */
export function merged(spans: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const span of spans.filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last === undefined || span.from >= last.to) {
      out.push({ ...span });
      continue;
    }
    if (span.to < last.to) continue;
    if (span.to > last.to) delete last.until;
    last.to = span.to;
    if (span.until) last.until = span.until;
  }
  return out;
}
