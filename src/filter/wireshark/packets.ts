/** The packets of a link type, in shapes: which headers they have, and where. */
import { OP } from '../predicate/assembler.js';
import { FieldTable, type Base, type Field, type Instruction } from '../predicate/fields.js';
import { Formulas, type Formula } from '../predicate/formula.js';
import { complementOf, rangeSet, setOf, unionOf, type NumberSet } from '../predicate/sets.js';
import type { Layer } from './fields.js';

/** A header, in the packets in which `is` holds. */
export interface Header {
  is: Formula;
  base: Base;
  at: number;
}

export interface Shape {
  /** The packet is of this shape. Of a packet, it is so of exactly one. */
  is: Formula;
  network: 'ip4' | 'ip6' | 'arp' | 'llc' | 'other';
  /** Where what is named by the EtherType begins. */
  at: number;
  /** The EtherType that names it; null where the link type does. */
  type: Field | null;
  headers: ReadonlyMap<Layer, readonly Header[]>;
}

/**
 * How a link type says what a packet is, and the number that tshark has for it. `frame`: of its packets the frame alone is looked at. Link types of which tshark
 * takes something off a packet's beginning are not here: their lengths and offsets are others.
 */
type Link = { encapsulation?: number } & (
  | { by: 'eth' | 'version' | 'ip4' | 'ip6' | 'frame' }
  | { by: 'family'; families: Record<'ip4' | 'ip6', NumberSet> }
  | { by: 'sll'; type: number; hardware: number; network: number }
);

/** SLIP, PPP, HDLC, 802.11, frame relay, radiotap, PPI, NFLOG. */
const FRAMES = [8, 9, 50, 104, 105, 107, 127, 192, 239];
/** AF_INET, and the numbers of AF_INET6 that tshark knows. */
const FAMILIES = { ip4: [2], ip6: [24, 28, 30] };
const families = (orders: readonly number[]): Record<'ip4' | 'ip6', NumberSet> => {
  const all = (list: readonly number[]): NumberSet => setOf(list.flatMap((family) => orders.map((order) => family * order)));
  return { ip4: all(FAMILIES.ip4), ip6: all(FAMILIES.ip6) };
};
const [BIG_ENDIAN, LITTLE_ENDIAN] = [1, 2 ** 24];
const LINKS: ReadonlyMap<number, Link> = new Map<number, Link>([
  [1, { by: 'eth', encapsulation: 1 }],
  [113, { by: 'sll', type: 14, hardware: 2, network: 16, encapsulation: 25 }],
  [276, { by: 'sll', type: 0, hardware: 8, network: 20, encapsulation: 210 }],
  [101, { by: 'version', encapsulation: 7 }],
  [12, { by: 'version', encapsulation: 7 }],
  [14, { by: 'version', encapsulation: 7 }],
  [0, { by: 'family', families: families([BIG_ENDIAN, LITTLE_ENDIAN]), encapsulation: 15 }],
  [108, { by: 'family', families: families([BIG_ENDIAN]), encapsulation: 174 }],
  [228, { by: 'ip4', encapsulation: 129 }],
  [229, { by: 'ip6', encapsulation: 130 }],
  ...FRAMES.map((linkType): [number, Link] => [linkType, { by: 'frame' }]),
]);

const ETHER_TYPE = { ip4: setOf([0x0800]), ip6: setOf([0x86dd]), arp: setOf([0x0806]), tag: setOf([0x8100, 0x9100]) };
/** A number up to this one is a length, and LLC follows. */
const MAX_LENGTH = 1500;
export const MIN_TYPE = 1536;
const LENGTHS = rangeSet(1, MAX_LENGTH);
const MAX_TAGS = 2;
const TAG_BYTES = 4;
const VERSION = { mask: 0xf0, ip4: setOf([0x40]), ip6: setOf([0x60]) };
/** An Ethernet or a loopback interface: of others, SLL's protocol means something else. */
const HARDWARE = setOf([1, 772]);
export const PROTOCOL = { icmp: setOf([1]), tcp: setOf([6]), udp: setOf([17]), icmpv6: setOf([58]), hopopts: setOf([0]) };
export const HOPOPTS_BYTES = 8;

/** Of a packet of which nothing but the frame is known. */
export const ANY_SHAPE = (formulas: Formulas): Shape => ({ is: formulas.true, network: 'other', at: 0, type: null, headers: new Map() });

/** What programs for the packets of one link type are made of. */
export class Packets {
  readonly formulas = new Formulas();
  readonly fields = new FieldTable();
  readonly #known = new Map<string, Field>();
  readonly shapes: readonly Shape[];
  /** A frame is there as it was captured. Of raw IP tshark cuts what is behind the IP packet. */
  readonly hasWholeFrame: boolean;
  /** What tshark calls the link type; undefined where that is not known here. */
  readonly encapsulation: number | undefined;
  /** Of SLL alone. */
  readonly hardware: Formula;

  private constructor(link: Link) {
    this.encapsulation = link.encapsulation;
    this.hasWholeFrame = link.by === 'eth' || link.by === 'sll';
    this.hardware = link.by === 'sll' ? this.formulas.in(this.structural(link.hardware, 2), HARDWARE) : this.formulas.true;
    this.shapes = this.#shapesOf(link);
  }

  /** Undefined where the link type's packets, or of a filter that `isOfHeaders` their headers, are for tshark alone. */
  static of(linkType: number, isOfHeaders: boolean): Packets | undefined {
    const link = LINKS.get(linkType);
    return link && (link.by !== 'frame' || !isOfHeaders) ? new Packets(link) : undefined;
  }

  /** The field that a load finds; one field for one load. */
  load(base: Base, at: number, bytes: 1 | 2 | 4, mask?: number): Field {
    const known = base === 'packet' ? this.#known.get(structuralKey(at, bytes, mask)) : undefined;
    const key = `load ${typeof base === 'string' ? base : base.ip4} ${at} ${bytes} ${mask}`;
    return known ?? this.#once(key, () => this.fields.add({ kind: 'load', base, at, bytes, ...(mask !== undefined && { mask }) }));
  }

  structural(at: number, bytes: 1 | 2 | 4, mask?: number): Field {
    return this.#once(structuralKey(at, bytes, mask), () => this.fields.addStructuralLoad(at, bytes, mask));
  }

  /** The same load as another field, to be looked at again: one to tell few values apart, one for many, so that not every way of the one leads through the other. */
  again(at: number, bytes: 1 | 2 | 4): Field {
    return this.#once(`again ${at} ${bytes}`, () => this.fields.addStructuralLoad(at, bytes));
  }

  calculated(instructions: readonly Instruction[], max = 0xffffffff): Field {
    return this.#once(JSON.stringify(instructions), () => this.fields.addStructural({ kind: 'calculation', instructions }, max));
  }

  /** The wire length of the packet. */
  length(): Field {
    return this.calculated([[OP.ldLen, 0]]);
  }

  /** This byte was captured: where it was not, the program rejects the packet. */
  isThere(at: number): Formula {
    const one = this.calculated(
      [
        [OP.ldAbs[1], at],
        [OP.ldImm, 1],
      ],
      1,
    );
    return this.formulas.in(one, setOf([1]));
  }

  #once(key: string, make: () => Field): Field {
    const known = this.#known.get(key);
    if (known) return known;
    const field = make();
    this.#known.set(key, field);
    return field;
  }

  #shapesOf(link: Link): Shape[] {
    const { formulas } = this;
    switch (link.by) {
      case 'frame':
        return [];
      case 'eth':
        return this.#behindTags();
      case 'sll':
        return this.#byType(formulas.true, this.structural(link.type, 2), link.network, new Map(), false);
      case 'version':
        return this.#byField(this.structural(0, 1, VERSION.mask), VERSION, 0);
      case 'family':
        return this.#byField(this.structural(0, 4), link.families, 4);
      case 'ip4':
        return [this.#ip4(formulas.true, null, 0, new Map())];
      case 'ip6':
        return [this.#ip6(formulas.true, null, 0, new Map())];
    }
  }

  /** IPv4, IPv6, or nothing that is known. */
  #byField(field: Field, kinds: Record<'ip4' | 'ip6', NumberSet>, at: number): Shape[] {
    const is = (set: NumberSet): Formula => this.formulas.in(field, set);
    const others = complementOf(unionOf([kinds.ip4, kinds.ip6]), field.max);
    return [
      this.#ip4(is(kinds.ip4), null, at, new Map()),
      this.#ip6(is(kinds.ip6), null, at, new Map()),
      { is: is(others), network: 'other', at, type: null, headers: new Map() },
    ];
  }

  #behindTags(): Shape[] {
    const { formulas } = this;
    const types = Array.from({ length: MAX_TAGS + 1 }, (_, depth) => this.structural(12 + depth * TAG_BYTES, 2));
    const outer = types[0]!;
    const link: Header = { is: formulas.true, base: 'packet', at: 0 };
    const headers: [Layer, Header[]][] = [
      ['eth', [link]],
      ['eth.type', [{ ...link, is: formulas.in(outer, rangeSet(MIN_TYPE, outer.max)) }]],
      ['eth.len', [{ ...link, is: formulas.in(outer, LENGTHS) }]],
    ];
    return types.flatMap((type, depth) => {
      const tagged = formulas.and(...types.slice(0, depth).map((each) => formulas.in(each, ETHER_TYPE.tag)));
      const tags = types.slice(0, depth).map((_, i): Header => ({ is: formulas.true, base: 'packet', at: 14 + i * TAG_BYTES }));
      const known = new Map(headers);
      if (depth > 0) known.set('vlan', tags);
      return this.#byType(tagged, type, 14 + depth * TAG_BYTES, known, depth < MAX_TAGS);
    });
  }

  /** `hasTag`: a further tag is of another shape. */
  #byType(outer: Formula, type: Field, at: number, headers: ReadonlyMap<Layer, Header[]>, hasTag: boolean): Shape[] {
    const is = (set: NumberSet): Formula => this.formulas.and(outer, this.formulas.in(type, set));
    const { ip4, ip6, arp, tag } = ETHER_TYPE;
    const named = unionOf([ip4, ip6, arp, LENGTHS, ...(hasTag ? [tag] : [])]);
    const plain: Header = { is: this.formulas.true, base: 'packet', at };
    return [
      this.#ip4(is(ip4), type, at, headers),
      this.#ip6(is(ip6), type, at, headers),
      { is: is(arp), network: 'arp', at, type, headers: new Map(headers).set('arp', [plain]) },
      { is: is(LENGTHS), network: 'llc', at, type, headers },
      { is: is(complementOf(named, type.max)), network: 'other', at, type, headers },
    ];
  }

  #ip4(is: Formula, type: Field | null, at: number, outer: ReadonlyMap<Layer, readonly Header[]>): Shape {
    const protocol = this.structural(at + 9, 1);
    const here: Header = { is: this.formulas.true, base: 'packet', at };
    const headers = new Map(outer).set('ip', [here]).set('ip.version', [here]);
    for (const layer of ['tcp', 'udp', 'icmp'] as const)
      headers.set(layer, [{ is: this.formulas.in(protocol, PROTOCOL[layer]), base: { ip4: at }, at }]);
    return { is, network: 'ip4', at, type, headers };
  }

  /** Behind the IPv6 header, or behind hop-by-hop options of eight bytes. */
  #ip6(is: Formula, type: Field | null, at: number, outer: ReadonlyMap<Layer, readonly Header[]>): Shape {
    const { formulas } = this;
    const next = this.structural(at + 6, 1);
    const options = formulas.in(next, PROTOCOL.hopopts);
    const behind = this.structural(at + 40, 1);
    const here: Header = { is: formulas.true, base: 'packet', at };
    const headers = new Map(outer)
      .set('ipv6', [here])
      .set('ip.version', [here])
      .set('ipv6.hopopts', [{ is: options, base: 'packet', at: at + 40 }]);
    for (const layer of ['tcp', 'udp', 'icmpv6'] as const)
      headers.set(layer, [
        { is: formulas.in(next, PROTOCOL[layer]), base: 'packet', at: at + 40 },
        { is: formulas.and(options, formulas.in(behind, PROTOCOL[layer])), base: 'packet', at: at + 40 + HOPOPTS_BYTES },
      ]);
    return { is, network: 'ip6', at, type, headers };
  }
}

const structuralKey = (at: number, bytes: number, mask?: number): string => `structural ${at} ${bytes} ${mask}`;
