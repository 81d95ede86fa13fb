/**
 * Where releases lie that were installed, and which one runs: `updates/` in the data folder.
 *
 *   slots.json   the state below; replaced as a whole, so that there is always one
 *   a/, b/       a release each, with its manifest; whole, or not named in the state
 *
 * The server and its launcher write the state in turns: the launcher while no server runs, the server while one does.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gt, valid } from 'semver';
import { fromRoot } from '../root.js';
import { syncFolderNow } from '../state/sync-folder.js';
import { keptDatabase, keptSchema, restoreDatabase } from './before.js';

export const SLOTS = ['a', 'b'] as const;
export type Slot = (typeof SLOTS)[number];

/** `installed`: the release that the launcher is of, which no update ever touches. */
export type Place = 'installed' | Slot;

export interface InstalledRelease {
  /** Id of the package. */
  package: string;
  version: string;
}

/** How the last change of releases ended. */
export interface LastChange {
  /** Id of the task that asked for it. */
  install: string;
  place: Place;
  outcome: 'healthy' | 'rolled back';
  /** Why it was rolled back; else empty. */
  why: string;
}

export interface Trial {
  install: string;
  from: Place;
  /** How often it was started so far. */
  starts: number;
  /** Of the database before; null: no copy of it was made. */
  schema: number | null;
}

export interface SlotsState {
  format: 1;
  /** What is started. */
  active: Place;
  /** The active release is not known to be healthy yet. */
  trial: Trial | null;
  slots: Record<Slot, InstalledRelease | null>;
  /** Version of the installed release when the active one was switched to. */
  installed: string | null;
  last: LastChange | null;
}

/** What to start. */
export interface Start {
  place: Place;
  isTrial: boolean;
  /** Why it is not what it was to be; a sentence each. */
  notes: string[];
}

const NEW: SlotsState = { format: 1, active: 'installed', trial: null, slots: { a: null, b: null }, installed: null, last: null };
/** A release on trial whose first start was cut off (a power cut, kill -9) has one more. */
const TRIAL_STARTS = 2;

export class Slots {
  readonly folder: string;
  readonly #path: string;

  /** Nothing is made before something is written. */
  constructor(
    private readonly dataFolder: string,
    private readonly installed = fromRoot(),
  ) {
    this.folder = join(dataFolder, 'updates');
    this.#path = join(this.folder, 'slots.json');
  }

  /** A state that can't be read counts as none: the installed release runs, and both slots are free. */
  read(): SlotsState {
    try {
      const state = JSON.parse(readFileSync(this.#path, 'utf8')) as SlotsState;
      return state.format === 1 && isPlace(state.active) ? { ...structuredClone(NEW), ...state } : structuredClone(NEW);
    } catch {
      return structuredClone(NEW);
    }
  }

  /** Where the next release goes. */
  idle(): Slot {
    return this.read().active === 'a' ? 'b' : 'a';
  }

  /** The folder of a release. */
  folderOf(place: Place): string {
    return place === 'installed' ? this.installed : join(this.folder, place);
  }

  /** An empty folder beside the slot, for a release that is unpacked. What is in the slot is as good as gone. */
  clear(slot: Slot): string {
    const state = this.read();
    if (state.slots[slot] !== null) this.write({ ...state, slots: { ...state.slots, [slot]: null } });
    const part = join(this.folder, `${slot}.part`);
    for (const path of [part, this.folderOf(slot)]) rmSync(path, { recursive: true, force: true });
    mkdirSync(part, { recursive: true, mode: 0o700 });
    return part;
  }

  /** Lets go of what was unpacked beside the slot, or of a part of it. */
  discard(slot: Slot): void {
    rmSync(join(this.folder, `${slot}.part`), { recursive: true, force: true });
  }

  /** What was unpacked beside the slot, and is on the disk, takes its place. */
  fill(slot: Slot, release: InstalledRelease): void {
    renameSync(join(this.folder, `${slot}.part`), this.folderOf(slot));
    syncFolderNow(this.folder);
    const state = this.read();
    this.write({ ...state, slots: { ...state.slots, [slot]: release } });
  }

  /** From the next start on the slot's release runs, on trial. The database was copied, where the release may change it. */
  activate(slot: Slot, install: string): void {
    const state = this.read();
    const trial = { install, from: state.active, starts: 0, schema: keptSchema(this.folder) };
    this.write({ ...state, active: slot, trial, installed: versionIn(this.installed), last: null });
  }

  /** What runs, in `place`, is healthy. Another place than the active one is that of the release before, come back. */
  confirm(place: Place = this.read().active): void {
    const state = this.read();
    const { trial, active } = state;
    if (!trial) return;
    if (place === active) this.write({ ...state, trial: null, last: { install: trial.install, place, outcome: 'healthy', why: '' } });
    else this.rollBack('it was not healthy, and that could not be written down');
  }

  /** The release before is the active one again, for the server that runs: the database is one that it can read. */
  rollBack(why: string): void {
    const state = this.read();
    if (state.trial) this.write(withoutActive(state, why));
  }

  /**
   * Which release to start now; `failure`: what became of the one on trial. Where the state can't be written, a release on trial
   * is not started: nobody would know how often it was. Throws, and changes nothing, while the data folder is open elsewhere.
   */
  begin(failure: string | null = null): Start {
    let state = this.read();
    const notes: string[] = [];
    for (;;) {
      const { active, trial } = state;
      const obstacle =
        (trial && failure) ?? this.#obstacle(state) ?? (trial && this.#written({ ...state, trial: { ...trial, starts: trial.starts + 1 } }));
      if (obstacle === null) return { place: active, isTrial: trial !== null, notes };
      notes.push(`the release ${trial ? 'on trial is given up' : `of slot ${active} is not started`}: ${obstacle}`);
      if (trial && trial.schema !== null) restoreDatabase(this.dataFolder, this.folder, trial.schema);
      state = withoutActive(state, obstacle);
      // It is done all the same: written down it is by the next start, or by the release before (`confirm`).
      this.#written(state);
    }
  }

  /** The release on trial was started for nothing: it could not show how it is. */
  takeBack(): void {
    const state = this.read();
    if (state.trial) this.#written({ ...state, trial: { ...state.trial, starts: state.trial.starts - 1 } });
  }

  /** Why the active release is not to be started. */
  #obstacle({ active, trial, slots, installed: before }: SlotsState): string | null {
    if (trial && trial.starts >= TRIAL_STARTS) return `it was started ${trial.starts} times, and was not healthy`;
    if (trial && trial.schema !== null && !existsSync(keptDatabase(this.folder))) return 'the database of the release before is back';
    if (active === 'installed') return null;
    const release = slots[active];
    if (release === null || !existsSync(join(this.folderOf(active), 'bin', 'spillway'))) return 'it is not there any more';
    // Its command line changes the database as it needs it, and whoever installs a newer one meanwhile wants that.
    const installed = versionIn(this.installed);
    return installed !== null && installed !== before && valid(release.version) && gt(installed, release.version)
      ? `version ${installed}, which was installed since, is newer`
      : null;
  }

  /** Null, or why it could not be written. */
  #written(state: SlotsState): string | null {
    try {
      this.write(state);
      return null;
    } catch (error) {
      return `its start could not be written down (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
    }
  }

  /** Whole and on the disk, or not at all. */
  write(state: SlotsState): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const part = `${this.#path}.part`;
    const fd = openSync(part, 'w', 0o600);
    try {
      writeFileSync(fd, `${JSON.stringify(state, null, 1)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, this.#path);
    syncFolderNow(this.folder);
  }
}

export type FilledSlot = InstalledRelease & { slot: Slot };

/** The slots that have a release. */
export function filledSlots({ slots }: Pick<SlotsState, 'slots'>): FilledSlot[] {
  return SLOTS.flatMap((slot) => (slots[slot] === null ? [] : [{ slot, ...slots[slot] }]));
}

export const isPlace = (value: unknown): value is Place => value === 'installed' || SLOTS.some((slot) => slot === value);

/** The state in which the active release is none any more. */
function withoutActive(state: SlotsState, why: string): SlotsState {
  const { trial, active: place } = state;
  if (!trial) return { ...state, active: 'installed' };
  return { ...state, active: trial.from, trial: null, last: { install: trial.install, place, outcome: 'rolled back', why } };
}

function versionIn(folder: string): string | null {
  try {
    return valid((JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string }).version);
  } catch {
    return null;
  }
}
