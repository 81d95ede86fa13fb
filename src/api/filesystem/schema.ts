/** The resources of npm.filesystem 1.0. */
import Type from 'typebox';
import { EXPORT_FORMATS } from '../../engine/types.js';

const Text = (description: string) => Type.String({ description });
const OneOf = <const V extends string>(values: readonly V[], description: string) =>
  Type.Unsafe<V>({ type: 'string', enum: [...values], description });

const Rights = Type.Object({ owner: Text('Whose folder it lies in') }, { description: 'Who may write to it' });

export const KINDS = ['PCAP_FILE', 'PCAPNG_FILE', 'FILE', 'DIRECTORY'] as const;

const common = {
  id: Text('Path: /<owner>/…'),
  type: OneOf(KINDS, 'FILE: no capture; by content, compressed or not'),
  created: Text('Seconds since the epoch, nine decimals'),
  modified: Text('Seconds since the epoch, nine decimals'),
  access_rights: Rights,
};
const ofFiles = {
  ...common,
  size: Type.Integer({ format: 'uint64', minimum: 0, description: 'Bytes, as stored' }),
  format: Type.Optional(
    OneOf(
      EXPORT_FORMATS.map((name) => name.toUpperCase()),
      'Of a capture',
    ),
  ),
  link_type: Type.Optional(Text('Of a capture: the name of its first link type')),
};

/** The same once more, for clients that look for it there. */
const Details = Type.Object(ofFiles, { description: 'The same once more' });
export const FileItem = Type.Object({ ...ofFiles, file: Details }, { description: 'A file' });

const Below = Type.Object({ items: Type.Array(Type.Object({}, { description: 'A folder, as this one' })) }, { description: 'Folders in it' });
export const FolderItem = Type.Object(
  { ...common, files: Type.Object({ items: Type.Array(FileItem) }, { description: 'Files in it' }), dirs: Below },
  { description: 'A folder and all that is below it' },
);

/** Files and folders are one resource: a folder has `files` and `dirs`, a file the rest. */
export const File = Type.Object(
  {
    ...common,
    size: Type.Optional(ofFiles.size),
    format: ofFiles.format,
    link_type: ofFiles.link_type,
    file: Type.Optional(Details),
    files: Type.Optional(FolderItem.properties.files),
    dirs: Type.Optional(Below),
  },
  { description: 'A file, or a folder and all that is below it' },
);

export const FileSystemList = Type.Object({ items: Type.Array(FolderItem) }, { description: 'The folders of their owners' });

export const ACCESS = ['PRIVATE', 'PUBLIC'] as const;
export const ACCESS_RIGHTS = ['r', 'rw'] as const;

export const ListQuery = Type.Object({
  access: Type.Optional(OneOf(ACCESS, "PRIVATE: the caller's own folder; PUBLIC: those of others. Default: both")),
  access_rights: Type.Optional(OneOf(ACCESS_RIGHTS, 'r: what the caller may read, which is all that is listed; rw: what it may also change')),
  owner: Type.Optional(Text('Only the folder of this owner')),
});

export const Destination = Type.Object(
  { destination: Text('A new path, or an existing folder, in which the name stays') },
  { additionalProperties: false, description: 'Where to' },
);

export const ChecksumProgress = Type.Object(
  { uri: Text('Where the checksum is once progress is 100'), progress: Type.Number({ minimum: 0, maximum: 100, description: 'Percent' }) },
  { description: 'How far a checksum is' },
);

export const Checksum = Type.Object(
  { id: Text('Path: /<owner>/…'), algorithm: Type.Unsafe<'SHA-256'>({ type: 'string', enum: ['SHA-256'] }), checksum: Text('In hexadecimal') },
  { description: 'The checksum of a file' },
);
