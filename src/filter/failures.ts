/** From what the compiling executable answers to coded errors. */
import { SpillwayError } from '../errors.js';
import type { Answer, Request } from './frames.js';
import { MAX_FILTER_BYTES, MAX_QUOTED_FILTER } from './limits.js';
import { linkTypeName } from './linktypes.js';

/** Control characters out of a filter must not reach a terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A filter, or a part of it, as messages show it: cut short, and without what steers a terminal. */
export function quoted(text: string): string {
  const cut = text.length > MAX_QUOTED_FILTER ? `${text.slice(0, MAX_QUOTED_FILTER)}…` : text;
  return `"${printable(cut)}"`;
}

/**
 * Libpcap's ways of saying that an expression is fine but not for this link type. Names out of the filter stand in
 * quotation marks and are taken out before.
 */
const LINK_TYPE_TEXTS = [
  /link-layer type filtering not implemented/,
  /(unknown|unsupported) data ?link type/,
  /link-layer type \d+ isn't supported/,
  /\bsupported only (on|with)\b/,
  /\bonly supported on\b/,
  /\bnot supported (on|for|with)\b/,
  /\bno (VLAN|MPLS) support for\b/,
  /not a broadcast link/,
  /^only ethernet\/.* supports\b/,
];

export function speaksOfLinkType(libpcapText: string): boolean {
  const bare = libpcapText.replace(/'[^']*'|"[^"]*"/g, "''");
  return LINK_TYPE_TEXTS.some((pattern) => pattern.test(bare));
}

/** The error behind a text that is too long; undefined for any other. */
export function tooLong(text: string): SpillwayError | undefined {
  const bytes = Buffer.byteLength(text);
  return bytes > MAX_FILTER_BYTES
    ? new SpillwayError('FILTER_TOO_COMPLEX', `the filter is ${bytes} bytes long; at most ${MAX_FILTER_BYTES} are compiled`)
    : undefined;
}

/** What can be refused without asking libpcap; undefined when nothing is wrong. */
export function refuseBeforehand(request: Request): SpillwayError | undefined {
  const { text, linkType, snapLengthBytes } = request;
  const long = tooLong(text);
  if (long) return long;
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    return new SpillwayError('FILTER_INVALID', `the filter ${quoted(text)} holds a NUL character at column ${nul + 1}`);
  }
  if (!Number.isInteger(linkType) || linkType < 0 || linkType > 0xffff) {
    return new SpillwayError('FILTER_LINK_TYPE', `${linkType} is not the number of a link type (0 to 65535)`);
  }
  if (!Number.isInteger(snapLengthBytes) || snapLengthBytes < 1 || snapLengthBytes > 0x7fffffff) {
    return new SpillwayError('REQUEST_INVALID', `${snapLengthBytes} is not a snap length (1 to 2147483647)`);
  }
  return undefined;
}

/** The error behind an answer that holds no program. */
export function failureOf(answer: Answer, request: Request): SpillwayError {
  const text = printable(Buffer.from(answer.payload).toString());
  const filter = quoted(request.text);
  const linkType = linkTypeName(request.linkType);
  switch (answer.status) {
    case 'refused':
      return speaksOfLinkType(text)
        ? new SpillwayError('FILTER_LINK_TYPE', `the filter ${filter} does not fit link type ${linkType}: ${text}`, {
            libpcap: text,
            link_type: linkType,
          })
        : new SpillwayError('FILTER_INVALID', `the filter ${filter} is not valid: ${text}`, {
            libpcap: text,
            link_type: linkType,
          });
    case 'tooComplex':
      return new SpillwayError('FILTER_TOO_COMPLEX', `the filter ${filter} is too complex: ${text}`);
    default:
      return new SpillwayError('INTERNAL', `the filter compiler answered ${answer.status}: ${text}`);
  }
}

/** The error behind an answer to hello that is not `ready`. */
export function setupFailure(answer: Answer, path: string, version: string): SpillwayError {
  const text = printable(Buffer.from(answer.payload).toString());
  switch (answer.status) {
    case 'noLibpcap':
      return new SpillwayError('SETUP_INCOMPLETE', 'libpcap is not installed: apt-get install libpcap0.8', {
        loader: text,
      });
    case 'versionMismatch':
      return new SpillwayError(
        'SETUP_INCOMPLETE',
        `the filter compiler ${path} is of version ${text}, spillway of ${version}: build it again with npm start`,
      );
    default:
      return new SpillwayError('SETUP_INCOMPLETE', `the filter compiler ${path} can not be used: ${text}`);
  }
}
