/** `npm run bench`: makes the traffic, checks that both sides hold the same packets, measures, and tells. */
import { existsSync, writeFileSync } from 'node:fs';
import { CASES } from './cases/all.js';
import { Context, missing, type Case } from './context.js';
import { Drain } from './drain.js';
import { machine, versions } from './machine.js';
import { readOptions, USAGE, type Options } from './options.js';
import { BenchRefusal, DigestMismatch } from './refusal.js';
import { meanOf, misses, table, type Result } from './report.js';
import type { Row } from './row.js';

const EXIT = { done: 0, failed: 1, refused: 2 } as const;

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

function chosen({ cases }: Options): readonly Case[] {
  const unknown = cases.find((name) => !CASES.some((one) => one.name.startsWith(name)));
  if (unknown !== undefined) throw new BenchRefusal(`No case begins with ${unknown}; there are ${CASES.map(({ name }) => name).join(', ')}.`);
  return CASES.filter(({ name }) => cases.length === 0 || cases.some((start) => name.startsWith(start)));
}

async function measure(options: Options): Promise<Result> {
  if (!existsSync(options.spillway)) throw new BenchRefusal(`${options.spillway} is not there; npm run build makes it.`);
  const context = new Context(options, Drain.build(options.dir), say);
  const rows: Row[] = [];
  const skipped: string[] = [];
  for (const one of chosen(options)) {
    const lacking = missing(one.needs);
    if (lacking.length > 0) skipped.push(`Not measured: ${one.name}, for ${lacking.join(' and ')} is not installed.`);
    else rows.push(...(await one.run(context)));
  }
  const { quick, bytes, repeats, seed } = options;
  return { machine: machine(), versions: versions(options.spillway), settings: { quick, bytes, repeats, seed }, rows, mean: meanOf(rows), skipped };
}

async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return EXIT.done;
  }
  const options = readOptions(process.argv.slice(2));
  if (options.list) {
    for (const { name, about } of CASES) console.log(`${name.padEnd(12)} ${about}`);
    return EXIT.done;
  }
  const result = await measure(options);
  console.log(table(result));
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  const missed = options.gate ? misses(result) : [];
  for (const sentence of missed) say(`gate: ${sentence}`);
  return missed.length > 0 ? EXIT.failed : EXIT.done;
}

// Whatever runs gets the terminal's signal too and fails; that failure then clears up after itself.
process.once('SIGINT', () => say('interrupted'));

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BenchRefusal) && !(error instanceof DigestMismatch)) throw error;
  say(error.message);
  process.exitCode = error instanceof DigestMismatch ? EXIT.failed : EXIT.refused;
}
