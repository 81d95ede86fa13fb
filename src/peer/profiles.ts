/** Profiles: names for the credentials with which peers are asked. A password goes in, and out to a peer, never to a client. */
import { randomBytes } from 'node:crypto';
import type { Audit } from '../access/audit.js';
import { checkPassword } from '../access/password.js';
import type { Actor } from '../access/users.js';
import { SpillwayError } from '../errors.js';
import type { PeerTable } from '../state/peers.js';
import type { ProfileTable, StoredProfile } from '../state/profiles.js';
import { PEER_LIMITS } from './limits.js';

export interface Profile {
  /** 24 hex digits. */
  id: string;
  name: string;
  username: string;
  isDefault: boolean;
}

/** What is sent to a peer. */
export interface Credentials {
  username: string;
  password: string;
}

export type NewProfile = Omit<StoredProfile, 'id'>;

export interface ProfilesOptions {
  table: ProfileTable;
  peers: PeerTable;
  audit: Audit;
}

export class Profiles {
  readonly #table: ProfileTable;
  readonly #peers: PeerTable;
  readonly #audit: Audit;
  /** Everything of the table, by id: nobody else writes to it. */
  #profiles = new Map<string, StoredProfile>();

  constructor({ table, peers, audit }: ProfilesOptions) {
    this.#table = table;
    this.#peers = peers;
    this.#audit = audit;
    this.#load();
  }

  /** By name. */
  list(): Profile[] {
    return [...this.#profiles.values()].map(shown);
  }

  /** Throws PROFILE_NOT_FOUND. */
  get(id: string): Profile {
    return shown(this.#existing(id));
  }

  findDefault(): Profile | null {
    return this.list().find(({ isDefault }) => isDefault) ?? null;
  }

  /** Of the first profile that is named (null: none), else of the default. Throws PROFILE_NOT_FOUND. */
  credentials(...ids: (string | null | undefined)[]): Credentials {
    const id = ids.find((each) => each !== null && each !== undefined) ?? this.findDefault()?.id;
    if (id === undefined) throw new SpillwayError('PROFILE_NOT_FOUND', 'no profile was named, and none is the default: add one');
    const { username, password } = this.#existing(id);
    return { username, password };
  }

  add({ name, username, password, isDefault }: NewProfile, by: Actor): Profile {
    checkText('name of the profile', name, PEER_LIMITS.nameLength);
    checkText('user name', username, PEER_LIMITS.usernameBytes);
    // HTTP Basic has no way to write one.
    if (username.includes(':')) throw new SpillwayError('REQUEST_INVALID', 'the user name holds a colon');
    checkPassword(password);
    if (this.list().some((profile) => profile.name === name)) throw new SpillwayError('PROFILE_EXISTS', `there is a profile ${name} already`);
    if (this.#profiles.size >= PEER_LIMITS.profiles)
      throw new SpillwayError('TOO_MANY_PROFILES', `there are ${PEER_LIMITS.profiles} profiles, and no more may be`);
    const id = randomBytes(12).toString('hex');
    this.#table.add({ id, name, username, password, isDefault });
    this.#load();
    this.#audit.note({ ...by, action: 'profile_added', what: `${name}: ${username}${isDefault ? ', the default' : ''}` });
    return this.get(id);
  }

  /** Throws PROFILE_IN_USE where a peer names it. */
  remove(id: string, by: Actor): void {
    const { name } = this.#existing(id);
    const [peer] = this.#peers.withProfile(id);
    if (peer !== undefined) throw new SpillwayError('PROFILE_IN_USE', `the peer ${peer} is reached with the profile ${name}`);
    this.#table.remove(id);
    this.#profiles.delete(id);
    this.#audit.note({ ...by, action: 'profile_deleted', what: name });
  }

  #load(): void {
    this.#profiles = new Map(this.#table.all().map((profile) => [profile.id, profile]));
  }

  #existing(id: string): StoredProfile {
    const profile = this.#profiles.get(id);
    if (profile === undefined) throw new SpillwayError('PROFILE_NOT_FOUND', `there is no profile ${JSON.stringify(id.slice(0, 100))}`);
    return profile;
  }
}

const shown = ({ id, name, username, isDefault }: StoredProfile): Profile => ({ id, name, username, isDefault });

function checkText(what: string, text: string, max: number): void {
  const refuse = (why: string): SpillwayError => new SpillwayError('REQUEST_INVALID', `the ${what} ${why}`);
  if (text === '') throw refuse('is empty');
  if (Buffer.byteLength(text) > max) throw refuse(`is longer than ${max} bytes`);
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text) || text.trim() !== text) throw refuse('holds a control character, or a space at one of its ends');
}
