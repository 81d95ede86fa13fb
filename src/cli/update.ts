/** `spillway update`: the releases of a probe, the update packages that it keeps, the keys for them, and jobs that install them on others. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { SpillwayError } from '../errors.js';
import { formatSize } from '../units.js';
import type { ShownKey, ShownPackage } from '../update/shown.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { oneLine } from './fail.js';
import { checkFlags, commandLine, parseCommand, type CommandSpec, type FlagsOf, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { bytesOf } from './package-file.js';
import type { JobWord } from './update-jobs.js';
import type { UpdatesDoor } from './updates-door.js';

export const UPDATE: CommandSpec = {
  name: 'update',
  operands: {
    value: 'status, packages [import FILE|delete ID], keys [add FILE|remove FINGERPRINT] or jobs [create NAME|approve|deploy|status|delete ID]',
    many: true,
    optional: true,
  },
  about: `Tells which release a probe runs (status). Lists the update packages that a data folder keeps, takes in one (import) or lets go of
one (delete). With keys: the same for the public keys that packages have to be signed with. With jobs: lists the jobs that install a
package on other probes, drafts one (create), allows it (approve), begins it (deploy), tells how far it is (status) or removes it
(delete). It works beside a running probe and, except for jobs, without one.`,
  flags: [
    { name: 'name', value: 'TEXT', about: 'with keys add: whose key it is; default: the name of the file' },
    { name: 'package', value: 'ID', about: 'with jobs create, where it is needed: the package, which the probe keeps' },
    { name: 'member', value: 'ADDRESS', many: true, about: 'with jobs create: a peer that is to be updated' },
    { name: 'all', about: 'with jobs create: all peers that there are, instead' },
    { name: 'at', value: 'TIME', about: 'with jobs create and jobs deploy: when it begins; default: when it is deployed' },
    { name: 'max-concurrent', value: 'N', about: 'with jobs create: members that are updated at once; default: 4' },
    { name: 'canary', about: 'with jobs create: the first member alone, and no other unless that succeeds' },
    { name: 'stop-after', value: 'N', about: 'with jobs create: begin no other member after so many failures; default: whatever fails' },
    { name: 'follow', about: 'with jobs status: until the job has ended, a line for each change; exit code 0: all were updated' },
    { name: 'json', about: 'print one line of JSON for each package, key, job or status' },
    DATA_FLAG,
  ],
  notes: `A package (see spillway package) is taken in whole and proven, or not at all. As long as there is a key, only packages that one of
the keys has signed are taken; those that are there stay. FILE may also be an export of another repository, with all its packages.

A job goes from create over approve to deploy; an ID is the first word of its line. Its members are peers (see spillway peers), which
download the package from this probe over HTTPS. One in progress is not removed by delete: it begins no other member.
A TIME is seconds since 1970, a date like 2026-05-01T12:00:00+02:00, or +2h for two hours from now.

Examples:
  spillway update status
  spillway update keys add release.pub
  spillway update packages import spillway.tar.gz
  spillway update packages
  spillway update packages delete 4f19bc4daa2e01831e32f80d
  spillway update jobs create west --package 4f19bc4daa2e01831e32f80d --member 192.0.2.7 --member 192.0.2.8 --canary
  spillway update jobs approve 81c02be7d40f9a55e1c3d7a6
  spillway update jobs deploy 81c02be7d40f9a55e1c3d7a6 --at 2026-05-01T02:00:00+02:00
  spillway update jobs status 81c02be7d40f9a55e1c3d7a6 --follow

${EXIT_HELP}`,
};

const JOB_WORDS: readonly JobWord[] = ['create', 'approve', 'deploy', 'status', 'delete'];

/** By what they are about: the word in front, and whether one of its own follows, with what that is about. */
const ACTIONS = [
  'status',
  'packages',
  'packages import',
  'packages delete',
  'keys',
  'keys add',
  'keys remove',
  'jobs',
  ...JOB_WORDS.map((word) => `jobs ${word}` as const),
] as const;
type Action = (typeof ACTIONS)[number];

/** Where each flag belongs. */
const FLAGS_OF: FlagsOf<Action> = {
  name: ['keys add'],
  package: ['jobs create'],
  member: ['jobs create'],
  all: ['jobs create'],
  at: ['jobs create', 'jobs deploy'],
  'max-concurrent': ['jobs create'],
  canary: ['jobs create'],
  'stop-after': ['jobs create'],
  follow: ['jobs status'],
  json: ['status', 'packages', 'packages import', 'keys', 'jobs', 'jobs create', 'jobs approve', 'jobs deploy', 'jobs status'],
};

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
  if (wish.action.startsWith('jobs')) {
    const { updateJobs } = await import('./update-jobs.js');
    await updateJobs({ dataFolder: data, word: JOB_WORDS.find((word) => wish.action === `jobs ${word}`) ?? null, what: wish.what, parsed, io });
    return 0;
  }
  const key = wish.action === 'keys add' ? pemIn(wish.what, io) : null;
  const { isServed } = await import('./door.js');
  if (!(await isServed(data))) {
    const { runAsOwner } = await import('../privileged/owner.js');
    const operands = key === null ? parsed.operands : ['keys', 'add', STANDARD_INPUT];
    const changed = (real: string): Record<string, string[]> => ({ data: [real], ...(key !== null && { name: [nameOf(parsed, wish)] }) });
    const asOwner = await runAsOwner(data, (real) => commandLine(UPDATE, { ...parsed, operands }, changed(real)), undefined, key ?? undefined);
    if (asOwner !== null) return asOwner;
  }
  if (wish.action === 'status') {
    const { updateStatus } = await import('./update-status.js');
    io.stdout.write((await updateStatus(data, parsed.values.has('json'))).map((line) => `${line}\n`).join(''));
    return 0;
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
  const [about, ...rest] = operands;
  // `jobs list` says the same as `jobs`.
  const [word, what, ...more] = about === 'jobs' && rest.length === 1 && rest[0] === 'list' ? [] : rest;
  const action = ACTIONS.find((each) => each === (word === undefined ? about : `${about} ${word}`));
  if (action === undefined || (word === undefined) !== (what === undefined) || more.length > 0)
    throw new SpillwayError(
      'REQUEST_INVALID',
      'say spillway update status, packages, keys or jobs, or with one more word and what it is about: packages import FILE, packages delete ID, keys add FILE, keys remove FINGERPRINT, jobs create NAME, jobs approve|deploy|status|delete ID',
    );
  checkFlags(UPDATE, { values }, FLAGS_OF, action);
  return { action, what: what ?? '' };
}

function pemIn(file: string, io: Io): string {
  try {
    return readFileSync(file === STANDARD_INPUT ? 0 : resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new SpillwayError('REQUEST_INVALID', `${file} can not be read: ${(error as Error).message}`);
  }
}
