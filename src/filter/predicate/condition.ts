/** What a predicate says of the packets of a link type, as one formula over their fields. */
import type { Field } from './fields.js';
import type { Formula, Formulas } from './formula.js';
import type { Addresses, Predicate, Side } from './predicate.js';
import { rangeSet, setOf, unionOf, type NumberSet } from './sets.js';
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
          const [source, destination] = [way.ports.source, way.ports.destination].map((port) => formulas.in(port, predicate.values));
          return formulas.and(way.protocolIn(PROTOCOL[predicate.transport]), way.whole, this.#ofSide(predicate.side, source!, destination!, way));
        });
      case 'protocol':
        return this.#onWays((way) => way.protocolIn(predicate.values));
      case 'vlan':
        return formulas.or(...shape.tags.map((tag) => formulas.in(tag, predicate.values)));
    }
  }

  #ip({ side, tcp, addresses }: Predicate & { kind: 'ip' }): Formula {
    const { network } = this.shape;
    if (!network) return this.formulas.false;
    const wanted = addresses.filter(({ kind }) => kind === network.kind);
    const [source, destination] = [this.#begins(network.ends.source, wanted), this.#begins(network.ends.destination, wanted)];
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

  /** The address in these fields is among those wanted. */
  #begins(fields: readonly Field[], wanted: readonly Addresses[]): Formula {
    const { formulas } = this;
    const sets = wanted.map((each) => wordSets(fields, each));
    // Of one word, all are one comparison.
    if (fields.length === 1) return formulas.in(fields[0]!, unionOf(sets.map((words) => words[0]!)));
    return formulas.or(...sets.map((words) => formulas.and(...words.map((set, i) => formulas.in(fields[i]!, set)))));
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

/** Word by word, what an address with this prefix can have there. */
function wordSets(fields: readonly Field[], { words, prefixBits }: Addresses): NumberSet[] {
  let left = prefixBits;
  return fields.map(({ max }, i) => {
    const bits = Math.log2(max + 1);
    const free = 2 ** (bits - Math.max(0, Math.min(bits, left)));
    const low = Math.floor((words[i] ?? 0) / free) * free;
    left -= bits;
    return rangeSet(low, low + free - 1);
  });
}
