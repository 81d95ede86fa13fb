/** `spillway update status`: which release a probe runs, and which ones lie in its slots. */
import type { InstallError, InstallProgress } from '../peer/install.js';
import { filledSlots, SLOTS, Slots, type FilledSlot, type LastChange } from '../update/slots.js';
import { ask, isServed } from './door.js';
import { oneLine } from './fail.js';

/** As the server shows it. */
interface ServedStatus {
  enabled: boolean;
  running: { version: string; slot: string };
  on_trial: boolean;
  slots: FilledSlot[];
  install: { version: string; update_progress_status: InstallProgress; error: InstallError; detail: string } | null;
}

/** As the folder tells it while no server runs. */
interface RestingStatus {
  running: null;
  /** What is started next, with `--updates`. */
  active: string;
  on_trial: boolean;
  slots: FilledSlot[];
  last: LastChange | null;
}

/** What it says, a line each. */
export async function updateStatus(dataFolder: string, isJson: boolean): Promise<string[]> {
  const status = (await isServed(dataFolder)) ? await ask<ServedStatus>(dataFolder, 'GET', '/api/spillway.update/1.0/status') : resting(dataFolder);
  if (isJson) return [JSON.stringify(status)];
  return [...('active' in status ? restingText(status) : servedText(status)), ...slotsText(status.slots)].map(oneLine);
}

function resting(dataFolder: string): RestingStatus {
  const state = new Slots(dataFolder).read();
  const { active, trial, last } = state;
  return { running: null, active, on_trial: trial !== null, slots: filledSlots(state), last };
}

function servedText({ enabled, running, on_trial, install }: ServedStatus): string[] {
  const { version, slot } = running;
  const trial = on_trial ? ', on trial' : '';
  const off = enabled ? '' : '; it can not be updated, since it was started without --updates';
  const newest =
    install &&
    `newest install  ${install.version}  ${install.update_progress_status}${install.error === 'NOT_SET' ? '' : `  ${install.error}: ${install.detail}`}`;
  return [`runs ${version}, ${placeText(slot)}${trial}${off}`, ...(newest === null ? [] : [newest])];
}

function restingText({ active, on_trial, last }: RestingStatus): string[] {
  const trial = on_trial ? ', on trial' : '';
  const change = last && `last install  ${placeText(last.place)}  ${last.outcome}${last.why === '' ? '' : `: ${last.why}`}`;
  return [`no server runs; with --updates it is started from ${placeText(active)}${trial}`, ...(change === null ? [] : [change])];
}

const placeText = (place: string): string => (place === 'installed' ? 'the installed release' : `slot ${place}`);

function slotsText(filled: readonly FilledSlot[]): string[] {
  return SLOTS.map((slot) => {
    const found = filled.find((each) => each.slot === slot);
    return `slot ${slot}  ${found === undefined ? 'free' : `${found.version}  ${found.package}`}`;
  });
}
