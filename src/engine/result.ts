/** A scan's counters as a message. */
import { STATUS, type Scan } from '../native.js';
import type { ScanResult } from './tasks.js';

export function resultOf(scan: Scan, status: number, outLength: number): ScanResult {
  return {
    status,
    report: scan.report.slice(),
    outLength,
    state: scan.state(),
    damage: status === STATUS.damage ? scan.damageText() : '',
    needed: scan.needed(),
    info: null,
  };
}
