/** A probe on a free port with a data folder of its own, and a client that can send anything. */
import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect } from 'node:net';
import type { Role } from '../../src/access/caller.js';
import { probeConfig, type ProbeConfig } from '../../src/config.js';
import { parseJson } from '../../src/export/json.js';
import type { Dependencies } from '../../src/export/contract.js';
import { startProbe, type Probe } from '../../src/probe.js';
import { TemporaryData } from '../export/fakes.js';

export const BASE = '/api/npm.packet_export/1.3';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The end of the body was announced, not just reached. */
  complete: boolean;
}

export interface Ask {
  method?: string;
  headers?: OutgoingHttpHeaders;
  /** Sent as it is, else as JSON with its type. */
  body?: string | Buffer | object;
}

export class TestProbe {
  private constructor(
    readonly probe: Probe,
    readonly data: TemporaryData,
  ) {}

  /** `prepare`: instead of the engine. */
  static async start(prepare?: Dependencies['prepare'], given: Partial<ProbeConfig> = {}, data = new TemporaryData()): Promise<TestProbe> {
    const config = probeConfig({ dataFolder: data.path, port: 0, logLevel: 'silent', ...given }, {});
    return new TestProbe(await (prepare === undefined ? startProbe(config) : startProbe(config, { prepare })), data);
  }

  get port(): number {
    return Number(new URL(this.probe.address).port);
  }

  /** Adds a user, with whom everybody has to log in; gives the headers that do. */
  async addUser(name: string, role: Role = 'admin', sources: string[] | null = null): Promise<{ authorization: string }> {
    await this.probe.access.users.add(name, passwordOf(name), { role, sources }, { who: 'test', address: 'local' });
    return basic(name, passwordOf(name));
  }

  async stop(): Promise<void> {
    await this.probe.close();
    this.data.remove();
  }

  ask(path: string, ask: Ask = {}): Promise<Answer> {
    return askAt(this.port, path, ask, this.probe.address.startsWith('https:'));
  }

  /** Sends bytes to the socket and gives everything that comes back. */
  send(text: string): Promise<string> {
    return sendTo(this.port, text);
  }

  async json<T = Record<string, unknown>>(path: string, ask: Ask = {}): Promise<T> {
    return parseJson((await this.ask(path, ask)).body.toString()) as T;
  }

  /** Makes an export and gives its id. */
  async create(config: object): Promise<string> {
    const answer = await this.ask(`${BASE}/exports`, { body: { config } });
    if (answer.status !== 201) throw new Error(answer.body.toString());
    return (parseJson(answer.body.toString()) as { id: string }).id;
  }
}

/** Of a user that `addUser` added. */
export const passwordOf = (name: string): string => `the password of ${name}`;

export const basic = (name: string, password: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

export async function askAt(port: number, path: string, { method, headers = {}, body }: Ask = {}, isTls = false): Promise<Answer> {
  const raw = typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body;
  const typed = raw === body ? headers : { 'content-type': 'application/json', ...headers };
  const asked = (isTls ? requestTls : request)({
    host: '127.0.0.1',
    port,
    path,
    method: method ?? (raw === undefined ? 'GET' : 'POST'),
    headers: typed,
    agent: false,
    rejectUnauthorized: false,
  });
  asked.end(raw);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  asked.on('error', () => undefined);
  response.on('error', () => undefined);
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => response.once('close', resolve));
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks), complete: response.complete };
}

/** Sends bytes to the socket and gives everything that comes back. */
export async function sendTo(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

/** What every error looks like, to the letter. */
export function errorOf(answer: Answer): { error_id: string; error_text: string } {
  const body = JSON.parse(answer.body.toString()) as { error_id: string; error_text: string };
  const keys = Object.keys(body).join();
  if (keys !== 'error_id,error_text' || typeof body.error_text !== 'string' || body.error_text === '') {
    throw new Error(`not an error body: ${answer.body.toString()}`);
  }
  if (!/^application\/json(;|$)/.test(answer.headers['content-type'] ?? '')) throw new Error(`not JSON: ${answer.headers['content-type']}`);
  return body;
}
