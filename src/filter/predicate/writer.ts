/** Decisions and tests as instructions. */
import { Assembler, OP, type Label } from './assembler.js';
import type { Case, Decision, FieldDecision } from './decisions.js';
import type { Base, Field, Load, Reading } from './fields.js';
import type { Formula } from './formula.js';
import type { NumberSet } from './sets.js';
import { complementOf } from './sets.js';
import { putWalk, WALKED_LATER } from './walk.js';

/** So many values are told apart one by one; of more, halves are. */
const MAX_CHAIN = 6;
/** Scratch words: the destination port while the source port is loaded, and X meanwhile. */
const PORT_WORD = 0;
const X_WORD = 2;
const TCP_FLAGS = 13;
const SYN = 0x02;
const ACK = 0x10;

type Target = Omit<Case, 'to'> & { to: Label };

export class Writer {
  readonly #out = new Assembler();
  readonly #labels = new Map<Decision, Label>();

  write(decision: Decision): Uint8Array {
    return this.#out.finish(this.#put(decision));
  }

  #put(decision: Decision): Label {
    const known = this.#labels.get(decision);
    if (known !== undefined) return known;
    const label = decision.kind === 'field' ? this.#putDecision(decision) : this.#putTests(decision);
    this.#labels.set(decision, label);
    return label;
  }

  #putDecision({ field, cases }: FieldDecision): Label {
    const { reading } = field;
    const targets = cases.map((each) => ({ ...each, to: this.#put(each.to) }));
    switch (reading.kind) {
      case 'load':
        return this.#putLoad(field, reading, targets);
      case 'calculation':
        return this.#out.line(reading.instructions, this.#select(targets));
      case 'walk':
        return putWalk(this.#out, reading.network, this.#select(targets));
      case 'walked-later':
        return this.#out.line([[OP.ldMem, WALKED_LATER]], this.#select(targets));
      case 'source-is-client':
        return this.#putRoles(reading, targets[1]!.to, targets[0]!.to);
    }
  }

  /** The tests of a formula that holds no structural field, with X as its ports need it. */
  #putTests(formula: Formula): Label {
    const label = this.#putTest(formula, 'accept', 'reject');
    const base = baseIn(formula);
    return typeof base === 'string' ? label : this.#out.line([[OP.ldxMsh, base.ip4]], label);
  }

  #putTest(formula: Formula, yes: Label, no: Label): Label {
    switch (formula.kind) {
      case 'true':
        return yes;
      case 'false':
        return no;
      case 'in':
        return this.#putLoad(formula.field, formula.field.reading as Load, targetsOf(formula.set, formula.field.max, yes, no));
      case 'and':
        return formula.parts.reduceRight<Label>((next, part) => this.#putTest(part, next, no), yes);
      case 'or':
        return formula.parts.reduceRight<Label>((next, part) => this.#putTest(part, yes, next), no);
    }
  }

  #putLoad({ max }: Field, { base, at, bytes, mask }: Load, targets: readonly Target[]): Label {
    const load = [loadCode(base, bytes), at] as const;
    if (mask === undefined) return this.#out.line([load], this.#select(targets));
    // All bits or none: one jump asks.
    const isZeroOrNot = targets.length === 2 && targets[0]!.high === 0 && max === mask;
    if (isZeroOrNot) return this.#out.line([load], this.#out.branch(OP.jset, mask, targets[1]!.to, targets[0]!.to));
    return this.#out.line([load, [OP.and, mask]], this.#select(targets));
  }

  /** SYN comes from the client, SYN and ACK from the server; else the lower port is the server's, of equal ports the destination. */
  #putRoles({ base, at }: Reading & { kind: 'source-is-client' }, client: Label, server: Label): Label {
    const out = this.#out;
    const half = loadCode(base, 2);
    // Where a walk ended is known to X alone.
    const back = (to: Label): Label => (base === 'walk' ? out.line([[OP.ldxMem, X_WORD]], to) : to);
    const byPorts = out.branch(OP.jgeX, 0, back(client), back(server));
    const ports = out.line(
      [
        [half, at + 2],
        [OP.st, PORT_WORD],
        [OP.stx, X_WORD],
        [half, at],
        [OP.ldxMem, PORT_WORD],
      ],
      byPorts,
    );
    const bySyn = out.branch(OP.jset, ACK, server, client);
    const flags = out.line([[loadCode(base, 1), at + TCP_FLAGS]], out.branch(OP.jset, SYN, bySyn, ports));
    return typeof base === 'string' ? flags : out.line([[OP.ldxMsh, base.ip4]], flags);
  }

  /** Jumps to the case that A is in. */
  #select(targets: readonly Target[]): Label {
    if (targets.length === 1) return targets[0]!.to;
    // Neighbours differ: of so many, half at least are to be told apart.
    if (targets.length <= 2 * MAX_CHAIN + 1) {
      const others = mostCommon(targets);
      const named = targets.filter(({ to }) => to !== others);
      if (named.reduce((sum, { low, high }) => sum + high - low + 1, 0) <= MAX_CHAIN) {
        const values = named.flatMap(({ low, high, to }) => Array.from({ length: high - low + 1 }, (_, i) => ({ value: low + i, to })));
        return values.reduceRight<Label>((next, { value, to }) => this.#out.branch(OP.jeq, value, to, next), others);
      }
    }
    const middle = targets.length >> 1;
    const [below, above] = [this.#select(targets.slice(0, middle)), this.#select(targets.slice(middle))];
    return this.#out.branch(OP.jgt, targets[middle - 1]!.high, above, below);
  }
}

function targetsOf(set: NumberSet, max: number, yes: Label, no: Label): Target[] {
  const ranges = (numbers: NumberSet, to: Label): Target[] =>
    Array.from({ length: numbers.length / 2 }, (_, i) => ({ low: numbers[2 * i]!, high: numbers[2 * i + 1]!, to }));
  return [...ranges(set, yes), ...ranges(complementOf(set, max), no)].sort((a, b) => a.low - b.low);
}

/** Where most cases go; of equally many, where the widest goes. */
function mostCommon(targets: readonly Target[]): Label {
  const sums = new Map<Label, { count: number; width: number; to: Label }>();
  for (const { low, high, to } of targets) {
    const { count = 0, width = 0 } = sums.get(to) ?? {};
    sums.set(to, { count: count + 1, width: Math.max(width, high - low), to });
  }
  return [...sums.values()].reduce((a, b) => ((b.count - a.count || b.width - a.width) > 0 ? b : a)).to;
}

/** What the offsets of a formula's ports count from: of one shape, they all have the same. */
function baseIn(formula: Formula): Base {
  if (formula.kind === 'in') return (formula.field.reading as Load).base;
  return formula.parts?.map(baseIn).find((base) => base !== 'packet') ?? 'packet';
}

function loadCode(base: Base, bytes: 1 | 2 | 4): number {
  return (base === 'packet' ? OP.ldAbs : OP.ldInd)[bytes];
}
