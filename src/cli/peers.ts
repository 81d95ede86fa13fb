/** `spillway peers`: other probes that this one may ask, and the credentials for that. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SpillwayError } from '../errors.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { oneLine } from './fail.js';
import { checkFlags, commandLine, parseCommand, type CommandSpec, type FlagsOf, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { PASSWORD_FLAG, readPassword } from './password.js';
import type { PeersDoor, ShownPeer, ShownProfile } from './peers-door.js';

export const PEERS: CommandSpec = {
  name: 'peers',
  operands: { value: '[add ADDRESS|remove ADDRESS|profile [add NAME|remove NAME]]', many: true, optional: true },
  about: `Lists the peers of a data folder, other probes that this one may ask for packages; adds one (add) or removes one (remove).
With profile: the same for profiles, the credentials with which peers are asked. It works beside a running probe and without one.`,
  flags: [
    { name: 'pin', value: 'HEX', about: 'with add: SHA-256 of the certificate that the peer has to show' },
    { name: 'ca', value: 'FILE', about: 'with add: certificates (PEM) that the one of the peer is held against' },
    { name: 'profile', value: 'NAME', about: 'with add: the profile that the peer is asked with; default: the default profile' },
    { name: 'username', value: 'U', about: 'with profile add: name of the user on the peers' },
    PASSWORD_FLAG,
    { name: 'default', about: 'with profile add: for all peers without a profile of their own' },
    { name: 'json', about: 'print one line of JSON for each peer or profile' },
    DATA_FLAG,
  ],
  notes: `An ADDRESS is an IP address, with a port unless that is 8470: 192.0.2.7, 192.0.2.7:8471, [2001:db8::7]:8471. There are no host
names, and no other address than that of a peer is ever contacted. A peer is asked over HTTPS. Without --pin and --ca its certificate
is held against the CAs that the system trusts; with a pin, nothing but the pin counts. This shows it on the peer:
  openssl x509 -in cert.pem -noout -fingerprint -sha256

A password is asked for on the terminal, and never taken from the command line, which others can see. It is kept in the data
folder as it is, since it has to be sent to peers: let it be that of a user who may do there what is needed, and no more.

Examples:
  spillway peers profile add fleet --username collector --default
  spillway peers add 192.0.2.7 --pin 3f:a1:...:9c
  spillway peers add '[2001:db8::7]:8471' --ca ca.pem --profile fleet
  spillway peers remove 192.0.2.7

${EXIT_HELP}`,
};

/** As a file: what another process gives. A path to it would not do: what is there may be a socket. */
const STANDARD_INPUT = '-';

type Action = 'list' | 'add' | 'remove' | 'profile' | 'profile add' | 'profile remove';

/** Where each flag belongs. */
const FLAGS_OF: FlagsOf<Action> = {
  pin: ['add'],
  ca: ['add'],
  profile: ['add'],
  username: ['profile add'],
  'password-stdin': ['profile add'],
  default: ['profile add'],
  json: ['list', 'profile'],
};

export async function peersCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(PEERS, args);
  if (parsed.help) {
    io.stdout.write(helpText(PEERS));
    return 0;
  }
  const { action, name } = wishOf(parsed);
  const data = dataFolder(parsed, io);
  const ca = caOf(parsed, io);
  const password = action === 'profile add' ? await readPassword(io, parsed.values.has('password-stdin'), `Password of ${oneLine(name)}`) : null;
  const { runAsOwner } = await import('../privileged/owner.js');
  const changed = (real: string): Record<string, string[]> => ({
    data: [real],
    ...(ca !== null && { ca: [STANDARD_INPUT] }),
    ...(password !== null && { 'password-stdin': [''] }),
  });
  const input = password === null ? (ca ?? undefined) : `${password}\n`;
  const asOwner = await runAsOwner(data, (real) => commandLine(PEERS, parsed, changed(real)), undefined, input);
  if (asOwner !== null) return asOwner;
  const { openPeers } = await import('./peers-door.js');
  const door = await openPeers(data, action === 'add' || action === 'profile add');
  try {
    if (action === 'list' || action === 'profile') io.stdout.write(await list(door, action, parsed.values.has('json')));
    else await act(door, action, name, { parsed, ca, password });
  } finally {
    door.close();
  }
  return 0;
}

interface Given {
  parsed: Parsed;
  ca: string | null;
  password: string | null;
}

async function act(door: PeersDoor, action: Action, name: string, { parsed: { values }, ca, password }: Given): Promise<void> {
  const value = (flag: string): string | null => values.get(flag)?.[0] ?? null;
  const profile = value('profile');
  if (action === 'remove') return door.removePeer(name);
  if (action === 'add') return door.addPeer({ address: name, pin: value('pin'), ca, profile: profile === null ? null : await idOf(door, profile) });
  if (action === 'profile remove') return door.removeProfile(await idOf(door, name));
  return door.addProfile({ name, username: value('username')!, password: password!, default: values.has('default') });
}

async function idOf(door: PeersDoor, name: string): Promise<string> {
  const found = (await door.profiles()).find((profile) => profile.name === name);
  if (found === undefined) throw new SpillwayError('PROFILE_NOT_FOUND', `there is no profile ${JSON.stringify(name)}`);
  return found.id;
}

async function list(door: PeersDoor, action: 'list' | 'profile', isJson: boolean): Promise<string> {
  const profiles = await door.profiles();
  const lines =
    action === 'profile'
      ? profiles.map((profile) => (isJson ? JSON.stringify(profile) : profileText(profile)))
      : (await door.peers()).map((peer) => (isJson ? JSON.stringify(peerJson(peer)) : peerText(peer, profiles)));
  return lines.map((line) => `${line}\n`).join('');
}

const peerJson = ({ address, pin, ca, profile }: ShownPeer): ShownPeer => ({ address, pin, ca, profile });

function peerText({ address, pin, ca, profile }: ShownPeer, profiles: readonly ShownProfile[]): string {
  const trust = pin !== null ? `pin ${pin}` : ca !== null ? 'a CA of its own' : 'CAs of the system';
  const name = profiles.find(({ id }) => id === profile)?.name;
  return oneLine(`${address}  ${trust}  ${name === undefined ? 'default profile' : `profile ${name}`}`);
}

const profileText = ({ name, username, default: isDefault }: ShownProfile): string => oneLine(`${name}  ${username}${isDefault ? '  default' : ''}`);

function wishOf({ operands, values }: Parsed): { action: Action; name: string } {
  const isProfile = operands[0] === 'profile';
  const [word, name, ...more] = isProfile ? operands.slice(1) : operands;
  const isWord = word === 'add' || word === 'remove';
  if (more.length > 0 || (word !== undefined && (!isWord || name === undefined)))
    throw new SpillwayError('REQUEST_INVALID', 'say spillway peers, or spillway peers [profile] add|remove with one address or name');
  const action = isWord ? (`${isProfile ? 'profile ' : ''}${word}` as const) : isProfile ? 'profile' : 'list';
  checkFlags(PEERS, { values }, FLAGS_OF, action);
  if (values.has('pin') && values.has('ca')) throw new SpillwayError('REQUEST_INVALID', 'a peer has --pin or --ca, not both: the pin alone decides');
  if (action === 'profile add' && !values.has('username')) throw new SpillwayError('REQUEST_INVALID', '--username is missing');
  return { action, name: name ?? '' };
}

function caOf({ values }: Parsed, io: Io): string | null {
  const file = values.get('ca')?.[0];
  if (file === undefined) return null;
  try {
    return readFileSync(file === STANDARD_INPUT ? 0 : resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new SpillwayError('REQUEST_INVALID', `--ca: ${file} can not be read: ${(error as Error).message}`);
  }
}
