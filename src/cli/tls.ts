/** `spillway tls init`: a certificate that the probe made itself, and its key. */
import { mkdirSync, renameSync, writeFileSync, existsSync, unlinkSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { SpillwayError } from '../errors.js';
import { parseCount } from '../units.js';
import { naming } from './fail.js';
import { parseCommand, type CommandSpec, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';

export const TLS: CommandSpec = {
  name: 'tls',
  operands: { value: 'init', many: false },
  about: `Makes a self-signed certificate, cert.pem, and its key, key.pem, with which the probe serves HTTPS.`,
  flags: [
    { name: 'name', value: 'HOST', many: true, about: 'a name or address of the probe, besides localhost, 127.0.0.1 and ::1' },
    { name: 'days', value: 'N', about: 'how long it holds; default: 365' },
    { name: 'output', short: 'o', value: 'DIR', about: 'where to put both; default: here' },
    { name: 'force', about: 'replace what is there' },
  ],
  notes: `Only its owner can read the key. No other program knows the certificate: clients have to be told to trust it, or
(curl -k) not to ask.

Examples:
  spillway tls init --name probe.example --name 192.0.2.7
  spillway serve --tls-cert cert.pem --tls-key key.pem

${EXIT_HELP}`,
};

/** Ten years: beyond that some clients refuse the certificate. */
const DAYS_MAX = 3650n;
const DAY_MS = 24 * 3600_000;
const HOST = /^(?=.{1,253}$)(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

export async function tlsCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(TLS, args);
  if (parsed.help) {
    io.stdout.write(helpText(TLS));
    return 0;
  }
  if (parsed.operands[0] !== 'init') throw new SpillwayError('REQUEST_INVALID', 'say spillway tls init');
  const names = namesOf(parsed);
  const given = parsed.values.get('days')?.[0];
  const days = given === undefined ? 365n : naming('--days', () => parseCount(given, DAYS_MAX));
  if (days === 0n) throw new SpillwayError('REQUEST_INVALID', '--days: a certificate of no day is none');
  const folder = resolve(io.cwd, parsed.values.get('output')?.[0] ?? '.');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const there = [cert, key].find((path) => existsSync(path));
  if (there !== undefined && !parsed.values.has('force')) throw new SpillwayError('OUTPUT_INVALID', `${there} is there already: --force replaces it`);
  const pair = await selfSigned(names, Number(days));
  try {
    mkdirSync(folder, { recursive: true });
    put(key, pair.key, 0o600);
    put(cert, pair.cert, 0o644);
  } catch (error) {
    throw new SpillwayError('OUTPUT_FAILED', `certificate and key can not be written: ${(error as Error).message}`);
  }
  io.stdout.write(`${cert}\n${key}\n`);
  return 0;
}

function namesOf({ values }: Parsed): string[] {
  const names = values.get('name') ?? [];
  const bad = names.find((name) => isIP(name) === 0 && !HOST.test(name));
  if (bad !== undefined) throw new SpillwayError('REQUEST_INVALID', `--name: ${JSON.stringify(bad)} is neither a host name nor an address`);
  return [...new Set(['localhost', '127.0.0.1', '::1', ...names])];
}

async function selfSigned(names: readonly string[], days: number): Promise<{ cert: string; key: string }> {
  const { generate } = await import('selfsigned');
  // Where the client's clock is a little behind, it holds already.
  const notBeforeDate = new Date(Date.now() - DAY_MS / 24);
  const altNames = names.map((name) => (isIP(name) === 0 ? { type: 2 as const, value: name } : { type: 7 as const, ip: name }));
  const made = await generate([{ name: 'commonName', value: names[3] ?? 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate,
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** Whole or not at all, and never readable by more than it should be, whatever lay there. */
function put(path: string, text: string, mode: number): void {
  const part = `${path}.part`;
  if (existsSync(part)) unlinkSync(part);
  writeFileSync(part, text.endsWith('\n') ? text : `${text}\n`, { mode, flag: 'wx' });
  renameSync(part, path);
}
