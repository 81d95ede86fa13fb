/** The configuration of a job as users see it: groups of interfaces where the capture has names of interfaces. */
import { KEEP_ALL, type InterfaceChoice, type Job, type JobSettings } from '../buffer/jobs.js';
import { SpillwayError } from '../errors.js';
import { isCapturable, networkInterfaces } from './network.js';
import type { JobDefaults, Stored } from './settings.js';
import { isSame, type Vifg, vifgsOf } from './vifgs.js';

export interface JobConfig {
  name: string;
  enabled: boolean;
  /** Numbers of groups. */
  vifgs: number[];
  /** Every interface that can be captured; then groups need not be named. */
  allVifgs: boolean;
  filter: string | null;
  snapLengthBytes: number;
  retainBytes: number;
  retainAgeSeconds: number;
}

/** As many as a capture takes (native/capture/limits.h). */
const INTERFACES_MAX = 64;

/** `isRunning` decides where nobody has said whether it is to be captured. */
export function configOf({ name, settings }: Job, isRunning: boolean, stored: Stored): JobConfig {
  const { enabled, filter, snapLengthBytes, retainBytes, retainAgeSeconds } = settings;
  const { all, groups } = choiceOf(settings);
  const vifgs = vifgsOf(stored, networkInterfaces());
  const numbers = groups.map((group) => (typeof group === 'number' ? group : vifgs.find(({ of }) => of === group)?.id));
  // An interface that is gone has no number at the moment.
  const known = numbers.filter((id) => id !== undefined && vifgs.some((each) => each.id === id)) as number[];
  return { name, enabled: enabled ?? isRunning, vifgs: known, allVifgs: all, filter, snapLengthBytes, retainBytes, retainAgeSeconds };
}

/** The settings of a job that is to be like `config`; what that tells no differently than `before` stays as it is. */
export function settingsFor(config: JobConfig, stored: Stored, before?: { settings: JobSettings; config: JobConfig }): JobSettings {
  const { enabled, filter, snapLengthBytes, retainBytes, retainAgeSeconds } = config;
  const isKept = before && before.config.allVifgs === config.allVifgs && isSame(before.config.vifgs, config.vifgs);
  const chosen = isKept ? before.settings : chosenFor(config, stored);
  const { interfaces, chosenBy } = chosen;
  const base = before?.settings ?? machineryOf(stored.jobDefaults);
  const { chosenBy: _, ...rest } = base;
  return {
    ...rest,
    ...{ interfaces, filter, snapLengthBytes, retainBytes, retainAgeSeconds, enabled },
    ...(chosenBy && { chosenBy }),
  };
}

/** The interfaces that a job captures when it begins now. */
export function interfacesOf(settings: JobSettings, stored: Stored): string[] {
  if (!settings.chosenBy) return settings.interfaces;
  const { all, groups } = settings.chosenBy;
  const there = networkInterfaces();
  const vifgs = vifgsOf(stored, there);
  const named = groups.flatMap((group) => {
    const vifg = vifgs.find(({ id, of }) => id === group || of === group);
    // An interface that is gone has no group, and may come back.
    return vifg?.members ?? (typeof group === 'string' ? [group] : []);
  });
  const isOn = ({ enabled, members }: Vifg, name: string): boolean => enabled && members.includes(name);
  const every = there.filter(
    (each) =>
      isCapturable(each, settings.filter !== null) &&
      stored.interfaces[each.name]?.enabled !== false &&
      vifgs.some((group) => isOn(group, each.name)),
  );
  const interfaces = [...new Set([...named, ...(all ? every.map(({ name }) => name) : [])])];
  if (interfaces.length === 0)
    throw new SpillwayError('REQUEST_INVALID', 'config names no interface: give vifgs that have members, or capture_from_all_vifgs');
  if (interfaces.length > INTERFACES_MAX)
    throw new SpillwayError('REQUEST_INVALID', `config names ${interfaces.length} interfaces, more than ${INTERFACES_MAX}`);
  return interfaces;
}

/** Whether the job captures what the group holds, or would. */
export function usesVifg({ settings }: Job, id: number): boolean {
  return settings.chosenBy?.groups.includes(id) === true;
}

/** A job of the command line has the groups of its interfaces. */
function choiceOf({ interfaces, chosenBy }: JobSettings): InterfaceChoice {
  return chosenBy ?? { all: false, groups: interfaces };
}

function chosenFor({ vifgs, allVifgs, filter }: JobConfig, stored: Stored): Pick<JobSettings, 'interfaces' | 'chosenBy'> {
  const known = vifgsOf(stored, networkInterfaces());
  const groups = vifgs.map((id, i) => {
    const group = known.find((each) => each.id === id);
    if (!group) throw new SpillwayError('SOURCE_NOT_FOUND', `config.vifgs[${i}]: there is no vifgs/${id}`);
    // The system may number an interface anew; its name stays.
    return group.of ?? id;
  });
  if (new Set(groups).size < groups.length) throw new SpillwayError('REQUEST_INVALID', 'config.vifgs names a group twice');
  const chosenBy = { all: allVifgs, groups };
  return { chosenBy, interfaces: interfacesOf({ ...EMPTY, filter, chosenBy }, stored) };
}

const EMPTY: JobSettings = { ...KEEP_ALL, interfaces: [] };

function machineryOf({ segmentBytes, fsync }: JobDefaults): JobSettings {
  return { ...EMPTY, segmentBytes, fsync };
}
