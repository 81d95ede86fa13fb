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
