/** The composition root: puts a probe together from a configuration and starts it. */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ADMIN } from './access/caller.js';
import { buildApp } from './api/app.js';
import { Checksums } from './api/filesystem/checksums.js';
import { filesystem } from './api/filesystem/service.js';
import { listenAddress } from './api/loopback.js';
import { clipsService } from './api/clips/service.js';
import { packetCapture } from './api/packet-capture/service.js';
import { packetExport } from './api/packet-export/service.js';
import { FileIndexes } from './buffer/file-indexes.js';
import { Clips } from './buffer/clips.js';
import { Jobs, type Job } from './buffer/jobs.js';
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
import { packageVersion } from './root.js';
import { openDataFolder } from './state/data-folder.js';

export interface Probe {
  /** Where it listens, as a URL without a path: `http://127.0.0.1:8470`. */
  readonly address: string;
  /** Starts the capture of a job, which goes on without the probe. Rejects with what parent or capture refuse. */
  startCapture(job: Job): Promise<void>;
  /** Stops listening, ends what runs and gives up the data folder. */
  close(): Promise<void>;
}

/** Starts a probe; `parent` starts its captures, where there is one. Refuses before it binds or touches anything if the address is not allowed. */
export async function startProbe(
  config: ProbeConfig,
  prepare: typeof prepareExport = prepareExport,
  parent: RootParent | null = null,
): Promise<Probe> {
  const host = listenAddress(config.host);
  const data = await openDataFolder(config.dataFolder);
  let app: FastifyInstance | undefined;
  // Kept from export to export: starting threads would take longer than most exports.
  const pool = createPool(threadsFor(Infinity));
  pool.start();
  const jobs = new Jobs(data.path);
  const startCapture = (job: Job): Promise<void> => startInBackground(job, parent);
  const settings = new CaptureSettings(data.path);
  const rooms: CaptureRooms = { jobs, clips: new Clips(jobs), vifgs: new Vifgs(settings), startCapture };
  await rooms.clips.sweep();
  await sweepLive(jobs);
  const checksums = new Checksums(data.files);
  const report = (what: string) => (error: Error) => app?.log.error({ err: error }, what);
  const indexes = new FileIndexes(join(data.path, 'index'), { report: report('an index') });
  const control = new JobControl({ ...rooms, report: report('a capture job') });
  const states = new JobStates(rooms.clips.catalogs);
  const sweeping = setInterval(() => void rooms.clips.sweep().catch(report('the sweep of clips')), LIMITS.clipSweepMs).unref();
  try {
    const spools = await SpoolRoom.open(join(data.path, 'spool'), { totalBytes: LIMITS.spoolBytes, eachBytes: LIMITS.spoolExportBytes });
    const service = await ExportService.open({
      prepare: (request) => prepare(request, { pool, indexes }),
      openCaptured: (name, wish) => openCaptured(name, wish, rooms),
      store: data.exports,
      files: data.files,
      spools,
      report: report('an export'),
    });
    const logger = config.logLevel === 'silent' ? false : { level: config.logLevel, stream: process.stderr };
    const services = [
      packetExport(service),
      packetCapture({ ...rooms, control, states, settings }),
      filesystem(data.files, checksums),
      clipsService(rooms),
    ];
    app = await buildApp({ services, gate: { admit: async () => ADMIN }, names: config.names, logger, version: packageVersion() });
    if (data.sweptFiles > 0) app.log.warn(`removed ${data.sweptFiles} unfinished files of an earlier run`);
    await control.resume();
    const address = await listen(app, host, config.port);
    const close = (): Promise<void> => {
      clearInterval(sweeping);
      return closeAll([service, app!, checksums, indexes, pool], data);
    };
    return { address, startCapture, close };
  } catch (error) {
    clearInterval(sweeping);
    await app?.close();
    await pool.close();
    data.close();
    throw error;
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    const why = code === 'EADDRINUSE' ? 'another program listens there' : code;
    throw new SpillwayError('ADDRESS_UNAVAILABLE', `the probe can not listen on ${host} port ${port}: ${why}`);
  }
  const bound = app.server.address() as AddressInfo;
  return `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** In order: exports end first, since their connections would keep the server open. */
async function closeAll(parts: readonly { close(): PromiseLike<void> }[], data: { close(): void }): Promise<void> {
  for (const part of parts) await part.close();
  data.close();
}
