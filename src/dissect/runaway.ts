/**
 * Regular expressions that run away. Where one needs more steps on a packet than pcre2 allows, tshark goes on as if it did not match,
 * and says so only in its log: an answer that lacks packets without a word.
 */

/** How the language writes that a regular expression is asked: `matches` or `~`. */
const ASKS = /matches|~/;

/** What its log says, from wherever pcre2 gave up. */
const GAVE_UP = 'pcre2_match() error';

/** Arguments by which tshark tells of it; what else these let through is little, but not nothing. */
export function listening(text: string): string[] {
  return ASKS.test(text) ? ['--log-level=debug', '--log-domains=WSUtil'] : [];
}

/** Hears what tshark writes to stderr, in whatever pieces it comes. */
export class RunawayWatch {
  #last = '';

  /** True: an expression was given up. */
  hears(said: string): boolean {
    const all = this.#last + said;
    this.#last = all.slice(-GAVE_UP.length);
    return all.includes(GAVE_UP);
  }
}
