/** Who may talk to the listener: checks of every request before anything is read of it. */
import { BlockList, isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SpillwayError } from '../errors.js';
import { isLoopback } from './loopback.js';

const HARMLESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What the listener answers to besides `localhost` and loopback addresses. */
export interface OwnNames {
  /** Host names, in lower case. */
  names: readonly string[];
  /** Addresses that it listens on now: interfaces come and go. */
  addresses(): readonly string[];
}

export function guard(app: FastifyInstance, own: OwnNames): void {
  app.addHook('onRequest', async (request) => {
    checkHost(request.headers.host, own);
    if (!HARMLESS.has(request.method)) checkOrigin(request);
  });
}

/** A page that points a name of its own at this machine still sends that name. Any port passes. */
export function checkHost(header: string | undefined, { names, addresses }: OwnNames): void {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:@/?#\s]+))(?::\d*)?$/.exec(header ?? '') ?? [];
  const host = (bracketed ?? plain ?? '').toLowerCase().replace(/\.$/, '');
  if (host === 'localhost' || isLoopback(host) || names.includes(host) || isAmong(host, addresses)) return;
  throw new SpillwayError('HOST_FORBIDDEN', `the host ${JSON.stringify((header ?? '').slice(0, 100))} is not a name of this probe`);
}

/** An address of IPv6 can be written in many ways. */
function isAmong(host: string, addresses: OwnNames['addresses']): boolean {
  const version = isIP(host);
  if (version === 0) return false;
  const list = new BlockList();
  for (const address of addresses()) list.addAddress(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/** Programs send neither header; browsers do, and say which page asks. */
function checkOrigin(request: FastifyRequest): void {
  const { origin, host = '', 'sec-fetch-site': site } = request.headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw foreign(`Sec-Fetch-Site ${String(site)}`);
  if (origin !== undefined && !isSameHost(origin, host)) throw foreign(`Origin ${origin}`);
}

function isSameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(`http://${host}`).host;
}

const foreign = (what: string): SpillwayError =>
  new SpillwayError('ORIGIN_FORBIDDEN', `a page of another site may change nothing here (${what.slice(0, 100)})`);
