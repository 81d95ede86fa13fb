/** `vifg_settings` and `vifg_global_state`: what holds for all groups of interfaces. */
import Type from 'typebox';
import { networkInterfaces } from '../../capture/network.js';
import { SpillwayError } from '../../errors.js';
import { Closed, OneOf } from '../../export/schema.js';
import { link, type Resource } from '../link.js';
import { statsOf, VifgStats } from './vifgs.js';

const Settings = Closed(
  {
    grouping: Type.Optional(OneOf(['INTERFACE'], 'Every interface has a group of its own')),
    deduplication: Type.Optional(Type.Boolean({ description: 'Packets that come twice are stored twice: always false' })),
  },
  'How groups are made: what there is to choose',
);
const GlobalState = Closed({ stats: Type.Optional(VifgStats) }, 'State of all groups together');

const SETTINGS = { grouping: 'INTERFACE', deduplication: false } as const;

export const vifgSettingsResource: Resource = {
  schema: Settings,
  about: 'Settings of all groups of interfaces.',
  self: '/vifgs/settings',
  links: {
    get: link({ method: 'GET', right: 'reader', about: 'Read the settings of groups', status: 200, answer: Settings, handle: () => SETTINGS }),
    set: link({
      method: 'PUT',
      right: 'operator',
      about: 'Change the settings of groups',
      body: Settings,
      status: 200,
      answer: Settings,
      handle: ({ body }) => {
        if (body.deduplication === true) throw new SpillwayError('REQUEST_INVALID', 'deduplication true is not served');
        return SETTINGS;
      },
    }),
  },
};

export const vifgGlobalStateResource: Resource = {
  schema: GlobalState,
  about: 'State of all groups of interfaces together.',
  self: '/vifgs/state',
  links: {
    get: link({
      method: 'GET',
      right: 'reader',
      about: 'Watch all groups together',
      status: 200,
      answer: GlobalState,
      handle: () => ({ stats: statsOf(networkInterfaces().map(({ name }) => name)) }),
    }),
  },
};
