/** What the service `common` says and takes. */
import Type from 'typebox';

const Text = (description: string) => Type.String({ description });

export const Services = Type.Array(
  Type.Object({ id: Text('Name of the service'), versions: Type.Array(Type.String(), { description: 'The versions that are served' }) }),
  { description: 'The services of this probe.' },
);

export const Info = Type.Object(
  {
    device_name: Text('Host name'),
    model: Text('Kind of device'),
    sw_version: Text('Version of the software'),
    serial: Text('Random; stays as long as the data folder'),
    hw_version: Text('Kind of machine'),
    mgmt_addresses: Type.Array(Type.String(), { description: 'Addresses that the probe listens on' }),
  },
  { description: 'What this probe is.' },
);

export const Ping = Type.Object({}, { description: 'An answer.' });

export const AuthInfo = Type.Object({ supported_methods: Type.Array(Type.String()) }, { description: 'Ways to log in.' });

export const Session = Type.Object(
  { session_key: Text('Name of the cookie'), session_id: Text('Its value') },
  { description: 'A session, which the cookie stands for.' },
);

export const Login = Type.Object(
  { username: Text('Name of the user'), password: Text('Password'), purpose: Type.Optional(Text('Any words')) },
  { additionalProperties: false, description: 'Who logs in.' },
);
