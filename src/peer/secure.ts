/** A TLS connection to exactly one address, given out only when the certificate was found to be the peer's. */
import { readFileSync } from 'node:fs';
import { connect, rootCertificates, type TLSSocket } from 'node:tls';
import { failed, unreachable } from './failure.js';
import type { Peer } from './peers.js';

export type SecurePeer = Pick<Peer, 'address' | 'ip' | 'port' | 'pin' | 'ca'>;

/** Where Debian keeps what the machine trusts, its administrator's additions included. */
const SYSTEM_CAS = '/etc/ssl/certs/ca-certificates.crt';

const UNREACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ETIMEDOUT: 'it does not answer',
  EINVAL: 'its address needs a zone',
};

const UNTRUSTED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'does not hold yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another address',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by nobody that is trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by nobody that is trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by nobody that is trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by nobody that is trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by nobody that is trusted',
};

/**
 * Connects and looks at the certificate. Nothing was sent by then that a server could use. The socket is destroyed when
 * `signal` aborts, whose reason is the error then.
 */
export function connectTo(peer: SecurePeer, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: peer.ip,
      port: peer.port,
      // A pin decides alone, below.
      rejectUnauthorized: peer.pin === null,
      ...(peer.pin === null && { ca: peer.ca ?? systemCas() }),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    });
    let hasConnected = false;
    const end = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const stop = (): void => end(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', stop));
    socket.once('connect', () => (hasConnected = true));
    socket.on('error', (error) => end(hasConnected ? failed(peer, refusal(error)) : unreachable(peer, whyNot(error))));
    const cut = (): void => end(failed(peer, 'ended the connection before it was secure'));
    socket.once('end', cut);
    socket.once('secureConnect', () => {
      socket.off('end', cut);
      if (peer.pin !== null && fingerprint(socket) !== peer.pin) return end(failed(peer, 'shows a certificate that is not the pinned one'));
      resolve(socket);
    });
  });
}

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? '';

const whyNot = (error: Error): string => UNREACHED[codeOf(error)] ?? (codeOf(error) || 'the connection failed');

function refusal(error: Error): string {
  const code = codeOf(error);
  const why = UNTRUSTED[code];
  if (why !== undefined) return `shows a certificate that ${why}`;
  if (code === 'ECONNRESET') return 'ended the connection before it was secure';
  return code.startsWith('ERR_SSL_') || code === 'EPROTO' ? 'does not speak TLS 1.2 or later' : `shows a certificate that does not hold (${code})`;
}

function fingerprint(socket: TLSSocket): string | undefined {
  return socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
}

let found: string | readonly string[] | undefined;

/** Read once: it is large, and changes with the machine's packages. */
function systemCas(): string | string[] {
  if (found === undefined) {
    try {
      found = readFileSync(SYSTEM_CAS, 'utf8');
    } catch {
      found = rootCertificates;
    }
  }
  return typeof found === 'string' ? found : [...found];
}
