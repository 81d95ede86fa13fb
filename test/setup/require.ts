/**
 * For suites that need something which may not be there: a program, the corpora.
 *
 *   describe.runIf(requireOrSkip('tcpdump', hasProgram('tcpdump')))('the oracle agrees', () => { … })
 *
 * Where it is missing the suite skips, and says so on stderr; under SPILLWAY_MUST_RUN=1 (as .ci/run sets it)
 * it throws instead, which fails the file. `npm test` also fails there on any skipped test under test/conformance
 * or test/oracle, however it was skipped.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { corporaDir } from '../../scripts/lib/paths.mjs';
import { findProgram } from '../../scripts/lib/run.mjs';

/** The captures with golden answers: SPILLWAY_CORPORA, by default ../shared/corpora. They may not be there. */
export { corporaDir };

export function hasCorpora(): boolean {
  return existsSync(join(corporaDir, 'README.md'));
}

/** Whether PATH has an executable of this name. */
export function hasProgram(name: string): boolean {
  return findProgram(name) !== null;
}

/** True when `condition` holds; otherwise false with a word on stderr, or a throw where nothing may skip. */
export function requireOrSkip(name: string, condition: boolean): boolean {
  if (condition) return true;
  if (process.env['SPILLWAY_MUST_RUN'] === '1') throw new Error(`${name} is missing, and nothing may be skipped here (SPILLWAY_MUST_RUN=1)`);
  process.stderr.write(`SKIPPED for want of ${name}\n`);
  return false;
}
