/** `vifgs` and `vifg`: groups of interfaces. */
import Type, { type Static } from 'typebox';
import type { JobControl } from '../../capture/job-control.js';
import { interfaceCounters } from '../../capture/network.js';
import type { OwnWish, Vifg as Group, Vifgs as Groups } from '../../capture/vifgs.js';
import { SpillwayError } from '../../errors.js';
import { Closed, Text, Uint64, UintN } from '../../export/schema.js';
import { link, type Resource } from '../link.js';
import { description } from './interfaces.js';
import { Filter, filterText } from './job.js';

const MEMBERS_MAX = 64;
const Total = (about: string) => Type.Optional(Closed({ total: Type.Optional(Uint64(about)) }, about));

export const VifgStats = Closed(
  {
    bytes_received: Total('Received by the members since they came to be'),
    packets_duped: Total('Packets taken for duplicates: none are'),
    packets_received: Total('Received by the members since they came to be'),
  },
  'What the system counted',
);

const Vifg = Closed(
  {
    id: Type.Optional(UintN(32, 'Number of the group; ignored in requests')),
    config: Closed(
      {
        name: Type.Optional(Type.String({ maxLength: 64, description: 'Any text; default: that of the interface' })),
        description: Type.Optional(description),
        enabled: Type.Optional(Type.Boolean({ description: 'false: not captured by jobs that capture from all groups' })),
        members: Type.Optional(Type.Array(Text('Name of an interface'), { maxItems: MEMBERS_MAX, description: 'An interface is in one group' })),
        filter: Type.Optional(Filter),
        is_other_vifg: Type.Optional(Type.Boolean({ description: 'The group of every interface that no other holds' })),
      },
      'What a group is; what is not given stays',
    ),
    state: Type.Optional(Closed({ stats: Type.Optional(VifgStats) }, 'State of a group; ignored in requests')),
  },
  'A group of interfaces',
);
const Vifgs = Type.Object({ items: Type.Array(Vifg) }, { description: 'Groups of interfaces, by number' });

type Vifg = Static<typeof Vifg>;

export function vifgsResource(groups: Groups): Resource {
  return {
    schema: Vifgs,
    about: 'Collection of groups of interfaces.',
    self: '/vifgs',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'List groups of interfaces',
        status: 200,
        answer: Vifgs,
        handle: async () => ({ items: (await groups.list()).map(view) }),
      }),
      create: link({
        method: 'POST',
        right: 'operator',
        about: 'Create a group of interfaces',
        body: Vifg,
        status: 201,
        answer: Vifg,
        handle: async ({ body, request, reply }) => {
          const wish = wishOf(body, { description: '', enabled: true, members: [] });
          if (wish.isOther === true)
            throw new SpillwayError('VIFG_FIXED', 'config.is_other_vifg: there is one group of everything else, and no other');
          const group = await groups.create(wish);
          void reply.header('location', `${request.routeOptions.url}/items/${group.id}`);
          return view(group);
        },
      }),
    },
  };
}

export function vifgResource(groups: Groups, control: JobControl): Resource {
  return {
    schema: Vifg,
    about: 'Configuration and state of a group of interfaces.',
    self: '/vifgs/items/{id}',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'Watch a group of interfaces',
        status: 200,
        answer: Vifg,
        handle: async ({ param }) => view(await groups.get(numberOf(param('id')))),
      }),
      set: link({
        method: 'PUT',
        right: 'operator',
        about: 'Change a group of interfaces',
        body: Vifg,
        status: 200,
        answer: Vifg,
        handle: async ({ param, body }) => {
          const id = numberOf(param('id'));
          return view(await control.replaceVifg(id, wishOf(body, await groups.get(id))));
        },
      }),
      delete: link({
        method: 'DELETE',
        right: 'operator',
        about: 'Remove a group of interfaces that a user made',
        status: 204,
        answer: null,
        handle: ({ param }) => control.removeVifg(numberOf(param('id'))),
      }),
    },
  };
}

function numberOf(id: string): number {
  if (!/^\d{1,9}$/.test(id)) throw new SpillwayError('VIFG_NOT_FOUND', `there is no group of interfaces ${JSON.stringify(id.slice(0, 100))}`);
  return Number(id);
}

function wishOf({ config }: Vifg, before: Pick<Group, 'description' | 'enabled' | 'members'>): OwnWish {
  if (config.filter && filterText(config.filter, 'config.filter') !== null)
    throw new SpillwayError('FILTER_UNSUPPORTED', 'config.filter of a group is not served: give it to the job or the export');
  return {
    name: config.name,
    description: config.description ?? before.description,
    enabled: config.enabled ?? before.enabled,
    members: config.members ?? before.members,
    isOther: config.is_other_vifg,
  };
}

function view({ id, name, description, enabled, members, isOther }: Group): Vifg {
  return { id, config: { name, description, enabled, members, filter: {}, is_other_vifg: isOther }, state: { stats: statsOf(members) } };
}

export function statsOf(interfaces: readonly string[]): Static<typeof VifgStats> {
  const counters = interfaces.map(interfaceCounters);
  const sum = (of: 'receivedBytes' | 'receivedPackets'): bigint => counters.reduce((all, each) => all + each[of], 0n);
  return { bytes_received: { total: sum('receivedBytes') }, packets_duped: { total: 0 }, packets_received: { total: sum('receivedPackets') } };
}
