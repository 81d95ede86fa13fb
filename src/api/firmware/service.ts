/** `/updateRepositories/firmware` and what its clients ask beside it: tasks, sessions, and whether anybody is there. */
import Type from 'typebox';
import type { Access } from '../../access/access.js';
import { SpillwayError } from '../../errors.js';
import type { FileSystem } from '../../state/filesystem.js';
import type { Tasks } from '../../task/tasks.js';
import { RepositoryExports, type Export } from '../../update/repository-exports.js';
import type { Updates } from '../../update/updates.js';
import { link, type Resource, type Service } from '../link.js';
import { repositoryResources } from './repository.js';
import { sessionResources, withToken } from './sessions.js';
import { faults, Status, statusOf } from './words.js';

export interface FirmwareOptions {
  access: Access;
  tasks: Tasks;
  updates: Pick<Updates, 'repository' | 'exportKind'>;
  files: FileSystem;
  /** What anybody is told of this probe. */
  version: string;
}

const Here = Type.Object({ model: Type.String(), version: Type.String() }, { description: 'That the probe is there.' });

export function firmware({ access, tasks, updates: { repository, exportKind }, files, version }: FirmwareOptions): Service {
  const exports = new RepositoryExports(repository, tasks, exportKind);
  const resources: Record<string, Resource> = {
    ...repositoryResources({ access, repository, exports, artifacts: tasks.artifacts, files }),
    task: taskResource(exports),
    ...sessionResources(access),
    aicc: {
      schema: Here,
      about: 'That the probe is there.',
      self: '/aicc',
      links: {
        get: link({
          method: 'GET',
          right: 'public',
          about: 'Whether anybody is there',
          status: 200,
          answer: Here,
          handle: () => ({ model: 'Spillway', version }),
        }),
      },
    },
  };
  return {
    name: 'spillway.firmware',
    version: '1.0',
    title: 'Repository export',
    root: '',
    faults,
    resources: Object.fromEntries(Object.entries(resources).map(([name, resource]) => [name, withToken(resource)])),
  };
}

function taskResource(exports: RepositoryExports): Resource {
  const found = (id: string): Export => {
    const one = /^\d{1,15}$/.test(id) ? exports.find(Number(id)) : null;
    if (!one) throw new SpillwayError('TASK_NOT_FOUND', `there is no task ${JSON.stringify(id.slice(0, 100))}`);
    return one;
  };
  return {
    schema: Status,
    about: 'An export.',
    self: '/tasks/{id}',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'Show an export',
        status: 200,
        answer: Status,
        handle: ({ param }) => {
          const one = found(param('id'));
          return statusOf(one, exports.packed(one));
        },
      }),
      cancel: link({
        method: 'DELETE',
        right: 'operator',
        about: 'Cancel an export, or forget one that has ended, and its ZIP',
        status: 200,
        answer: Status,
        handle: async ({ param }) => {
          const one = found(param('id'));
          await exports.end(one);
          return statusOf(one, exports.packed(one));
        },
      }),
    },
  };
}
