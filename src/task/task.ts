/** What a task is: a long operation with an owner, a state, progress, and a result or an error. */
import type { Sink } from '../engine/types.js';
import type { ErrorCode } from '../errors.js';
import type { TaskState } from './states.js';

export interface TaskError {
  code: ErrorCode;
  message: string;
}

export interface Task<Input = unknown, Result = unknown> {
  /** 24 hex digits. */
  readonly id: string;
  readonly kind: string;
  readonly owner: string;
  /** What was asked for, without secrets. */
  readonly input: Input;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly state: TaskState;
  /** 0 to 100, and never back. */
  readonly progress: number;
  /** What is being done, in a few words. */
  readonly step: string;
  /** What came of it; also of one that failed, where there is something to tell. */
  readonly result: Result | null;
  readonly error: TaskError | null;
}

/** How a run ends that does not throw. */
export interface Ended<Result> {
  state: 'done' | 'partial' | 'failed';
  result: Result;
  /** Of one that failed. */
  error?: TaskError;
}

/** What a run is given. */
export interface Work<Input, Secrets> {
  readonly id: string;
  readonly owner: string;
  readonly input: Input;
  /** Kept in memory alone, and no longer than the run. */
  readonly secrets: Secrets;
  /** Aborts with the `SpillwayError` that says why: cancelled, out of time, or the server ends. */
  readonly signal: AbortSignal;
  /** `percent`: 0 to 100; what would be a step back is not taken. */
  progress(percent: number, step: string): void;
  /** A file that belongs to the task: others see it when it is finished. */
  artifact(name: string, about: Record<string, string>): Promise<ArtifactSink>;
}

export interface ArtifactSink extends Sink {
  readonly id: string;
}

/** A kind of long operation: how it runs, and its limits. */
export interface TaskKind<Input, Secrets, Result> {
  name: string;
  /** May be told to end while it runs. */
  isCancellable: boolean;
  /** A run that the end of the server interrupts is begun anew by the next server, without its secrets; else it has failed. */
  outlivesServer?: boolean;
  /** Of this kind: others wait. */
  runningAtOnce: number;
  /** That run or wait. */
  activeAtOnce: number;
  runMs: number;
  /** How long a run that was told to end may take for that; default: TASK_LIMITS.graceMs. */
  graceMs?: number;
  /** How long it is listed behind its end. */
  keptMs: number;
  /** How long its artifacts are kept. */
  artifactsKeptMs: number;
  /** How large one may be; default: TASK_LIMITS.artifactBytes. */
  artifactBytes?: number;
  run(work: Work<Input, Secrets>): Promise<Ended<Result>>;
}
