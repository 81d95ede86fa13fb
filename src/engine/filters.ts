/** The filters of one export: texts, and the programs they were compiled to, for each link type that was met. */
import { textOf, type FilterText } from '../filter/languages.js';
import type { SharedSelection } from './tasks.js';
import type { LinkProgram, OutputFormat } from '../native.js';

/** Compiles one filter for one link type; rejects with a coded error. */
export type Compile = (filter: FilterText, linkType: number) => Promise<{ code: Uint8Array; rejectsAll: boolean }>;

const LINK_TYPE_ETHERNET = 1;

/** What filters are compiled for beforehand: Ethernet where nothing is known, so that one that is wrong is refused. */
export function expectedLinkTypes(known: readonly number[]): readonly number[] {
  return known.length > 0 ? known : [LINK_TYPE_ETHERNET];
}

let nextId = 1;

export class Filters {
  readonly warnings: string[] = [];
  private readonly programs: LinkProgram[][];

  constructor(
    private readonly filters: readonly FilterText[],
    private readonly compile: Compile,
    /** What PCAPNG output says of every interface; empty: nothing. */
    readonly interfaceComment = '',
  ) {
    this.programs = filters.map(() => []);
  }

  /** Makes sure that every filter has a program for the link type. */
  async compileFor(linkType: number): Promise<void> {
    for (const [i, filter] of this.filters.entries()) {
      const programs = this.programs[i];
      if (!programs || programs.some((program) => program.linkType === linkType)) continue;
      const { code, rejectsAll } = await this.compile(filter, linkType);
      if (rejectsAll) this.warnings.push(`the filter "${textOf(filter)}" can match no packet: expression rejects all packets`);
      programs.push({ linkType, code: shared(code) });
    }
  }

  programsOf(filter: number): readonly LinkProgram[] {
    return this.programs[filter]!;
  }

  /** The present programs with a shape and time windows, ready for workers. */
  selection(format: OutputFormat, snapLengthBytes: number, windowsNs: BigInt64Array): SharedSelection {
    const filters = this.filters.length === 0 ? null : this.programs.map((programs) => [...programs]);
    const comment = this.interfaceComment === '' ? {} : { interfaceComment: this.interfaceComment };
    return { id: nextId++, format, snapLengthBytes, windowsNs, filters, ...comment };
  }
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
