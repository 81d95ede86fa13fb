/** How an update of a probe is told, to the probe that asked for it and to clients of update jobs: the words and shapes of both. */

export const INSTALL_PROGRESS = [
  'INSTALL_REQUEST_RECEIVED',
  'DOWNLOAD_IN_PROGRESS',
  'INSTALL_IN_PROGRESS',
  'REBOOT_IN_PROGRESS',
  'SUCCESS',
  'FAILED',
] as const;
export type InstallProgress = (typeof INSTALL_PROGRESS)[number];

/** What a probe says of itself. */
export const OWN_ERRORS = [
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
export type OwnError = (typeof OWN_ERRORS)[number];

/** And what is said of one that says nothing. */
export const INSTALL_ERRORS = [...OWN_ERRORS, 'SWITCH_UNREACHABLE'] as const;
export type InstallError = (typeof INSTALL_ERRORS)[number];

export const DOWNLOAD_STATES = ['NOT_SET', 'IDLE', 'DOWNLOAD_IN_PROGRESS', 'DOWNLOAD_FAILED', 'DOWNLOAD_SUCCESS'] as const;
export const INSTALL_STATES = ['NOT_SET', 'IDLE', 'INSTALL_IN_PROGRESS', 'INSTALL_FAILED', 'INSTALL_SUCCESS'] as const;

/** One half of an update, under the names that it has on the wire. */
export interface Step<State extends string> {
  status: State;
  /** Percent. */
  progress: number;
  bytes: number;
  total_bytes: number;
  /** Bytes per second. */
  rate: number;
  /** Seconds since the epoch; 0: not yet. */
  start_time: number;
  end_time: number;
  detail: string;
}

export type DownloadStep = Step<(typeof DOWNLOAD_STATES)[number]>;
export type InstallStep = Step<(typeof INSTALL_STATES)[number]>;

/** Of a half that has not begun, all but its state. */
export const NO_STEP = { progress: 0, bytes: 0, total_bytes: 0, rate: 0, start_time: 0, end_time: 0, detail: '' } as const;

/** What a probe is to install, and where it finds it. */
export interface InstallWish {
  url: string;
  /** Id of the package. */
  package: string;
  version: string;
  bytes: number;
  /** Of the package's file, in hex. */
  sha256: string;
}
