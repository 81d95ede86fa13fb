/** The limits of tasks, each with its reason. */
export const TASK_LIMITS = {
  /** Bytes of all artifacts together, an export of a whole update repository among them: a probe's disk is for its buffer. */
  artifactsBytes: 12 * 2 ** 30,
  /** And of one, unless its kind says otherwise: what a peer sends is bounded as what is made here. */
  artifactBytes: 1 * 2 ** 30,
  /** Rows of a list that clients read whole. */
  artifacts: 10_000,
  /** That are listed; of more, those that have ended first are forgotten. */
  tasks: 1000,
  /** A run that was told to end has children to stop and files to close; a server that ends does not wait longer. */
  graceMs: 5000,
} as const;
