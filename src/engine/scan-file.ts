/**
 * Scans a file in ranges, several at once, and gives the output in order.
 *
 * A capture file has no marks to start from, so each range but the first begins with a guess: the first place where a
 * chain of records seems to begin, read with the state that the file began with. The ordered stage knows where the scan
 * before really ended and in what state; a guess that does not agree is thrown away and the range scanned again from
 * there. So results never depend on the guesses, nor on the number of workers.
 */
import { REPORT, RULE, STATUS } from '../native.js';
import { concludes, mixed, type Piece, type ScanContext } from './context.js';
import { extentBytes } from './extents.js';
import { LEAST_EXTENT_BYTES } from './limits.js';
import { newSlot } from './slots.js';
import type { OpenSource } from './open-source.js';
import type { Place, ScanResult } from './tasks.js';

interface Flight {
  from: Place;
  isGuess: boolean;
  end: number;
  slot: Uint8Array;
  result: Promise<ScanResult>;
}

export interface FileScanned {
  /** Where the scan stopped for another source's turn; null: this source is over. */
  place: Place | null;
  interfaceCount: number;
}

/** A packet was met that decides something, and not counted: packets of another source could still come before it. */
export function holdsPacket({ status, report }: ScanResult): boolean {
  if (status === STATUS.limit) return report[REPORT.detail] !== RULE.packets;
  return status === STATUS.needProgram || status === STATUS.mixedLinkTypes || status === STATUS.timeRange;
}

/** A packet was read that comes after the first of another source. */
export function isBeyond({ report }: ScanResult, untilNs: bigint | null): boolean {
  return untilNs !== null && report[REPORT.minTime]! <= report[REPORT.maxTime]! && report[REPORT.maxTime]! > untilNs;
}

/**
 * `untilNs`: packets with a larger time come after the first of another source. The scan stops somewhere before the first
 * of them, where that is certain; null: it goes to the end.
 */
export async function* scanFile(source: OpenSource, start: Place, untilNs: bigint | null, context: ScanContext): AsyncGenerator<Piece, FileScanned> {
  const flights: Flight[] = [];
  const size = source.sizeBytes;
  const beginning = source.beginning;
  let place = start;
  let expected: Place = start.state ? start : { ...start, state: beginning?.state ?? null, base: start.base + (beginning?.sectionBase ?? 0) };
  const extent = extentBytes(size - start.offset, context.format, context.slots.length >> 1);
  let dispatched = start.offset;
  let interfaceCount = start.base;
  // Where another source's turn may come at once, a little is scanned first: much would often be in vain.
  let isProbed = untilNs === null;

  const launch = (start: Place, end: number, slot: Uint8Array, guess: boolean): Promise<ScanResult> =>
    context.pool.range({
      selection: context.selection,
      control: context.control,
      fd: source.fd,
      start: start.offset,
      end,
      state: start.state,
      resync: guess,
      interfaceBase: start.base,
      limits: guess ? null : context.totals.left(context.rules),
      numberFrom: context.totals.numbered,
      slot,
    });
  const fill = (): void => {
    // Where each scan has to know what those before it met, it begins where they ended.
    if (context.isOrdered) dispatched = place.offset;
    while (dispatched < size && (flights.length === 0 || (isProbed && !context.isOrdered))) {
      const slot = context.slots.pop();
      if (!slot) return;
      const isGuess = dispatched > start.offset && !context.isOrdered;
      const from = isGuess ? { ...expected, offset: dispatched } : place;
      const end = Math.min(dispatched + (isProbed ? extent : Math.min(extent, LEAST_EXTENT_BYTES)), size);
      const result = launch(from, end, slot, isGuess);
      result.catch(() => {}); // seen where it is awaited; a flight that is given up must not end the process
      flights.push({ from, isGuess, end, slot, result });
      dispatched = end;
    }
  };

  /** A guessed range was scanned without stop rules: would one have ended it, perhaps before what it failed at? */
  const mayStop = (result: ScanResult): boolean =>
    context.totals.left(context.rules) !== null &&
    (result.status === STATUS.mixedLinkTypes || result.status === STATUS.timeRange || context.totals.reaches(context.rules, result.report));

  /** Takes the result at the head of the line, and scans on until the end of its range. */
  async function* settle(flight: Flight): AsyncGenerator<Piece, 'on' | 'over' | 'stopped'> {
    let result = await flight.result;
    // A record that began before this range may end behind it.
    if (place.offset >= flight.end) return 'on';
    if (flight.isGuess && (!agrees(result, flight, place) || mayStop(result))) result = await launch(place, flight.end, flight.slot, false);
    let slot = flight.slot;
    for (;;) {
      if (isBeyond(result, untilNs)) return 'stopped';
      if (context.mixesLinkTypes(result)) throw mixed(source, Number(result.report[REPORT.linkTypeOut]));
      context.totals.add(result.report);
      const end = Number(result.report[REPORT.end]);
      context.addBytesIn(end - place.offset);
      context.onResult(result, place.base);
      interfaceCount = Number(result.report[REPORT.interfaceCount]);
      place = { offset: end, state: result.state, base: Number(result.report[REPORT.sectionBase]) };
      expected = place;
      if (result.outLength > 0) yield context.piece(result, slot, false);
      if (untilNs !== null && holdsPacket(result)) return 'stopped';
      if (concludes(result, source, context.totals)) return result.status === STATUS.done ? 'on' : 'over';
      if (result.status === STATUS.needProgram) await context.addPrograms(Number(result.report[REPORT.detail]));
      // A packet larger than a slot gets one of its own, for the rest of this range.
      if (result.status === STATUS.outputFull && result.outLength === 0) slot = newSlot(result.needed);
      result = await launch(place, flight.end, slot, false);
    }
  }

  let current: Flight | undefined;
  try {
    for (;;) {
      fill();
      current = flights.shift();
      if (!current) return { place: null, interfaceCount };
      const outcome = yield* settle(current);
      isProbed = true;
      if (outcome !== 'on') return { place: outcome === 'stopped' ? place : null, interfaceCount };
      context.slots.push(current.slot);
      current = undefined;
    }
  } finally {
    // The descriptor and the slots are the workers' until they have settled.
    for (const flight of [current, ...flights]) {
      if (!flight) continue;
      await flight.result.catch(() => {});
      context.slots.push(flight.slot);
    }
  }
}

function agrees(result: ScanResult, flight: Flight, place: Place): boolean {
  return (
    result.status !== STATUS.noBoundary &&
    Number(result.report[REPORT.start]) === place.offset &&
    flight.from.base === place.base &&
    flight.from.state !== null &&
    place.state !== null &&
    Buffer.compare(flight.from.state, place.state) === 0
  );
}
