/** A condition of the machine or of the command line, not a defect: told as one sentence, exit code 2. */
export class BenchRefusal extends Error {}

/** The two tools disagree about the packets: nothing measured after that would mean anything. Exit code 1. */
export class DigestMismatch extends Error {}
