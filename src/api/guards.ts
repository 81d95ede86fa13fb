/** Who may talk to the listener: checks of every request before anything is read of it. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SpillwayError } from '../errors.js';
import { isLoopback } from './loopback.js';

const HARMLESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** `names`: host names that the listener answers to besides this machine's own, in lower case. */
export function guard(app: FastifyInstance, names: readonly string[]): void {
  app.addHook('onRequest', async (request) => {
    checkHost(request.headers.host, names);
    if (!HARMLESS.has(request.method)) checkOrigin(request);
  });
}

/** A page that points a name of its own at this machine still sends that name. Any port passes. */
export function checkHost(header: string | undefined, names: readonly string[]): void {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:@/?#\s]+))(?::\d*)?$/.exec(header ?? '') ?? [];
  const host = (bracketed ?? plain ?? '').toLowerCase().replace(/\.$/, '');
  if (host === 'localhost' || isLoopback(host) || names.includes(host)) return;
  throw new SpillwayError('HOST_FORBIDDEN', `the host ${JSON.stringify((header ?? '').slice(0, 100))} is not a name of this probe`);
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
