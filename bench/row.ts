/** One line of the result: what was compared, what it took, and whether that is enough. */
import type { Run } from './drain.js';
import { scaled, spread, type Spread } from './stats.js';

export interface Figures {
  /** The words for the table: a tool's name. */
  tool: string;
  wallSeconds: Spread;
  cpuSeconds: Spread;
  outputBytes: number;
  peakAnonBytes: Spread | null;
}

export interface Goal {
  text: string;
  reached: boolean;
}

export interface Row {
  case: string;
  what: string;
  input: string;
  ours: Figures;
  peer: Figures | null;
  /** How many times as fast as the peer, by median wall time; null where that says nothing. */
  ratio: number | null;
  goal: Goal | null;
  /** Enters the geometric mean of the tcpdump rows. */
  inMean: boolean;
  note: string | null;
}

export function figures(tool: string, runs: readonly Run[]): Figures {
  const sampled = runs.some((run) => run.peakAnonBytes > 0);
  return {
    tool,
    wallSeconds: spread(runs.map((run) => run.wallSeconds)),
    cpuSeconds: spread(runs.map((run) => run.cpuSeconds)),
    outputBytes: runs[0]?.bytes ?? 0,
    peakAnonBytes: sampled ? spread(runs.map((run) => run.peakAnonBytes)) : null,
  };
}

/** What the same work would take on `factor` times as many packets. */
export function extrapolated(of: Figures, factor: number): Figures {
  return { ...of, wallSeconds: scaled(of.wallSeconds, factor), cpuSeconds: scaled(of.cpuSeconds, factor) };
}

export const ratioOf = (ours: Figures, peer: Figures): number => peer.wallSeconds.median / ours.wallSeconds.median;

export const atLeast = (ratio: number, least: number): Goal => ({ text: `≥ ${least}×`, reached: ratio >= least });
