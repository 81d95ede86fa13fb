/** The methods of diagnostic packages: there is at most one process at a time, of whoever began it. */
import type { Caller } from '../../access/caller.js';
import { SECTIONS, VERBOSITIES, type Verbosity, type Section } from '../../bundle/collector.js';
import type { Devices, DiagnosticInput } from '../../bundle/devices.js';
import type { DiagnosticKind, DiagnosticResult } from '../../bundle/diagnostic-kind.js';
import { SpillwayError } from '../../errors.js';
import { isEnded } from '../../task/states.js';
import type { Task } from '../../task/task.js';
import type { Tasks } from '../../task/tasks.js';
import { checkParams, type RpcCall, type Shape } from './envelope.js';
import { faultOf, refuse, RpcError, type RpcFault, type RpcWarning } from './words.js';

export interface RpcAnswer {
  result?: unknown;
  error?: RpcFault;
  warnings?: RpcWarning[];
}

type Process = Task<DiagnosticInput, DiagnosticResult>;

const START: Shape = {
  verbosity: { of: VERBOSITIES },
  ...Object.fromEntries(SECTIONS.map((section) => [section, { of: 'boolean' as const }])),
  target: { of: 'string', optional: true },
  encryption_passphrase: { of: 'string', optional: true },
};
const ONE: Shape = { process_id: { of: 'string' } };
const ANY: Shape = { process_id: { of: 'string', optional: true } };

/** Longer ones would take long to make a key of, and nobody types them. */
const PASSPHRASE_MAX = 1024;

export class DiagnosticMethods {
  constructor(
    private readonly tasks: Tasks,
    private readonly kind: DiagnosticKind,
    private readonly devices: Devices,
  ) {}

  async start({ params }: RpcCall, caller: Caller): Promise<RpcAnswer> {
    checkParams(params, START);
    const target = (params['target'] as string | undefined) ?? null;
    const passphrase = (params['encryption_passphrase'] as string | undefined) ?? null;
    if (passphrase !== null && (passphrase === '' || passphrase.length > PASSPHRASE_MAX)) {
      const reason = passphrase === '' ? 'it is empty' : `it has more than ${PASSPHRASE_MAX} characters`;
      throw refuse('rpc_invalid_parameter', 'parameter_invalid', { parameter: 'encryption_passphrase', reason });
    }
    if (target !== null) this.#checkTarget(target);
    const sections = Object.fromEntries(SECTIONS.map((section) => [section, params[section] === true])) as Record<Section, boolean>;
    const input: DiagnosticInput = { verbosity: params['verbosity'] as Verbosity, ...sections, target };
    const before = this.tasks.list(this.kind.name).filter(({ state }) => isEnded(state));
    const { id } = this.tasks.create(this.kind, caller.name, input, { passphrase });
    for (const each of before) await this.tasks.remove(each.id, { withArtifacts: true });
    return { result: { process_id: id }, ...warningsOf(input, passphrase) };
  }

  status({ params }: RpcCall): RpcAnswer {
    checkParams(params, ANY);
    const wanted = params['process_id'] as string | undefined;
    const process = wanted === undefined ? this.#newest() : this.#get(wanted);
    if (!process) return { result: {} };
    const { target, ...input } = process.input;
    const told = {
      process_id: process.id,
      start_time: Math.floor(process.createdMs / 1000),
      input: { ...input, ...(target !== null && { target }), encryption_passphrase: null },
    };
    if (!isEnded(process.state)) return { result: { process: told } };
    const { result } = process;
    if (result === null) return { result: { process: told, return_code: 'error' }, error: endOf(process) };
    const delete_time = Math.floor((this.tasks.artifacts.expiresMs(result.artifact) ?? 0) / 1000);
    return { result: { process: told, return_code: 'success', output: { delete_time, size: result.bytes } } };
  }

  /** The process whose file is asked for. */
  file({ params }: RpcCall): { process: string; artifact: string; bytes: number } {
    checkParams(params, ONE);
    const process = this.#get(params['process_id'] as string);
    if (!isEnded(process.state)) throw refuse('rpc_async_action_in_progress', 'action_in_progress');
    if (process.result === null) throw new RpcError(endOf(process));
    return { process: process.id, ...process.result };
  }

  /** Lets go of the process and its file. */
  async remove(process: string): Promise<void> {
    if (this.tasks.find(process)) await this.tasks.remove(process, { withArtifacts: true });
  }

  #newest(): Process | null {
    const all = this.tasks.list(this.kind.name) as Process[];
    return all.reverse().find((process) => this.#isThere(process)) ?? null;
  }

  #get(process_id: string): Process {
    const found = this.tasks.find(process_id) as Process | null;
    if (found?.kind !== this.kind.name || !this.#isThere(found))
      throw refuse('rpc_invalid_parameter', 'process_unknown', { process_id: process_id.slice(0, 100) });
    return found;
  }

  /** One whose file is gone is over. */
  #isThere({ result }: Process): boolean {
    return result === null || this.tasks.artifacts.find(result.artifact) !== null;
  }

  #checkTarget(target: string): void {
    if (this.devices.isOwn(target)) return;
    try {
      this.devices.peer(target, null);
    } catch (error) {
      throw refuse('rpc_invalid_parameter', 'parameter_invalid', { parameter: 'target', reason: (error as Error).message });
    }
  }
}

function warningsOf({ user_credentials }: DiagnosticInput, passphrase: string | null): Pick<RpcAnswer, 'warnings'> {
  return user_credentials && passphrase === null ? { warnings: [{ message_id: 'credentials_unencrypted' }] } : {};
}

function endOf({ error }: Process): RpcFault {
  const { code, message } = error ?? ({ code: 'INTERNAL', message: '' } as const);
  const lost: RpcFault = { code: 'async_action_lost', message_id: 'action_lost' };
  const cause = code === 'INTERRUPTED' ? lost : code.startsWith('PEER_') ? faultOf(new SpillwayError(code, message)) : null;
  return { code: 'async_action_end_error', message_id: 'action_failed', message_params: { reason: message }, ...(cause && { suberrors: [cause] }) };
}
