/** `spillway diag`: a diagnostic package, from the running probe or without one; and what to do with one that is there. */
import { SECTIONS, type BundleWish, type Section } from '../bundle/collector.js';
import type { Inspection } from '../bundle/read.js';
import { SpillwayError } from '../errors.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { note, oneLine } from './fail.js';
import { commandLine, parseCommand, type CommandSpec, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { checkOutput } from './output.js';
import { PASSWORD_FLAG, readPassword } from './password.js';
import { written } from './written.js';

export const DIAG: CommandSpec = {
  name: 'diag',
  operands: { value: '[inspect|decrypt FILE]', many: true, optional: true },
  about: `Makes a diagnostic package of a probe: a ZIP archive with its settings, its state, its logs and its figures, without secrets. It works
beside a running probe and without one. It also checks a package against its manifest (inspect), and writes one without its encryption (decrypt).`,
  flags: [
    { name: 'verbose', about: 'collect more of everything' },
    { name: 'with', value: 'LIST', about: 'sections, with commas between; default: all but user_credentials' },
    { name: 'encrypt', about: 'ask for a passphrase, and encrypt the package with AES-256' },
    { ...PASSWORD_FLAG, about: 'read the passphrase from the first line of standard input' },
    { name: 'output', short: 'o', value: 'FILE', about: 'where it goes; default: spillway-diag-TIME.zip, here; - is standard output' },
    { name: 'json', about: 'with inspect: print one line of JSON' },
    DATA_FLAG,
  ],
  notes: `Sections (LIST): ${SECTIONS.join(', ')}.
The last one holds the names of users and hashes of their passwords. Passwords, tokens, keys and passphrases are in no package.

Examples:
  spillway diag
  spillway diag --verbose --encrypt -o probe.zip
  spillway diag --with configuration,status -o - > probe.zip
  spillway diag inspect probe.zip
  spillway diag decrypt probe.zip -o plain.zip

${EXIT_HELP}`,
};

/** Only its owner reads it. */
const MODE = 0o600;
const CLEAR_LINE = '\r\u001b[K';
const ACTIONS = ['inspect', 'decrypt'] as const;
type Action = (typeof ACTIONS)[number];

/** Where each flag belongs; null: to the making of a package. */
const FLAGS_OF: Readonly<Record<string, readonly (Action | null)[]>> = {
  verbose: [null],
  with: [null],
  encrypt: [null],
  output: [null, 'decrypt'],
  json: ['inspect'],
  data: [null],
};

export async function diagCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(DIAG, args);
  if (parsed.help) {
    io.stdout.write(helpText(DIAG));
    return 0;
  }
  const [word, file, ...more] = parsed.operands;
  const action = ACTIONS.find((each) => each === word) ?? null;
  if (word !== undefined && (action === null || file === undefined || more.length > 0))
    throw new SpillwayError('REQUEST_INVALID', `say spillway diag, or spillway diag ${ACTIONS.join('|')} FILE`);
  for (const [flag, actions] of Object.entries(FLAGS_OF))
    if (parsed.values.has(flag) && !actions.includes(action))
      throw new SpillwayError('REQUEST_INVALID', `--${flag} does not go with ${action ?? 'making a package'}`);
  if (action === 'inspect') return inspect(file!, parsed, io);
  if (action === 'decrypt') return decrypt(file!, parsed, io);
  return make(parsed, io);
}

async function make(parsed: Parsed, io: Io): Promise<number> {
  const { values } = parsed;
  const wish: BundleWish = { verbosity: values.has('verbose') ? 'verbose' : 'base', sections: sectionsOf(values.get('with')?.[0]) };
  const name = values.get('output')?.[0] ?? `spillway-diag-${new Date().toISOString().replace(/\.\d+|[-:]/g, '')}.zip`;
  const output = await checkOutput(name, io);
  const data = dataFolder(parsed, io);
  const isEncrypted = values.has('encrypt') || values.has('password-stdin');
  const passphrase = isEncrypted ? await passphraseOf(parsed, io, true) : null;
  const { isServed } = await import('./door.js');
  if (!(await isServed(data))) {
    const { runAsOwner } = await import('../privileged/owner.js');
    const changed = (real: string): Record<string, string[]> => ({
      data: [real],
      output: [output.kind === 'stdout' ? '-' : output.path],
      ...(isEncrypted && { 'password-stdin': [''] }),
    });
    const asOwner = await runAsOwner(
      data,
      (real) => commandLine(DIAG, parsed, changed(real)),
      undefined,
      isEncrypted ? `${passphrase!}\n` : undefined,
    );
    if (asOwner !== null) return asOwner;
  }
  const shows = io.stderr.isTerminal && process.env['TERM'] !== 'dumb';
  const show = (text: string): void => void (shows && io.stderr.write(`${CLEAR_LINE}${text.slice(0, io.stderr.columns - 1)}`));
  const exit = await written(output, MODE, io, async (sink, signal) => {
    if (await isServed(data)) {
      show('the probe collects …');
      const { fetchBundle } = await import('./diag-server.js');
      await fetchBundle(data, wish, passphrase, sink, signal);
    } else {
      const { offlineCollectors } = await import('../bundle/offline.js');
      const { writeBundle } = await import('../bundle/bundle.js');
      const { collectors, about, close } = await offlineCollectors(data);
      const progress = (done: number, step: string): void => show(`${String(Math.floor(done * 100)).padStart(3)}%  ${step}`);
      try {
        await writeBundle({ collectors, wish, format: 'zip', passphrase, sink, about, signal, progress });
      } finally {
        close();
      }
    }
    show('');
  });
  if (exit !== 0) return exit;
  if (wish.sections.includes('user_credentials') && passphrase === null)
    note(io, 'warning: the package holds names of users and hashes of their passwords, and is not encrypted');
  if (output.kind === 'file') io.stdout.write(`${oneLine(name)}\n`);
  return 0;
}

async function decrypt(file: string, parsed: Parsed, io: Io): Promise<number> {
  const name = parsed.values.get('output')?.[0];
  if (name === undefined) throw new SpillwayError('REQUEST_INVALID', 'say with -o FILE where the package without its encryption goes');
  const output = await checkOutput(name, io);
  const passphrase = await passphraseOf(parsed, io, false);
  const { decryptBundle } = await import('../bundle/read.js');
  return written(output, MODE, io, (sink) => decryptBundle(file, passphrase, sink));
}

async function inspect(file: string, parsed: Parsed, io: Io): Promise<number> {
  const { inspectBundle } = await import('../bundle/read.js');
  const given = parsed.values.has('password-stdin') ? await passphraseOf(parsed, io, false) : null;
  let inspection = await inspectBundle(file, given);
  if (inspection.isEncrypted && given === null && io.stdinIsTerminal) inspection = await inspectBundle(file, await passphraseOf(parsed, io, false));
  io.stdout.write(parsed.values.has('json') ? `${JSON.stringify(inspection)}\n` : inspectionText(inspection));
  if (inspection.problems.length > 0) throw new SpillwayError('BUNDLE_INVALID', inspection.problems.join('; '));
  return 0;
}

function inspectionText({ format, isEncrypted, files, manifest }: Inspection): string {
  const head = manifest
    ? `${format}${isEncrypted ? ', encrypted' : ''}: probe ${manifest.about.device} (serial ${manifest.about.serial}, Spillway ${manifest.about.version}), made ${new Date(manifest.about.createdMs).toISOString()}`
    : `${format}, encrypted: without the passphrase only the names of files can be read`;
  const notes = new Map(manifest?.entries.map(({ file, note: why }) => [file, why]));
  const lines = files.map(({ path, bytes }) => `${String(bytes ?? '?').padStart(10)}  ${path}${notes.get(path) ? `  (${notes.get(path)})` : ''}`);
  const missing =
    manifest?.entries.filter(({ file }) => file === null).map(({ name, note: why }) => `         -  ${name}${why ? `  (${why})` : ''}`) ?? [];
  return `${[head, ...lines, ...missing].map(oneLineKept).join('\n')}\n`;
}

/** `oneLine`, with the spaces in front. */
const oneLineKept = (text: string): string => `${/^ */.exec(text)![0]}${oneLine(text)}`;

async function passphraseOf(parsed: Parsed, io: Io, confirms: boolean): Promise<string> {
  const passphrase = await readPassword(io, parsed.values.has('password-stdin'), 'Passphrase', confirms);
  if (passphrase === '') throw new SpillwayError('REQUEST_INVALID', 'the passphrase is empty');
  return passphrase;
}

function sectionsOf(list: string | undefined): Section[] {
  if (list === undefined) return SECTIONS.filter((section) => section !== 'user_credentials');
  return list.split(',').map((word) => {
    const section = SECTIONS.find((each) => each === word.trim());
    if (section === undefined) throw new SpillwayError('REQUEST_INVALID', `--with: ${JSON.stringify(word)} is not one of ${SECTIONS.join(', ')}`);
    return section;
  });
}
