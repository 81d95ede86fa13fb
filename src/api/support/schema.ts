/** What the support packages' API says and takes. */
import Type from 'typebox';

const Text = (description: string) => Type.String({ description });
const Id = (description: string) => Type.String({ description: `${description}: 24 hex digits` });

const Device = Type.Object(
  {
    Address: Type.String({ minLength: 1, description: 'Address of a probe: this one, or a peer of it' }),
    ProfileID: Type.Optional(Id('The credentials to be used there')),
  },
  { additionalProperties: false },
);

export const Collection = Type.Object(
  {
    ProfileID: Type.Optional(Id('The credentials to be used where a device names none')),
    Switches: Type.Array(Device, { minItems: 1, maxItems: 256 }),
  },
  { additionalProperties: false, description: 'The devices to collect from.' },
);

export const Started = Type.Object({ operationId: Id('The operation') }, { description: 'An operation that was begun, or told to end.' });

export const Package = Type.Object(
  {
    fileID: Id('The package'),
    filename: Text('What it is called when it is downloaded'),
    size: Type.Integer({ description: 'In bytes' }),
    uploadDate: Text('When it was complete (RFC 3339)'),
    switchAddress: Text('Where it comes from'),
  },
  { description: 'A support package.' },
);
export const Packages = Type.Array(Package, { description: 'Support packages, the oldest first.' });

export const Operation = Type.Object(
  {
    ID: Id('The operation'),
    CreatedAt: Text('RFC 3339'),
    UpdatedAt: Text('RFC 3339'),
    Status: Type.Unsafe<OperationStatus>({ type: 'string', enum: ['pending', 'in-progress', 'failed', 'completed', 'cancelled'] }),
    Percentage: Type.Integer({ minimum: 0, maximum: 100 }),
    CurrentStep: Text('What is being done'),
    Request: Type.Object({
      Method: Text('In lower case'),
      URI: Text('Path'),
      Body: Type.Unknown(),
      Cancellable: Type.Boolean({ description: 'It can be told to end' }),
    }),
    Result: Type.Optional(Type.Object({ Data: Type.Unknown(), Error: Type.Optional(Text('A word')), Details: Type.Optional(Text('A sentence')) })),
  },
  { description: 'A collection.' },
);
export const Operations = Type.Array(Operation, { description: 'Collections, the oldest first.' });

export type OperationStatus = 'pending' | 'in-progress' | 'failed' | 'completed' | 'cancelled';

export const Profile = Type.Object(
  {
    id: Id('The profile'),
    name: Text('Name'),
    username: Text('Name of a user of the device'),
    default: Type.Boolean({ description: 'Used where none is named' }),
  },
  { description: 'Credentials for devices; the password is not shown.' },
);
export const Profiles = Type.Array(Profile, { description: 'Profiles, by name.' });

export const NewProfile = Type.Object(
  { name: Text('Name'), username: Text('Name of a user of the device'), password: Text('Password'), default: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, description: 'A profile to be.' },
);

export const ErrorBody = Type.Object(
  { httpErrorCode: Type.Integer(), customErrorCode: Text('A word'), description: Text('A sentence') },
  { description: 'Why a request failed.' },
);
