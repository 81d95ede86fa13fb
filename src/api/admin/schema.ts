/** What the service `spillway.admin` says and takes. */
import Type, { type Static } from 'typebox';
import { ROLES } from '../../access/caller.js';

const Text = (description: string) => Type.String({ description });

const Role = Type.Unsafe<(typeof ROLES)[number]>({ type: 'string', enum: [...ROLES], description: 'What the user may do' });
const Sources = Type.Unsafe<string[] | null>({
  anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }],
  description: 'Paths of sources that the user may read besides its own files, which may end in *; null: all of them',
});

export const User = Type.Object({ name: Text('Name; also that of its folder'), role: Role, sources: Sources }, { description: 'A user.' });

export const Users = Type.Object({ items: Type.Array(User) }, { description: 'Users, by name.' });

export const NewUser = Type.Object(
  {
    name: Text('Letters, digits, dots, underscores and hyphens; 32 at most'),
    role: Role,
    sources: Type.Optional(Sources),
    password: Text('Password'),
  },
  { additionalProperties: false, description: 'A user to be.' },
);

export const UserChange = Type.Object(
  {
    name: Type.Optional(Text('Ignored')),
    role: Role,
    sources: Sources,
    password: Type.Optional(Text('Another password, with which the sessions and tokens of the user end')),
  },
  { additionalProperties: false, description: 'What a user is to be.' },
);

const Nullable = (description: string) => Type.Unsafe<string | null>({ anyOf: [{ type: 'string' }, { type: 'null' }], description });

export const Peer = Type.Object(
  {
    address: Text('IP address, with a port unless that is 8470'),
    pin: Nullable('SHA-256 of its certificate, in hex; null: the certificate is held against a CA'),
    ca: Nullable('Certificates that its own is held against, in PEM; null: those that the system trusts'),
    profile: Nullable('Id of the profile that it is asked with; null: the default one'),
  },
  { description: 'A peer: another probe that this one may ask.' },
);

export const Peers = Type.Object({ items: Type.Array(Peer) }, { description: 'Peers, by address.' });

export const NewPeer = Type.Object(
  {
    address: Text('IP address; with another port than 8470: 192.0.2.7:8471, [2001:db8::7]:8471'),
    pin: Type.Optional(Nullable('SHA-256 of its certificate: 64 hex digits, with or without colons')),
    ca: Type.Optional(Nullable('Certificates in PEM; not beside a pin')),
    profile: Type.Optional(Nullable('Id of a profile')),
  },
  { additionalProperties: false, description: 'A peer to be.' },
);

export const Profile = Type.Object(
  { id: Text('24 hex digits'), name: Text('Name'), username: Text('Name of the user on the peer'), default: Type.Boolean() },
  { description: 'Credentials with which peers are asked; the password is never told.' },
);

export const Profiles = Type.Object({ items: Type.Array(Profile) }, { description: 'Profiles, by name.' });

export const NewProfile = Type.Object(
  {
    name: Text('Name'),
    username: Text('Name of the user on the peer'),
    password: Text('Its password there'),
    default: Type.Optional(Type.Boolean({ description: 'For peers without a profile of their own, instead of the default one of before' })),
  },
  { additionalProperties: false, description: 'A profile to be.' },
);

export const AuditQuery = Type.Object({
  limit: Type.Optional(Text('How many entries at most; default: 100, and 1000 at most')),
  before: Type.Optional(Text('Only entries before the one with this id')),
});

const AuditEntry = Type.Object({
  id: Type.Integer(),
  time: Text('Seconds since the epoch'),
  who: Text('Name of the user; empty: nobody of that name is known'),
  action: Text('What was done'),
  what: Text('To what'),
  filter: Type.Optional(Text('Packet filters of an export')),
  bytes: Type.Optional(Type.Unsafe<bigint>({ format: 'uint64', description: 'How much was handed out' })),
  address: Text('From where; local: from this machine, through the socket in the data folder'),
});

export const AuditTrail = Type.Object({ items: Type.Array(AuditEntry) }, { description: 'Who did what, the newest first.' });

export type AuditEntry = Static<typeof AuditEntry>;
