/** What a parsed STEELFILTER asks of a packet. */
import type { Addresses, Predicate } from '../predicate/predicate.js';
import { rangeSet, type NumberSet } from '../predicate/sets.js';
import { COLUMNS, PROTOCOLS, type Column } from './columns.js';
import type { Comparison, Expression, Operator } from './parser.js';
import { refuse } from '../text.js';
import { addressesIn, macIn, numberIn, protocolIn } from './values.js';

const PORT_MAX = 65535;
const PROTOCOL_MAX = 255;
const VLAN_MAX = 4095;

/** Throws FILTER_INVALID, with the column, at what has no meaning. */
export function check(text: string, expression: Expression): Predicate {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return { kind: expression.kind, of: expression.of.map((each) => check(text, each)) };
    case 'not':
      return { kind: 'not', of: check(text, expression.of) };
    case 'comparison':
      return checkComparison(text, expression);
  }
}

function checkComparison(text: string, comparison: Comparison): Predicate {
  const name = comparison.column.text;
  const column = COLUMNS.get(name);
  if (!column) return refuse(text, comparison.column.at, `unknown column \`${name.slice(0, 40)}\`: a packet has ${[...COLUMNS.keys()].join(', ')}`);
  if (comparison.value.text === '') refuse(text, comparison.value.at, `the value for ${name} is empty: expected ${expectedOf(column)}`);
  switch (column.type) {
    case 'ip':
      return checkAddresses(text, comparison, column, addressesIn, (addresses) => ({ kind: 'ip', side: column.side, tcp: column.tcp, addresses }));
    case 'mac':
      return checkAddresses(text, comparison, column, macIn, (addresses) => ({ kind: 'mac', side: column.side, addresses }));
    case 'port':
      return checkNumber(
        text,
        comparison,
        column,
        (value) => numberIn(value, PORT_MAX),
        PORT_MAX,
        (values) => ({ kind: 'port', transport: column.transport, side: column.side, values }),
      );
    case 'protocol':
      return checkNumber(text, comparison, column, protocolIn, PROTOCOL_MAX, (values) => ({ kind: 'protocol', values }));
    case 'vlan':
      return checkNumber(
        text,
        comparison,
        column,
        (value) => numberIn(value, VLAN_MAX),
        VLAN_MAX,
        (values) => ({ kind: 'vlan', values }),
      );
  }
}

function checkAddresses(
  text: string,
  { operator, operatorAt, column: { text: name }, value }: Comparison,
  column: Column,
  read: (value: string) => Addresses | string | undefined,
  predicate: (addresses: Addresses[]) => Predicate,
): Predicate {
  if (/[<>]/.test(operator)) refuse(text, operatorAt, `${operator} has no meaning for ${name}: expected ==, = or !=`);
  const addresses = read(value.text);
  if (typeof addresses !== 'object') return refuseValue(text, value.at, column, name, addresses);
  const equal = predicate([addresses]);
  if (operator !== '!=') return equal;
  const kinds = addresses.kind === 'mac' ? (['mac'] as const) : (['ip4', 'ip6'] as const);
  const hasColumn = predicate(kinds.map((kind) => ({ kind, words: [], prefixBits: 0 })));
  return { kind: 'and', of: [hasColumn, { kind: 'not', of: equal }] };
}

function checkNumber(
  text: string,
  { operator, column: { text: name }, value }: Comparison,
  column: Column,
  read: (value: string) => number | undefined,
  max: number,
  predicate: (values: NumberSet) => Predicate,
): Predicate {
  const number = read(value.text);
  if (number === undefined) return refuseValue(text, value.at, column, name);
  if (operator !== '!=') return predicate(rangeOf(operator, number, max));
  return { kind: 'and', of: [predicate(rangeSet(0, max)), { kind: 'not', of: predicate(rangeSet(number, number)) }] };
}

function rangeOf(operator: Exclude<Operator, '!='>, number: number, max: number): NumberSet {
  switch (operator) {
    case '==':
    case '=':
      return rangeSet(number, number);
    case '<':
      return rangeSet(0, number - 1);
    case '<=':
      return rangeSet(0, number);
    case '>':
      return rangeSet(number + 1, max);
    case '>=':
      return rangeSet(number, max);
  }
}

function refuseValue(text: string, at: number, column: Column, name: string, why?: string): never {
  return refuse(text, at, `wrong value for ${name}: ${why === undefined ? '' : `${why}; `}expected ${expectedOf(column)}`);
}

function expectedOf({ type }: Column): string {
  switch (type) {
    case 'ip':
      return 'an IPv4 or IPv6 address, or a network such as 10.0.0.0/8';
    case 'mac':
      return 'a MAC address such as 00:1b:21:3c:9d:f8';
    case 'port':
      return `a port from 0 to ${PORT_MAX}`;
    case 'protocol':
      return `a number from 0 to ${PROTOCOL_MAX} or one of ${[...PROTOCOLS.keys()].join(', ')}`;
    case 'vlan':
      return `a VLAN id from 0 to ${VLAN_MAX}`;
  }
}
