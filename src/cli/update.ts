/** `spillway update`: the update packages that a probe keeps, and the keys that they have to be signed with. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { SpillwayError } from '../errors.js';
import { formatSize } from '../units.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { oneLine } from './fail.js';
import { commandLine, parseCommand, type CommandSpec, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { bytesOf } from './package-file.js';
import type { ShownKey, ShownPackage, UpdatesDoor } from './updates-door.js';

export const UPDATE: CommandSpec = {
  name: 'update',
  operands: { value: 'packages [import FILE|delete ID] or keys [add FILE|remove FINGERPRINT]', many: true, optional: true },
  about: `Lists the update packages that a data folder keeps, takes in one (import) or lets go of one (delete). With keys: the same for the
public keys that packages have to be signed with. It works beside a running probe and without one.`,
  flags: [
    { name: 'name', value: 'TEXT', about: 'with keys add: whose key it is; default: the name of the file' },
    { name: 'json', about: 'print one line of JSON for each package or key' },
    DATA_FLAG,
  ],
  notes: `A package (see spillway package) is taken in whole and proven, or not at all. As long as there is a key, only packages that one of
the keys has signed are taken; those that are there stay. FILE may also be an export of another repository, with all its packages.

Examples:
  spillway update keys add release.pub
  spillway update packages import spillway.tar.gz
  spillway update packages
  spillway update packages delete 4f19bc4daa2e01831e32f80d

${EXIT_HELP}`,
};

/** By what they are about: the word in front, and whether one of its own follows. */
const ACTIONS = ['packages', 'packages import', 'packages delete', 'keys', 'keys add', 'keys remove'] as const;
type Action = (typeof ACTIONS)[number];

/** Where each flag belongs. */
const FLAGS_OF: Readonly<Record<string, readonly Action[]>> = { name: ['keys add'], json: ['packages', 'packages import', 'keys'] };

/** As a file: what another process gives. */
const STANDARD_INPUT = '-';

interface Wish {
  action: Action;
  /** A file, an id or a fingerprint. */
  what: string;
}

export async function updateCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(UPDATE, args);
  if (parsed.help) {
    io.stdout.write(helpText(UPDATE));
    return 0;
  }
  const wish = wishOf(parsed);
  const data = dataFolder(parsed, io);
  const key = wish.action === 'keys add' ? pemIn(wish.what, io) : null;
  const { isServed } = await import('./door.js');
  if (!(await isServed(data))) {
    const { runAsOwner } = await import('../privileged/owner.js');
    const operands = key === null ? parsed.operands : ['keys', 'add', STANDARD_INPUT];
    const changed = (real: string): Record<string, string[]> => ({ data: [real], ...(key !== null && { name: [nameOf(parsed, wish)] }) });
    const asOwner = await runAsOwner(data, (real) => commandLine(UPDATE, { ...parsed, operands }, changed(real)), undefined, key ?? undefined);
    if (asOwner !== null) return asOwner;
  }
  const { openUpdatesDoor } = await import('./updates-door.js');
  const door = await openUpdatesDoor(data, wish.action === 'keys add' || wish.action === 'packages import');
  try {
    const lines = await act(door, wish, { parsed, key, io });
    io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  } finally {
    door.close();
  }
  return 0;
}

/** What it says, a line each. */
async function act(door: UpdatesDoor, { action, what }: Wish, given: { parsed: Parsed; key: string | null; io: Io }): Promise<string[]> {
  const isJson = given.parsed.values.has('json');
  const packages = (shown: readonly ShownPackage[]): string[] => shown.map((each) => (isJson ? JSON.stringify(each) : packageText(each)));
  if (action === 'packages') return packages(await door.packages());
  if (action === 'packages import') return packages(await door.importPackages(bytesOf(what, given.io)));
  if (action === 'keys') return (await door.keys()).map((each) => (isJson ? JSON.stringify(each) : keyText(each)));
  if (action === 'packages delete') await door.deletePackage(what);
  if (action === 'keys add') await door.addKey(nameOf(given.parsed, { action, what }), given.key!);
  if (action === 'keys remove') await door.removeKey(what);
  return [];
}

const packageText = ({ id, version, platform, architecture, bytes, signer }: ShownPackage): string =>
  oneLine(`${id}  ${version}  ${platform} ${architecture}  ${formatSize(bytes)}  ${signer === null ? 'not proven by a key' : `signed by ${signer}`}`);

const keyText = ({ fingerprint, name }: ShownKey): string => oneLine(`${fingerprint}  ${name}`);

const nameOf = ({ values }: Parsed, { what }: Wish): string => values.get('name')?.[0] ?? basename(what);

function wishOf({ operands, values }: Parsed): Wish {
  const [about, word, what, ...more] = operands;
  const action = ACTIONS.find((each) => each === (word === undefined ? about : `${about} ${word}`));
  if (action === undefined || (word === undefined) !== (what === undefined) || more.length > 0)
    throw new SpillwayError(
      'REQUEST_INVALID',
      'say spillway update packages or spillway update keys, or with one more word and what it is about: packages import FILE, packages delete ID, keys add FILE, keys remove FINGERPRINT',
    );
  for (const [flag, actions] of Object.entries(FLAGS_OF))
    if (values.has(flag) && !actions.includes(action))
      throw new SpillwayError('REQUEST_INVALID', `--${flag} goes with spillway update ${actions.join(' and ')}`);
  return { action, what: what ?? '' };
}

function pemIn(file: string, io: Io): string {
  try {
    return readFileSync(file === STANDARD_INPUT ? 0 : resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new SpillwayError('REQUEST_INVALID', `${file} can not be read: ${(error as Error).message}`);
  }
}
