/**
 * Groups of interfaces. Each interface has one of its own, with the number that the system gives the interface; users
 * make others, whose members leave their own for it; and one is for every interface that no other group holds.
 */
import { SpillwayError } from '../errors.js';
import { networkInterfaces, type NetworkInterface } from './network.js';
import type { CaptureSettings, Stored } from './settings.js';

/** Of all that no group holds. */
export const OTHERS = 1000;
/** Groups that users make are numbered from here on: the system's numbers of interfaces stay below. */
export const FIRST_OWN = 1_000_001;

/** In `Stored.automaticGroups`, what is said of the group of all others. */
const OF_OTHERS = '*';

export interface Vifg {
  id: number;
  name: string;
  description: string;
  enabled: boolean;
  /** Names of interfaces, also of such as are gone. */
  members: string[];
  isOther: boolean;
  /** Of which interface it is the own group; null: it is not one. */
  of: string | null;
}

/** By number. */
export function vifgsOf({ automaticGroups, ownGroups }: Stored, interfaces: readonly NetworkInterface[]): Vifg[] {
  const taken = new Set(ownGroups.flatMap(({ members }) => members));
  const numbers = new Set([OTHERS, ...ownGroups.map(({ id }) => id)]);
  const withOwn = interfaces.filter(({ index }) => !numbers.has(index));
  const own = ownGroups.map((group) => ({ ...group, isOther: false, of: null }));
  const automatic = withOwn.map(({ name, index }) => ({
    id: index,
    ...{ name, description: '', enabled: true, ...automaticGroups[name] },
    members: taken.has(name) ? [] : [name],
    isOther: false,
    of: name,
  }));
  const others = {
    id: OTHERS,
    ...{ name: 'everything else', description: '', enabled: true, ...automaticGroups[OF_OTHERS] },
    members: interfaces.filter((each) => !withOwn.includes(each) && !taken.has(each.name)).map(({ name }) => name),
    isOther: true,
    of: null,
  };
  return [...automatic, ...own, others].sort((a, b) => a.id - b.id);
}

export class Vifgs {
  constructor(
    readonly settings: CaptureSettings,
    private readonly interfaces: () => NetworkInterface[] = networkInterfaces,
  ) {}

  async list(): Promise<Vifg[]> {
    return vifgsOf(await this.settings.read(), this.interfaces());
  }

  /** Rejects with VIFG_NOT_FOUND. */
  async get(id: number): Promise<Vifg> {
    return found(await this.list(), id);
  }

  /** The interfaces that `vifgs/<name>` names; rejects where it names none. */
  async interfacesOf(name: string): Promise<string[]> {
    const id = /^\d{1,9}$/.test(name) ? Number(name) : NaN;
    const group = (await this.list()).find((each) => each.id === id);
    if (!group) throw new SpillwayError('SOURCE_NOT_FOUND', `there is no vifgs/${name.slice(0, 100)}`);
    const { members, isOther, of } = group;
    if (members.length > 0) return members;
    const why = isOther ? 'every interface has a group of its own' : of === null ? 'it has no members' : `${of} belongs to another group`;
    throw new SpillwayError('SOURCE_EMPTY', `vifgs/${id}: ${why}`);
  }

  async create(wish: Omit<OwnWish, 'isOther'>): Promise<Vifg> {
    const id = await this.settings.change((stored) => {
      const numbers = [...stored.ownGroups.map((group) => group.id), ...this.interfaces().map(({ index }) => index)];
      const id = Math.max(FIRST_OWN - 1, ...numbers) + 1;
      checkMembers(wish.members, [], stored, this.interfaces());
      const { name = `vifg ${id}`, description, enabled, members } = wish;
      stored.ownGroups.push({ id, name, description, enabled, members });
      return id;
    });
    return this.get(id);
  }

  /** A name that is not given stays. */
  async replace(id: number, wish: OwnWish): Promise<Vifg> {
    await this.settings.change((stored) => {
      const before = found(vifgsOf(stored, this.interfaces()), id);
      const { name = before.name, description, enabled, members } = wish;
      if (wish.isOther !== undefined && wish.isOther !== before.isOther)
        throw new SpillwayError('VIFG_FIXED', `vifgs/${OTHERS} is the group of everything else, and no other can be`);
      const own = stored.ownGroups.find((group) => group.id === id);
      if (own) {
        checkMembers(members, own.members, stored, this.interfaces());
        Object.assign(own, { name, description, enabled, members });
        return;
      }
      if (!isSame(members, before.members))
        throw new SpillwayError('VIFG_FIXED', `the members of vifgs/${id} are what they are: make a group of your own`);
      stored.automaticGroups[before.of ?? OF_OTHERS] = { name, description, enabled };
    });
    return this.get(id);
  }

  async remove(id: number): Promise<void> {
    await this.settings.change((stored) => {
      found(vifgsOf(stored, this.interfaces()), id);
      const at = stored.ownGroups.findIndex((group) => group.id === id);
      if (at < 0) throw new SpillwayError('VIFG_FIXED', `vifgs/${id} is there for its interfaces, and can not be deleted`);
      stored.ownGroups.splice(at, 1);
    });
  }
}

export interface OwnWish {
  name: string | undefined;
  description: string;
  enabled: boolean;
  members: string[];
  isOther: boolean | undefined;
}

export function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

function found(groups: readonly Vifg[], id: number): Vifg {
  const group = groups.find((each) => each.id === id);
  if (!group) throw new SpillwayError('VIFG_NOT_FOUND', `there is no group of interfaces ${id}`);
  return group;
}

/** Those that are new must be there, and in no other group that a user made. */
function checkMembers(members: readonly string[], before: readonly string[], { ownGroups }: Stored, interfaces: readonly NetworkInterface[]): void {
  const fresh = members.filter((name) => !before.includes(name));
  for (const name of fresh) {
    const at = `config.members ${JSON.stringify(name)}`;
    if (!interfaces.some((each) => each.name === name))
      throw new SpillwayError('REQUEST_INVALID', `${at}: there is no network interface of this name`);
    const holder = ownGroups.find((group) => group.members.includes(name));
    if (holder) throw new SpillwayError('INTERFACE_TAKEN', `${at} belongs to vifgs/${holder.id} already: an interface is in one group`);
  }
  if (new Set(members).size < members.length) throw new SpillwayError('REQUEST_INVALID', 'config.members names an interface twice');
}
