/** A package that the running server of a data folder makes: started, waited for and fetched over its JSON-RPC. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECTIONS, type BundleWish } from '../bundle/collector.js';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { Base64Member } from '../peer/base64-member.js';
import { EncodingError } from '../peer/base64.js';
import { send } from './door.js';

const POLL_MS = 200;
/** Of an answer, besides the package itself. */
const ANSWER_MAX = 64 << 10;
const RPC = '/cgi-bin/rpc.cgi';

interface RpcAnswer {
  result?: { process_id?: string; return_code?: 'success' | 'error' | null };
  error?: { code: string; message_id: string; message_params?: Record<string, string> } | null;
}

/** The sink is neither finished nor aborted here. */
export async function fetchBundle(
  dataFolder: string,
  { verbosity, sections }: BundleWish,
  passphrase: string | null,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const asked = (method: string, params: object): Promise<IncomingMessage> => send(dataFolder, 'POST', RPC, { method, params }, signal);
  const params = {
    verbosity,
    ...Object.fromEntries(SECTIONS.map((section) => [section, sections.includes(section)])),
    ...(passphrase !== null && { encryption_passphrase: passphrase }),
  };
  const { process_id } = resultOf(await textOf(await asked('diagnostic_package_start', params)));
  for (;;) {
    const { return_code } = resultOf(await textOf(await asked('diagnostic_package_status_get', { process_id })));
    if (return_code === 'success') break;
    await sleep(POLL_MS, undefined, { signal });
  }
  await saveBase64(await asked('diagnostic_package_file_get', { process_id }), sink);
}

/** Writes what the member `base64` of an answer holds as it arrives. An answer that is cut, or has none, is refused. */
export async function saveBase64(answer: AsyncIterable<Buffer>, sink: Sink): Promise<void> {
  const member = new Base64Member({ maxBytes: Infinity, maxBesides: ANSWER_MAX });
  let rest: string;
  try {
    for await (const piece of answer) for (const bytes of member.take(piece)) if (bytes.length > 0) await sink.write(bytes);
    rest = member.end();
  } catch (error) {
    if (error instanceof EncodingError) throw unfit(error.message);
    throw error;
  }
  resultOf(rest);
  if (!member.hasMember) throw unfit('the answer holds no package');
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answer.setEncoding('utf8')) {
    text += String(part);
    if (text.length > ANSWER_MAX) throw unfit('the answer is too long');
  }
  return text;
}

function resultOf(text: string): NonNullable<RpcAnswer['result']> {
  let answer: RpcAnswer;
  try {
    answer = JSON.parse(text) as RpcAnswer;
  } catch {
    throw unfit('the answer is cut, or no JSON');
  }
  const { error, result } = answer;
  if (error?.code === 'rpc_async_action_in_progress')
    throw new SpillwayError('NOT_READY', 'the probe makes another diagnostic package at the moment');
  if (error?.code === 'rpc_invalid_parameter')
    throw new SpillwayError('REQUEST_INVALID', `the probe refuses it: ${sentenceOf(error)} (a passphrase can not hold " ' \\ ; $)`);
  if (error) throw unfit(sentenceOf(error));
  return result ?? {};
}

const sentenceOf = ({ message_id, message_params = {} }: NonNullable<RpcAnswer['error']>): string =>
  [message_id.replaceAll('_', ' '), ...Object.values(message_params)].join(': ');

const unfit = (why: string): SpillwayError => new SpillwayError('OUTPUT_FAILED', `the probe gave no diagnostic package: ${why}`);
