/** Secrets by what they look like, wherever they stand. */
import type { Span } from './spans.js';

/** A password as `src/access/password.ts` keeps it, and as other systems do (crypt, PHC, Django, LDAP). */
const PASSWORD_HASH =
  /scrypt:\d{1,3}:\d{1,9}:\d{1,9}:[\w-]+:[\w-]+|\$(?:1|5|6|7|y|gy|2[abxy]?|apr1|md5|sha1|scrypt|bcrypt|argon2(?:id|i|d)|pbkdf2[\w-]*|bcrypt-sha256)\$[\w./=,+$*-]{8,}|pbkdf2[_:]sha\d+[$:]\d+\$[^\s$"']+\$[\w+/=]+|\{S?SHA(?:256|384|512)?\}[\w+/=]{20,}/g;
const WHOLLY_HASH = new RegExp(`^(?:${PASSWORD_HASH.source})$`);

const PEM_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----/g;
const PEM_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----/;

interface Shape {
  form: RegExp;
  /** What comes of it is kept: `Bearer `, a user's name. */
  keeps?: number;
  isSecret?: (found: string) => boolean;
}

const SHAPES: readonly Shape[] = [
  // JSON Web Tokens, signed (three parts) or encrypted (five).
  { form: /(?<![\w-])eyJ[\w-]{6,}(?:\.[\w-]*){2,4}/g },
  { form: /(?<![\w-])(Bearer|Negotiate|NTLM|Digest) +[\w.~+/=-]{8,}/g, keeps: 1 },
  { form: /(?<![\w-])(bearer) +[\w.~+/-]{12,}=*/gi, keeps: 1, isSecret: (found) => /\d|[a-z][A-Z]/.test(found.slice(7)) },
  { form: /(?<![\w-])(Basic) +[A-Za-z0-9+/]{4,}={0,2}/gi, keeps: 1, isSecret: (found) => isNameAndPassword(found.replace(/^\w+ +/, '')) },
  // What is before the @ of an address: all behind the user's name, or all where there is no colon.
  { form: /\b([a-z][a-z0-9+.-]{1,30}:\/\/[^\s/?#"'<>`\\:@]{0,256}:)[^\s/?#"'<>`\\]{1,1024}(?=@)/gi, keeps: 1 },
  { form: /\b(https?:\/\/)[^\s/?#"'<>`\\:@]{1,1024}(?=@)/gi, keeps: 1 },
  { form: /(?<!\S)((?:-u|--user|--proxy-user)[ =]["']?[^\s:"'=/]{1,128}:)[^\s"']+/g, keeps: 1 },
  { form: /\b(sshpass +-p *)\S+/g, keeps: 1 },
  { form: /\b((?:requirepass|masterauth|r[ow]community6?) +)[^\s"'`\\]+/g, keeps: 1 },
  { form: /\b(snmp\S{0,32} +(?:\S{1,64} +)?community +)\S+/gi, keeps: 1 },
  // Keys of services that mark theirs: AWS, GitHub, GitLab, Slack, Google, Stripe.
  { form: /\b(?:A3T[A-Z0-9]|AKIA|ASIA|AROA|AIDA|AGPA|ANPA)[A-Z0-9]{16}\b/g },
  { form: /\b(?:gh[opusr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abeoprs]-[\w-]{10,}|AIza[\w-]{35}|[rs]k_(?:live|test)_\w{16,})/g },
  // 32 random bytes in base64url: the probe's own sessions and tokens. A hash of 32 bytes in plain base64 ends with `=`.
  { form: /(?<![\w+-])[\w-]{43}(?![\w+=-])/g, isSecret: looksRandom },
  // A key without its frame, as where a file is read from its middle.
  { form: /(?<![\w+/-])[\w+/-]{60,}={0,2}/g, isSecret: (found) => looksRandom(found) && looksLikeBase64(found) },
];

/** Without `keepsHashes`, password hashes too; with it, nothing inside of one is touched. */
export function shapedSecrets(text: string, keepsHashes: boolean): Span[] {
  const spans = [...privateKeys(text)];
  for (const { form, keeps, isSecret } of SHAPES) {
    for (const match of text.matchAll(form)) {
      if (isSecret?.(match[0]) === false) continue;
      const kept = keeps === undefined ? 0 : match[keeps]!.length;
      spans.push(open(text, match.index + kept, match.index + match[0].length));
    }
  }
  const hashes = [...text.matchAll(PASSWORD_HASH)].map((match) => open(text, match.index, match.index + match[0].length));
  if (!keepsHashes) return [...spans, ...hashes];
  return spans.filter(({ from, to }) => !hashes.some((hash) => from >= hash.from && to <= hash.to));
}

export const isPasswordHash = (text: string): boolean => WHOLLY_HASH.test(text);

const WORD_END = /[^\w.~+/=:$-]/;

const open = (text: string, from: number, to: number): Span => (to === text.length ? { from, to, until: WORD_END } : { from, to });

function* privateKeys(text: string): Iterable<Span> {
  let done = 0;
  for (const { index } of text.matchAll(PEM_BEGIN)) {
    if (index < done) continue;
    const end = PEM_END.exec(text.slice(index));
    done = end === null ? text.length : index + end.index + end[0].length;
    yield end === null ? { from: index, to: done, until: PEM_END } : { from: index, to: done };
  }
}

/** Not the path, the name or the number that is as long: letters of both cases, and many different characters. */
function looksRandom(found: string): boolean {
  return /[a-z]/.test(found) && /[A-Z]/.test(found) && new Set(found).size >= 18;
}

/**
 * Random bytes have capitals and digits all over, and hardly a slash. One line in some hundreds has next to no digit; a name of many
 * words, which has none either, has a capital in six letters, where random bytes have two in five.
 */
function looksLikeBase64(found: string): boolean {
  const share = (form: RegExp): number => (found.match(form)?.length ?? 0) / found.length;
  const capitals = share(/[A-Z]/g);
  return share(/[/_-]/g) <= 0.15 && capitals >= 0.15 && (capitals >= 0.28 || share(/\d/g) >= 0.04);
}

function isNameAndPassword(base64: string): boolean {
  const bytes = Buffer.from(base64, 'base64');
  return /^[^\u0000-\u001f\u007f\ufffd]*:[^\u0000-\u001f\u007f\ufffd]*$/.test(bytes.toString('utf8'));
}
