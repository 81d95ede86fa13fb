/** `/updateRepositories/firmware`: the list of packages, their export, its state and its ZIP, and their import. */
import type { FastifyReply } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Access } from '../../access/access.js';
import type { Caller } from '../../access/caller.js';
import { SpillwayError } from '../../errors.js';
import { bodyBytesOf } from '../../export/http-sink.js';
import type { FileSystem } from '../../state/filesystem.js';
import { isEnded } from '../../task/states.js';
import type { Artifacts } from '../../task/artifacts.js';
import { EXPORT_CONTENTS } from '../../update/export-kind.js';
import { packageName } from '../../update/package-name.js';
import type { RepositoryExports } from '../../update/repository-exports.js';
import { importAll } from '../../update/repository-import.js';
import type { Repository, StoredPackage } from '../../update/repository.js';
import { actor } from '../actor.js';
import { link, type Resource } from '../link.js';
import { sendFile } from '../send-file.js';
import { incoming } from '../update/incoming.js';
import { Status, statusOf, SUCCEEDED } from './words.js';

export interface RepositoryFace {
  access: Access;
  repository: Repository;
  exports: RepositoryExports;
  artifacts: Artifacts;
  files: FileSystem;
}

const SELF = '/updateRepositories/firmware';
const Zip = { content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } } };

const Word = (description: string) => Type.Optional(Type.String({ description }));
const Update = Type.Object(
  {
    fixid: Type.String({ description: 'Id of the package' }),
    name: Type.String({ description: 'Of its file' }),
    version: Type.String(),
    platform: Type.String(),
    architecture: Type.String(),
    size: Type.Integer({ description: 'Of its file, in bytes' }),
    sha256: Type.String({ description: 'Of its file' }),
  },
  { description: 'An update package.' },
);
const Updates = Type.Object({ updates: Type.Array(Update) }, { description: 'Update packages.' });
const Asked = Type.Object({
  action: Word('export: the ZIP of an export'),
  key: Word('The same, as export; or updates'),
  exportRepoFilename: Word('Name of the ZIP'),
});
const Exported = Type.Object({ action: Word('export'), filetypes: Word('all or payloads'), filetype: Word('The same') });
const Watched = Type.Object({
  taskType: Word('EXPORTREPOSITORY'),
  tasktype: Word('The same'),
  taskid: Word('Id of a task; 0: all that have not ended'),
});

export function repositoryResources(face: RepositoryFace): Record<'firmware' | 'status', Resource> {
  const { repository, exports, files } = face;
  const shown = (one: Parameters<typeof statusOf>[0]): object => statusOf(one, exports.packed(one));
  return {
    firmware: {
      schema: Updates,
      about: 'The update packages of this probe.',
      self: SELF,
      links: {
        get: link({
          method: 'GET',
          right: 'reader',
          about: 'List update packages, or fetch the ZIP of an export, or a range of it',
          query: Asked,
          status: 200,
          answer: Updates,
          response: { 206: { description: 'The range', ...Zip } },
          handle: async ({ query, caller, reply }) => {
            if (!isDownload(query)) return { updates: repository.list().map(update) };
            await download(face, query.exportRepoFilename, caller, reply);
            return reply;
          },
        }),
        export: link({
          method: 'PUT',
          right: 'operator',
          about: 'Export packages: {"fixids": […]}, or all of them',
          query: Exported,
          // null, and no body at all, are bodies here.
          body: Type.Unknown({ description: '{"fixids": [ids]}; null, {} or an empty list: all' }),
          status: 200,
          answer: Type.Object({ taskid: Type.String({ description: 'Id of the task' }) }),
          handle: ({ query, body, caller }) => {
            need('action', query.action, ['export']);
            const content = need('filetypes', query.filetypes ?? query.filetype, EXPORT_CONTENTS);
            return { taskid: String(exports.start(caller.name, content, idsIn(body)).input.number) };
          },
        }),
        import: link({
          method: 'POST',
          right: 'operator',
          about: 'Import the body, a package or an export of a repository, or the file that it names as {"path": "fs/…"}',
          query: Type.Object({ action: Word('import') }),
          isRaw: true,
          status: 200,
          answer: Updates,
          handle: async ({ query, caller, request }) => {
            need('action', query.action, ['import']);
            const imported = await importAll(repository, await incoming(request, caller, files));
            return { updates: imported.map((each) => update(each.package)), errorMsg: SUCCEEDED };
          },
        }),
      },
    },
    status: {
      schema: Status,
      about: 'What became of an export.',
      self: `${SELF}/status`,
      links: {
        get: link({
          method: 'GET',
          right: 'reader',
          about: 'Show an export, or all that have not ended',
          query: Watched,
          status: 200,
          answer: Status,
          handle: ({ query, reply }) => {
            void reply.header('cache-control', 'no-store');
            for (const type of [query.taskType ?? query.tasktype, query.tasktype ?? query.taskType]) need('taskType', type, ['EXPORTREPOSITORY']);
            const number = numberIn(query.taskid);
            if (number !== 0) return shown(found(exports, number));
            const active = exports.list().filter(({ state }) => !isEnded(state));
            return active.length === 1 ? shown(active[0]!) : active.map(shown);
          },
        }),
      },
    },
  };
}

function update(found: StoredPackage): Static<typeof Update> {
  const { id: fixid, version, platform, architecture, bytes: size, sha256 } = found;
  return { fixid, name: packageName(found), version, platform, architecture, size, sha256 };
}

function isDownload({ action, key }: Static<typeof Asked>): boolean {
  if (action !== undefined) need('action', action, ['export']);
  if (key !== undefined) need('key', key, ['export', 'updates']);
  return action === 'export' || key === 'export';
}

async function download(
  { access, exports, artifacts }: RepositoryFace,
  name: string | undefined,
  caller: Caller,
  reply: FastifyReply,
): Promise<void> {
  if (name === undefined) throw new SpillwayError('REQUEST_INVALID', 'exportRepoFilename is missing');
  const wanted = exports.named(name);
  if (!wanted) throw new SpillwayError('REQUEST_INVALID', `exportRepoFilename: there is no export ${JSON.stringify(name.slice(0, 100))}`);
  const artifact = wanted.result === null ? null : artifacts.find(wanted.result.artifact);
  if (!artifact) throw new SpillwayError('TASK_STATE', `${name} is not there: the export is ${wanted.state}`);
  const { id, bytes, sha256, name: filename } = artifact;
  await sendFile(reply, await artifacts.read(id), { bytes, etag: sha256.slice(0, 32), type: 'application/zip', filename });
  const sent = bodyBytesOf(reply.raw);
  const by = actor({ caller, request: reply.request });
  access.audit.note({ ...by, action: 'firmware.download', what: name, ...(sent !== null && { bytes: sent }) });
}

/** Null: all. */
function idsIn(body: unknown): string[] | null {
  if (body === undefined || body === null) return null;
  if (typeof body !== 'object' || Array.isArray(body)) throw new SpillwayError('REQUEST_INVALID', 'the body must be an object, or null');
  const { fixids = null, ...more } = body as Record<string, unknown>;
  const [stray] = Object.keys(more);
  if (stray !== undefined) throw new SpillwayError('REQUEST_INVALID', `${stray.slice(0, 100)}: no property of this name is known`);
  if (fixids === null) return null;
  if (!Array.isArray(fixids) || !fixids.every((id) => typeof id === 'string'))
    throw new SpillwayError('REQUEST_INVALID', 'fixids must be an array of strings');
  return fixids.length === 0 ? null : fixids;
}

function need<W extends string>(name: string, given: string | undefined, words: readonly W[]): W {
  const word = words.find((each) => each === given);
  if (word !== undefined) return word;
  throw new SpillwayError('REQUEST_INVALID', given === undefined ? `${name} is missing` : `${name} must be one of ${words.join(', ')}`);
}

function numberIn(text: string | undefined): number {
  if (text === undefined) throw new SpillwayError('REQUEST_INVALID', 'taskid is missing');
  if (!/^\d{1,15}$/.test(text)) throw new SpillwayError('REQUEST_INVALID', 'taskid must be the number of a task, or 0');
  return Number(text);
}

/** Here an id is a parameter. */
function found(exports: RepositoryExports, number: number): NonNullable<ReturnType<RepositoryExports['find']>> {
  const one = exports.find(number);
  if (!one) throw new SpillwayError('REQUEST_INVALID', `taskid: there is no task ${number}`);
  return one;
}
