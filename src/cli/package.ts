/** `spillway package`: a release as one signed file, made, looked into and verified. */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SpillwayError } from '../errors.js';
import { fromRoot } from '../root.js';
import { isVersion, type ReleaseManifest } from '../update/manifest.js';
import { readPackage, HERE, type Demands, type Proven } from '../update/package-reader.js';
import { writePackage } from '../update/package-writer.js';
import { releaseIn } from '../update/release.js';
import { readPrivateKey, readPublicKey } from '../update/signature.js';
import { formatSize } from '../units.js';
import { naming, note, oneLine } from './fail.js';
import { checkFlags, parseCommand, type CommandSpec, type FlagsOf, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { checkOutput } from './output.js';
import { bytesOf } from './package-file.js';
import { written } from './written.js';

export const PACKAGE: CommandSpec = {
  name: 'package',
  operands: { value: 'build|inspect FILE|verify FILE', many: true, optional: true },
  about: `Makes an update package, one file with all that a release of Spillway runs with (build); tells what one says of itself (inspect);
or proves that it is what the owner of a key signed, and fit for this machine (verify).`,
  flags: [
    { name: 'from', value: 'DIR', about: 'with build: a folder in which Spillway was installed and built; default: the one that this program is of' },
    { name: 'sign', value: 'KEY', about: 'with build: sign it with this private key (PEM, Ed25519)' },
    { name: 'output', short: 'o', value: 'FILE', about: 'with build: where it goes; - is standard output' },
    { name: 'key', value: 'PUB', many: true, about: 'with verify: a public key (PEM, Ed25519); one of them must have signed it' },
    { name: 'any-machine', about: 'with verify: it may be for other machines and other versions of Node' },
    { name: 'not-older-than', value: 'V', about: 'with verify: its version must be this one or a later one' },
    { name: 'json', about: 'with inspect: print one line of JSON, which is its manifest and more' },
  ],
  notes: `A package is for machines as the one that it is made on. Who signs keeps a private key, and gives the public one to probes:
  openssl genpkey -algorithm ed25519 -out release.key
  openssl pkey -in release.key -pubout -out release.pub

What inspect tells, anybody may have written.

Examples:
  spillway package build --sign release.key -o spillway.tar.gz
  spillway package inspect spillway.tar.gz
  spillway package verify spillway.tar.gz --key release.pub

${EXIT_HELP}`,
};

/** It holds nothing that is secret. */
const MODE = 0o644;
const CLEAR_LINE = '\r\u001b[K';
const ACTIONS = ['build', 'inspect', 'verify'] as const;
type Action = (typeof ACTIONS)[number];

/** Where each flag belongs. */
const FLAGS_OF: FlagsOf<Action> = {
  from: ['build'],
  sign: ['build'],
  output: ['build'],
  key: ['verify'],
  'any-machine': ['verify'],
  'not-older-than': ['verify'],
  json: ['inspect'],
};

export async function packageCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(PACKAGE, args);
  if (parsed.help) {
    io.stdout.write(helpText(PACKAGE));
    return 0;
  }
  const [word, file, ...more] = parsed.operands;
  const action = ACTIONS.find((each) => each === word);
  if (action === undefined || (file === undefined) !== (action === 'build') || more.length > 0)
    throw new SpillwayError('REQUEST_INVALID', 'say spillway package build, or spillway package inspect|verify FILE');
  checkFlags(PACKAGE, parsed, FLAGS_OF, action);
  if (action === 'build') return build(parsed, io);
  return action === 'inspect' ? inspect(file!, parsed, io) : verify(file!, parsed, io);
}

async function build(parsed: Parsed, io: Io): Promise<number> {
  const value = (flag: string): string | undefined => parsed.values.get(flag)?.[0];
  const name = value('output');
  if (name === undefined) throw new SpillwayError('REQUEST_INVALID', 'say with -o FILE where the package goes');
  const key = value('sign') === undefined ? null : keyIn('--sign', value('sign')!, readPrivateKey, io);
  const release = await releaseIn(resolve(io.cwd, value('from') ?? fromRoot()));
  const output = await checkOutput(name, io);
  const { platform, architecture } = HERE;
  const shows = io.stderr.isTerminal && process.env['TERM'] !== 'dumb';
  const show = (text: string): void => void (shows && io.stderr.write(CLEAR_LINE + text));
  let manifest: ReleaseManifest | undefined;
  const exit = await written(output, MODE, io, async (sink, signal) => {
    const progress = (done: number): void => show(`${String(Math.floor(done * 100)).padStart(3)}%`);
    manifest = await writePackage({ release, platform, architecture, createdMs: Date.now(), key, sink, progress, signal });
  });
  show('');
  if (exit !== 0) return exit;
  if (key === null) note(io, 'warning: the package is not signed');
  if (output.kind === 'file') io.stdout.write(`${oneLine(name)}: ${titleOf(manifest!)}\n`);
  return 0;
}

async function inspect(file: string, parsed: Parsed, io: Io): Promise<number> {
  const read = await readPackage(bytesOf(file, io), null);
  io.stdout.write(parsed.values.has('json') ? `${JSON.stringify({ ...read.manifest, isSigned: read.isSigned })}\n` : inspectionText(read));
  note(io, 'nothing of this is proven: it is whole, and whoever made it wrote so (see spillway package verify)');
  return 0;
}

function inspectionText({ manifest, isSigned }: Proven): string {
  const { id, version, platform, architecture, node, createdMs, files } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const lines = [
    ['Id', id],
    ['Version', version],
    ['Machine', `${platform} on ${architecture}`],
    ['Node', node],
    ['Made', new Date(createdMs).toISOString()],
    ['Files', `${files.length} of ${formatSize(bytes)}`],
    ['Signature', isSigned ? 'there is one; whose it is was not looked at' : 'none'],
  ];
  return lines.map(([label, value]) => `${`${label}:`.padEnd(11)}${oneLine(value!)}\n`).join('');
}

async function verify(file: string, { values }: Parsed, io: Io): Promise<number> {
  const keys = (values.get('key') ?? []).map((path) => keyIn('--key', path, readPublicKey, io));
  if (keys.length === 0) throw new SpillwayError('REQUEST_INVALID', 'say with --key PUB whose signature counts: without a key nothing is proven');
  const leastVersion = values.get('not-older-than')?.[0] ?? null;
  if (leastVersion !== null && !isVersion(leastVersion))
    throw new SpillwayError('REQUEST_INVALID', `--not-older-than: ${JSON.stringify(leastVersion)} is no version, such as 0.1.0`);
  const demands: Demands = { keys, ...(values.has('any-machine') ? {} : HERE), leastVersion };
  const { manifest, signer } = await readPackage(bytesOf(file, io), demands);
  io.stdout.write(`${oneLine(file)}: ${titleOf(manifest)}, signed by ${signer}\n`);
  return 0;
}

const titleOf = ({ version, platform, architecture, id }: ReleaseManifest): string =>
  oneLine(`Spillway ${version} for ${platform} on ${architecture}, ${id}`);

function keyIn(flag: string, path: string, read: (pem: Buffer) => KeyObject, io: Io): KeyObject {
  let pem: Buffer;
  try {
    pem = readFileSync(resolve(io.cwd, path));
  } catch (error) {
    throw new SpillwayError('REQUEST_INVALID', `${flag}: ${path} can not be read: ${(error as Error).message}`);
  }
  return naming(`${flag}: ${path}`, () => read(pem));
}
