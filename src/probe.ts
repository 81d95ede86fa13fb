/** The composition root: puts a probe together from a configuration and starts it. */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { Access } from './access/access.js';
import { ADMIN } from './access/caller.js';
import { aaa, AAA_VERSIONS } from './api/aaa/service.js';
import { admin } from './api/admin/service.js';
import { buildApp } from './api/app.js';
import { Checksums } from './api/filesystem/checksums.js';
import { filesystem } from './api/filesystem/service.js';
import { firmware } from './api/firmware/service.js';
import { clipsService } from './api/clips/service.js';
import { packetCapture } from './api/packet-capture/service.js';
import { common } from './api/common/service.js';
import type { Connections } from './api/connections.js';
import { ControlSocket } from './api/control.js';
import { lcm } from './api/lcm/service.js';
import type { Service } from './api/link.js';
import { addressesOf, isLoopback, isWildcard, listenAddress } from './api/loopback.js';
import { Captures } from './api/observe/captures.js';
import { Health } from './api/observe/health.js';
import { History } from './api/observe/history.js';
import { logExport, loggerOf } from './api/observe/log.js';
import { LogRing } from './api/observe/log-ring.js';
import { Metrics } from './api/observe/metrics.js';
import type { SeenRequest } from './api/observe/requests.js';
import { observe } from './api/observe/service.js';
import { packetExport } from './api/packet-export/service.js';
import { rpc } from './api/rpc/service.js';
import { support } from './api/support/service.js';
import { update } from './api/update/service.js';
import { readTls } from './api/tls.js';
import { FileIndexes } from './buffer/file-indexes.js';
import { Clips } from './buffer/clips.js';
import { Jobs, type Job } from './buffer/jobs.js';
import { openPackages, type Packages } from './bundle/packages.js';
import type { ProbeFacts } from './bundle/facts.js';
import { openCaptured, type CaptureRooms } from './capture/captured-sources.js';
import { JobControl } from './capture/job-control.js';
import { JobStates } from './capture/job-state.js';
import { sweepLive } from './capture/live.js';
import type { RootParent } from './capture/parent.js';
import { CaptureSettings } from './capture/settings.js';
import { startInBackground } from './capture/start.js';
import { Vifgs } from './capture/vifgs.js';
import { LIMITS, type ProbeConfig } from './config.js';
import { prepareExport } from './engine/export.js';
import { createPool, threadsFor } from './engine/pool.js';
import { SpillwayError } from './errors.js';
import { ExportService } from './export/service.js';
import { SpoolRoom } from './export/spool.js';
import { Peers } from './peer/peers.js';
import { Profiles } from './peer/profiles.js';
import { packageVersion } from './root.js';
import { openDataFolder } from './state/data-folder.js';
import type { Launched } from './update/launched.js';
import { Slots } from './update/slots.js';
import { openUpdates } from './update/updates.js';

export interface Probe {
  /** Where this machine reaches it, as a URL without a path: `http://127.0.0.1:8470`. */
  readonly address: string;
  /** What is served. */
  readonly services: readonly Service[];
  /** Who is let in. */
  readonly access: Access;
  /** What diagnostic packages tell of it. */
  readonly facts: ProbeFacts;
  /** Starts the capture of a job, which goes on without the probe. Rejects with what parent or capture refuse. */
  startCapture(job: Job): Promise<void>;
  /** Stops listening, ends what runs and gives up the data folder. */
  close(): Promise<void>;
}

/** How often a server that has just started looks whether it is healthy. */
const HEALTH_POLL_MS = 500;

/** What is around a probe. */
export interface ProbeAround {
  /** For tests. */
  prepare?: typeof prepareExport;
  /** Starts its captures. */
  parent?: RootParent | null;
  /** Starts another release in its place. */
  launcher?: Launched | null;
}

/** Starts a probe. Refuses before it binds or touches anything if the address is not allowed. */
export async function startProbe(config: ProbeConfig, { prepare = prepareExport, parent = null, launcher = null }: ProbeAround = {}): Promise<Probe> {
  const startedMs = Date.now();
  const host = listenAddress(config.host, config.tls !== null || config.insecureHttp);
  const tls = config.tls && readTls(config.tls);
  const data = await openDataFolder(config.dataFolder);
  let app: FastifyInstance | undefined;
  let metrics: Metrics | undefined;
  const noted = (entry: Record<string, string>): void => {
    metrics?.noted(entry['action']!);
    app?.log.info({ audit: entry }, entry['action']);
  };
  const access = new Access({ data, isLoopback: isLoopback(host), log: noted });
  if (access.users.isEmpty && !isLoopback(host)) {
    data.close();
    throw new SpillwayError('ADDRESS_FORBIDDEN', `the probe listens on ${host} only where users have to log in: add one first (spillway users add)`);
  }
  // Kept from export to export: starting threads would take longer than most exports.
  const pool = createPool(threadsFor(Infinity));
  pool.start();
  const jobs = new Jobs(data.path);
  const startCapture = (job: Job): Promise<void> => startInBackground(job, parent);
  const slots = new Slots(data.path);
  const settings = new CaptureSettings(data.path);
  const rooms: CaptureRooms = { jobs, clips: new Clips(jobs), vifgs: new Vifgs(settings), startCapture };
  await rooms.clips.sweep();
  await sweepLive(jobs);
  const profiles = new Profiles({ table: data.profiles, peers: data.peers, audit: access.audit });
  const peers = new Peers({ table: data.peers, profiles, audit: access.audit });
  const checksums = new Checksums(data.files);
  const report = (what: string) => (error: Error) => app?.log.error({ err: error }, what);
  const indexes = new FileIndexes(join(data.path, 'index'), { report: report('an index') });
  const control = new JobControl({ ...rooms, report: report('a capture job') });
  const states = new JobStates(rooms.clips.catalogs);
  const sweeping = setInterval(() => void rooms.clips.sweep().catch(report('the sweep of clips')), LIMITS.clipSweepMs).unref();
  try {
    const spools = await SpoolRoom.open(join(data.path, 'spool'), { totalBytes: LIMITS.spoolBytes, eachBytes: LIMITS.spoolExportBytes });
    const version = packageVersion();
    const captures = new Captures(jobs, rooms.clips);
    const health = new Health({ dataFolder: data.path, writeDatabase: data.write, hasThreads: pool.hasThreads, captures });
    let connections: Connections | undefined;
    const watched = { exports: () => service.figures(), connections: () => connections!.figures, captures };
    const counted = new Metrics({ version, ...watched });
    metrics = counted;
    const service: ExportService = await ExportService.open({
      prepare: (request) => prepare(request, { pool, indexes }),
      openCaptured: (name, wish) => openCaptured(name, wish, rooms),
      store: data.exports,
      files: data.files,
      spools,
      report: report('an export'),
      tell: (event) => {
        metrics?.exported(event);
        if (app) logExport(app.log, event);
      },
      audit: ({ path, state, bytes, ...note }) =>
        access.audit.note({ ...note, what: `${note.what} ${path} ${state}`, ...(bytes !== undefined && { bytes: BigInt(bytes) }) }),
    });
    const log = new LogRing();
    const history = new History(watched);
    const facts: Omit<ProbeFacts, 'tasks' | 'peers'> = {
      ...{ version, serial: data.serial, dataFolder: data.path, jobs, clips: rooms.clips, vifgs: rooms.vifgs },
      users: () => data.users.all(),
      audit: (limit, before) => data.audit.newest(limit, before),
      exports: () => service.views(),
      live: {
        startedMs,
        config,
        metrics: () => counted.textFor(ADMIN),
        history: () => history.lines(),
        log: () => log.lines(),
        health: () => health.report(),
      },
    };
    const addresses = (): string[] => addressesOf(host);
    const port = (): number => (app!.server.address() as AddressInfo).port;
    const updates = await openUpdates({
      ...{ data, audit: access.audit, peers, profiles, slots, launcher, report: report('an update') },
      own: { bound: isWildcard(host) ? null : host, addresses, port, isSecure: tls !== null },
      tasks: () => packages.tasks,
    });
    const packages: Packages = await openPackages({
      ...{ data, facts, peers, profiles, addresses, port, kinds: updates.kinds },
      report: report('a package'),
    });
    const { tasks, devices } = packages;
    const services: Service[] = [
      common({ access, services: () => services, version, serial: data.serial, addresses }),
      ...AAA_VERSIONS.map((each) => aaa(each, access)),
      packetExport(service),
      packetCapture({ ...rooms, control, states, settings }),
      filesystem(data.files, checksums),
      clipsService(rooms),
      admin(access, data.audit, { peers, profiles }),
      observe(metrics, health),
      rpc({ access, tasks, devices, kind: packages.diagnostic, device: { version, serial: data.serial } }),
      support({ tasks, devices, profiles, kind: packages.support }),
      update({ updates, files: data.files, tasks, peers }),
      firmware({ access, tasks, updates, files: data.files, version }),
      lcm(access, updates.jobs),
    ];
    const own = { names: config.names, addresses };
    const seen = (request: SeenRequest): void => {
      counted.saw(request);
      history.saw();
    };
    ({ app, connections } = await buildApp({ services, gate: access, own, tls, logger: loggerOf(config.logLevel, log), version, seen }));
    if (data.sweptFiles > 0) app.log.warn(`removed ${data.sweptFiles} unfinished files of an earlier run`);
    await control.resume();
    const address = await listen(app, host, config.port, tls === null ? 'http' : 'https');
    const socket = await ControlSocket.open(app, data.path, access);
    launcher?.listens(port());
    const closing = new AbortController();
    void settled(health, slots, launcher, closing.signal).then((isReady) => {
      if (!isReady) return;
      tasks.resume();
      updates.jobs.look();
    });
    history.start();
    const close = async (): Promise<void> => {
      closing.abort();
      clearInterval(sweeping);
      history.close();
      // Exports end first: their connections would keep the server open.
      for (const part of [service, updates.jobs, tasks, socket, app!, checksums, indexes, pool]) await part.close();
      data.close();
    };
    return { address, services, access, facts: packages.facts, startCapture, close };
  } catch (error) {
    clearInterval(sweeping);
    await app?.close();
    await pool.close();
    data.close();
    throw error;
  }
}

/** Resolves to true when the probe can do its work; a release on trial is kept from then on. False: it ends before. */
async function settled(health: Health, slots: Slots, launcher: Launched | null, closing: AbortSignal): Promise<boolean> {
  if (launcher !== null) {
    const isWell = async (): Promise<boolean> => (await health.report()).faults.length === 0 && !closing.aborted && confirms(slots, launcher);
    while (!(await isWell())) {
      if (closing.aborted) return false;
      await sleep(HEALTH_POLL_MS, undefined, { ref: false });
    }
    launcher.isHealthy();
  }
  return !closing.aborted;
}

/** Whether it could be written down: where not, the release is not healthy yet. */
function confirms(slots: Slots, { place }: Launched): boolean {
  try {
    slots.confirm(place);
    return true;
  } catch {
    return false;
  }
}

async function listen(app: FastifyInstance, host: string, port: number, scheme: string): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    const why = code === 'EADDRINUSE' ? 'another program listens there' : code;
    throw new SpillwayError('ADDRESS_UNAVAILABLE', `the probe can not listen on ${host} port ${port}: ${why}`);
  }
  const bound = app.server.address() as AddressInfo;
  const here = isWildcard(bound.address) ? (bound.family === 'IPv6' ? '::1' : '127.0.0.1') : bound.address;
  return `${scheme}://${bound.family === 'IPv6' ? `[${here}]` : here}:${bound.port}`;
}
