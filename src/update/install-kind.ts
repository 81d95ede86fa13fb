/** The task in which a probe updates itself: fetch, prove, unpack beside what runs, switch, restart, and tell how it went. */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeyObject } from 'node:crypto';
import { packageVersion } from '../root.js';
import { coded, SpillwayError, type ErrorCode } from '../errors.js';
import type { OwnError } from '../peer/install.js';
import type { Peers } from '../peer/peers.js';
import type { Profiles } from '../peer/profiles.js';
import type { Ended, TaskKind, Work } from '../task/task.js';
import { download, type DownloadOptions } from './download.js';
import { imageAddress } from './image-url.js';
import { Half, RECEIVED, type InstallInput, type InstallStatus } from './install.js';
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
  /** Lets the launcher start the server again. */
  restart: () => void;
  /** For tests. */
  download?: Pick<DownloadOptions, 'patience' | 'retryMs'>;
}

export type InstallKind = TaskKind<InstallInput, null, InstallStatus>;

const HOUR_MS = 3_600_000;
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
    runMs: 3 * HOUR_MS,
    keptMs: 30 * 24 * HOUR_MS,
    artifactsKeptMs: HOUR_MS,
    run: (work) => new Installation(work, options).run(),
  };
}

class Installation {
  #status: InstallStatus;
  #notedMs = -Infinity;
  /** Of the half that is at work: tells that it failed. */
  #fail: (detail: string) => Partial<InstallStatus> = () => ({});

  constructor(
    private readonly work: Work<InstallInput, null, InstallStatus>,
    private readonly options: InstallOptions,
  ) {
    this.#status = (work.before as InstallStatus | null) ?? RECEIVED;
  }

  async run(): Promise<Ended<InstallStatus>> {
    try {
      const { last } = this.options.slots.read();
      if (last?.install === this.work.id) return this.#outcome(last.outcome === 'healthy', last.why);
      const file = await this.#fetch();
      await this.#install(file);
      return await this.#restart();
    } catch (error) {
      this.work.signal.throwIfAborted();
      const { word, why } = error instanceof StepFailed ? error : { word: 'IMAGE_INSTALL_FAILED' as const, why: coded(error) };
      return this.#failed(word, why);
    }
  }

  /** Resolves to the file of the package, proven. */
  async #fetch(): Promise<string> {
    const { url, sha256, bytes, package: id, version } = this.work.input;
    const { signal } = this.work;
    const half = new Half('DOWNLOAD', bytes);
    this.#fail = (detail) => ({ download_status: half.failed(detail) });
    this.#tell({ update_progress_status: 'DOWNLOAD_IN_PROGRESS', download_status: half.status }, 1, 'fetching the package');
    const { peer, path } = await step('MALFORMED_IMAGE_URL', () => imageAddress(url, this.options.peers));
    const folder = join(this.options.slots.folder, 'downloads');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, `${sha256}.part`);
    // Another package's: nobody goes on with that.
    for (const name of await readdir(folder)) if (join(folder, name) !== file) await unlink(join(folder, name));
    const progress = (done: number): void => this.#tell({ download_status: half.at(done) }, (50 * done) / bytes, 'fetching the package');
    await step(
      (code) => (code === 'DOWNLOAD_WRONG' ? 'DOWNLOAD_VALIDATION_FAILED' : isUnreached(code) ? 'IMAGE_URL_NOT_REACHABLE' : 'DOWNLOAD_FAILED'),
      () => {
        const credentials = this.options.profiles.credentials(peer.profile);
        return download({ peer, path, credentials, bytes, sha256 }, { file, signal, progress, ...this.options.download });
      },
    ).catch(async (error: unknown) => {
      // What is kept for the next attempt is not to keep the disk full.
      if (error instanceof StepFailed && error.why.code === 'DISK_FULL') await unlink(file);
      throw error;
    });
    const proven = step('DOWNLOAD_VALIDATION_FAILED', async () => {
      const { manifest } = await readPackage(createReadStream(file), this.#demands());
      if (manifest.id !== id || manifest.version !== version)
        throw new SpillwayError(
          'DOWNLOAD_WRONG',
          `what was downloaded is version ${manifest.version} (${manifest.id}), and ${version} (${id}) was announced`,
        );
    });
    await proven.catch(async (error: unknown) => {
      await unlink(file);
      throw error;
    });
    this.#tell({ download_status: half.succeeded() }, 50, 'the package is here');
    return file;
  }

  async #install(file: string): Promise<void> {
    const { slots } = this.options;
    const { signal, input } = this.work;
    const slot = slots.idle();
    const half = new Half('INSTALL', 0);
    this.#fail = (detail) => ({ install_status: half.failed(detail) });
    this.#tell({ update_progress_status: 'INSTALL_IN_PROGRESS', install_status: half.status }, 55, 'unpacking');
    const manifest = await step('EXTRACTION_FAILED', async () => {
      const progress = (bytes: number): void => this.#tell({ install_status: half.at(bytes, 'unpacking') }, 60, 'unpacking');
      return unpack(createReadStream(file), { folder: slots.clear(slot), demands: this.#demands(), signal, progress });
    }).catch((error: unknown) => {
      slots.discard(slot);
      throw error;
    });
    await step('IMAGE_INSTALL_FAILED', async () => {
      slots.fill(slot, { package: manifest.id, version: manifest.version });
      await tryRelease(slots.folderOf(slot), manifest.version);
      this.options.keepDatabase();
    });
    await step('IMAGE_SET_BOOT_FAILED', () => slots.activate(slot, this.work.id));
    // The release is switched to: the next update clears away what could not be removed.
    await unlink(file).catch(() => undefined);
    this.#tell({ update_progress_status: 'REBOOT_IN_PROGRESS', install_status: half.succeeded() }, 90, `starting ${input.version}`, true);
  }

  /** The next server has the result. */
  #restart(): Promise<never> {
    const { signal } = this.work;
    this.options.restart();
    return new Promise((_, reject) => {
      const end = (): void => reject(signal.reason as Error);
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    });
  }

  #outcome(isHealthy: boolean, why: string): Ended<InstallStatus> {
    if (!isHealthy) return this.#failed('IMAGE_ACTIVATION_FAILED', new SpillwayError('UPDATE_FAILED', `the new version was given up: ${why}`));
    const { version } = this.work.input;
    return { state: 'done', result: { ...this.#status, update_progress_status: 'SUCCESS', detail: `version ${version} runs` } };
  }

  #failed(error: OwnError, { code, message }: SpillwayError): Ended<InstallStatus> {
    const result: InstallStatus = { ...this.#status, ...this.#fail(message), update_progress_status: 'FAILED', error, detail: message };
    return { state: 'failed', result, error: { code, message } };
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
async function tryRelease(folder: string, version: string): Promise<void> {
  const refuse = (why: string): SpillwayError => new SpillwayError('UPDATE_FAILED', `the unpacked release does not run: ${why}`);
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'bin', 'spillway'), '--version'], { timeout: TRY_MS, cwd: '/' }).catch(
    (error: unknown) => {
      const { stderr = '', message } = error as Error & { stderr?: string };
      throw refuse(stderr.trim().split('\n').at(-1) || message);
    },
  );
  if (!stdout.includes(version)) throw refuse(`it says that it is ${JSON.stringify(stdout.trim().slice(0, 100))}, and not ${version}`);
}
