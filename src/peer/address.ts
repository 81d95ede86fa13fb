/**
 * Addresses of peers: an IP literal and a port. There are no host names, so that nothing is ever looked up, and each address
 * has one form, so that two texts name the same peer only where they are meant to.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { DEFAULT_PORT } from '../config.js';
import { SpillwayError } from '../errors.js';

export interface PeerAddress {
  /** Without brackets. */
  ip: string;
  port: number;
}

/** The longest one: an IPv6 address in brackets and a port. */
const LENGTH_MAX = 47;

/** As it is written down and shown: the port is left out where it is the default. */
export function formatAddress({ ip, port }: PeerAddress): string {
  if (port === DEFAULT_PORT) return ip;
  return isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** All texts that name the address; nothing else does. */
export function spellings({ ip, port }: PeerAddress): string[] {
  const host = isIPv6(ip) ? `[${ip}]` : ip;
  const short = isIPv6(ip) ? [ip, host] : [ip];
  return [`${host}:${port}`, ...(port === DEFAULT_PORT ? short : [])];
}

/** Reads what an admin configures. Throws REQUEST_INVALID. */
export function parseAddress(text: string): PeerAddress {
  const refuse = (why: string): never => {
    throw new SpillwayError('REQUEST_INVALID', `the address ${JSON.stringify(text.slice(0, 100))} ${why}`);
  };
  if (text.length > LENGTH_MAX) return refuse('is too long for an IP address with a port');
  const [, inBrackets, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const ip = isIPv6(text) ? text : (inBrackets ?? plain ?? '');
  const port = digits === undefined || isIPv6(text) ? DEFAULT_PORT : Number(digits);
  if (port > 65535) return refuse('has no port from 1 to 65535');
  if (plain === undefined && isIPv6(ip) && !ip.includes('%')) return { ip: canonical(ip, refuse), port };
  if (plain !== undefined && isIPv4(ip)) return { ip: unicast(ip, refuse), port };
  return refuse('is no IP address, with or without a port as in 192.0.2.7:8470 or [2001:db8::7]:8470');
}

/** The compressed lower-case form of RFC 5952, which URLs have as well. */
function canonical(ip: string, refuse: (why: string) => never): string {
  const text = new URL(`http://[${ip}]`).hostname.slice(1, -1);
  // An IPv4 address in disguise: it has a form of its own.
  if (/^::(?:ffff:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}$/.test(text)) return refuse('holds an IPv4 address: write that alone');
  if (text === '::' || text.startsWith('ff')) return refuse('is not that of one machine');
  return text;
}

function unicast(ip: string, refuse: (why: string) => never): string {
  const first = Number(ip.split('.', 1)[0]);
  return first === 0 || first >= 224 ? refuse('is not that of one machine') : ip;
}
