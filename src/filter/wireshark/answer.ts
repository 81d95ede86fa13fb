/** What a display filter says of the packets of a link type, read from their outer headers. */
import { OP } from '../predicate/assembler.js';
import type { Instruction } from '../predicate/fields.js';
import type { Formula } from '../predicate/formula.js';
import { contains, rangeSet, unionOf, type NumberSet } from '../predicate/sets.js';
import { FIELDS, type FieldType, type Place } from './fields.js';
import { ANY_SHAPE, type Header, type Packets, type Shape } from './packets.js';
import type { Expression, Operand, Quantifier, Relation, Test, Value } from './parser.js';
import { bytesAre, numberIs, related } from './places.js';
import { addressIn, bytesIn, etherIn, numberIn, truthIn, type Bits } from './values.js';

const WORD_MAX = 0xffffffff;
/** So many bytes of a header are always there; slices end before. */
const HEADER_BYTES: Readonly<Record<string, number>> = { eth: 14, vlan: 4, arp: 28, ip: 20, ipv6: 40, tcp: 20, udp: 8, icmp: 4, icmpv6: 4 };
/** Bytes of the frame that a slice may reach: what a program is asked for is in its beginning. */
const FRAME_BYTES = 65_535;
const SCRATCH = 3;

/** Of one value of a field: the formula that it is as the test wants it. */
type Judge = (header: Header, place: Place) => Formula | undefined;

/** Thrown inside this file where the filter is for tshark. */
export class NotForUs extends Error {}

/**
 * `whole`: what the filter says where the outer headers say everything. `surely`, `surelyNot`: it is true, or false, whatever else the packet holds: a value
 * that is there may be as wanted already, and more values take nothing from that.
 */
export interface Answer {
  whole: Formula;
  surely: Formula;
  surelyNot: Formula;
}

/** `isOfHeaders`: the filter looks at more than the frame. Throws NotForUs. */
export function answerOf(expression: Expression, packets: Packets, isOfHeaders: boolean): Answer {
  const { formulas } = packets;
  const shapes = isOfHeaders ? packets.shapes : [ANY_SHAPE(formulas)];
  const answers = shapes.map((shape) => ({ is: shape.is, ...new Reader(packets, shape).read(expression) }));
  const of = (which: keyof Answer): Formula => formulas.or(...answers.map((answer) => formulas.and(answer.is, answer[which])));
  return { whole: of('whole'), surely: of('surely'), surelyNot: of('surelyNot') };
}

class Reader {
  constructor(
    readonly packets: Packets,
    readonly shape: Shape,
  ) {}

  read(expression: Expression): Answer {
    const { formulas } = this.packets;
    switch (expression.kind) {
      case 'and':
      case 'or': {
        const { kind } = expression;
        const parts = expression.of.map((each) => this.read(each));
        const joined = (which: keyof Answer, by: 'and' | 'or'): Formula =>
          formulas.join(
            by,
            parts.map((part) => part[which]),
          );
        return { whole: joined('whole', kind), surely: joined('surely', kind), surelyNot: joined('surelyNot', kind === 'and' ? 'or' : 'and') };
      }
      case 'not': {
        const { whole, surely, surelyNot } = this.read(expression.of);
        return { whole: formulas.not(whole), surely: surelyNot, surelyNot: surely };
      }
      default: {
        const whole = this.#test(expression);
        if (FIELDS.get(expression.operand.name)?.layer === 'frame') return { whole, surely: whole, surelyNot: formulas.not(whole) };
        return { whole, surely: quantifierOf(expression) === 'any' ? whole : formulas.false, surelyNot: formulas.false };
      }
    }
  }

  #test(test: Test): Formula {
    const { operand } = test;
    const field = FIELDS.get(operand.name);
    if (!field) throw new NotForUs();
    if (test.kind === 'compare') {
      const other = FIELDS.get(test.value.text);
      if (other && test.value.kind === 'word') return this.#twoFields(operand, field, test.relation, other);
    }
    if (operand.slice) return this.#slice(test, field, operand.slice);
    switch (field.source.kind) {
      case 'header':
        if (test.kind !== 'exists' || operand.mask !== undefined) throw new NotForUs();
        return this.#exists(field);
      case 'places':
        return this.#places(test, field, field.source.places);
      default:
        return this.#worked(test, field);
    }
  }

  #headers({ layer }: FieldType): readonly Header[] {
    if (layer === 'frame') return [{ is: this.packets.formulas.true, base: 'packet', at: 0 }];
    return this.shape.headers.get(layer) ?? [];
  }

  #exists(field: FieldType): Formula {
    return this.packets.formulas.or(...this.#headers(field).map(({ is }) => is));
  }

  #places(test: Test, field: FieldType, places: readonly Place[]): Formula {
    const { mask } = test.operand;
    if (test.kind === 'exists' && mask === undefined) return this.#exists(field);
    const judge = isNumber(field) ? this.#numbers(test, field) : this.#addresses(test, field);
    return this.#judged(field, places, quantifierOf(test), judge);
  }

  /** `any`: some value is as wanted; `all`: there are values, and all are so. */
  #judged(field: FieldType, places: readonly Place[], quantifier: Quantifier, judge: Judge): Formula {
    const { formulas } = this.packets;
    const judged = this.#headers(field).flatMap((header) =>
      places.map((place) => {
        const found = judge(header, place);
        if (!found) throw new NotForUs();
        return { is: header.is, found };
      }),
    );
    if (quantifier === 'any') return formulas.or(...judged.map(({ is, found }) => formulas.and(is, found)));
    return formulas.and(this.#exists(field), ...judged.map(({ is, found }) => formulas.or(formulas.not(is), found)));
  }

  #numbers(test: Test, field: FieldType): Judge {
    const bits = test.operand.mask === undefined ? undefined : numberIn({ kind: 'word', text: test.operand.mask }, field.max);
    if (test.operand.mask !== undefined && (bits === undefined || field.type !== 'number')) throw new NotForUs();
    const set = numbersOf(test, field);
    return (header, place) => numberIs(this.packets, header, place, set, bits);
  }

  #addresses(test: Test, field: FieldType): Judge {
    if (test.kind === 'exists' || test.operand.mask !== undefined) throw new NotForUs();
    const { formulas } = this.packets;
    const is = (header: Header, { at }: Place, relation: Relation, value: Value): Formula => {
      const bits = addressOf(value, field);
      const isNet = bits.prefixBits < 8 * bits.bytes.length;
      if (isNet && relation !== '==' && relation !== '!=') throw new NotForUs();
      return bytesAre(this.packets, header, at, relation, bits);
    };
    if (test.kind === 'compare') return (header, place) => is(header, place, test.relation, test.value);
    return (header, place) =>
      formulas.or(
        ...test.elements.map(({ low, high }) =>
          high ? formulas.and(is(header, place, '>=', low), is(header, place, '<=', high)) : is(header, place, '==', low),
        ),
      );
  }

  #slice(test: Test, field: FieldType, { at, length }: { at: number; length: number | null }): Formula {
    const { operand } = test;
    const isFrame = operand.name === 'frame';
    if (isFrame && !this.packets.hasWholeFrame) throw new NotForUs();
    const [place, size] = sliced(field, isFrame ? FRAME_BYTES : HEADER_BYTES[operand.name]);
    const count = length ?? (isFrame ? 0 : size - at);
    if (count <= 0 || at + count > size) throw new NotForUs();
    if (operand.mask !== undefined) {
      const bits = bytesIn({ kind: 'word', text: operand.mask }) ?? smallIn(operand.mask);
      if (count !== 1 || bits?.length !== 1 || isFrame) throw new NotForUs();
      const set = test.kind === 'exists' ? rangeSet(1, 255) : bytesSet(test);
      return this.#judged(field, place, quantifierOf(test), (header, { at: from }) =>
        numberIs(this.packets, header, { at: from + at, bytes: 1 }, set, bits[0]),
      );
    }
    if (test.kind !== 'compare' || (test.relation !== '==' && test.relation !== '!=')) throw new NotForUs();
    const bytes = test.value.kind === 'word' ? bytesIn(test.value) : undefined;
    if (bytes?.length !== count) throw new NotForUs();
    const { relation } = test;
    return this.#judged(field, place, test.quantifier, (header, { at: from }) =>
      bytesAre(this.packets, header, from + at, relation, { bytes, prefixBits: 8 * count }),
    );
  }

  #worked(test: Test, field: FieldType): Formula {
    const { formulas } = this.packets;
    if (test.operand.mask !== undefined) throw new NotForUs();
    if (test.kind === 'exists') return this.#exists(field);
    const set = numbersOf(test, field);
    const constant = (value: number): Formula => (contains(set, value) ? formulas.true : formulas.false);
    switch (field.source.kind) {
      case 'frame-length':
        return formulas.in(this.packets.length(), set);
      case 'encapsulation':
        if (this.packets.encapsulation === undefined) throw new NotForUs();
        return constant(this.packets.encapsulation);
      case 'never-set':
        return constant(0);
      default:
        return formulas.or(
          ...this.#headers(field).map((header) =>
            formulas.and(header.is, formulas.in(this.packets.calculated(tcpLength(header, this.shape.at)), set)),
          ),
        );
    }
  }

  /** Of two fields of one header that are there once: their difference, which is larger than a field where it is below 0. */
  #twoFields(operand: Operand, field: FieldType, relation: Relation, other: FieldType): Formula {
    const [a, b] = [field, other].map(({ source, type }) =>
      source.kind === 'places' && type === 'number' && source.places.length === 1 ? source.places[0] : undefined,
    );
    if (!a || !b || field.layer !== other.layer || operand.slice || operand.mask !== undefined) throw new NotForUs();
    if ([a, b].some(({ bytes, mask }) => bytes > 2 || mask !== undefined)) throw new NotForUs();
    const sets: Record<Relation, NumberSet> = {
      '==': [0, 0],
      '!=': [1, WORD_MAX],
      '>': [1, 0xffff],
      '>=': [0, 0xffff],
      '<': [0x10000, WORD_MAX],
      '<=': unionOf([
        [0, 0],
        [0x10000, WORD_MAX],
      ]),
    };
    const { formulas } = this.packets;
    return formulas.or(
      ...this.#headers(field).map((header) => {
        const difference = this.packets.calculated([...load(header, b), [OP.st, SCRATCH], ...load(header, a), [OP.ldxMem, SCRATCH], [OP.subX, 0]]);
        return formulas.and(header.is, formulas.in(difference, sets[relation]));
      }),
    );
  }
}

const isNumber = ({ type }: FieldType): boolean => type === 'number' || type === 'truth' || type === 'setting';

function quantifierOf(test: Test): Quantifier {
  return test.kind === 'compare' ? test.quantifier : 'any';
}

/** The numbers that the test wants. */
function numbersOf(test: Test, field: FieldType): NumberSet {
  const read = (value: Value): number => {
    const number = field.type === 'number' ? numberIn(value, field.max) : truthIn(value, field.type === 'setting');
    if (number === undefined) throw new NotForUs();
    return number;
  };
  if (test.kind === 'exists') return rangeSet(1, WORD_MAX);
  if (test.kind === 'compare') {
    if (field.type !== 'number' && test.relation !== '==' && test.relation !== '!=') throw new NotForUs();
    return related(test.relation, read(test.value), WORD_MAX);
  }
  if (field.type !== 'number') throw new NotForUs();
  return unionOf(
    test.elements.map(({ low, high }) => {
      const [from, to] = [read(low), read(high ?? low)];
      if (from > to) throw new NotForUs();
      return rangeSet(from, to);
    }),
  );
}

function addressOf(value: Value, { type }: FieldType): Bits {
  const found = type === 'ether' ? etherIn(value) : addressIn(value, type === 'ipv4' ? 4 : 16);
  if (!found) throw new NotForUs();
  return found;
}

/** A single byte compared with one. */
function bytesSet(test: Test): NumberSet {
  const value = test.kind === 'compare' && (test.relation === '==' || test.relation === '!=') ? bytesIn(test.value) : undefined;
  if (test.kind !== 'compare' || value?.length !== 1) throw new NotForUs();
  return related(test.relation, value[0]!, 255);
}

/** One digit, as a byte. */
function smallIn(text: string): readonly number[] | undefined {
  return /^[0-9]$/.test(text) ? [Number(text)] : undefined;
}

/** Where a field's bytes are, and how many. */
function sliced({ type, source }: FieldType, headerBytes: number | undefined): [readonly Place[], number] {
  if (source.kind === 'header' && headerBytes !== undefined) return [[{ at: 0, bytes: 1 }], headerBytes];
  if (source.kind === 'places' && (type === 'ether' || type === 'ipv4' || type === 'ipv6')) return [source.places, source.places[0]!.bytes];
  throw new NotForUs();
}

/** A place of a header into A. */
function load({ base, at }: Header, place: Place): Instruction[] {
  const bytes = place.bytes as 1 | 2 | 4;
  if (typeof base === 'string') return [[OP.ldAbs[bytes], at + place.at]];
  return [
    [OP.ldxMsh, base.ip4],
    [OP.ldInd[bytes], at + place.at],
  ];
}

/** What the IP header says of its packet's length, less the headers. */
function tcpLength({ base, at }: Header, network: number): Instruction[] {
  const dataOffset: Instruction[] = [
    [OP.and, 0xf0],
    [OP.rsh, 2],
  ];
  if (typeof base !== 'string')
    return [[OP.ldxMsh, base.ip4], [OP.ldInd[1], at + 12], ...dataOffset, [OP.addX, 0], [OP.tax, 0], [OP.ldAbs[2], network + 2], [OP.subX, 0]];
  return [[OP.ldAbs[1], at + 12], ...dataOffset, [OP.add, at - network - 40], [OP.tax, 0], [OP.ldAbs[2], network + 4], [OP.subX, 0]];
}
