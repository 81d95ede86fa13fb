/** The task that makes a diagnostic package: one ZIP, of this probe or of a peer. */
import type { Ended, TaskKind, Work } from '../task/task.js';
import { TASK_LIMITS } from '../task/limits.js';
import { writeBundle } from './bundle.js';
import { SECTIONS } from './collector.js';
import type { Devices, DiagnosticInput } from './devices.js';
import { into } from './into.js';

export interface DiagnosticSecrets {
  passphrase: string | null;
}

export interface DiagnosticResult {
  /** Id of the package. */
  artifact: string;
  bytes: number;
}

export type DiagnosticKind = TaskKind<DiagnosticInput, DiagnosticSecrets, DiagnosticResult>;

const MINUTE_MS = 60_000;
/** 3.75 days: long enough for a weekend. */
const KEPT_MS = 90 * 60 * MINUTE_MS;

export function diagnosticKind(devices: Devices): DiagnosticKind {
  return {
    name: 'diagnostic-package',
    isCancellable: false,
    runningAtOnce: 1,
    activeAtOnce: 1,
    // A verbose one of a large peer over a slow line.
    runMs: 30 * MINUTE_MS,
    keptMs: KEPT_MS,
    artifactsKeptMs: KEPT_MS,
    run: (work) => run(work, devices),
  };
}

async function run(work: Work<DiagnosticInput, DiagnosticSecrets>, devices: Devices): Promise<Ended<DiagnosticResult>> {
  const { input, signal } = work;
  const { passphrase } = work.secrets;
  const progress = (done: number, step: string): void => work.progress(done * 100, step);
  const peer = input.target === null || devices.isOwn(input.target) ? null : devices.peer(input.target, null);
  const { id, bytes } = await into(await work.artifact('diagnostic-package.zip', {}), async (sink) => {
    if (peer) return peer.diagnostic(input, passphrase, { sink, signal, progress, maxBytes: TASK_LIMITS.artifactBytes });
    const wish = { verbosity: input.verbosity, sections: SECTIONS.filter((section) => input[section]) };
    await writeBundle({ collectors: devices.collectors(), wish, format: 'zip', passphrase, sink, about: devices.about(), signal, progress });
  });
  return { state: 'done', result: { artifact: id, bytes } };
}
