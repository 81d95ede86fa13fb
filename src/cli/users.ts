/** `spillway users`: those who may log in. */
import { ROLES, type Caller, type Role } from '../access/caller.js';
import type { UserSettings } from '../access/users.js';
import { SpillwayError } from '../errors.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { oneLine } from './fail.js';
import { checkFlags, commandLine, parseCommand, type CommandSpec, type FlagsOf, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { PASSWORD_FLAG, readPassword } from './password.js';
import type { UsersDoor } from './users-door.js';

export const USERS: CommandSpec = {
  name: 'users',
  operands: { value: '[add|passwd|set|delete NAME]', many: true, optional: true },
  about: `Lists the users of a data folder; adds one (add), gives one another password (passwd), changes what one may do (set), or
removes one with all its sessions and tokens (delete). It works beside a running probe and without one.`,
  flags: [
    { name: 'role', value: 'ROLE', about: `with add and set: ${ROLES.join(', ')}; default of add: reader` },
    {
      name: 'source',
      value: 'PATH',
      many: true,
      about: 'with add and set: what may be read besides own files; default: everything',
    },
    PASSWORD_FLAG,
    { name: 'json', about: 'print one line of JSON for each user' },
    DATA_FLAG,
  ],
  notes: `With the first user the probe asks everybody to log in. A password is asked for on the terminal, and never taken from
the command line, which others can see.

Roles:
  reader     watches, and exports from the sources it may read
  operator   also captures, and keeps files of its own
  admin      everything

Sources (PATH): as an export names them (jobs/uplinks, fs/ann/day.pcap); what ends in * stands for all that begin so.

Examples:
  spillway users add ann --role admin
  spillway users add bob --source 'jobs/uplinks' --source 'fs/ann/*'
  spillway users set bob --role operator --source '*'
  spillway users passwd bob --password-stdin < password.txt
  spillway users delete bob

${EXIT_HELP}`,
};

const ACTIONS = ['add', 'passwd', 'set', 'delete'] as const;
type Action = (typeof ACTIONS)[number];

/** Where each flag belongs. */
const FLAGS_OF: FlagsOf<Action> = { role: ['add', 'set'], source: ['add', 'set'], 'password-stdin': ['add', 'passwd'] };

export async function usersCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(USERS, args);
  if (parsed.help) {
    io.stdout.write(helpText(USERS));
    return 0;
  }
  const [word, name, ...more] = parsed.operands;
  const action = ACTIONS.find((each) => each === word);
  if (word !== undefined && (action === undefined || name === undefined || more.length > 0))
    throw new SpillwayError('REQUEST_INVALID', `say spillway users, or spillway users ${ACTIONS.join('|')} NAME`);
  checkSettings(parsed, action);
  const data = dataFolder(parsed, io);
  const needsPassword = action === 'add' || action === 'passwd';
  const password = needsPassword ? await readPassword(io, parsed.values.has('password-stdin'), `Password of ${oneLine(name!)}`) : '';
  const { runAsOwner } = await import('../privileged/owner.js');
  const changed = (real: string): Record<string, string[]> => ({ data: [real], ...(needsPassword && { 'password-stdin': [''] }) });
  const input = needsPassword ? `${password}\n` : undefined;
  const asOwner = await runAsOwner(data, (real) => commandLine(USERS, parsed, changed(real)), undefined, input);
  if (asOwner !== null) return asOwner;
  const { openUsers } = await import('./users-door.js');
  const users = await openUsers(data, action === 'add');
  try {
    if (action === undefined)
      io.stdout.write((await users.list()).map((user) => (parsed.values.has('json') ? userJson(user) : userText(user))).join(''));
    else await act(users, action, name!, password, parsed);
  } finally {
    users.close();
  }
  return 0;
}

async function act(users: UsersDoor, action: Action, name: string, password: string, { values }: Parsed): Promise<void> {
  const sources = values.get('source');
  const role = roleOf(values.get('role')?.[0]);
  if (action === 'add') return users.add(name, password, settings({ role: 'reader', sources: null }, role, sources));
  if (action === 'delete') return users.remove(name);
  const before = await users.get(name);
  if (action === 'passwd') return users.change(name, settings(before), password);
  return users.change(name, settings(before, role, sources));
}

function settings(before: UserSettings, role: Role = before.role, sources: readonly string[] | null = before.sources): UserSettings {
  return { role, sources };
}

function checkSettings(parsed: Parsed, action: Action | undefined): void {
  const { values } = parsed;
  checkFlags(USERS, parsed, FLAGS_OF, action);
  if (values.has('json') && action !== undefined) throw new SpillwayError('REQUEST_INVALID', '--json goes with the list of users');
  if (action === 'set' && !values.has('role') && !values.has('source'))
    throw new SpillwayError('REQUEST_INVALID', 'say what to set: --role or --source');
  roleOf(values.get('role')?.[0]);
}

function roleOf(word: string | undefined): Role | undefined {
  const role = ROLES.find((each) => each === word);
  if (word !== undefined && role === undefined)
    throw new SpillwayError('REQUEST_INVALID', `--role: ${JSON.stringify(word)} is not one of ${ROLES.join(', ')}`);
  return role;
}

function userText({ name, role, sources }: Caller): string {
  return `${oneLine(`${name}  ${role}  ${sources === null ? 'all sources' : sources.length === 0 ? 'its own files' : sources.join(' ')}`)}\n`;
}

const userJson = ({ name, role, sources }: Caller): string => `${JSON.stringify({ name, role, sources })}\n`;
