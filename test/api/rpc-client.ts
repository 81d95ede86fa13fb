/** The JSON-RPC as its clients send it. */
import type { Answer, TestProbe } from './server.js';
import { passwordOf } from './server.js';

export interface RpcAnswer {
  status: number;
  result?: Record<string, unknown>;
  error?: { code: string; message_id: string; message_params?: Record<string, string>; suberrors?: { code: string }[] };
  warnings?: { message_id: string }[];
  device?: { tstamp: number };
}

export const ALL = {
  verbosity: 'base',
  configuration: true,
  event_logs: true,
  statistics: true,
  status: true,
  system_log: true,
  user_credentials: false,
};

export class RpcClient {
  key: string | null = null;

  constructor(readonly probe: TestProbe) {}

  async login(name: string, password = passwordOf(name)): Promise<Answer> {
    const answer = await this.probe.ask('/cgi-bin/login.cgi', { method: 'POST', body: { username: name, password } });
    if (answer.status === 200) this.key = (JSON.parse(answer.body.toString()) as { token: string }).token;
    return answer;
  }

  raw(body: string | object, headers: Record<string, string> = this.key === null ? {} : { apikey: this.key }): Promise<Answer> {
    return this.probe.ask('/cgi-bin/rpc.cgi', { method: 'POST', body, headers });
  }

  async call(method: string, params?: object, more: object = {}): Promise<RpcAnswer> {
    const { status, body } = await this.raw({ method, ...(params && { params }), ...more });
    return { ...(JSON.parse(body.toString()) as RpcAnswer), status };
  }

  async start(params: object = ALL): Promise<string> {
    const { result, error } = await this.call('diagnostic_package_start', params);
    if (!result) throw new Error(JSON.stringify(error));
    return String(result['process_id']);
  }

  /** The status when it has ended. */
  async ended(process_id: string): Promise<RpcAnswer> {
    for (;;) {
      const answer = await this.call('diagnostic_package_status_get', { process_id });
      if (answer.error || answer.result?.['return_code'] !== undefined) return answer;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async file(process_id: string): Promise<Buffer> {
    const { body } = await this.raw({ method: 'diagnostic_package_file_get', params: { process_id } });
    const { base64, extension, device, ...rest } = JSON.parse(body.toString()) as Record<string, unknown>;
    if (extension !== 'zip' || typeof device !== 'object' || Object.keys(rest).length > 0) throw new Error(body.subarray(0, 300).toString());
    return Buffer.from(String(base64), 'base64');
  }
}
