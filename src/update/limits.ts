/** The limits of update packages, each with its reason. */
export const UPDATE_LIMITS = {
  /** A release with the packages it runs with has some thousand files. */
  files: 50_000,
  /** A manifest has some 150 bytes for each. */
  manifestBytes: 16 << 20,
  /** Of one file, and of all: some ten times of what a release has. */
  fileBytes: 512 << 20,
  releaseBytes: 2 * 2 ** 30,
  /** Of a path in a release: what every file system holds below a folder of ours. */
  pathBytes: 512,
  /** Keys that packages may be signed with. */
  keys: 16,
} as const;
