/** What the set-up tells: progress lines on stderr, and failures of one sentence. */

/** A set-up step that cannot go on: the message is the whole sentence for the user, `logTail` the end of the step's log. */
export class SetupError extends Error {
  constructor(message, logTail = '') {
    super(message);
    this.name = 'SetupError';
    this.logTail = logTail;
  }
}

export function say(line) {
  process.stderr.write(`spillway: ${line}\n`);
}

/** Prints a failure, the log before the sentence so that the sentence is what stays on the screen. */
export function sayFailure(error) {
  if (!(error instanceof SetupError)) {
    process.stderr.write(`${error?.stack ?? error}\n`);
    return;
  }
  if (error.logTail) process.stderr.write(`${error.logTail.trimEnd()}\n`);
  say(error.message);
}
