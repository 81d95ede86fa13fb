/** `phys_interfaces` and `phys_interface`: the network interfaces of the probe. */
import Type, { type Static } from 'typebox';
import { interfaceCounters, linkState, networkInterfaces } from '../../capture/network.js';
import type { CaptureSettings, Stored } from '../../capture/settings.js';
import { SpillwayError } from '../../errors.js';
import { Closed, OneOf, Text, Uint64 } from '../../export/schema.js';
import { link, type Resource } from '../link.js';

export const description = Type.String({ maxLength: 1000, description: 'Any text' });
const Total = (about: string) => Type.Optional(Closed({ total: Type.Optional(Uint64(about)) }, about));
const STATES = ['UP', 'DOWN', 'CONNECTED', 'DISCONNECTED', 'MISSING', 'DISABLED', 'UNKNOWN'] as const;

const Interface = Closed(
  {
    name: Type.Optional(Text('Name in the system; ignored in requests')),
    config: Closed(
      {
        description: Type.Optional(description),
        enabled: Type.Optional(Type.Boolean({ description: 'false: not captured by jobs that capture from all groups' })),
      },
      'What users say of it; what is not given stays',
    ),
    state: Type.Optional(
      Closed(
        {
          status: Type.Optional(
            OneOf(STATES, 'UP: a carrier, and ready; CONNECTED: a carrier, not ready; DISCONNECTED: no carrier; DOWN: switched off; MISSING: gone'),
          ),
          stats: Type.Optional(
            Closed(
              {
                bytes_total: Total('Received and sent since the interface came to be'),
                packets_dropped: Total('Dropped by the system'),
                packets_total: Total('Received and sent since the interface came to be'),
              },
              'What the system counted',
            ),
          ),
        },
        'State of an interface; ignored in requests',
      ),
    ),
  },
  'A network interface',
);
const Interfaces = Type.Object({ items: Type.Array(Interface) }, { description: 'Network interfaces; those that are gone come last' });

type Interface = Static<typeof Interface>;

export function interfacesResource(settings: CaptureSettings): Resource {
  return {
    schema: Interfaces,
    about: 'Collection of network interfaces.',
    self: '/interfaces',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'List network interfaces',
        status: 200,
        answer: Interfaces,
        handle: async () => {
          const stored = await settings.read();
          return { items: namesOf(stored).map((name) => view(name, stored)) };
        },
      }),
    },
  };
}

export function interfaceResource(settings: CaptureSettings): Resource {
  return {
    schema: Interface,
    about: 'Configuration and state of a network interface.',
    self: '/interfaces/items/{name}',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'Watch a network interface',
        status: 200,
        answer: Interface,
        handle: async ({ param }) => {
          const stored = await settings.read();
          return view(known(param('name'), stored), stored);
        },
      }),
      set: link({
        method: 'PUT',
        right: 'operator',
        about: 'Describe, enable or disable a network interface',
        body: Interface,
        status: 200,
        answer: Interface,
        handle: ({ param, body: { config } }) =>
          settings.change((stored) => {
            const name = known(param('name'), stored);
            const said = { ...saidOf(name, stored), ...config };
            if (said.description === '' && said.enabled) delete stored.interfaces[name];
            else stored.interfaces[name] = said;
            return view(name, stored);
          }),
      }),
    },
  };
}

function namesOf({ interfaces }: Stored): string[] {
  const there = networkInterfaces().map(({ name }) => name);
  const gone = Object.keys(interfaces).filter((name) => !there.includes(name));
  return [...there, ...gone.sort()];
}

function known(name: string, stored: Stored): string {
  if (!namesOf(stored).includes(name))
    throw new SpillwayError('INTERFACE_NOT_FOUND', `there is no network interface ${JSON.stringify(name.slice(0, 100))}`);
  return name;
}

function saidOf(name: string, { interfaces }: Stored): { description: string; enabled: boolean } {
  return { description: '', enabled: true, ...interfaces[name] };
}

function view(name: string, stored: Stored): Interface {
  const config = saidOf(name, stored);
  const isThere = networkInterfaces().some((each) => each.name === name);
  const status = !isThere ? 'MISSING' : config.enabled ? linkState(name) : 'DISABLED';
  const { receivedBytes, sentBytes, receivedPackets, sentPackets, droppedPackets } = interfaceCounters(name);
  return {
    name,
    config,
    state: {
      status,
      stats: {
        bytes_total: { total: receivedBytes + sentBytes },
        packets_dropped: { total: droppedPackets },
        packets_total: { total: receivedPackets + sentPackets },
      },
    },
  };
}
