/** Exports of the repository: asked for, found again, and let go of. */
import { SpillwayError } from '../errors.js';
import { isEnded } from '../task/states.js';
import type { Task } from '../task/task.js';
import type { Tasks } from '../task/tasks.js';
import { exportBytes, type ExportContent, type ExportInput, type ExportKind, type ExportResult, type Packed } from './export-kind.js';
import type { Repository, StoredPackage } from './repository.js';

export type Export = Task<ExportInput, ExportResult>;

export class RepositoryExports {
  constructor(
    private readonly repository: Repository,
    private readonly tasks: Tasks,
    private readonly kind: ExportKind,
  ) {}

  /** Oldest first. */
  list(): Export[] {
    return this.tasks.list(this.kind.name) as Export[];
  }

  /** By its number; null where there is none. */
  find(number: number): Export | null {
    return this.list().find(({ input }) => input.number === number) ?? null;
  }

  /** By the name of its ZIP; null where there is none. */
  named(name: string): Export | null {
    return this.list().find(({ input }) => input.name === name) ?? null;
  }

  packed({ id }: Export): Packed {
    return this.kind.packed(id);
  }

  /**
   * `ids` null: all packages. They stay what they are until it has ended. Throws REQUEST_INVALID for an id that is none,
   * TASK_RUNNING where the same is being exported, and TOO_MANY_TASKS.
   */
  start(owner: string, content: ExportContent, ids: readonly string[] | null): Export {
    const packages = this.#wanted(ids);
    const same = this.list().find((each) => !isEnded(each.state) && isSame(each.input, content, packages));
    if (same) throw new SpillwayError('TASK_RUNNING', `these packages are being exported already, by the task ${same.input.number}`);
    const number = this.#number();
    const facts = { number, name: `repository${stamp(number)}.zip`, content, packages: packages.map(({ id }) => id) };
    const free = packages.map(({ id }) => this.repository.pin(id));
    const freeAll = (): void => free.forEach((each) => each());
    try {
      const made = this.tasks.create(this.kind, owner, { ...facts, totalBytes: exportBytes(packages, facts) }, null);
      void this.tasks.ended(made.id).then(freeAll);
      return made;
    } catch (error) {
      freeAll();
      throw error;
    }
  }

  /** Ends one that has not ended, and lets go of one that has, and of its ZIP. Resolves when it has ended. */
  async end({ id, state }: Export): Promise<void> {
    if (isEnded(state)) return this.tasks.remove(id, { withArtifacts: true });
    if (state !== 'cancelling') this.tasks.cancel(id);
    await this.tasks.ended(id);
  }

  #wanted(ids: readonly string[] | null): StoredPackage[] {
    if (ids === null) return this.repository.list();
    const unknown = ids.find((id) => this.repository.find(id) === null);
    if (unknown !== undefined) throw new SpillwayError('REQUEST_INVALID', `there is no update package ${JSON.stringify(unknown.slice(0, 100))}`);
    return this.repository.list().filter(({ id }) => ids.includes(id));
  }

  /** The seconds of now, or those behind the last one's: clocks are set back, and clients are quick. */
  #number(): number {
    return Math.max(Math.floor(Date.now() / 1000), ...this.list().map(({ input }) => input.number + 1));
  }
}

function isSame(input: ExportInput, content: ExportContent, packages: readonly StoredPackage[]): boolean {
  return input.content === content && input.packages.join() === packages.map(({ id }) => id).join();
}

/** YYYYMMDDhhmmss, in UTC. */
const stamp = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19).replace(/\D/g, '');
