/**
 * Counts how many rows of a golden table agree. Rows where the reference itself is wrong stand in
 * conformance/known/<table>.json under the reason; the list must be exact: a listed row that agrees fails too.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';

interface Known {
  reasons: Record<string, string>;
  /** Row ids under the key of their reason. */
  rows: Record<string, string[]>;
}

const SHOWN = 20;

export class Agreement {
  private rows = 0;
  private readonly differing = new Map<string, string>();
  private readonly known: Known = { reasons: {}, rows: {} };

  constructor(private readonly name: string) {
    const list = new URL(`../conformance/known/${name}.json`, import.meta.url);
    if (existsSync(list)) this.known = JSON.parse(readFileSync(list, 'utf8')) as Known;
  }

  /** `why`: what was wanted and what came; null where the row agrees. */
  row(id: string, why: string | null): void {
    this.rows += 1;
    if (why !== null) this.differing.set(id, why);
  }

  /** A row whose values must be equal. */
  equal(id: string, got: Record<string, unknown>, wanted: Record<string, unknown>): void {
    const differences = Object.entries(wanted).filter(([key, value]) => got[key] !== value);
    this.row(id, differences.length === 0 ? null : differences.map(([key, value]) => `${key}: ${String(got[key])}, not ${String(value)}`).join('; '));
  }

  /** Prints the sum; fails on a difference that is not listed, and on a list that is not exact. */
  conclude(atLeast = 1): void {
    const listed = Object.values(this.known.rows).flat();
    const unknown = [...this.differing].filter(([id]) => !listed.includes(id)).map(([id, why]) => `${id}: ${why}`);
    const agreed = this.rows - this.differing.size;
    console.log(`${this.name}: ${agreed} of ${this.rows} rows agree, ${listed.length} of the others are known`);
    expect(unknown.slice(0, SHOWN), `${unknown.length} rows differ`).toEqual([]);
    expect(
      listed.filter((id) => !this.differing.has(id)),
      'known differences that do not differ',
    ).toEqual([]);
    expect(new Set(listed).size, 'every known row is listed once').toBe(listed.length);
    expect(Object.keys(this.known.rows).sort()).toEqual(Object.keys(this.known.reasons).sort());
    expect(this.rows).toBeGreaterThanOrEqual(atLeast);
  }
}
