/** npm.packet_capture 3.0: its resources. */
import type { Vifgs } from '../../capture/vifgs.js';
import type { Service } from '../link.js';
import { interfaceResource, interfacesResource } from './interfaces.js';
import { jobResource, type JobRooms, jobsResource } from './jobs.js';
import { jobDefaultsResource, settingsResource } from './settings.js';
import { vifgGlobalStateResource, vifgSettingsResource } from './vifg-settings.js';
import { vifgResource, vifgsResource } from './vifgs.js';

export function packetCapture(rooms: JobRooms & { vifgs: Vifgs }): Service {
  const { settings, vifgs, control } = rooms;
  return {
    name: 'npm.packet_capture',
    version: '3.0',
    title: 'Packet Capture',
    resources: {
      jobs: jobsResource(rooms),
      job: jobResource(rooms),
      phys_interfaces: interfacesResource(settings),
      phys_interface: interfaceResource(settings),
      vifgs: vifgsResource(vifgs),
      vifg: vifgResource(vifgs, control),
      settings: settingsResource(settings),
      vifg_settings: vifgSettingsResource,
      vifg_global_state: vifgGlobalStateResource,
      job_defaults: jobDefaultsResource(settings),
    },
  };
}
