/** The tasks of a probe: made, run in turns, ended, listed, and what a restart makes of them. */
import { SpillwayError, coded } from '../errors.js';
import type { StoredExpiry, StoredTask, TaskTable } from '../state/tasks.js';
import { newId, type Artifacts } from './artifacts.js';
import { Expiry, type Clocks } from './expiry.js';
import { TASK_LIMITS } from './limits.js';
import { isEnded, next, type TaskEvent, type TaskState } from './states.js';
import type { Ended, Task, TaskError, TaskKind, Work } from './task.js';

export interface TasksOptions {
  table: TaskTable;
  artifacts: Artifacts;
  /** Every kind there is. */
  kinds: readonly AnyKind[];
  /** Hears of failures that nobody waits for. */
  report?: (error: Error) => void;
  /** Hears of every task that is made, and of its end. */
  tell?: (task: Task) => void;
  clocks?: Clocks;
}

/** Input, secrets and result are what the kind's own face makes of them. */
export type AnyKind = TaskKind<never, never, unknown>;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Held {
  task: Mutable<Task>;
  kind: AnyKind;
  /** Taken away when it has run. */
  secrets: unknown;
  controller: AbortController;
  ended: Promise<void>;
  settle: () => void;
}

interface Outcome {
  result: unknown;
  error: TaskError | null;
}

export class Tasks {
  readonly #held = new Map<string, Held>();
  readonly #kinds: ReadonlyMap<string, AnyKind>;
  readonly #expiry: Expiry;
  #closed = false;

  constructor(private readonly options: TasksOptions) {
    this.#kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
    this.#expiry = new Expiry(options.table, (id) => this.#forget(id), options.report, options.clocks);
    for (const row of options.table.all()) this.#restore(row);
  }

  get artifacts(): Artifacts {
    return this.options.artifacts;
  }

  /** Of one kind or all, oldest first. */
  list(kind?: string): Task[] {
    return [...this.#held.values()].map(({ task }) => task).filter((task) => kind === undefined || task.kind === kind);
  }

  find(id: string): Task | null {
    return this.#held.get(id)?.task ?? null;
  }

  /** Makes a task, which runs when it has a turn. Throws TOO_MANY_TASKS. `secrets` are written nowhere. */
  create<Input, Secrets, Result>(kind: TaskKind<Input, Secrets, Result>, owner: string, input: Input, secrets: Secrets): Task<Input, Result> {
    const active = this.list(kind.name).filter(({ state }) => !isEnded(state));
    if (active.length >= kind.activeAtOnce || this.#closed)
      throw new SpillwayError(
        'TOO_MANY_TASKS',
        `${active.length} ${active.length === 1 ? 'task' : 'tasks'} of this kind (${kind.name}) have not ended`,
      );
    this.#makeRoom();
    const now = Date.now();
    const facts = {
      id: newId(),
      kind: kind.name,
      owner,
      input,
      createdMs: now,
      updatedMs: now,
      progress: 0,
      step: 'waiting',
      result: null,
      error: null,
    };
    const held = this.#hold({ ...facts, state: 'pending' }, secrets);
    this.#save(held);
    this.options.tell?.(held.task);
    this.#begin(kind.name);
    return held.task as Task<Input, Result>;
  }

  /** Tells a task to end. Throws TASK_STATE where it has ended, or can't be told. */
  cancel(id: string): void {
    const held = this.#get(id);
    const { state } = held.task;
    if (state === 'running' && !held.kind.isCancellable)
      throw new SpillwayError('TASK_STATE', `a task of this kind (${held.kind.name}) can't be cancelled`);
    this.#step(held, 'cancel');
    held.controller.abort(new SpillwayError('CANCELLED', 'the task was cancelled'));
    if (held.task.state === 'cancelled') this.#end(held);
  }

  /** Resolves when it has ended. */
  async ended(id: string): Promise<Task> {
    const held = this.#get(id);
    await held.ended;
    return held.task;
  }

  /** Forgets one that has ended; its artifacts go with it where `withArtifacts` says so. */
  async remove(id: string, { withArtifacts }: { withArtifacts: boolean }): Promise<void> {
    const { task } = this.#get(id);
    if (!isEnded(task.state)) throw new SpillwayError('TASK_STATE', `the task is ${task.state}`);
    this.#forget(id);
    if (withArtifacts) for (const artifact of this.artifacts.list()) if (artifact.task === id) await this.artifacts.remove(artifact.id);
  }

  /** Begins what the end of the last server interrupted; to be called once, when the server can do its work. */
  resume(): void {
    for (const kind of this.#kinds.keys()) this.#begin(kind);
  }

  /** Forgets what is over; a timer does it else. */
  look(): void {
    this.#expiry.look();
  }

  /** Ends what runs; resolves when it has. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const held of this.#held.values()) {
      if (isEnded(held.task.state)) continue;
      if (held.task.state === 'running' || held.task.state === 'cancelling') {
        held.controller.abort(new SpillwayError('INTERRUPTED', 'the server ended while the task ran'));
        await held.ended;
      } else if (!held.kind.outlivesServer) this.#lose(held);
    }
    this.#expiry.close();
    this.artifacts.close();
  }

  #get(id: string): Held {
    const held = this.#held.get(id);
    if (!held) throw new SpillwayError('TASK_NOT_FOUND', `there is no task ${JSON.stringify(id.slice(0, 100))}`);
    return held;
  }

  #hold(task: Task, secrets: unknown): Held {
    const kind = this.#kinds.get(task.kind);
    if (!kind) throw new SpillwayError('INTERNAL', `no kind of task is called ${task.kind}`);
    let settle = (): void => undefined;
    const ended = new Promise<void>((resolve) => (settle = resolve));
    const held: Held = { task, kind, secrets, controller: new AbortController(), ended, settle };
    this.#held.set(task.id, held);
    return held;
  }

  /** Gives turns to those that wait for one. */
  #begin(kind: string): void {
    const all = [...this.#held.values()].filter(({ task }) => task.kind === kind);
    let running = all.filter(({ task }) => task.state === 'running' || task.state === 'cancelling').length;
    for (const held of all) {
      if (this.#closed || held.task.state !== 'pending' || running >= held.kind.runningAtOnce) continue;
      running++;
      this.#step(held, 'begin');
      void this.#run(held).then(() => this.#begin(kind));
    }
  }

  async #run(held: Held): Promise<void> {
    const { kind, controller } = held;
    // Who made it has it before it begins.
    await Promise.resolve();
    const late = setTimeout(
      () => controller.abort(new SpillwayError('TASK_TIMEOUT', `the task did not end within ${Math.round(kind.runMs / 1000)} s`)),
      kind.runMs,
    );
    try {
      const { state, result, error = null } = await Promise.race([kind.run(this.#workOf(held) as Work<never, never>), deaf(held)]);
      this.#settle(held, EVENT_OF[state], { result, error });
    } catch (thrown) {
      const { code, message } = coded(controller.signal.aborted ? controller.signal.reason : thrown);
      if (code === 'INTERNAL') this.options.report?.(thrown as Error);
      // It is kept as it was, for the next server.
      if (code === 'INTERRUPTED' && kind.outlivesServer && held.task.state === 'running') return held.settle();
      const isStopped = code === 'CANCELLED' && held.task.state === 'cancelling';
      this.#settle(held, isStopped ? 'stop' : code === 'INTERRUPTED' ? 'lose' : 'fail', { result: null, error: { code, message } });
    } finally {
      clearTimeout(late);
    }
  }

  #workOf({ task, kind, secrets, controller }: Held): Work<unknown, unknown> {
    const { id, owner, input } = task;
    return {
      id,
      owner,
      input,
      secrets,
      signal: controller.signal,
      progress: (percent, step) => {
        task.progress = Math.max(task.progress, Math.min(Math.floor(percent), 99));
        task.step = step;
        task.updatedMs = Date.now();
      },
      artifact: async (name, about) => {
        const sink = await this.artifacts.make({ task: id, name, about, keptMs: kind.artifactsKeptMs, maxBytes: kind.artifactBytes });
        const finish = async (): Promise<void> => {
          // The task may be over already.
          controller.signal.throwIfAborted();
          await sink.finish();
        };
        return { ...sink, finish };
      },
    };
  }

  #settle(held: Held, event: TaskEvent, { result, error }: Outcome): void {
    Object.assign(held.task, { result, error });
    this.#step(held, event);
    this.#end(held);
  }

  #step(held: Held, event: TaskEvent): void {
    const { task } = held;
    task.state = next(task.state, event);
    task.updatedMs = Date.now();
    if (task.state === 'done' || task.state === 'partial') task.progress = 100;
    if (isEnded(task.state) || task.state === 'cancelling') task.step = task.state;
    this.#save(held);
  }

  #end(held: Held): void {
    held.secrets = null;
    this.#expiry.start(held.task.id, held.kind.keptMs);
    this.options.tell?.(held.task);
    held.settle();
  }

  #save({ task }: Held): void {
    const { result, error } = task;
    const outcome = isEnded(task.state) ? JSON.stringify({ result, error } satisfies Outcome) : null;
    try {
      this.options.table.save({ ...task, input: JSON.stringify(task.input), outcome });
    } catch (failure) {
      // It goes on in memory; a restart finds it as it was.
      this.options.report?.(failure as Error);
    }
  }

  /** Of those that have ended, the oldest gives way. */
  #makeRoom(): void {
    if (this.#held.size < TASK_LIMITS.tasks) return;
    const oldest = this.list().find(({ state }) => isEnded(state));
    if (!oldest) throw new SpillwayError('TOO_MANY_TASKS', `${this.#held.size} tasks have not ended`);
    this.#forget(oldest.id);
  }

  #forget(id: string): void {
    this.#expiry.stop(id);
    this.#held.delete(id);
    try {
      this.options.table.remove(id);
    } catch (error) {
      // A restart finds it again, and its time is over then, too.
      this.options.report?.(error as Error);
    }
  }

  #lose(held: Held): void {
    const { task } = held;
    const before = task.state;
    const error: TaskError = { code: 'INTERRUPTED', message: 'the server ended before the task did' };
    const after = next(before, 'lose');
    if (after === 'failed') task.error = error;
    this.#step(held, 'lose');
    if (isEnded(after)) this.#end(held);
  }

  #restore({ input, outcome, expiresMs, leftMs, ...row }: StoredTask & StoredExpiry): void {
    if (!this.#kinds.has(row.kind)) return this.options.table.remove(row.id);
    const { result, error } = outcome === null ? { result: null, error: null } : (JSON.parse(outcome) as Outcome);
    const state = row.state as TaskState;
    const progress = state === 'done' || state === 'partial' ? 100 : 0;
    const held = this.#hold({ ...row, state, input: JSON.parse(input) as unknown, progress, step: state, result, error }, null);
    if (held.kind.outlivesServer && (state === 'running' || state === 'pending')) return this.#step(held, 'resume');
    if (!isEnded(state)) return this.#lose(held);
    held.settle();
    this.#expiry.restore(row.id, expiresMs ?? 0, leftMs ?? 0);
  }
}

/** Rejects for a run that was told to end and does not. */
function deaf({ kind, controller: { signal } }: Held): Promise<never> {
  return new Promise((_, reject) => {
    const wait = (): void => void setTimeout(() => reject(signal.reason as Error), kind.graceMs ?? TASK_LIMITS.graceMs).unref();
    signal.addEventListener('abort', wait, { once: true });
  });
}

const EVENT_OF: Record<Ended<unknown>['state'], TaskEvent> = { done: 'succeed', partial: 'succeed_partly', failed: 'fail' };
