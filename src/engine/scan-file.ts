/**
 * Scans a file in ranges, several at once, and gives the output in order.
 *
 * A capture file has no marks to start from, so each range but the first begins with a guess: the first place where a
 * chain of records seems to begin, read with the state that the file began with. The ordered stage knows where the scan
 * before really ended and in what state; a guess that does not agree is thrown away and the range scanned again from
 * there. So results never depend on the guesses, nor on the number of workers.
 */
import { REPORT, STATUS } from '../native.js';
import { concludes, mixed, type Piece, type ScanContext } from './context.js';
import { extentBytes } from './extents.js';
import { newSlot } from './slots.js';
import type { OpenSource } from './source.js';
import type { ScanResult } from './tasks.js';

/** Where a scan begins: offset, the reader's state there (null: the start of the file), interfaces before its section. */
export interface Place {
  offset: number;
  state: Uint8Array | null;
  base: number;
}

interface Flight {
  from: Place;
  end: number;
  slot: Uint8Array;
  result: Promise<ScanResult>;
}

export function scanFile(source: OpenSource, interfaceBase: number, context: ScanContext): AsyncGenerator<Piece, number> {
  const { beginning } = source;
  const expected = { offset: 0, state: beginning?.state ?? null, base: interfaceBase + (beginning?.sectionBase ?? 0) };
  return scanOn(source, { offset: 0, state: null, base: interfaceBase }, expected, interfaceBase, context);
}

/** The rest of a file, from a place where the reader's state is known; `interfaceCount`: interfaces of the output so far. */
export function scanFileFrom(source: OpenSource, place: Place, interfaceCount: number, context: ScanContext): AsyncGenerator<Piece, number> {
  return scanOn(source, place, place, interfaceCount, context);
}

/** `expected`: where the first guess will begin, with what is known of it. */
async function* scanOn(source: OpenSource, from: Place, expected: Place, interfaces: number, context: ScanContext): AsyncGenerator<Piece, number> {
  const flights: Flight[] = [];
  const size = source.sizeBytes;
  const extent = extentBytes(size - from.offset, context.format, context.slots.length >> 1);
  let place = from;
  let dispatched = from.offset;
  let interfaceCount = interfaces;

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
      slot,
    });
  const fill = (): void => {
    while (dispatched < size) {
      const slot = context.slots.pop();
      if (!slot) return;
      const guess = dispatched > from.offset;
      const start = guess ? { ...expected, offset: dispatched } : place;
      const end = Math.min(dispatched + extent, size);
      const result = launch(start, end, slot, guess);
      result.catch(() => {}); // seen where it is awaited; a flight that is given up must not end the process
      flights.push({ from: start, end, slot, result });
      dispatched = end;
    }
  };

  /** A guessed range was scanned without stop rules: would one have ended it, perhaps before what it failed at? */
  const mayStop = (result: ScanResult): boolean =>
    context.totals.left(context.rules) !== null &&
    (result.status === STATUS.mixedLinkTypes || result.status === STATUS.timeRange || context.totals.reaches(context.rules, result.report));

  /** Takes the result at the head of the line, and scans on until the end of its range. True when the source is over. */
  async function* settle(flight: Flight): AsyncGenerator<Piece, boolean> {
    let result = await flight.result;
    // A record that began before this range may end behind it.
    if (place.offset >= flight.end) return false;
    if (flight.from.offset > from.offset && (!agrees(result, flight, place) || mayStop(result)))
      result = await launch(place, flight.end, flight.slot, false);
    let slot = flight.slot;
    for (;;) {
      if (context.mixesLinkTypes(result)) throw mixed(source, Number(result.report[REPORT.linkTypeOut]));
      context.totals.add(result.report);
      context.onResult(result, place.base);
      interfaceCount = Number(result.report[REPORT.interfaceCount]);
      place = { offset: Number(result.report[REPORT.end]), state: result.state, base: Number(result.report[REPORT.sectionBase]) };
      expected = place;
      if (result.outLength > 0) yield context.piece(result, slot, false);
      if (concludes(result, source, context.totals)) return result.status !== STATUS.done;
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
      if (!current) return interfaceCount;
      if (yield* settle(current)) return interfaceCount;
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
