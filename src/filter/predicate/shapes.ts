/**
 * The shapes that packets of a link type can have: how many VLAN tags, and what network layer behind them. Offsets are those of
 * `native/index/places.h`, so that the index knows what the programs look at.
 */
import { SpillwayError } from '../../errors.js';
import { linkTypeName } from '../linktypes.js';
import type { Base, Field, FieldTable } from './fields.js';
import type { Formula, Formulas } from './formula.js';
import { complementOf, intersectionOf, NO_NUMBER, setOf, type NumberSet } from './sets.js';

export interface Ends {
  source: Field[];
  destination: Field[];
}

/** One way to the transport layer; of a packet, one of its shape's ways is open at most. */
export interface Way {
  protocolIn(set: NumberSet): Formula;
  /** It is no later fragment: its transport header is there. */
  whole: Formula;
  /** Of TCP and UDP alike. */
  ports: { source: Field; destination: Field };
  sourceIsClient: Field;
}

export interface Network {
  kind: 'ip4' | 'ip6';
  /** The addresses, in words of 32 bits. */
  ends: Ends;
  ways: Way[];
}

export interface Shape {
  /** The packet is of this shape. Of a packet, it is so of exactly one. */
  is: Formula;
  /** The VLAN ids of its tags, the outermost first. */
  tags: Field[];
  network: Network | null;
}

export interface LinkShapes {
  macs: Ends | null;
  shapes: Shape[];
}

type Link = { macs?: true } & (
  { by: 'ether-type'; at: number; network: number } | { by: 'version' } | { by: 'family'; network: number } | { by: 'itself'; kind: Network['kind'] }
);

const LINKS = new Map<number, Link>([
  [1, { by: 'ether-type', at: 12, network: 14, macs: true }],
  [113, { by: 'ether-type', at: 14, network: 16 }],
  [276, { by: 'ether-type', at: 0, network: 20 }],
  [0, { by: 'family', network: 4 }],
  [108, { by: 'family', network: 4 }],
  [101, { by: 'version' }],
  [12, { by: 'version' }],
  [14, { by: 'version' }],
  [228, { by: 'itself', kind: 'ip4' }],
  [229, { by: 'itself', kind: 'ip6' }],
]);

const MAX_TAGS = 2;
const TAG_BYTES = 4;
const VLAN_MASK = 0xfff;
const FRAGMENT_OFFSET = 0x1fff;
const ETHER_TYPE = { ip4: setOf([0x0800]), ip6: setOf([0x86dd]), tag: setOf([0x8100, 0x88a8, 0x9100]) };
const VERSION = { mask: 0xf0, ip4: setOf([0x40]), ip6: setOf([0x60]) };
/** AF_INET and the numbers that AF_INET6 has in Linux, NetBSD and OpenBSD, FreeBSD, Darwin; in either byte order. */
const FAMILY = { ip4: eitherOrder([2]), ip6: eitherOrder([10, 24, 28, 30]) };

/** IPv6 headers that are walked over: hop-by-hop options, routing, fragment, destination options. */
export const EXTENSION_HEADERS = setOf([0, 43, 44, 60]);

export function shapesOf(linkType: number, formulas: Formulas, fields: FieldTable): LinkShapes {
  const link = LINKS.get(linkType);
  if (!link)
    throw new SpillwayError(
      'FILTER_LINK_TYPE',
      `a STEELFILTER does not fit link type ${linkTypeName(linkType)}: it is for ${[...LINKS.keys()].map(linkTypeName).join(', ')}`,
      { link_type: linkTypeName(linkType) },
    );
  return new Shaper(formulas, fields).of(link);
}

class Shaper {
  constructor(
    readonly formulas: Formulas,
    readonly fields: FieldTable,
  ) {}

  of(link: Link): LinkShapes {
    const macs = link.macs ? this.#macs() : null;
    if (link.by === 'ether-type') return { macs, shapes: this.#behindTags(link.at, link.network) };
    if (link.by === 'itself') return { macs, shapes: [this.#shape(this.formulas.true, [], link.kind, 0)] };
    const [field, kinds, network] =
      link.by === 'version'
        ? [this.fields.addStructuralLoad(0, 1, VERSION.mask), VERSION, 0]
        : [this.fields.addStructuralLoad(0, 4), FAMILY, link.network];
    return { macs, shapes: this.#byField(this.formulas.true, [], field, kinds, network) };
  }

  /** As libpcap, and so the index, divides them: two bytes, then four. */
  #macs(): Ends {
    const end = (at: number): Field[] => [this.#load(at, 2), this.#load(at + 2, 4)];
    return { destination: end(0), source: end(6) };
  }

  #behindTags(at: number, network: number): Shape[] {
    const types = [this.fields.addStructuralLoad(at, 2)];
    const tags: Field[] = [];
    for (let depth = 1; depth <= MAX_TAGS; depth += 1) {
      const tag = network + (depth - 1) * TAG_BYTES;
      tags.push(this.fields.add({ kind: 'load', base: 'packet', at: tag, bytes: 2, mask: VLAN_MASK }));
      types.push(this.fields.addStructuralLoad(tag + 2, 2));
    }
    return types.flatMap((type, depth) => {
      const tagged = this.formulas.and(...types.slice(0, depth).map((outer) => this.formulas.in(outer, ETHER_TYPE.tag)));
      const kinds = depth < MAX_TAGS ? ETHER_TYPE : { ...ETHER_TYPE, tag: NO_NUMBER };
      return this.#byField(tagged, tags.slice(0, depth), type, kinds, network + depth * TAG_BYTES);
    });
  }

  /** IPv4, IPv6 and everything else but a further tag. */
  #byField(outer: Formula, tags: Field[], field: Field, kinds: Record<Network['kind'], NumberSet> & { tag?: NumberSet }, network: number): Shape[] {
    const { ip4, ip6, tag = NO_NUMBER } = kinds;
    const others = intersectionOf(
      [ip4, ip6, tag].map((set) => complementOf(set, field.max)),
      field.max,
    );
    const is = (set: NumberSet): Formula => this.formulas.and(outer, this.formulas.in(field, set));
    return [this.#shape(is(ip4), tags, 'ip4', network), this.#shape(is(ip6), tags, 'ip6', network), { is: is(others), tags, network: null }];
  }

  #shape(is: Formula, tags: Field[], kind: Network['kind'], at: number): Shape {
    return { is, tags, network: kind === 'ip4' ? this.#ip4(at) : this.#ip6(at) };
  }

  #ip4(at: number): Network {
    const ends = { source: [this.#load(at + 12, 4)], destination: [this.#load(at + 16, 4)] };
    const protocol = this.fields.addStructuralLoad(at + 9, 1);
    const later = this.fields.addStructuralLoad(at + 6, 2, FRAGMENT_OFFSET);
    const way = { protocolIn: (set: NumberSet) => this.formulas.in(protocol, set), whole: this.formulas.in(later, setOf([0])) };
    return { kind: 'ip4', ends, ways: [{ ...way, ...this.#transport({ ip4: at }, at) }] };
  }

  #ip6(at: number): Network {
    const address = (from: number): Field[] => [0, 4, 8, 12].map((word) => this.#load(from + word, 4));
    const ends = { source: address(at + 8), destination: address(at + 24) };
    const next = this.fields.addStructuralLoad(at + 6, 1);
    const upper = complementOf(EXTENSION_HEADERS, next.max);
    const direct: Way = {
      protocolIn: (set) => this.formulas.in(next, intersectionOf([set, upper], next.max)),
      whole: this.formulas.true,
      ...this.#transport('packet', at + 40),
    };
    const walked = this.fields.addStructural({ kind: 'walk', network: at }, 0xff);
    const later = this.fields.addStructural({ kind: 'walked-later' }, 1);
    const behind: Way = {
      protocolIn: (set) => this.formulas.and(this.formulas.in(next, EXTENSION_HEADERS), this.formulas.in(walked, set)),
      whole: this.formulas.in(later, setOf([0])),
      ...this.#transport('walk', at + 40),
    };
    return { kind: 'ip6', ends, ways: [direct, behind] };
  }

  #transport(base: Base, at: number): Pick<Way, 'ports' | 'sourceIsClient'> {
    const ports = { source: this.#load(at, 2, base), destination: this.#load(at + 2, 2, base) };
    return { ports, sourceIsClient: this.fields.addStructural({ kind: 'source-is-client', base, at }, 1) };
  }

  #load(at: number, bytes: 2 | 4, base: Base = 'packet'): Field {
    return this.fields.add({ kind: 'load', base, at, bytes });
  }
}

function eitherOrder(families: number[]): NumberSet {
  return setOf(families.flatMap((family) => [family, family * 2 ** 24]));
}
