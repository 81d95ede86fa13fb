/** The limits of update packages, each with its reason. */
export const UPDATE_LIMITS = {
  /** A release with the packages it runs with has some 3,000 files. */
  files: 20_000,
  /** A manifest has some 200 bytes for each. */
  manifestBytes: 8 << 20,
  /** Of one file, and of all: some ten times of what a release has. */
  fileBytes: 512 << 20,
  releaseBytes: 2 * 2 ** 30,
  /** Of the folders of a path, and of the name behind them: what the plain header of tar holds, so that there is one way to write each. */
  folderBytes: 140,
  nameBytes: 100,
  /** Keys that packages may be signed with. */
  keys: 16,
  /** Of a key in PEM, which is shorter, and of its name, which is one line of a list. */
  keyBytes: 4096,
  keyNameLength: 100,
  /** Of a package's file: a release is some tens of megabytes. */
  packageBytes: 1 * 2 ** 30,
  /** Of all packages of the repository: a probe's disk is for its buffer. */
  repositoryBytes: 8 * 2 ** 30,
  /** Of an export: all packages, and what an archive says of them. */
  exportBytes: 8 * 2 ** 30 + (16 << 20),
  /** Rows of a list that clients read whole. */
  packages: 200,
  /** Packages that come at once: each is unpacked and hashed in this thread. */
  importsAtOnce: 4,
} as const;

/** The limits of update jobs, and how long members are waited for. */
export const JOB_LIMITS = {
  /** That are kept; of more, those that have ended first are forgotten. */
  jobs: 1000,
  /** Of all jobs that are kept: each has a kilobyte in memory, and a line wherever jobs are listed. */
  members: 20_000,
  /** That run: each asks its members every other second. */
  running: 8,
  /** Members that are updated at once, unless the job says otherwise, and at most: all of them download from one probe. */
  maxConcurrent: { usual: 4, most: 32 },
  /** Of names and descriptions: a line, and some. */
  nameLength: 100,
  descriptionLength: 1000,
  /** Further ahead is a time in another unit, or a mistake. */
  scheduleMs: 366 * 24 * 3_600_000,
  /** A job that is later than that would surprise whoever gave it a time at night. */
  lateMs: 3_600_000,
  /** The clock on the wall may be set at any time. */
  lookMs: 30_000,
} as const;

export interface FollowPatience {
  /** Until a member is asked again how far it is: at first, and at most. */
  pollMs: { first: number; most: number };
  /** For a member that was not asked yet: one that is off holds up those behind it, and a network may come up later than the probe. */
  reachMs: number;
  /** For a member that has stopped answering: a restart takes seconds, one that goes back to the version before some minutes. */
  silentMs: number;
  /** For all of one member's update: the largest package over 10 Mbit/s takes half an hour. */
  memberMs: number;
}

export const FOLLOW_PATIENCE: FollowPatience = {
  pollMs: { first: 500, most: 3000 },
  reachMs: 60_000,
  silentMs: 10 * 60_000,
  memberMs: 2 * 3_600_000,
};

/** How long a probe that fetches a package waits for the server of it. */
export interface DownloadPatience {
  /** Between two attempts. */
  retryMs: number;
  /** Since the download came further: a server's restart takes a minute, and one that goes back to the version before some minutes. */
  silentMs: number;
  /** For a server of which nothing has come yet: it was there a moment ago, or its address is wrong. */
  unreachedMs: number;
}

export const DOWNLOAD_PATIENCE: DownloadPatience = { retryMs: 2000, silentMs: 10 * 60_000, unreachedMs: 60_000 };
