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
