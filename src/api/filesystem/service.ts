/** npm.filesystem 1.0: its resources and links. */
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../access/caller.js';
import { clientLeft } from '../../export/http-sink.js';
import { encodedIdOf, idOf, type FilePath } from '../../state/file-path.js';
import type { FileSystem } from '../../state/filesystem.js';
import { link, rootOf, type Link, type Service } from '../link.js';
import { readableFile } from './access.js';
import { Checksums } from './checksums.js';
import { download } from './download.js';
import { Files, type Shown } from './files.js';
import { Receiver } from './receive.js';
import { Checksum, ChecksumProgress, Destination, File, FileSystemList, FolderItem, ListQuery } from './schema.js';
import { copyFile, moveFile } from './transfer.js';

const NAME = { name: 'npm.filesystem', version: '1.0' } as const;
const Bytes = { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };

const addressOf = (folder: string, path: FilePath): string => `${rootOf(NAME)}/${folder}${encodedIdOf(path)}`;

export function filesystem(tree: FileSystem, checksums = new Checksums(tree)): Service {
  const receiver = new Receiver(tree);
  const files = new Files(tree, receiver);
  return {
    ...NAME,
    title: 'File System',
    resources: {
      filesystem: {
        schema: FileSystemList,
        about: 'The capture files kept on the device.',
        self: '/fs',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'List files',
            query: ListQuery,
            status: 200,
            answer: FileSystemList,
            handle: async ({ caller, query }) => ({ items: await files.list(caller, query) }),
          }),
        },
      },
      file: {
        schema: File,
        about: 'A file, or a folder and what it holds.',
        self: '/fs/{+id}',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'Look at a file, or list a folder',
            status: 200,
            answer: File,
            handle: ({ caller, param }) => files.get(caller, param('id')),
          }),
          create: link({
            method: 'POST',
            right: 'operator',
            about: 'Put the body into a folder, as a file of the name in Content-Disposition',
            isRaw: true,
            status: 201,
            answer: File,
            handle: async ({ caller, param, request, reply }) => {
              const path = await files.create(caller, param('id'), request.raw);
              void reply.header('location', addressOf('fs', path));
              return files.show(caller, path);
            },
          }),
          delete: link({
            method: 'DELETE',
            right: 'operator',
            about: 'Delete a file or an empty folder',
            status: 204,
            answer: null,
            handle: ({ caller, param }) => files.remove(caller, param('id')),
          }),
          download: link({
            method: 'GET',
            path: '/fileop/download/{+id}',
            right: 'reader',
            about: 'Fetch the bytes of a file, or a range of them',
            isAudited: true,
            status: 200,
            answer: null,
            response: { 200: { description: 'The file', ...Bytes }, 206: { description: 'The range', ...Bytes } },
            handle: async ({ caller, param, reply }) => {
              await download(tree, await readableFile(tree, caller, param('id')), reply);
              return reply;
            },
          }),
          copy: transfer('copy', 'Copy a file', files, (caller, id, to, signal) => copyFile(tree, receiver, caller, id, to, signal)),
          move: transfer('move', 'Give a file or folder another path', files, (caller, id, to) => moveFile(tree, caller, id, to)),
        },
      },
      checksum: {
        schema: Checksum,
        about: 'The SHA-256 of a file.',
        self: '/checksum/{+id}',
        links: {
          create: link({
            method: 'POST',
            right: 'operator',
            about: 'Begin to make the checksum of a file',
            status: 201,
            answer: ChecksumProgress,
            handle: async ({ caller, param, reply }) => {
              const path = await readableFile(tree, caller, param('id'));
              const progress = await checksums.start(caller.name, path);
              void reply.header('location', addressOf('checksum_status', path));
              return { uri: addressOf('checksum', path), progress };
            },
          }),
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'The checksum, once it is made',
            status: 200,
            answer: Checksum,
            handle: async ({ caller, param }) => {
              const path = await readableFile(tree, caller, param('id'));
              return { id: idOf(path), algorithm: 'SHA-256', checksum: await checksums.sha256(caller.name, path) };
            },
          }),
          delete: link({
            method: 'DELETE',
            right: 'operator',
            about: 'End and forget it',
            status: 204,
            answer: null,
            handle: async ({ caller, param }) => checksums.remove(caller.name, await readableFile(tree, caller, param('id'))),
          }),
          status: link({
            method: 'GET',
            path: '/checksum_status/{+id}',
            right: 'reader',
            about: 'How far it is',
            status: 200,
            answer: ChecksumProgress,
            handle: async ({ caller, param }) => {
              const path = await readableFile(tree, caller, param('id'));
              return { uri: addressOf('checksum', path), progress: await checksums.progress(caller.name, path) };
            },
          }),
        },
      },
    },
    types: { directory: FolderItem },
  };
}

type Transfer = (caller: Caller, id: string, to: string, signal: AbortSignal) => Promise<FilePath>;

function transfer(name: 'copy' | 'move', about: string, files: Files, run: Transfer): Link {
  return link({
    method: 'POST',
    path: `/fileop/${name}/{+id}`,
    right: 'operator',
    about,
    body: Destination,
    status: 200,
    answer: File,
    handle: async ({ caller, param, body, reply }): Promise<Shown> => {
      const path = await run(caller, param('id'), body.destination, leaving(reply));
      void reply.header('location', addressOf('fs', path));
      return files.show(caller, path);
    },
  });
}

/** Aborted when the client leaves before its answer. */
function leaving(reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort(clientLeft());
  });
  return left.signal;
}
