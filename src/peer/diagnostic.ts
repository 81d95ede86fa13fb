/** Diagnostic packages of a peer, through its own JSON-RPC face; and calls that are relayed to it. */
import { membersOf, textOf, type Members } from './answers.js';
import { COLLECT_PATIENCE, poll, type CollectOptions } from './collect.js';
import { failed } from './failure.js';
import type { Credentials } from './profiles.js';
import { withSession, type RpcCall } from './rpc.js';
import type { SecurePeer } from './secure.js';

/** What a package is to hold, as `diagnostic_package_start` takes it. */
export interface DiagnosticInput {
  verbosity: 'base' | 'verbose';
  configuration: boolean;
  event_logs: boolean;
  statistics: boolean;
  status: boolean;
  system_log: boolean;
  user_credentials: boolean;
  encryption_passphrase?: string;
}

/** Any id that a peer may give its processes. */
const PROCESS_ID = /^[\x20-\x7e]{1,200}$/;

/**
 * Lets the peer make a package, and writes it to the sink; gives its length. Rejects with PEER_UNREACHABLE, PEER_FAILED, what
 * the sink throws, or why `signal` aborted; what the sink has by then is of no use.
 */
export function collectDiagnostic(peer: SecurePeer, credentials: Credentials, input: DiagnosticInput, options: CollectOptions): Promise<number> {
  const { signal, progress = () => undefined } = options;
  const patience = { ...COLLECT_PATIENCE, ...options.patience };
  progress(0, 'log in');
  return withSession(peer, credentials, { signal, patience }, async (session) => {
    const started = await session.result({ method: 'diagnostic_package_start', params: { ...input } });
    const process_id = textOf(peer, started, 'process_id', PROCESS_ID);
    progress(0.1, 'collect');
    const size = await poll(peer, { signal, patience }, async () =>
      sizeOf(peer, await session.result({ method: 'diagnostic_package_status_get', params: { process_id } })),
    );
    if (size > options.maxBytes) throw failed(peer, `has made a package of ${size} bytes, and ${options.maxBytes} may be fetched`);
    progress(0.5, 'fetch');
    const bytes = await session.file({ method: 'diagnostic_package_file_get', params: { process_id } }, { ...options, maxBytes: size }, (so) =>
      progress(0.5 + (0.5 * so) / Math.max(size, 1), 'fetch'),
    );
    if (bytes !== size) throw failed(peer, `sends ${bytes} bytes of a package of ${size}`);
    progress(1, 'done');
    return bytes;
  });
}

/** Makes the call on the peer, in a session of its own; gives the whole answer, result or error. */
export function relayRpc(
  peer: SecurePeer,
  credentials: Credentials,
  call: RpcCall,
  options: Pick<CollectOptions, 'signal' | 'patience'>,
): Promise<Members> {
  const patience = { ...COLLECT_PATIENCE, ...options.patience };
  return withSession(peer, credentials, { signal: options.signal, patience }, (session) => session.call(call));
}

/** Of the package, once it is there. */
function sizeOf(peer: SecurePeer, { return_code: code, output }: Members): number | null {
  if (code === undefined || code === null) return null;
  if (code !== 'success') throw failed(peer, 'could not make its package');
  const size = membersOf(output)?.['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw failed(peer, 'does not tell the size of its package');
  return size;
}
