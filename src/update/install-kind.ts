/** The task in which a probe updates itself: fetch, prove, unpack beside what runs, switch, restart, and tell how it went. */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeyObject } from 'node:crypto';
import { packageVersion } from '../root.js';
import { coded, SpillwayError, type ErrorCode } from '../errors.js';
import type { OwnError } from '../peer/install.js';
import type { Peers } from '../peer/peers.js';
import type { Profiles } from '../peer/profiles.js';
import type { Ended, TaskKind, Work } from '../task/task.js';
import { download } from './download.js';
import { imageAddress } from './image-url.js';
import { failed, Half, RECEIVED, switched, updatesOff, type InstallInput, type InstallStatus } from './install.js';
import { FOLLOW_PATIENCE, type DownloadPatience } from './limits.js';
import type { ReleaseManifest } from './manifest.js';
import { HERE, readPackage, type Demands } from './package-reader.js';
import type { Slots } from './slots.js';
import { unpack } from './unpack.js';

export interface InstallOptions {
  slots: Slots;
  peers: Pick<Peers, 'find'>;
  profiles: Pick<Profiles, 'credentials'>;
  /** Of whom packages are taken; none: of anybody. */
  keys: () => readonly KeyObject[];
  /** Before a release is tried. */
  keepDatabase: () => void;
  /** Lets the launcher start the server again; null: there is none, and nobody would. */
  restart: (() => void) | null;
  /** For tests. */
  patience?: Partial<DownloadPatience>;
}

export type InstallKind = TaskKind<InstallInput, null, InstallStatus>;

const HOUR_MS = 3_600_000;
/** Whoever follows it is to hear how it ended, and not to give it up before. */
const RUN_MS = FOLLOW_PATIENCE.memberMs - 10 * 60_000;
/** A program that can't tell its version within that time does not run. */
const TRY_MS = 30_000;
/** What is noted is written to the database. */
const NOTE_MS = 1000;

/** A step that failed, by the word that update jobs have for it. */
class StepFailed extends Error {
  constructor(
    readonly word: OwnError,
    readonly why: SpillwayError,
  ) {
    super(why.message);
  }
}

export function installKind(options: InstallOptions): InstallKind {
  return {
    name: 'update-install',
    isCancellable: false,
    outlivesServer: true,
    runningAtOnce: 1,
    activeAtOnce: 1,
    runMs: RUN_MS,
    keptMs: 30 * 24 * HOUR_MS,
    artifactsKeptMs: HOUR_MS,
    run: (work) => new Installation(work, options).run(),
  };
}

class Installation {
  #status: InstallStatus;
  #notedMs = -Infinity;

  constructor(
    private readonly work: Work<InstallInput, null, InstallStatus>,
    private readonly options: InstallOptions,
  ) {
    this.#status = (work.before as InstallStatus | null) ?? RECEIVED;
  }

  async run(): Promise<Ended<InstallStatus>> {
    const { signal, id } = this.work;
    const { slots, restart } = this.options;
    try {
      const { last } = slots.read();
      if (last?.install === id) return this.#outcome(last.outcome === 'healthy', last.why);
      if (restart === null) throw updatesOff();
      const fetched = await this.#fetch();
      await this.#install(fetched);
      return await step('IMAGE_ACTIVATION_FAILED', () => this.#restart(restart));
    } catch (error) {
      const { word, why } = error instanceof StepFailed ? error : { word: 'IMAGE_INSTALL_FAILED' as const, why: coded(error) };
      if (!signal.aborted) return this.#failed(word, why);
      const reason = coded(signal.reason);
      // The next server goes on.
      if (reason.code === 'INTERRUPTED') throw reason;
      return this.#failed(word, reason);
    }
  }

  /** Resolves when the package is here, and proven. */
  async #fetch(): Promise<Fetched> {
    const { url, sha256, bytes, package: id, version } = this.work.input;
    const { signal } = this.work;
    const half = new Half('DOWNLOAD', bytes);
    // Of a run before this one nothing counts but what it has fetched.
    this.#tell({ ...RECEIVED, update_progress_status: 'DOWNLOAD_IN_PROGRESS', download_status: half.status }, 1, 'fetching the package');
    const { peer, path } = await step('MALFORMED_IMAGE_URL', () => imageAddress(url, this.options.peers));
    const file = join(this.options.slots.folder, 'downloads', `${sha256}.part`);
    const progress = (done: number): void => this.#tell({ download_status: half.at(done) }, (50 * done) / bytes, 'fetching the package');
    await step(
      (code) => (code === 'DOWNLOAD_WRONG' ? 'DOWNLOAD_VALIDATION_FAILED' : isUnreached(code) ? 'IMAGE_URL_NOT_REACHABLE' : 'DOWNLOAD_FAILED'),
      () => {
        const credentials = this.options.profiles.credentials(peer.profile);
        return download({ peer, path, credentials, bytes, sha256 }, { file, signal, progress, patience: this.options.patience });
      },
    ).catch(async (error: unknown) => {
      // What is kept for the next attempt is not to keep the disk full.
      if (error instanceof StepFailed && error.why.code === 'DISK_FULL') await letGo(file);
      throw error;
    });
    const manifest = await step('DOWNLOAD_VALIDATION_FAILED', async () => {
      const { manifest } = await readPackage(createReadStream(file, { signal }), this.#demands());
      if (manifest.id !== id || manifest.version !== version)
        throw new SpillwayError(
          'DOWNLOAD_WRONG',
          `what was downloaded is version ${manifest.version} (${manifest.id}), and ${version} (${id}) was announced`,
        );
      return manifest;
    }).catch(async (error: unknown) => {
      if (!signal.aborted) await letGo(file);
      throw error;
    });
    this.#tell({ download_status: half.succeeded() }, 50, 'the package is here');
    return { file, manifest };
  }

  async #install({ file, manifest }: Fetched): Promise<void> {
    const { slots } = this.options;
    const { signal, input } = this.work;
    const slot = slots.idle();
    const half = new Half('INSTALL', bytesOf(manifest));
    this.#tell({ update_progress_status: 'INSTALL_IN_PROGRESS', install_status: half.status }, 55, 'unpacking');
    await step('EXTRACTION_FAILED', () => {
      const progress = (bytes: number): void => {
        const now = half.at(bytes, 'unpacking');
        this.#tell({ install_status: now }, 55 + now.progress / 4, 'unpacking');
      };
      return unpack(createReadStream(file, { signal }), { folder: slots.clear(slot), demands: this.#demands(), signal, progress });
    }).catch((error: unknown) => {
      slots.discard(slot);
      throw error;
    });
    await step('IMAGE_INSTALL_FAILED', async () => {
      slots.fill(slot, { package: manifest.id, version: manifest.version });
      await tryRelease(slots.folderOf(slot), manifest.version, signal);
      // What is over is not switched to.
      signal.throwIfAborted();
      this.options.keepDatabase();
    });
    await step('IMAGE_SET_BOOT_FAILED', () => slots.activate(slot, this.work.id));
    // The release is switched to: the next update clears away what could not be removed.
    await letGo(file);
    this.#tell({ update_progress_status: 'REBOOT_IN_PROGRESS', install_status: half.succeeded() }, 90, `starting ${input.version}`, true);
  }

  /** The next server has the result. */
  #restart(restart: () => void): Promise<never> {
    const { signal } = this.work;
    signal.throwIfAborted();
    restart();
    return new Promise((_, reject) => {
      const end = (): void => reject(signal.reason as Error);
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    });
  }

  #outcome(isHealthy: boolean, why: string): Ended<InstallStatus> {
    this.#status = switched(this.#status);
    if (!isHealthy) return this.#failed('IMAGE_ACTIVATION_FAILED', new SpillwayError('UPDATE_FAILED', `the new version was given up: ${why}`));
    const { version } = this.work.input;
    return { state: 'done', result: { ...this.#status, update_progress_status: 'SUCCESS', detail: `version ${version} runs` } };
  }

  #failed(error: OwnError, { code, message }: SpillwayError): Ended<InstallStatus> {
    const { slots } = this.options;
    // What has failed is not started after all.
    if (slots.read().trial?.install === this.work.id) slots.rollBack(message);
    return { state: 'failed', result: failed(this.#status, error, message), error: { code, message } };
  }

  #demands(): Demands {
    return { ...HERE, keys: this.options.keys(), leastVersion: this.work.input.allowOlder ? null : packageVersion() };
  }

  #tell(change: Partial<InstallStatus>, percent: number, what: string, isUrgent = false): void {
    const isStep = change.update_progress_status !== undefined;
    this.#status = { ...this.#status, ...change };
    this.work.progress(percent, what);
    if (!isUrgent && !isStep && performance.now() - this.#notedMs < NOTE_MS) return;
    this.#notedMs = performance.now();
    this.work.note(this.#status);
  }
}

interface Fetched {
  file: string;
  manifest: ReleaseManifest;
}

const bytesOf = ({ files }: ReleaseManifest): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** It may not have come to be. */
const letGo = (path: string): Promise<void> => unlink(path).catch(() => undefined);

const isUnreached = (code: ErrorCode): boolean => code === 'PEER_UNREACHABLE' || code === 'PEER_FAILED' || code === 'PROFILE_NOT_FOUND';

async function step<T>(word: OwnError | ((code: ErrorCode) => OwnError), work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = coded(error);
    throw new StepFailed(typeof word === 'string' ? word : word(why.code), why);
  }
}

/** A release that can't be started here at all is not switched to. */
async function tryRelease(folder: string, version: string, signal: AbortSignal): Promise<void> {
  const refuse = (why: string): SpillwayError => new SpillwayError('UPDATE_FAILED', `the unpacked release does not run: ${why}`);
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'bin', 'spillway'), '--version'], {
    timeout: TRY_MS,
    cwd: '/',
    signal,
  }).catch((error: unknown) => {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw refuse(stderr.trim().split('\n').at(-1) || message);
  });
  if (!stdout.includes(version)) throw refuse(`it says that it is ${JSON.stringify(stdout.trim().slice(0, 100))}, and not ${version}`);
}
