/** `/nmx/v1`: support packages of this probe and its peers, the operations that collect them, and profiles. */
import type { Static } from 'typebox';
import type { Devices } from '../../bundle/devices.js';
import type { SupportDevice, SupportKind } from '../../bundle/support-kind.js';
import { SpillwayError } from '../../errors.js';
import type { Profiles as Kept } from '../../peer/profiles.js';
import type { Artifact } from '../../task/artifacts.js';
import { isEnded } from '../../task/states.js';
import type { Tasks } from '../../task/tasks.js';
import { link, type Service } from '../link.js';
import { sendFile } from '../send-file.js';
import { supportFaults } from './faults.js';
import { operationOf, rfc3339, type Collecting } from './operation.js';
import { profileResources } from './profiles.js';
import { Collection, Operation, Operations, Package, Packages, Started } from './schema.js';

export interface SupportOptions {
  tasks: Tasks;
  kind: SupportKind;
  devices: Devices;
  profiles: Kept;
}

const ROOT = '/nmx/v1';

export function support({ tasks, kind, devices, profiles }: SupportOptions): Service {
  const operations = (): Collecting[] => tasks.list(kind.name) as Collecting[];
  const operation = (id: string): Collecting => {
    const found = tasks.find(id) as Collecting | null;
    if (found?.kind !== kind.name) throw new SpillwayError('TASK_NOT_FOUND', `there is no operation ${JSON.stringify(id.slice(0, 100))}`);
    return found;
  };
  const found = (id: string): Artifact => {
    const artifact = tasks.artifacts.find(id);
    if (artifact === null || !isPackage(artifact))
      throw new SpillwayError('ARTIFACT_NOT_FOUND', `there is no support package ${JSON.stringify(id.slice(0, 100))}`);
    return artifact;
  };
  return {
    name: 'spillway.support',
    version: '1.0',
    title: 'Support packages',
    root: ROOT,
    faults: supportFaults,
    resources: {
      support_packages: {
        schema: Packages,
        about: 'Support packages.',
        self: '/support-packages',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'List support packages',
            status: 200,
            answer: Packages,
            handle: () => tasks.artifacts.list().filter(isPackage).map(shown),
          }),
          create: link({
            method: 'POST',
            right: 'operator',
            about: 'Collect support packages from devices',
            body: Collection,
            status: 202,
            answer: Started,
            handle: ({ body, caller, reply }) => {
              const wanted = devicesOf(body, devices, profiles);
              refuseBusy(wanted, operations(), devices);
              const request = { uri: `${ROOT}/support-packages`, body };
              const { id } = tasks.create(kind, caller.name, { devices: wanted, request }, null);
              void reply.header('location', `${ROOT}/operations/${id}`);
              return { operationId: id };
            },
          }),
        },
      },
      support_package: {
        schema: Package,
        about: 'A support package.',
        self: '/support-packages/{id}',
        links: {
          download: link({
            method: 'GET',
            right: 'reader',
            about: 'Download a support package, or a range of it',
            isAudited: true,
            status: 200,
            answer: null,
            response: {
              200: { description: 'The .tar.gz', content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } },
            },
            handle: async ({ param, reply }) => {
              const { id, name, bytes, sha256 } = found(param('id'));
              const etag = sha256.slice(0, 32);
              return sendFile(reply, await tasks.artifacts.read(id), { bytes, etag, type: 'application/octet-stream', filename: `"${name}"` });
            },
          }),
          delete: link({
            method: 'DELETE',
            right: 'operator',
            about: 'Delete a support package',
            status: 204,
            answer: null,
            handle: ({ param }) => tasks.artifacts.remove(found(param('id')).id),
          }),
        },
      },
      operations: {
        schema: Operations,
        about: 'Collections.',
        self: '/operations',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'List operations',
            status: 200,
            answer: Operations,
            handle: () => operations().map(operationOf),
          }),
        },
      },
      operation: {
        schema: Operation,
        about: 'A collection.',
        self: '/operations/{id}',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'Show an operation',
            status: 200,
            answer: Operation,
            handle: ({ param, reply }) => {
              const one = operation(param('id'));
              const [first, ...more] = one.result?.packages ?? [];
              if (first && more.length === 0) void reply.header('location', `${ROOT}/support-packages/${first.artifact}`);
              return operationOf(one);
            },
          }),
          cancel: link({
            method: 'DELETE',
            right: 'operator',
            about: 'Cancel an operation',
            status: 202,
            answer: Started,
            handle: ({ param }) => {
              const { id } = operation(param('id'));
              tasks.cancel(id);
              return { operationId: id };
            },
          }),
        },
      },
      ...profileResources(profiles, ROOT),
    },
  };
}

/** Diagnostic packages have no address: they are fetched elsewhere. */
const isPackage = ({ about }: Artifact): boolean => about['address'] !== undefined;

const shown = ({ id, name, bytes, createdMs, about }: Artifact) => {
  return { fileID: id, filename: name, size: bytes, uploadDate: rfc3339(createdMs), switchAddress: about['address'] };
};

/** Of every address and profile it is seen that they are known, before anything is begun. */
function devicesOf({ ProfileID, Switches }: Static<typeof Collection>, devices: Devices, profiles: Kept): SupportDevice[] {
  return Switches.map(({ Address: address, ProfileID: own }, i) => {
    const profile = own ?? ProfileID ?? null;
    try {
      if (profile !== null) profiles.get(profile);
      if (!devices.isOwn(address)) devices.peer(address, profile);
    } catch (error) {
      throw new SpillwayError('REQUEST_INVALID', `Switches[${i}]: ${(error as Error).message}`);
    }
    return { address, profile };
  });
}

/** One device is asked once at a time, whatever spelling names it. */
function refuseBusy(wanted: readonly SupportDevice[], all: readonly Collecting[], devices: Devices): void {
  const nameOf = ({ address, profile }: SupportDevice): string => (devices.isOwn(address) ? 'this probe' : devices.peer(address, profile).address);
  const active = all.filter(({ state }) => !isEnded(state)).flatMap(({ input }) => input.devices);
  // A peer that was removed meanwhile is no device any more.
  const busy = new Set(active.flatMap((device) => nameIfKnown(device, nameOf)));
  for (const device of wanted) {
    const name = nameOf(device);
    if (busy.has(name)) throw new SpillwayError('TASK_RUNNING', `${device.address} is named twice, or a package is being collected from it`);
    busy.add(name);
  }
}

function nameIfKnown(device: SupportDevice, nameOf: (device: SupportDevice) => string): string[] {
  try {
    return [nameOf(device)];
  } catch {
    return [];
  }
}
