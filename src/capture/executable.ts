/** The capture executable: where it is, what it is started with, and what it says when it refuses. */
import { existsSync } from 'node:fs';
import type { JobSettings } from '../buffer/jobs.js';
import { ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import { fromRoot } from '../root.js';

/** What a capture is told of its job. */
export type CaptureSettings = Omit<JobSettings, 'filter' | 'ownerPid' | 'enabled' | 'chosenBy'>;

/** Names the executable to use, in the environment of a server that an update brought: it has what the one in an update lacks, a capability. */
export const CAPTURE_VARIABLE = 'SPILLWAY_CAPTURE';

export function captureExecutable(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment[CAPTURE_VARIABLE];
  if (given !== undefined) return given;
  const places = [fromRoot('build', 'Release', 'spillway-capture'), fromRoot('prebuilds', `${process.platform}-${process.arch}`, 'spillway-capture')];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new SpillwayError('SETUP_INCOMPLETE', 'the capture executable is not built: run `npm start` or `npm run build`');
  return found;
}

/** `program`: the file with the compiled filter; null: every packet. */
export function captureArguments(folder: string, program: string | null, settings: CaptureSettings): string[] {
  const { interfaces, snapLengthBytes, segmentBytes, retainBytes, retainAgeSeconds, fsync, hardwareTimestamps, libpcap } = settings;
  const number = (flag: string, value: number): string[] => (value === 0 ? [] : [flag, String(value)]);
  return [
    ...['--folder', folder],
    ...interfaces.flatMap((name) => ['--interface', name]),
    ...(program === null ? [] : ['--program', program]),
    ...number('--snap', snapLengthBytes),
    ...number('--segment-bytes', segmentBytes),
    ...number('--retain-bytes', retainBytes),
    ...number('--retain-age-s', retainAgeSeconds),
    ...['--fsync', fsync],
    ...(hardwareTimestamps === true ? ['--hardware-timestamps'] : []),
    ...(libpcap === true ? ['--libpcap'] : []),
  ];
}

/** Its one sentence, `spillway-capture: … [CODE]`, as an error of ours. */
export function refusal(told: string, exitCode: number): SpillwayError {
  const match = /^spillway-capture: (.*) \[([A-Z_]+)\]$/m.exec(told);
  const sentence = match?.[1] ?? `the capture ended with exit code ${exitCode}: ${told.trim()}`;
  const code = match?.[2] ?? '';
  return new SpillwayError(code in ERRORS ? (code as ErrorCode) : 'CAPTURE_FAILED', sentence);
}

export function doesNotStart(error: Error): SpillwayError {
  return new SpillwayError('SETUP_INCOMPLETE', `the capture does not start: ${error.message}`);
}
