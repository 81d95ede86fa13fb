/** Probes as users start them, over HTTPS, with a user and peers. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { makePair } from '../support/pair.js';
import { NOBODY, SPILLWAY } from '../privileged/household.js';
import { until } from '../capture/live.js';

const PASSWORD = 'correct horse battery';
export const UPDATE = '/api/spillway.update/1.0';

export interface Answer {
  status: number;
  body: Buffer;
  json: Record<string, never>;
}

export class Served {
  child: ChildProcess | null = null;
  said = '';

  private constructor(
    readonly data: string,
    readonly port: number,
    private readonly tls: { cert: string; key: string },
  ) {}

  /** `data` is made nobody's, who serves where this is root. */
  static async make(data: string, port: number): Promise<Served> {
    const tls = await makePair(join(data, '..', `tls-${port}`));
    chownSync(data, NOBODY, NOBODY);
    const served = new Served(data, port, tls);
    served.#spillway(['users', 'add', 'ann', '--role', 'admin', '--password-stdin']);
    served.#spillway(['peers', 'profile', 'add', 'fleet', '--username', 'ann', '--default', '--password-stdin']);
    return served;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Of its certificate. */
  get pin(): string {
    return new X509Certificate(readFileSync(this.tls.cert)).fingerprint256;
  }

  /** Makes `other` a peer. */
  knows(other: { address: string; pin: string }): void {
    this.#spillway(['peers', 'add', other.address, '--pin', other.pin]);
  }

  #spillway(args: string[]): void {
    execFileSync(SPILLWAY, [...args, '--data', this.data], { input: `${PASSWORD}\n`, stdio: ['pipe', 'ignore', 'inherit'] });
  }

  /** Resolves when it answers. */
  async start(...args: string[]): Promise<void> {
    const all = ['serve', '--data', this.data, '--port', String(this.port), '--tls-cert', this.tls.cert, '--tls-key', this.tls.key, ...args];
    const child = spawn(SPILLWAY, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    await until(async () => {
      if (child.exitCode !== null) throw new Error(this.said);
      return this.answers();
    }, 60_000);
  }

  answers(): Promise<boolean> {
    return this.ask('/health').then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  ask(
    path: string,
    { method = 'GET', body, type = 'application/json' }: { method?: string; body?: object | Buffer; type?: string } = {},
  ): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const headers = {
      authorization: `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`,
      ...(bytes && { 'content-type': type, 'content-length': bytes.length }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: this.port, path, method, headers, rejectUnauthorized: false, agent: false, timeout: 10_000 },
        (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.once('error', reject);
          response.once('end', () => {
            const all = Buffer.concat(pieces);
            resolve({ status: response.statusCode!, body: all, json: all[0] === 0x7b ? (JSON.parse(all.toString()) as Record<string, never>) : {} });
          });
        },
      );
      sent.once('error', reject);
      sent.once('timeout', () => sent.destroy(new Error('no answer')));
      sent.end(bytes);
    });
  }

  /** Every process that has the data folder in its command line, but captures. */
  pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        const line = commandLine(pid);
        return line.includes(`--data=${this.data}`) || (line.includes(this.data) && line.includes('serve'));
      })
      .map(Number);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  /** All of it at once. */
  async kill(): Promise<void> {
    for (const pid of this.pids()) killIfThere(pid);
    await until(() => this.pids().length === 0);
  }
}

export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone by itself.
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
