/**
 * Where releases lie that were installed, and which one runs: `updates/` in the data folder.
 *
 *   slots.json   the state below; replaced as a whole, so that there is always one
 *   a/, b/       a release each, with its manifest; whole, or not named in the state
 *
 * The server and its launcher write the state in turns: the launcher while no server runs, the server while one does.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fromRoot } from '../root.js';

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

export interface SlotsState {
  format: 1;
  /** What is started. */
  active: Place;
  /** The active release is not known to be healthy yet. `starts`: how often it was started so far. */
  trial: { install: string; from: Place; starts: number } | null;
  slots: Record<Slot, InstalledRelease | null>;
  last: LastChange | null;
}

const NEW: SlotsState = { format: 1, active: 'installed', trial: null, slots: { a: null, b: null }, last: null };
/** A release on trial whose first start was cut off (a power cut, kill -9) has one more. */
const TRIAL_STARTS = 2;

export class Slots {
  readonly folder: string;
  readonly #path: string;

  /** Nothing is made before something is written. */
  constructor(
    dataFolder: string,
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
    syncFolder(this.folder);
    const state = this.read();
    this.write({ ...state, slots: { ...state.slots, [slot]: release } });
  }

  /** From the next start on the slot's release runs, on trial. */
  activate(slot: Slot, install: string): void {
    const state = this.read();
    this.write({ ...state, active: slot, trial: { install, from: state.active, starts: 0 }, last: null });
  }

  /** What runs is healthy. */
  confirm(): void {
    const state = this.read();
    const { trial, active: place } = state;
    if (trial) this.write({ ...state, trial: null, last: { install: trial.install, place, outcome: 'healthy', why: '' } });
  }

  /** The release before is the active one again; nothing happens where none is on trial. */
  rollBack(why: string): void {
    const state = this.read();
    const { trial, active: place } = state;
    if (trial) this.write({ ...state, active: trial.from, trial: null, last: { install: trial.install, place, outcome: 'rolled back', why } });
  }

  /** Which release to start now: an active one that has had its trials, or is not there any more, is not. */
  begin(): Place {
    const state = this.read();
    const { active, trial } = state;
    if (trial && trial.starts >= TRIAL_STARTS) {
      this.rollBack(`it was started ${trial.starts} times, and was not healthy`);
      return this.begin();
    }
    if (active !== 'installed' && (state.slots[active] === null || !existsSync(join(this.folderOf(active), 'bin', 'spillway')))) {
      if (trial) {
        this.rollBack('it was not there any more');
        return this.begin();
      }
      this.write({ ...state, active: 'installed' });
      return 'installed';
    }
    if (trial) this.write({ ...state, trial: { ...trial, starts: trial.starts + 1 } });
    return active;
  }

  /** Whole and on the disk, or not at all. */
  write(state: SlotsState): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const part = `${this.#path}.part`;
    const fd = openSync(part, 'w', 0o600);
    try {
      writeSync(fd, `${JSON.stringify(state, null, 1)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, this.#path);
    syncFolder(this.folder);
  }
}

export type FilledSlot = InstalledRelease & { slot: Slot };

/** The slots that have a release. */
export function filledSlots({ slots }: Pick<SlotsState, 'slots'>): FilledSlot[] {
  return SLOTS.flatMap((slot) => (slots[slot] === null ? [] : [{ slot, ...slots[slot] }]));
}

const isPlace = (value: unknown): value is Place => value === 'installed' || SLOTS.some((slot) => slot === value);

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
