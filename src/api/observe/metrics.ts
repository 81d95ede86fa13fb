/** What the probe counts. What changes by itself is asked for when somebody reads. */
import { collectDefaultMetrics } from 'prom-client';
import type { Caller } from '../../access/caller.js';
import type { ExportEvent, ExportFigures } from '../../export/contract.js';
import { MODES, STATES } from '../../export/schema.js';
import type { ConnectionFigures } from '../connections.js';
import { CaptureMetrics, readableLines } from './capture-metrics.js';
import type { Captures } from './captures.js';
import { Meters, setTo } from './meters.js';
import type { SeenRequest } from './requests.js';

export interface MetricsOptions {
  version: string;
  exports: () => ExportFigures;
  connections: () => ConnectionFigures;
  captures: Pick<Captures, 'look'>;
}

/** Seconds; exports are to begin within 50 ms, and a held download shows its headers after one second. */
const FIRST_BYTE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export class Metrics {
  readonly #meters = new Meters();
  readonly #exports = this.#meters.gauge('exports', 'Exports that are listed', ['mode', 'state']);
  readonly #created = this.#meters.counter('exports_created_total', 'Exports made', ['mode']);
  readonly #ended = this.#meters.counter('exports_ended_total', 'Exports that ended, by state; REMOVED: before their end', ['mode', 'outcome']);
  readonly #bytes = this.#meters.counter('export_bytes_total', 'Bytes of output, before any content coding');
  readonly #packets = this.#meters.counter('export_packets_total', 'Packets of output');
  readonly #turns = this.#meters.gauge('export_turns', 'Exports that run', ['source']);
  readonly #waiting = this.#meters.gauge('export_turns_waiting', 'Exports that wait for their turn to run', ['source']);
  readonly #spool = this.#meters.gauge('spool_bytes', 'Bytes that spools hold');
  readonly #downloads = this.#meters.gauge('downloads', 'Clients that are being sent packets');
  readonly #requests = this.#meters.counter('http_requests_total', 'Requests that have ended', ['method', 'route', 'status']);
  readonly #firstByte = this.#meters.histogram(
    'http_first_byte_seconds',
    'Time from a request to the headers of its answer',
    ['method', 'route'],
    FIRST_BYTE_BUCKETS,
  );
  readonly #connections = this.#meters.gauge('http_connections', 'Connections that are open', ['state']);
  readonly #closed = this.#meters.counter('http_connections_closed_total', 'Connections that gave way to others, or were refused', ['why']);
  readonly #failedLogins = this.#meters.counter('logins_failed_total', 'Logins with a wrong name or password');
  readonly #ofCaptures = new CaptureMetrics(this.#meters);
  /** Of exports that have ended. */
  readonly #past = { bytes: 0, packets: 0 };

  constructor(private readonly options: MetricsOptions) {
    collectDefaultMetrics({ register: this.#meters.registry });
    this.#meters.gauge('info', 'Always 1: says which version runs', ['version']).set({ version: options.version }, 1);
  }

  get contentType(): string {
    return this.#meters.registry.contentType;
  }

  /** As Prometheus reads it, with series of those jobs alone that the caller may read. */
  async textFor(caller: Caller): Promise<string> {
    const jobs = await this.options.captures.look();
    this.#updateExports(this.options.exports());
    this.#updateConnections(this.options.connections());
    this.#ofCaptures.update(jobs);
    return readableLines(await this.#meters.registry.metrics(), jobs, caller);
  }

  saw({ method, route, status, firstByteMs }: SeenRequest): void {
    this.#requests.inc({ method, route, status: `${Math.floor(status / 100)}xx` });
    if (firstByteMs !== null) this.#firstByte.observe({ method, route }, firstByteMs / 1000);
  }

  /** An entry of the audit. */
  noted(action: string): void {
    if (action === 'login_failed' || action === 'login_locked') this.#failedLogins.inc();
  }

  exported(event: ExportEvent): void {
    const { mode } = event;
    if (event.step === 'created') return this.#created.inc({ mode });
    this.#ended.inc({ mode, outcome: event.outcome });
    this.#past.bytes += Number(event.bytes);
    this.#past.packets += Number(event.packets);
  }

  #updateExports({ byModeAndState, bytes, packets, turns, spoolBytes, downloads }: ExportFigures): void {
    for (const mode of MODES) for (const state of STATES) this.#exports.set({ mode, state }, byModeAndState.get(mode)?.get(state) ?? 0);
    for (const source of ['stored', 'live'] as const) {
      this.#turns.set({ source }, turns[source].taken);
      this.#waiting.set({ source }, turns[source].waiting);
    }
    setTo(this.#bytes, this.#past.bytes + bytes);
    setTo(this.#packets, this.#past.packets + packets);
    this.#spool.set(spoolBytes);
    this.#downloads.set(downloads);
  }

  #updateConnections({ busy, idle, evicted, refused }: ConnectionFigures): void {
    this.#connections.set({ state: 'busy' }, busy);
    this.#connections.set({ state: 'idle' }, idle);
    this.#closed.reset();
    this.#closed.inc({ why: 'evicted' }, evicted);
    this.#closed.inc({ why: 'refused' }, refused);
  }
}
