/** What the packages and keys of `spillway.update` say and take. */
import Type from 'typebox';

const Text = (description: string) => Type.String({ description });
const Seconds = (description: string) => Type.String({ description: `${description}, in seconds since the epoch` });

export const Package = Type.Object(
  {
    id: Text('24 hex digits; the same release has the same'),
    name: Text('What its file is called'),
    version: Text('Of the release'),
    platform: Text('What it runs on, as Node says it: linux'),
    architecture: Text('Likewise: x64'),
    node: Text('Versions of Node that it runs on'),
    bytes: Type.Integer({ description: 'Of its file' }),
    sha256: Text('Of its file, in hex'),
    signer: Type.Unsafe<string | null>({
      anyOf: [{ type: 'string' }, { type: 'null' }],
      description: 'Fingerprint of the key that signed it; null: no keys were configured when it came',
    }),
    made: Seconds('When it was made, as it says'),
    imported: Seconds('When it came'),
  },
  { description: 'An update package.' },
);

export const Packages = Type.Object({ items: Type.Array(Package) }, { description: 'Update packages, in the order in which they came.' });

export const Key = Type.Object(
  {
    fingerprint: Text('SHA-256 of the key (SPKI, DER), in hex'),
    name: Text('Whose it is'),
    pem: Text('The public key'),
    added: Seconds('When it came'),
  },
  { description: 'A key that update packages may be signed with.' },
);

export const Keys = Type.Object({ items: Type.Array(Key) }, { description: 'Keys, in the order in which they came.' });

export const NewKey = Type.Object(
  { name: Text('Whose it is; 100 characters at most'), pem: Text('An Ed25519 public key in PEM') },
  { additionalProperties: false, description: 'A key to be.' },
);
