/** Members of update jobs on loopback: they install nothing, and say what the test's script has for each time they are asked. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { json as bodyOf } from 'node:stream/consumers';
import type { ErrorCode } from '../../src/errors.js';
import type { DownloadStep, InstallError, InstallProgress, InstallStep, InstallWish } from '../../src/peer/install.js';
import type { TestPair } from '../peer/certificates.js';

/** What a member says of its update when it is asked. */
export interface Said {
  progress: InstallProgress;
  error?: InstallError;
  detail?: string;
  download?: Partial<DownloadStep>;
  install?: Partial<InstallStep>;
}

/** Or what it does instead: nothing listens for a while or for ever, nothing is answered, or something else is. */
export type Moment = Said | { downMs: number } | 'vanish' | 'hang' | 'rubbish' | 'forget';

export interface Script {
  /** What becomes of the request to install; a code: it is refused; `lost`: it is done, and the connection breaks; `mute`: it is done, `none`: it is not, and nothing is answered. */
  asked?: ErrorCode | 'lost' | 'mute' | 'none' | 'unauthorized';
  /** One for each time it is asked; the last one stays. */
  moments: readonly Moment[];
}

const STEP = { progress: 0, bytes: 0, total_bytes: 0, rate: 0, start_time: 0, end_time: 0, detail: '' };

export class FakeMember {
  /** Every request to install. */
  readonly wishes: InstallWish[] = [];
  /** Id and wish of the last update. */
  install: { id: string; wish: InstallWish } | null = null;
  /** How often it was asked how far it is. */
  looks = 0;
  #server: Server | null = null;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  #at = 0;
  #said: Said = { progress: 'INSTALL_REQUEST_RECEIVED' };

  private constructor(
    private readonly pair: TestPair,
    public script: Script,
    /** Hears of the first and of the last moment of each update. */
    private readonly told: (member: FakeMember, what: 'begun' | 'over') => void,
  ) {}

  static async start(
    pair: TestPair,
    script: Script,
    told: (member: FakeMember, what: 'begun' | 'over') => void = () => undefined,
  ): Promise<FakeMember> {
    const member = new FakeMember(pair, script, told);
    await member.up();
    return member;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async up(): Promise<void> {
    const server = createServer({ cert: this.pair.cert, key: this.pair.key }, (request, response) => void this.#answer(request, response));
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async down(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!.replace('/api/spillway.update/1.0', '');
    const body = request.method === 'POST' ? ((await bodyOf(request)) as InstallWish) : null;
    if (this.script.asked === 'unauthorized') return json(response, 401, { error_id: 'AUTH_INVALID_CREDENTIALS', error_text: 'no' });
    if (path === '/status') return json(response, 200, { enabled: true, install: this.install && this.#wire() });
    if (body !== null) return this.#begin(body, response);
    this.looks++;
    const { moments } = this.script;
    const moment = moments[Math.min(this.#at++, moments.length - 1)]!;
    if (moment === 'vanish') return void (await this.down());
    if (moment === 'hang') return;
    if (moment === 'rubbish') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"id": 5}');
    if (moment === 'forget') return json(response, 404, { error_id: 'TASK_NOT_FOUND', error_text: 'no' });
    if ('downMs' in moment) {
      await this.down();
      return void setTimeout(() => void this.up(), moment.downMs);
    }
    this.#said = moment;
    json(response, 200, this.#wire());
    if (moment.progress === 'SUCCESS' || moment.progress === 'FAILED') this.told(this, 'over');
  }

  #begin(wish: InstallWish, response: ServerResponse): void {
    this.wishes.push(wish);
    const { asked } = this.script;
    if (asked === 'none') return;
    if (asked !== undefined && asked !== 'lost' && asked !== 'mute') return json(response, 409, { error_id: asked, error_text: 'the test says so' });
    this.install = { id: randomBytes(12).toString('hex'), wish };
    this.#at = 0;
    this.#said = { progress: 'INSTALL_REQUEST_RECEIVED' };
    this.told(this, 'begun');
    if (asked === 'lost') return void response.socket!.destroy();
    if (asked === 'mute') return;
    json(response, 202, this.#wire());
  }

  #wire(): object {
    const { id, wish } = this.install!;
    const { progress, error = 'NOT_SET', detail = '', download, install } = this.#said;
    return {
      ...{ id, package: wish.package, version: wish.version, url: wish.url },
      ...{ update_progress_status: progress, error, detail },
      download_status: { status: 'IDLE', ...STEP, ...download },
      install_status: { status: 'IDLE', ...STEP, ...install },
    };
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Of an update that succeeds. */
export const GOOD: readonly Said[] = [
  {
    progress: 'DOWNLOAD_IN_PROGRESS',
    download: { status: 'DOWNLOAD_IN_PROGRESS', progress: 40, bytes: 400, total_bytes: 1000, rate: 123, start_time: 1_700_000_000 },
  },
  {
    progress: 'INSTALL_IN_PROGRESS',
    download: {
      status: 'DOWNLOAD_SUCCESS',
      progress: 100,
      bytes: 1000,
      total_bytes: 1000,
      rate: 99,
      start_time: 1_700_000_000,
      end_time: 1_700_000_010,
    },
    install: { status: 'INSTALL_IN_PROGRESS', progress: 50, start_time: 1_700_000_010 },
  },
  {
    progress: 'REBOOT_IN_PROGRESS',
    download: { status: 'DOWNLOAD_SUCCESS', progress: 100 },
    install: { status: 'INSTALL_IN_PROGRESS', progress: 100 },
  },
  { progress: 'SUCCESS', download: { status: 'DOWNLOAD_SUCCESS', progress: 100 }, install: { status: 'INSTALL_SUCCESS', progress: 100 } },
];

/** Up to the failure of a step. */
export const failing = (step: 'download' | 'install', error: InstallError, detail = 'the test says so'): readonly Said[] =>
  step === 'download'
    ? [GOOD[0]!, { progress: 'FAILED', error, detail, download: { status: 'DOWNLOAD_FAILED' } }]
    : [GOOD[0]!, GOOD[1]!, { progress: 'FAILED', error, detail, download: { status: 'DOWNLOAD_SUCCESS' }, install: { status: 'INSTALL_FAILED' } }];
