/** Everything of packages that a running probe has: where they come from, the tasks that make them, and their files. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Peers } from '../peer/peers.js';
import type { Profiles } from '../peer/profiles.js';
import type { DataFolder } from '../state/data-folder.js';
import { Artifacts } from '../task/artifacts.js';
import { Tasks, type AnyKind } from '../task/tasks.js';
import { collectorsOf } from './collectors.js';
import type { Devices } from './devices.js';
import { diagnosticKind, type DiagnosticKind } from './diagnostic-kind.js';
import type { ProbeFacts } from './facts.js';
import { knownDevices, type DevicesOptions } from './known-devices.js';
import { supportKind, type SupportKind } from './support-kind.js';

export interface PackagesOptions extends Pick<DevicesOptions, 'addresses' | 'port'> {
  data: Pick<DataFolder, 'path' | 'tasks' | 'artifacts'>;
  facts: Omit<ProbeFacts, 'tasks' | 'peers'>;
  peers: Peers;
  profiles: Profiles;
  /** Of tasks that others make. */
  kinds: readonly AnyKind[];
  /** Hears of failures that nobody waits for. */
  report: (error: Error) => void;
}

export interface Packages {
  tasks: Tasks;
  devices: Devices;
  diagnostic: DiagnosticKind;
  support: SupportKind;
  facts: ProbeFacts;
}

export async function openPackages({ data, facts: known, peers, profiles, kinds, addresses, port, report }: PackagesOptions): Promise<Packages> {
  const facts: ProbeFacts = {
    ...known,
    tasks: () => tasks.list(),
    // A CA may be long, and is of no use to who reads of it.
    peers: () => ({ peers: peers.list().map(({ ca, ...peer }) => ({ ...peer, hasCa: ca !== null })), profiles: profiles.list() }),
  };
  const about = () => ({ version: facts.version, serial: facts.serial ?? '', device: hostname(), createdMs: Date.now() });
  const devices = knownDevices({ peers, profiles, addresses, port, about, collectors: () => collectorsOf(facts) });
  const [diagnostic, support] = [diagnosticKind(devices), supportKind(devices)];
  const artifacts = await Artifacts.open({ folder: join(data.path, 'packages'), table: data.artifacts, report });
  const tasks = new Tasks({ table: data.tasks, artifacts, kinds: [diagnostic, support, ...kinds], report });
  return { tasks, devices, diagnostic, support, facts };
}
