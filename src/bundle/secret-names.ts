/** Secrets by the name that stands before them: members of JSON, `key=value`, `key: value`, flags, headers, query strings. */
import { REACH, type Span } from './spans.js';

/** Where to look at all; the whole name around it decides. */
const KEYWORD =
  /pass|masterauth|secret|token|cookie|credential|community|bearer|(?:api|private|access|auth|session|encryption|encrypt|signing|master|shared|license)[-_ ]?key|auth(?:orization)?\b|sess(?:ion)?[-_ ]?id|spillway[-_]session|pin[-_ ]?code|pwd?\b|psk\b|otp\b|jwt\b|amz-signature/gi;

/** Of a whole name, in small letters and without its separators. */
const SECRET =
  /pass(?:wor[dt]|wd|phrase|code|key)|requirepass|masterauth|secret|token|cookie|credential|community(?:string|name)?$|bearer|(?:api|private|access|auth|session|encryption|encrypt|signing|master|shared|license)key|authorization|^auth$|sess(?:ion)?id|spillwaysession|pincode|amzsignature/;

/** Names that are secret by their last word. */
const LAST_WORD = /(?:^|[-_. ])(?:pass|pwd?|psk|otp|jwt|wpapsk)$/;

/** What is said about a secret, without being one. */
const ABOUT = /(?:stdin|file|path|dir|type|policy|url|endpoint)$/;
/** Figures about secrets: how many, how long. */
const MEASURE = /(?:ms|seconds|s|bytes|count|total|limit|max|min|length|size|days|at|expires|expiry|time)$/;
const FIGURE = /^\d+(?:\.\d+)?$/;
const NOTHING = /^(?:true|false|null|undefined|none|-|)$/i;

const NAME_CHARACTER = /[\w.-]/;
/** Longer than any name that people give. */
const NAME_MAX = 96;

const KNOWN_NAMES_MAX = 4096;
const knownNames = new Map<string, boolean>();

/** Whether what is called so is a secret: `dbPassword`, `X-Api-Key`, `SESSION_ID`. */
export function isSecretName(name: string): boolean {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const plain = plainName(name);
  const is = name.length <= NAME_MAX && !ABOUT.test(plain) && (SECRET.test(plain) || LAST_WORD.test(words(name)));
  // Names are few; a map of them may still be asked for any number.
  if (knownNames.size >= KNOWN_NAMES_MAX) knownNames.clear();
  knownNames.set(name, is);
  return is;
}

/** Whether an unquoted value tells nothing: `true`, nothing at all, or a number that measures. */
export function isHarmless(name: string, value: string): boolean {
  return NOTHING.test(value) || (FIGURE.test(value) && MEASURE.test(plainName(name)));
}

const words = (name: string): string => name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();
const plainName = (name: string): string => name.toLowerCase().replace(/[-_. ]/g, '');

/** The values behind names of secrets. */
export function namedSecrets(text: string): Span[] {
  const spans: Span[] = [];
  const keyword = new RegExp(KEYWORD);
  for (let hit = keyword.exec(text); hit !== null; hit = keyword.exec(text)) {
    let from = hit.index;
    let to = from + hit[0].length;
    while (from > 0 && hit.index - from < NAME_MAX && NAME_CHARACTER.test(text[from - 1]!)) from--;
    while (to < text.length && to - hit.index < NAME_MAX && NAME_CHARACTER.test(text[to]!)) to++;
    keyword.lastIndex = to;
    const span = valueOf(text, from, to);
    if (span === null) continue;
    spans.push(span);
    keyword.lastIndex = Math.max(to, span.to);
  }
  return spans;
}

const SEPARATOR = /\]?(?:\\*["'`])?[ \t]{0,64}(?:=>|:=|[:=]|%3[AD])[ \t]{0,64}/iy;
const FLAG_SEPARATOR = /(?:[ \t]{1,64}|\\*["'],[ \t]{0,8})(?=[^\s-])/y;
const TWO_WORDS = /[ \t]{1,64}(?=[^\s=:]+[ \t]*(?:\r?\n|$))/y;
const END_OF_LINE = /\r?\n/;
const OPENING = /\\*["'`]/y;
/** Unquoted: up to a space, a quote that closes what it stands in, or what separates it from the next pair. */
const BARE = /(?:(?![&;,] ?[\w.%[\]-]{1,40}[=:]|\\{0,8}["'`](?:[\s,}\]:);]|$))[^\s])+/y;
/** Of an object without quotes around its names: `{ user: ann, password: x }`. */
const MEMBER = /[^\n,}]+/y;
const BARE_END = /[\s"'`&;,]/;

function valueOf(text: string, from: number, to: number): Span | null {
  const dashed = /^-{1,2}/.exec(text.slice(from, to))?.[0].length ?? 0;
  const name = text.slice(from + dashed, to).replace(/[-.]+$/, '');
  if (!isSecretName(name)) return null;
  const before = text.slice(Math.max(0, from - NAME_MAX), from);
  const lineStart = /(?:^|\n)[ \t]*(?:export |set |- )?$/.test(before) && (from < NAME_MAX || before.includes('\n'));
  if (before.endsWith('<') && text[to] === '>') return ends(text, to + 1, /</);
  const separator = matched(SEPARATOR, text, to);
  if (separator !== null) return assigned(text, to + separator.length, name, separator, before);
  if (dashed > 0) {
    const gap = matched(FLAG_SEPARATOR, text, to);
    if (gap !== null) return afterFlag(text, to + gap.length, gap);
  }
  const gap = lineStart ? matched(TWO_WORDS, text, to) : null;
  return gap === null ? null : ends(text, to + gap.length, END_OF_LINE);
}

function assigned(text: string, at: number, name: string, separator: string, before: string): Span | null {
  const opening = matched(OPENING, text, at);
  if (opening !== null) return quoted(text, at, opening);
  const isQuotedName = /["'`]/.test(separator);
  if (text[at] === '{' || text[at] === '[') return nested(text, at);
  const isMember = isQuotedName || /[{,]\s*$/.test(before);
  const isLine = /[: \t]/.test(separator);
  const span = isMember
    ? runs(text, at, MEMBER, /[\n,}]/)
    : isLine && !separator.startsWith('%')
      ? ends(text, at, END_OF_LINE)
      : runs(text, at, BARE, BARE_END);
  const value = text.slice(span.from, span.to).trim();
  return isHarmless(name, value.replace(/[\]})]+$/, '')) ? null : span;
}

function afterFlag(text: string, at: number, gap: string): Span | null {
  // `"--password", "x"`
  const opening = matched(OPENING, text, at);
  if (opening !== null) return quoted(text, at, opening);
  return gap.includes(',') ? null : runs(text, at, BARE, BARE_END);
}

/** Up to the quote that closes it, which stands behind as many backslashes as the one that opens it. */
function quoted(text: string, at: number, opening: string): Span {
  const quote = opening.at(-1)!;
  const depth = opening.length - 1;
  const from = at + opening.length;
  for (let to = from; ; to++) {
    const character = text[to];
    if (character === undefined) return { from, to, until: new RegExp(`${quote}|\\n`) };
    if (character === '\n') return { from, to };
    if (character !== quote) continue;
    let slashes = 0;
    while (text[to - 1 - slashes] === '\\' && to - 1 - slashes >= from) slashes++;
    if (depth === 0 ? slashes % 2 === 0 : slashes <= depth) return { from, to: to - Math.min(slashes, depth) };
  }
}

/** A list or an object: all of it; where it has no end that can be seen, the rest of the line. */
function nested(text: string, at: number): Span {
  let depth = 0;
  for (let to = at; to < text.length && to - at < REACH; to++) {
    const character = text[to]!;
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') to = Math.max(to, quoted(text, to, '"').to);
    if (depth === 0) return { from: at, to: to + 1 };
  }
  return ends(text, at, END_OF_LINE);
}

function ends(text: string, from: number, until: RegExp): Span {
  const length = text.slice(from).search(until);
  return length < 0 ? { from, to: text.length, until } : { from, to: from + length };
}

function runs(text: string, from: number, form: RegExp, until: RegExp): Span {
  const to = from + (matched(form, text, from)?.length ?? 0);
  return to === text.length ? { from, to, until } : { from, to };
}

function matched(form: RegExp, text: string, at: number): string | null {
  form.lastIndex = at;
  return form.exec(text)?.[0] ?? null;
}
