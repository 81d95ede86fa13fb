/** A package that the running server of a data folder makes: started, waited for and fetched over its JSON-RPC. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECTIONS, type BundleWish } from '../bundle/collector.js';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { ask } from './local-server.js';

const POLL_MS = 200;
/** Of an answer, besides the package itself. */
const ANSWER_MAX = 64 << 10;
const RPC = '/cgi-bin/rpc.cgi';
const BASE64_BEGIN = /"base64"\s*:\s*"/;

interface RpcAnswer {
  result?: { process_id?: string; return_code?: 'success' | 'error' | null };
  error?: { code: string; message_id: string; log?: string } | null;
}

/** The sink is neither finished nor aborted here. */
export async function fetchBundle(
  dataFolder: string,
  { verbosity, sections }: BundleWish,
  passphrase: string | null,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const asked = (method: string, params: object): Promise<IncomingMessage> => ask(dataFolder, 'POST', RPC, { method, params }, signal);
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
export async function saveBase64(answer: AsyncIterable<Buffer | string>, sink: Sink): Promise<void> {
  let state: 'before' | 'inside' | 'behind' = 'before';
  /** All of the answer but the package. */
  let around = '';
  /** Fewer than four characters wait for the rest of their group. */
  let waiting = '';
  for await (const part of answer) {
    let text = part.toString('latin1');
    if (state === 'before') {
      const begin = BASE64_BEGIN.exec(around + text);
      if (begin === null) around += text;
      else {
        text = (around + text).slice(begin.index + begin[0].length);
        around = `${(around + part.toString('latin1')).slice(0, begin.index)}${begin[0]}`;
        state = 'inside';
      }
    }
    if (state === 'behind') around += text;
    if (state === 'inside') {
      const end = text.indexOf('"');
      waiting += end < 0 ? text : text.slice(0, end);
      const whole = end < 0 ? waiting.length - (waiting.length % 4) : waiting.length;
      if (/[^A-Za-z0-9+/=]/.test(waiting)) throw unfit('the package is not in base64');
      if (whole > 0) await sink.write(Buffer.from(waiting.slice(0, whole), 'base64'));
      waiting = waiting.slice(whole);
      if (end >= 0) {
        state = 'behind';
        around += text.slice(end);
      }
    }
    if (around.length > ANSWER_MAX) throw unfit('the answer is too long');
  }
  if (state === 'inside') throw unfit('the answer was cut');
  resultOf(around);
  if (state === 'before') throw unfit('the answer holds no package');
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
    throw new SpillwayError('REQUEST_INVALID', `the probe refuses it: ${error.log ?? error.message_id} (a passphrase can not hold " ' \\ ; $)`);
  if (error) throw unfit(error.log ?? error.message_id);
  return result ?? {};
}

const unfit = (why: string): SpillwayError => new SpillwayError('OUTPUT_FAILED', `the probe gave no diagnostic package: ${why}`);
