/** The faces of packages over devices of a test, with a port of their own. */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildApp } from '../../src/api/app.js';
import { rpc } from '../../src/api/rpc/service.js';
import { support } from '../../src/api/support/service.js';
import { diagnosticKind } from '../../src/bundle/diagnostic-kind.js';
import { supportKind } from '../../src/bundle/support-kind.js';
import { Peers } from '../../src/peer/peers.js';
import { Profiles } from '../../src/peer/profiles.js';
import { Artifacts } from '../../src/task/artifacts.js';
import { Tasks } from '../../src/task/tasks.js';
import { TestAccess } from '../access/harness.js';
import { FakeDevices } from '../bundle/fake-devices.js';

export class Faces {
  private constructor(
    readonly port: number,
    readonly devices: FakeDevices,
    readonly tasks: Tasks,
    readonly profiles: Profiles,
    readonly users: TestAccess,
    readonly close: () => Promise<void>,
  ) {}

  static async open(): Promise<Faces> {
    const users = await TestAccess.keep();
    const { access, data } = users;
    const devices = new FakeDevices();
    const [diagnostic, support_] = [diagnosticKind(devices), supportKind(devices)];
    const artifacts = await Artifacts.open({ folder: join(data.path, 'packages'), table: data.artifacts });
    const tasks = new Tasks({ table: data.tasks, artifacts, kinds: [diagnostic, support_] });
    const profiles = new Profiles({ table: data.profiles, peers: data.peers, audit: access.audit });
    new Peers({ table: data.peers, profiles, audit: access.audit });
    const services = [
      rpc({ access, tasks, devices, kind: diagnostic, device: { version: '0', serial: 'S' } }),
      support({ tasks, devices, profiles, kind: support_ }),
    ];
    const { app } = await buildApp({ services, gate: access, own: { names: [], addresses: () => [] }, tls: null, logger: false, version: '0' });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const close = async (): Promise<void> => {
      await tasks.close();
      await app.close();
    };
    return new Faces((app.server.address() as AddressInfo).port, devices, tasks, profiles, users, close);
  }
}
