/** Which user serves where root starts the server. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { SpillwayError } from '../errors.js';

export interface User {
  uid: number;
  gid: number;
  /** For sentences; the number where it has no name. */
  name: string;
}

/** Debian's, and what the kernel calls whom it does not know. */
const NOBODY: User = { uid: 65534, gid: 65534, name: 'nobody' };
/** 2^32 − 1 means "no change" to the system. */
const MAX_ID = 0xffff_fffe;

/** `given`: NAME, UID or UID:GID; else the first owner of one of the folders who is not root, else nobody. */
export function chooseUser(given: string | undefined, folders: readonly string[]): User {
  if (given !== undefined) return namedUser(given);
  for (const folder of folders) {
    const owner = ownerOf(folder);
    if (owner !== null && owner.uid !== 0) return owner;
  }
  return lookUp('nobody') ?? NOBODY;
}

/** Null where there is no such file. Never with the group of root. */
export function ownerOf(path: string): User | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  const { uid } = found;
  const user = lookUp(String(uid)) ?? { uid, gid: found.gid, name: String(uid) };
  return uid !== 0 && user.gid === 0 ? { ...user, gid: NOBODY.gid } : user;
}

function namedUser(given: string): User {
  const user = readUser(given);
  if (user.uid === 0 || user.gid === 0) throw refused(`${given} has the rights of root, with which nothing is served`);
  return user;
}

function readUser(given: string): User {
  const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(given);
  if (!match) {
    // Neither a flag of getent nor several fields of its database.
    const user = /^[^-:\s][^:\s]*$/.test(given) ? lookUp(given) : null;
    if (!user) throw refused(`there is no user ${JSON.stringify(given)} (a name, UID or UID:GID is expected)`);
    return user;
  }
  const [uid, group] = [Number(match[1]), match[2]];
  const known = lookUp(String(uid));
  if (!known && group === undefined) throw refused(`the user ${uid} is not known here, so its group is needed too: ${uid}:GID`);
  const user = { uid, gid: group === undefined ? known!.gid : Number(group), name: known?.name ?? String(uid) };
  if (Math.max(user.uid, user.gid) > MAX_ID) throw refused(`${given} is beyond ${MAX_ID}`);
  return user;
}

/** Asks the system's user database, whatever that is made of. */
function lookUp(nameOrUid: string): User | null {
  const { status, stdout } = spawnSync('getent', ['passwd', nameOrUid], { encoding: 'utf8' });
  const [name, , uid, gid] = status === 0 ? stdout.split('\n')[0]!.split(':') : [];
  return name === undefined || uid === undefined ? null : { name, uid: Number(uid), gid: Number(gid) };
}

function refused(sentence: string): SpillwayError {
  return new SpillwayError('REQUEST_INVALID', `--user: ${sentence}`);
}
