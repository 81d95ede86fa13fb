/** The task that collects support packages: a .tar.gz from each device, of which some may fail. */
import { coded, type ErrorCode } from '../errors.js';
import { TASK_LIMITS } from '../task/limits.js';
import type { Ended, TaskKind, Work } from '../task/task.js';
import { writeBundle } from './bundle.js';
import { SECTIONS } from './collector.js';
import type { Devices } from './devices.js';
import { into } from './into.js';

export interface SupportDevice {
  address: string;
  /** Id of the credentials; null: the peer's own, or the default ones. */
  profile: string | null;
}

export interface SupportInput {
  devices: readonly SupportDevice[];
  /** The request as it came, for whoever looks at the operation. */
  request: { uri: string; body: unknown };
}

export interface SupportResult {
  packages: { artifact: string; name: string; address: string }[];
  failures: { address: string; code: ErrorCode; message: string }[];
}

export type SupportKind = TaskKind<SupportInput, null, SupportResult>;

const HOUR_MS = 3_600_000;
/** Devices that are asked at once: what comes from them shares one disk. */
const AT_ONCE = 4;
/** All but names and hashes of passwords: who downloads a package need not be an admin. */
const PARTS = SECTIONS.filter((section) => section !== 'user_credentials');

export function supportKind(devices: Devices): SupportKind {
  return {
    name: 'support-packages',
    isCancellable: true,
    runningAtOnce: 2,
    activeAtOnce: 32,
    runMs: HOUR_MS,
    keptMs: 7 * 24 * HOUR_MS,
    artifactsKeptMs: 7 * 24 * HOUR_MS,
    run: (work) => run(work, devices),
  };
}

async function run(work: Work<SupportInput, null>, devices: Devices): Promise<Ended<SupportResult>> {
  const wanted = work.input.devices;
  const result: SupportResult = { packages: [], failures: [] };
  const done = wanted.map(() => 0);
  const one = async (i: number): Promise<void> => {
    const { address } = wanted[i]!;
    const progress = (part: number, step: string): void => {
      done[i] = part;
      const all = done.reduce((sum, each) => sum + each, 0) / wanted.length;
      work.progress(100 * all, `${address}: ${step}`);
    };
    try {
      result.packages.push(await collect(work, devices, wanted[i]!, progress));
    } catch (error) {
      work.signal.throwIfAborted();
      const { code, message } = coded(error);
      result.failures.push({ address, code, message: code === 'INTERNAL' ? 'the probe failed in a way it does not know' : message });
    }
    progress(1, 'finished');
  };
  let next = 0;
  const turns = Array.from({ length: Math.min(AT_ONCE, wanted.length) }, async () => {
    while (next < wanted.length) await one(next++);
  });
  // A turn that is cancelled ends the others by itself: each is waited for, so that no file is written behind the end.
  const ends = await Promise.allSettled(turns);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const { packages, failures } = result;
  if (packages.length === 0) {
    const error = { code: failures[0]!.code, message: `no device gave a package: ${failures.map(({ message }) => message).join('; ')}` };
    return { state: 'failed', result, error };
  }
  return { state: failures.length === 0 ? 'done' : 'partial', result };
}

async function collect(
  work: Work<SupportInput, null>,
  devices: Devices,
  { address, profile }: SupportDevice,
  progress: (part: number, step: string) => void,
): Promise<SupportResult['packages'][number]> {
  const { signal } = work;
  const peer = devices.isOwn(address) ? null : devices.peer(address, profile);
  const name = `support-logs-${new Date().toISOString().slice(0, 10)}-${address.replace(/[^A-Za-z0-9.]+/g, '_').replace(/^_/, '')}.tar.gz`;
  const { id } = await into(await work.artifact(name, { address }), async (sink) => {
    if (peer) return peer.support({ sink, signal, progress, maxBytes: TASK_LIMITS.artifactBytes });
    const wish = { verbosity: 'base', sections: PARTS } as const;
    await writeBundle({ collectors: devices.collectors(), wish, format: 'tar.gz', passphrase: null, sink, about: devices.about(), signal, progress });
  });
  return { artifact: id, name, address };
}
