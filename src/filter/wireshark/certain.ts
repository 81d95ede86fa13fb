/**
 * In which packets the outer headers say everything: tshark finds the headers that filters look at where they are expected, and what is behind them
 * never leads to more of them. Only where every packet of a range is such, nothing that one packet leaves behind changes what tshark sees in another.
 */
import { OP } from '../predicate/assembler.js';
import type { Field, Instruction } from '../predicate/fields.js';
import type { Formula } from '../predicate/formula.js';
import { complementOf, rangeSet, setOf, unionOf, type NumberSet } from '../predicate/sets.js';
import * as harmless from './harmless.js';
import type { Depth } from './needs.js';
import { HOPOPTS_BYTES, MIN_TYPE, PROTOCOL, type Packets, type Shape } from './packets.js';

/** A number that is not below 0. */
const NOT_NEGATIVE = rangeSet(0, 0x7fffffff);
const SOME = rangeSet(1, 0xffff);
const ZERO = setOf([0]);
const ONE = setOf([1]);
const FRAGMENT = 0x3fff;
const ROUTER_ALERT_4 = setOf([0x94]);
const ROUTER_ALERT_6 = setOf([5]);
const ARP = { bytes: 28, start: setOf([0x00010800]), sizes: setOf([0x0604]), operations: rangeSet(1, 2) };
/** The spanning tree protocol's destination, and its LLC header. Other destinations may be those of Cisco's ISL. */
const STP = { destination: setOf([0x0180c200]), saps: setOf([0x4242]), control: setOf([3]) };
/** Headers that may stand between IPv6 and the transport. */
const EXTENSIONS = setOf([0, 43, 44, 51, 60, 135, 139, 140]);
const [A_WORD, B_WORD] = [3, 4];

/** What a packet must be. */
export interface Wanted {
  /** `any`: its headers are as they should be, down to those that the filter looks at; more may follow. `none`: nothing follows that leads back to them. */
  payload: 'any' | 'none';
  depth: Depth;
}

export function packetsOf(packets: Packets, wanted: Wanted): Formula {
  const { formulas } = packets;
  return formulas.and(
    packets.hardware,
    formulas.or(...packets.shapes.map((shape) => formulas.and(shape.is, new Judge(packets, shape, wanted).judge()))),
  );
}

/** An upper header: where it begins, and instructions that leave in A how many bytes of its packet there are from there on. */
interface Upper {
  at: number;
  length: readonly Instruction[];
}

class Judge {
  readonly #any: boolean;

  constructor(
    readonly packets: Packets,
    readonly shape: Shape,
    readonly wanted: Wanted,
  ) {
    this.#any = wanted.payload === 'any';
  }

  judge(): Formula {
    const { formulas } = this.packets;
    const { at, type, network, headers } = this.shape;
    if (this.#any && this.wanted.depth === 'link') {
      if (!type) return formulas.false;
      return formulas.in(type, complementOf(unionOf([rangeSet(0, MIN_TYPE - 1), harmless.NO_ETHERNET]), type.max));
    }
    switch (network) {
      case 'ip4':
        return this.#ip4(at);
      case 'ip6':
        return this.#ip6(at);
      case 'arp':
        return this.#and(
          this.#in(at, 4, ARP.start),
          this.#in(at + 4, 2, ARP.sizes),
          this.#in(at + 6, 2, ARP.operations),
          this.packets.isThere(at + ARP.bytes - 1),
        );
      case 'llc':
        if (headers.has('vlan')) return formulas.false;
        return this.#and(this.#in(0, 4, STP.destination), this.#in(at, 2, STP.saps), this.#in(at + 2, 1, STP.control), this.packets.isThere(at + 6));
      case 'other':
        return type ? formulas.in(type, harmless.ETHER_TYPES) : formulas.false;
    }
  }

  #ip4(at: number): Formula {
    const { packets } = this;
    // Of a fragment, tshark may put together the packet.
    const isWhole = this.#onlyNetwork ? packets.formulas.true : packets.formulas.in(packets.structural(at + 6, 2, FRAGMENT), ZERO);
    const endsWithin = this.#endsWithin([[OP.ldAbs[2], at + 2]], at);
    const plain = this.#and(this.#in(at, 1, setOf([0x45])), packets.isThere(at + 19), this.#upper4(at, at + 20, true));
    const withOption = this.#and(
      this.#in(at, 1, setOf([0x46])),
      this.#in(at + 20, 1, ROUTER_ALERT_4),
      packets.isThere(at + 23),
      this.#upper4(at, at + 24, false),
    );
    return this.#and(isWhole, endsWithin, packets.formulas.or(plain, withOption));
  }

  #upper4(at: number, upper: number, hasTransport: boolean): Formula {
    const { formulas } = this.packets;
    const protocol = this.packets.structural(at + 9, 1);
    const length: Upper = {
      at: upper,
      length: [
        [OP.ldAbs[2], at + 2],
        [OP.add, (at - upper) >>> 0],
      ],
    };
    if (this.#onlyNetwork) return this.#hasBytes(length, 0);
    return formulas.or(
      hasTransport ? this.#transport(protocol, length) : formulas.false,
      formulas.and(formulas.in(protocol, PROTOCOL.icmp), this.#among(upper, harmless.ICMP_TYPES), this.#hasBytes(length, 8)),
      this.#others(protocol, length, [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmp]),
    );
  }

  #ip6(at: number): Formula {
    const { formulas } = this.packets;
    const next = this.packets.structural(at + 6, 1);
    const options = at + 40;
    const behind = this.packets.structural(options, 1);
    const start = this.#and(
      formulas.in(this.packets.structural(at, 1, 0xf0), setOf([0x60])),
      this.packets.isThere(at + 39),
      this.#endsWithin([[OP.ldAbs[2], at + 4]], at + 40),
    );
    const withOption = this.#and(
      formulas.in(next, PROTOCOL.hopopts),
      this.#in(options + 1, 1, ZERO),
      this.#in(options + 2, 1, ROUTER_ALERT_6),
      this.packets.isThere(options + HOPOPTS_BYTES - 1),
      this.#upper6(at, options + HOPOPTS_BYTES, behind, false),
    );
    return this.#and(start, formulas.or(this.#upper6(at, at + 40, next, true), withOption));
  }

  #upper6(at: number, upper: number, protocol: Field, hasTransport: boolean): Formula {
    const { formulas } = this.packets;
    const length: Upper = {
      at: upper,
      length: [
        [OP.ldAbs[2], at + 4],
        [OP.add, (at + 40 - upper) >>> 0],
      ],
    };
    if (this.#onlyNetwork) return this.#hasBytes(length, 0);
    return formulas.or(
      hasTransport ? this.#transport(protocol, length) : formulas.false,
      formulas.and(formulas.in(protocol, PROTOCOL.icmpv6), this.#icmp6(length)),
      this.#others(protocol, length, [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmpv6, EXTENSIONS]),
    );
  }

  /** Behind options it is rare enough to be left to tshark. */
  #transport(protocol: Field, upper: Upper): Formula {
    const { formulas } = this.packets;
    return formulas.or(
      formulas.and(formulas.in(protocol, PROTOCOL.tcp), this.#tcp(upper)),
      formulas.and(formulas.in(protocol, PROTOCOL.udp), this.#udp(upper)),
    );
  }

  #tcp(upper: Upper): Formula {
    const { packets } = this;
    const { at } = upper;
    const headerBytes: Instruction[] = [
      [OP.ldAbs[1], at + 12],
      [OP.and, 0xf0],
      [OP.rsh, 2],
      [OP.tax, 0],
    ];
    const lastByte = packets.calculated([...headerBytes, [OP.ldInd[1], at - 1], [OP.ldImm, 1]], 1);
    const payload = packets.calculated([...headerBytes, ...upper.length, [OP.subX, 0]]);
    return this.#and(
      packets.formulas.in(packets.structural(at + 12, 1, 0xf0), rangeSet(0x50, 0xf0)),
      packets.isThere(at + 19),
      packets.formulas.in(lastByte, ONE),
      this.#any
        ? packets.formulas.in(payload, NOT_NEGATIVE)
        : packets.formulas.or(
            packets.formulas.in(payload, ZERO),
            this.#and(packets.formulas.in(payload, SOME), this.#tcpPayload(at, headerBytes, payload)),
          ),
    );
  }

  #tcpPayload(at: number, headerBytes: readonly Instruction[], payload: Field): Formula {
    const { packets } = this;
    const { formulas } = packets;
    const ports = [at, at + 2].map((port) => packets.structural(port, 2));
    const each = (set: NumberSet): Formula[] => ports.map((port) => formulas.in(port, set));
    const start = packets.calculated([...headerBytes, [OP.ldInd[4], at]]);
    // Nothing of a method may be in a segment before.
    const isNoTunnel = this.#and(formulas.in(payload, rangeSet(4, 0xffff)), formulas.in(start, complementOf(harmless.TUNNEL_METHODS, start.max)));
    // Looked at last, because they are many.
    const others = [at, at + 2].map((port) => formulas.in(packets.again(port, 2), harmless.FREE_TCP_PORTS));
    const isHarmless = each(harmless.TCP_PORTS).map((is, i) => formulas.and(is, others[1 - i]!));
    return this.#and(
      formulas.or(formulas.and(...each(harmless.TCP_PORTS)), ...isHarmless),
      formulas.or(formulas.not(formulas.or(...each(harmless.HTTP_PORTS))), isNoTunnel),
    );
  }

  #udp(upper: Upper): Formula {
    const { packets } = this;
    const { at } = upper;
    const more = packets.calculated([[OP.ldAbs[2], at + 4], [OP.tax, 0], ...upper.length, [OP.subX, 0]]);
    const length = packets.structural(at + 4, 2);
    return this.#and(
      packets.formulas.in(more, ZERO),
      packets.isThere(at + 7),
      this.#any
        ? packets.formulas.in(length, rangeSet(8, 0xffff))
        : packets.formulas.or(
            packets.formulas.in(length, setOf([8])),
            packets.formulas.and(packets.formulas.in(length, rangeSet(9, 0xffff)), packets.formulas.in(this.#lowerPort(at), harmless.UDP_PORTS)),
          ),
    );
  }

  /** Neighbour discovery without options, or with the one that it usually has: a link-layer address. */
  #icmp6(upper: Upper): Formula {
    const { formulas } = this.packets;
    const { at } = upper;
    if (this.#any) return this.#hasBytes(upper, 8);
    const bytes = this.packets.calculated(upper.length);
    const discovery = (types: number[], before: number): Formula =>
      this.#and(
        this.#in(at, 1, setOf(types)),
        formulas.or(
          formulas.in(bytes, setOf([before])),
          formulas.and(
            formulas.in(bytes, setOf([before + 8])),
            this.#in(at + before, 2, setOf([0x0101, 0x0201])),
            this.packets.isThere(at + before + 7),
          ),
        ),
      );
    return formulas.or(this.#and(this.#in(at, 1, harmless.ICMPV6_TYPES), this.#hasBytes(upper, 8)), discovery([135, 136], 24), discovery([133], 8));
  }

  /** Protocols of which nothing is looked at; `known` are the others. */
  #others(protocol: Field, upper: Upper, known: readonly NumberSet[]): Formula {
    const { formulas } = this.packets;
    if (this.#any) return formulas.and(formulas.in(protocol, complementOf(unionOf(known), protocol.max)), this.#hasBytes(upper, 0));
    const { PIM, PROTOCOLS } = harmless;
    return formulas.or(
      formulas.and(formulas.in(protocol, PROTOCOLS), this.#hasBytes(upper, 0)),
      this.#and(formulas.in(protocol, PIM.protocol), this.#in(upper.at, 1, PIM.others), this.#hasBytes(upper, 4)),
    );
  }

  get #onlyNetwork(): boolean {
    return this.#any && this.wanted.depth === 'network';
  }

  /** The first byte is among those of the set, where that matters. */
  #among(at: number, set: NumberSet): Formula {
    return this.#any ? this.packets.formulas.true : this.#in(at, 1, set);
  }

  /** With which tshark looks for a dissector of UDP first. */
  #lowerPort(at: number): Field {
    return this.packets.calculated(
      [
        // The lower of a and b is b ^ ((a ^ b) & -(a < b)), where a < b is the sign of a - b.
        [OP.ldAbs[2], at],
        [OP.st, A_WORD],
        [OP.tax, 0],
        [OP.ldAbs[2], at + 2],
        [OP.xorX, 0],
        [OP.st, B_WORD],
        [OP.ldAbs[2], at + 2],
        [OP.tax, 0],
        [OP.ldMem, A_WORD],
        [OP.subX, 0],
        [OP.rsh, 31],
        [OP.neg, 0],
        [OP.ldxMem, B_WORD],
        [OP.andX, 0],
        [OP.st, A_WORD],
        [OP.ldAbs[2], at + 2],
        [OP.ldxMem, A_WORD],
        [OP.xorX, 0],
      ],
      0xffff,
    );
  }

  /** What the length instructions leave in A, from `from` on, ends inside of the packet as it was on the wire. */
  #endsWithin(length: readonly Instruction[], from: number): Formula {
    const slack = this.packets.calculated([...length, [OP.add, from], [OP.tax, 0], [OP.ldLen, 0], [OP.subX, 0]]);
    return this.packets.formulas.in(slack, NOT_NEGATIVE);
  }

  #hasBytes({ at, length }: Upper, count: number): Formula {
    const enough = this.packets.formulas.in(this.packets.calculated(length), rangeSet(count, 0xffff));
    return count === 0 ? enough : this.#and(enough, this.packets.isThere(at + count - 1));
  }

  #in(at: number, bytes: 1 | 2 | 4, set: NumberSet): Formula {
    return this.packets.formulas.in(this.packets.structural(at, bytes), set);
  }

  #and(...parts: Formula[]): Formula {
    return this.packets.formulas.and(...parts);
  }
}
