/** Which packets of a capture file a BPF text lets through: by the real compiler and the real scan loop. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { SpillwayError } from '../../src/errors.js';
import type { FilterCompiler } from '../../src/filter/compile.js';
import { Scan, Selection, STATUS } from '../../src/native.js';
import { EVERYTHING, scanFile } from './scan.js';
import { RECORD_HEADER_BYTES } from './records.js';

/** A program, or the code of the error. */
export type Compiled = Uint8Array | string;

export async function compiled(compiler: FilterCompiler, text: string, linkType: number): Promise<Compiled> {
  try {
    return (await compiler.compile(text, linkType)).code;
  } catch (error) {
    if (error instanceof SpillwayError && error.code.startsWith('FILTER_')) return error.code;
    throw error;
  }
}

/** A capture file, kept open for filter after filter. */
export class FilteredFile {
  readonly #fd: number;
  /** Of its first interface. */
  readonly linkType: number;
  readonly linkTypes: readonly number[];
  readonly packets: number;
  #out = new Uint8Array(1 << 20);

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    const scan = new Scan(new Selection({ ...EVERYTHING, format: 'none' }));
    scan.openRange(this.#fd, 0, fstatSync(this.#fd).size, null, false, 0);
    let status: number = STATUS.budget;
    while (status === STATUS.budget) status = scan.step(this.#out, 0, 1 << 30);
    const interfaces = scan.info().interfaces;
    this.linkType = interfaces[0]?.linkType ?? -1;
    this.linkTypes = [...new Set(interfaces.map(({ linkType }) => linkType))];
    this.packets = interfaces.reduce((sum, { packets }) => sum + packets, 0);
  }

  /** Numbers of the packets that pass, from 1. The filter sees the whole packet; of the output only the number is wanted. */
  matches(code: Uint8Array): number[] {
    return this.matchesOf([{ linkType: this.linkType, code }]);
  }

  /** The same where each link type has a program. */
  matchesOf(programs: { linkType: number; code: Uint8Array }[]): number[] {
    const selection = new Selection({ ...EVERYTHING, snapLengthBytes: 1, filters: [programs] });
    const { status, bytes } = scanFile(this.#fd, selection, this.#out);
    if (status !== STATUS.done) throw new Error(`the scan ended with status ${status}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const numbers: number[] = [];
    for (let at = 0; at < bytes.length; at += RECORD_HEADER_BYTES + view.getUint32(at + 24, true)) numbers.push(view.getUint32(at, true));
    return numbers;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The first 16 hex digits of SHA-256 over the numbers, joined by commas. */
export function sha16(numbers: readonly number[]): string {
  return createHash('sha256').update(numbers.join(',')).digest('hex').slice(0, 16);
}
