/** What a predicate says of the packets of a link type, as one formula over their fields. */
import type { Field } from './fields.js';
import type { Formula, Formulas } from './formula.js';
import type { Addresses, Predicate, Range, Side } from './predicate.js';
import { rangeSet, setOf } from './sets.js';
import type { LinkShapes, Shape, Way } from './shapes.js';

const PROTOCOL = { tcp: setOf([6]), udp: setOf([17]) };

export function conditionOf(predicate: Predicate, { macs, shapes }: LinkShapes, formulas: Formulas): Formula {
  return formulas.or(...shapes.map((shape) => formulas.and(shape.is, new Reader(formulas, macs, shape).read(predicate))));
}

/** Reads predicates of packets of one shape. */
class Reader {
  constructor(
    readonly formulas: Formulas,
    readonly macs: LinkShapes['macs'],
    readonly shape: Shape,
  ) {}

  read(predicate: Predicate): Formula {
    const { formulas, macs, shape } = this;
    switch (predicate.kind) {
      case 'and':
      case 'or':
        return formulas.join(
          predicate.kind,
          predicate.of.map((each) => this.read(each)),
        );
      case 'not':
        return formulas.not(this.read(predicate.of));
      case 'ip':
        return this.#ip(predicate);
      case 'mac': {
        const { source, destination } = macs ?? {};
        if (!source || !destination) return formulas.false;
        return this.#ofSide(predicate.side, this.#begins(source, predicate.addresses), this.#begins(destination, predicate.addresses));
      }
      case 'port':
        return this.#onWays((way) => {
          const [source, destination] = [way.ports.source, way.ports.destination].map((port) => formulas.in(port, setIn(predicate.range)));
          return formulas.and(way.protocolIn(PROTOCOL[predicate.transport]), way.whole, this.#ofSide(predicate.side, source!, destination!, way));
        });
      case 'protocol':
        return this.#onWays((way) => way.protocolIn(setIn(predicate.range)));
      case 'vlan':
        return formulas.or(...shape.tags.map((tag) => formulas.in(tag, setIn(predicate.range))));
    }
  }

  #ip({ side, tcp, addresses }: Predicate & { kind: 'ip' }): Formula {
    const { network } = this.shape;
    if (network?.kind !== addresses.kind) return this.formulas.false;
    const [source, destination] = [this.#begins(network.ends.source, addresses), this.#begins(network.ends.destination, addresses)];
    if (!tcp) return this.#ofSide(side, source, destination);
    return this.#onWays((way) => {
      const isTcp = way.protocolIn(PROTOCOL.tcp);
      // Who is the client shows in the TCP header.
      const known = side === 'client' || side === 'server' ? this.formulas.and(isTcp, way.whole) : isTcp;
      return this.formulas.and(known, this.#ofSide(side, source, destination, way));
    });
  }

  #onWays(read: (way: Way) => Formula): Formula {
    return this.formulas.or(...(this.shape.network?.ways ?? []).map(read));
  }

  #begins(words: readonly Field[], { words: wanted, prefixBits }: Addresses): Formula {
    let left = prefixBits;
    const parts: Formula[] = [];
    for (const [i, field] of words.entries()) {
      const bits = Math.log2(field.max + 1);
      const free = 2 ** (bits - Math.max(0, Math.min(bits, left)));
      const low = Math.floor((wanted[i] ?? 0) / free) * free;
      parts.push(this.formulas.in(field, rangeSet(low, low + free - 1)));
      left -= bits;
    }
    return this.formulas.and(...parts);
  }

  /** `way`: where the sides are those of a TCP connection. */
  #ofSide(side: Side, source: Formula, destination: Formula, way?: Way): Formula {
    if (side === 'source') return source;
    if (side === 'destination') return destination;
    const { formulas } = this;
    if (side === 'either' || !way) return formulas.or(source, destination);
    const sourceIs = (client: boolean): Formula => formulas.in(way.sourceIsClient, setOf([client ? 1 : 0]));
    const isClient = side === 'client';
    return formulas.or(formulas.and(sourceIs(isClient), source), formulas.and(sourceIs(!isClient), destination));
  }
}

const setIn = ({ low, high }: Range) => rangeSet(low, high);
