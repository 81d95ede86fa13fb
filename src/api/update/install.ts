/** What a probe is told to run instead of what it runs, and what has come of it. */
import Type, { type Static } from 'typebox';
import { SpillwayError } from '../../errors.js';
import { packageVersion } from '../../root.js';
import { isEnded } from '../../task/states.js';
import type { Task } from '../../task/task.js';
import type { Tasks } from '../../task/tasks.js';
import { imageAddress } from '../../update/image-url.js';
import { INSTALL_PROGRESS, OWN_ERRORS } from '../../peer/install.js';
import { ended, RECEIVED, updatesOff, type InstallInput, type InstallStatus } from '../../update/install.js';
import type { InstallKind } from '../../update/install-kind.js';
import { UPDATE_LIMITS } from '../../update/limits.js';
import { filledSlots, SLOTS, type Slots } from '../../update/slots.js';
import type { Peers } from '../../peer/peers.js';
import { link, rootOf, type Resource } from '../link.js';
import { UPDATE_SERVICE } from './name.js';

export interface InstallRooms {
  tasks: Tasks;
  kind: InstallKind;
  slots: Slots;
  peers: Peers;
  /** A launcher is there, which starts another release. */
  isEnabled: boolean;
}

const exact = { additionalProperties: false };
const NewInstall = Type.Object(
  {
    url: Type.String({ maxLength: 2000, description: 'where the package lies: https, and a peer of this probe' }),
    package: Type.String({ maxLength: 100, description: 'id of the package' }),
    version: Type.String({ maxLength: 100 }),
    bytes: Type.Integer({ minimum: 0, maximum: UPDATE_LIMITS.packageBytes }),
    sha256: Type.String({ maxLength: 100, description: 'of the file' }),
    allow_older: Type.Optional(Type.Boolean({ description: 'also a version before the one that runs; default: false' })),
  },
  exact,
);

const Part = Type.Object({
  status: Type.String(),
  progress: Type.Integer(),
  bytes: Type.Integer(),
  total_bytes: Type.Integer(),
  rate: Type.Integer({ description: 'bytes a second' }),
  start_time: Type.Integer({ description: 's since 1970; 0: not yet' }),
  end_time: Type.Integer(),
  detail: Type.String(),
});

const Install = Type.Object({
  id: Type.String(),
  package: Type.String(),
  version: Type.String(),
  url: Type.String(),
  update_progress_status: Type.Enum([...INSTALL_PROGRESS]),
  error: Type.Enum([...OWN_ERRORS]),
  detail: Type.String({ description: 'a sentence' }),
  download_status: Part,
  install_status: Part,
});

const Release = Type.Object({ slot: Type.Enum([...SLOTS]), package: Type.String(), version: Type.String() });
const Status = Type.Object({
  enabled: Type.Boolean({ description: 'the server was started so that it can be updated' }),
  running: Type.Object({ version: Type.String(), slot: Type.String({ description: 'a, b, or installed' }) }),
  on_trial: Type.Boolean(),
  slots: Type.Array(Release),
  install: Type.Union([Install, Type.Null()], { description: 'the newest' }),
});

export function installResources(rooms: InstallRooms): Record<'installs' | 'install' | 'status', Resource> {
  const { tasks, kind, slots } = rooms;
  return {
    installs: {
      schema: Install,
      about: 'Updates of this probe.',
      self: '/install',
      links: {
        create: link({
          method: 'POST',
          right: 'admin',
          about: 'Fetch a package, and run its release instead of this one',
          body: NewInstall,
          status: 202,
          answer: Install,
          handle: ({ body, caller, reply }) => {
            const task = begin(body, caller.name, rooms);
            void reply.header('location', `${rootOf(UPDATE_SERVICE)}/install/items/${task.id}`);
            return shown(task);
          },
        }),
      },
    },
    install: {
      schema: Install,
      about: 'An update of this probe.',
      self: '/install/items/{id}',
      links: {
        get: link({
          method: 'GET',
          right: 'admin',
          about: 'Show what has come of an update',
          status: 200,
          answer: Install,
          handle: ({ param }) => {
            const task = tasks.find(param('id'));
            if (task?.kind !== kind.name) throw new SpillwayError('TASK_NOT_FOUND', 'no update of this probe has this id');
            return shown(task as InstallTask);
          },
        }),
      },
    },
    status: {
      schema: Status,
      about: 'Which release runs, and which lie in the slots.',
      self: '/status',
      links: {
        get: link({
          method: 'GET',
          right: 'reader',
          about: 'Show which release runs',
          status: 200,
          answer: Status,
          handle: () => {
            const state = slots.read();
            const newest = tasks.list(kind.name).at(-1) as InstallTask | undefined;
            return {
              enabled: rooms.isEnabled,
              running: { version: packageVersion(), slot: rooms.isEnabled ? state.active : 'installed' },
              on_trial: rooms.isEnabled && state.trial !== null,
              slots: filledSlots(state),
              install: newest === undefined ? null : shown(newest),
            } satisfies Static<typeof Status>;
          },
        }),
      },
    },
  };
}

type InstallTask = Task<InstallInput, InstallStatus>;

function begin(
  { allow_older = false, ...body }: Static<typeof NewInstall>,
  owner: string,
  { tasks, kind, peers, isEnabled }: InstallRooms,
): InstallTask {
  if (!isEnabled) throw updatesOff();
  if (tasks.list(kind.name).some(({ state }) => !isEnded(state))) throw new SpillwayError('TASK_RUNNING', 'this probe is being updated already');
  if (!/^[0-9a-f]{24}$/.test(body.package)) throw new SpillwayError('REQUEST_INVALID', 'package is no id of a package: 24 hex digits');
  if (!/^[0-9a-f]{64}$/.test(body.sha256)) throw new SpillwayError('REQUEST_INVALID', 'sha256 is no SHA-256: 64 hex digits in lower case');
  if (body.bytes < 1) throw new SpillwayError('REQUEST_INVALID', 'bytes is not the size of a package');
  imageAddress(body.url, peers);
  return tasks.create(kind, owner, { ...body, allowOlder: allow_older }, null);
}

function shown({ id, input, state, result, error, updatedMs }: InstallTask): Static<typeof Install> {
  const { package: of, version, url } = input;
  const told = result ?? RECEIVED;
  const status = isEnded(state) ? ended(told, error?.message ?? 'the update was cancelled', updatedMs) : told;
  return { id, package: of, version, url, ...status };
}
