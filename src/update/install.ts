/** What is told of an update that a probe makes of itself, in the words of update jobs. */

export const INSTALL_PROGRESS = [
  'INSTALL_REQUEST_RECEIVED',
  'DOWNLOAD_IN_PROGRESS',
  'INSTALL_IN_PROGRESS',
  'REBOOT_IN_PROGRESS',
  'SUCCESS',
  'FAILED',
] as const;
export type InstallProgress = (typeof INSTALL_PROGRESS)[number];

export const INSTALL_ERRORS = [
  'NOT_SET',
  'MALFORMED_IMAGE_URL',
  'ANOTHER_INSTALL_IN_PROGRESS',
  'IMAGE_URL_NOT_REACHABLE',
  'DOWNLOAD_FAILED',
  'EXTRACTION_FAILED',
  'DOWNLOAD_VALIDATION_FAILED',
  'IMAGE_INSTALL_FAILED',
  'IMAGE_ACTIVATION_FAILED',
  'IMAGE_SET_BOOT_FAILED',
] as const;
export type InstallError = (typeof INSTALL_ERRORS)[number];

/** `…_FAILED` and `…_SUCCESS` are told of the part alone. Times in s since 1970, 0: not yet; `rate` in bytes a second. */
export interface PartStatus<Word extends string> {
  status: `${Word}_IN_PROGRESS` | `${Word}_FAILED` | `${Word}_SUCCESS` | 'IDLE';
  /** 0 to 100. */
  progress: number;
  bytes: number;
  total_bytes: number;
  rate: number;
  start_time: number;
  end_time: number;
  detail: string;
}

export interface InstallStatus {
  update_progress_status: InstallProgress;
  error: InstallError;
  /** A sentence. */
  detail: string;
  download_status: PartStatus<'DOWNLOAD'>;
  install_status: PartStatus<'INSTALL'>;
}

/** What is asked for. */
export interface InstallInput {
  url: string;
  /** Id of the package. */
  package: string;
  version: string;
  bytes: number;
  sha256: string;
  /** Also a version before the one that runs. */
  allowOlder: boolean;
}

const IDLE = { status: 'IDLE', progress: 0, bytes: 0, total_bytes: 0, rate: 0, start_time: 0, end_time: 0, detail: '' } as const;

export const RECEIVED: InstallStatus = {
  update_progress_status: 'INSTALL_REQUEST_RECEIVED',
  error: 'NOT_SET',
  detail: '',
  download_status: IDLE,
  install_status: IDLE,
};

/** One part as it goes on: the download, or the installation. */
export class Part<Word extends 'DOWNLOAD' | 'INSTALL'> {
  #status: PartStatus<Word>;
  readonly #began = performance.now();
  #first: number | null = null;

  constructor(
    private readonly word: Word,
    totalBytes: number,
  ) {
    this.#status = { ...IDLE, status: `${word}_IN_PROGRESS`, total_bytes: totalBytes, start_time: seconds() };
  }

  get status(): PartStatus<Word> {
    return this.#status;
  }

  /** `bytes` are done; those of the first call were there before. */
  at(bytes: number, detail = ''): PartStatus<Word> {
    this.#first ??= bytes;
    const total = this.#status.total_bytes;
    const rate = Math.round((1000 * (bytes - this.#first)) / Math.max(1, performance.now() - this.#began));
    const progress = total === 0 ? 0 : Math.min(99, Math.floor((100 * bytes) / total));
    return (this.#status = { ...this.#status, bytes, rate: Math.max(0, rate), progress, detail });
  }

  succeeded(): PartStatus<Word> {
    const { total_bytes } = this.#status;
    return (this.#status = { ...this.#status, status: `${this.word}_SUCCESS`, progress: 100, bytes: total_bytes, end_time: seconds(), detail: '' });
  }

  failed(detail: string): PartStatus<Word> {
    return (this.#status = { ...this.#status, status: `${this.word}_FAILED`, end_time: seconds(), detail });
  }
}

const seconds = (): number => Math.floor(Date.now() / 1000);
