/**
 * Fields: what one load finds in a packet of a certain shape. Structural ones say of which shape a packet is, and are
 * looked at before all others; else programs look at them in the order of their bytes.
 */

/** Where a field's offset counts from: the packet, the end of the IPv4 header that begins at `ip4`, or where the walk over IPv6's extension headers ended. */
export type Base = 'packet' | { ip4: number } | 'walk';

export interface Load {
  kind: 'load';
  base: Base;
  at: number;
  bytes: 1 | 2 | 4;
  mask?: number;
}

/** What instructions without jumps leave in A. They may use every scratch word. */
export interface Calculation {
  kind: 'calculation';
  instructions: readonly Instruction[];
}

export type Instruction = readonly [code: number, k: number];

export type Reading =
  | Load
  | Calculation
  /** The protocol behind the extension headers of the IPv6 header at `network`; walks over them. */
  | { kind: 'walk'; network: number }
  /** 1: the walk ended in a later fragment. */
  | { kind: 'walked-later' }
  /** 1: the sender of the TCP segment whose header is at `at` is the client. */
  | { kind: 'source-is-client'; base: Base; at: number };

export interface Field {
  readonly order: number;
  readonly max: number;
  readonly reading: Reading;
}

/** More than there are structural fields. */
const FIRST_OTHER = 1000;

export class FieldTable {
  readonly #structural: Field[] = [];
  #others = 0;

  /** The structural field of this number, if it is one. */
  structural(order: number): Field | undefined {
    return this.#structural[order];
  }

  addStructural(reading: Reading, max: number): Field {
    const field = { order: this.#structural.length, max, reading };
    this.#structural.push(field);
    return field;
  }

  add(reading: Load): Field {
    this.#others += 1;
    return { order: FIRST_OTHER + this.#others, max: largest(reading), reading };
  }

  addStructuralLoad(at: number, bytes: 1 | 2 | 4, mask?: number): Field {
    const reading: Load = { kind: 'load', base: 'packet', at, bytes, ...(mask !== undefined && { mask }) };
    return this.addStructural(reading, largest(reading));
  }
}

const largest = ({ bytes, mask }: Load): number => mask ?? 2 ** (8 * bytes) - 1;
