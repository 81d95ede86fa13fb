/** The filters of one export: texts, and the programs they were compiled to, for each link type that was met. */
import type { SharedSelection } from './tasks.js';
import type { LinkProgram, OutputFormat } from '../native.js';

/** Compiles one filter for one link type; rejects with a coded error. */
export type Compile = (text: string, linkType: number) => Promise<{ code: Uint8Array; rejectsAll: boolean }>;

let nextId = 1;

export class Filters {
  readonly warnings: string[] = [];
  private readonly programs: LinkProgram[][];

  constructor(
    private readonly texts: readonly string[],
    private readonly compile: Compile,
  ) {
    this.programs = texts.map(() => []);
  }

  /** Makes sure that every filter has a program for the link type. */
  async compileFor(linkType: number): Promise<void> {
    for (const [i, text] of this.texts.entries()) {
      const programs = this.programs[i];
      if (!programs || programs.some((program) => program.linkType === linkType)) continue;
      const { code, rejectsAll } = await this.compile(text, linkType);
      if (rejectsAll) this.warnings.push(`the filter "${text}" can match no packet: expression rejects all packets`);
      programs.push({ linkType, code: shared(code) });
    }
  }

  /** The present programs with a shape and time windows, ready for workers. */
  selection(format: OutputFormat, snapLengthBytes: number, windowsNs: BigInt64Array): SharedSelection {
    const filters = this.texts.length === 0 ? null : this.programs.map((programs) => [...programs]);
    return { id: nextId++, format, snapLengthBytes, windowsNs, filters };
  }
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
