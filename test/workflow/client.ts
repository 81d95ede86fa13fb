/**
 * A client as the public ones are: it knows the names of services, resources and links, asks for everything else, sends the
 * type of JSON with every request, keeps its connection, takes only cookies of what it is given, and logs in once more when
 * an AUTH_ id tells it to.
 */
import { request, Agent, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { once } from 'node:events';
import { expand, faults, templateOf, type Definition, type Schema, type Variables } from './definition.js';

export type Login = 'none' | 'cookie' | 'basic' | 'bearer';

export interface Account {
  username: string;
  password: string;
}

export interface Got {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface ClientOptions {
  /** `https://127.0.0.1:1234`. */
  address: string;
  login: Login;
  account?: Account;
  /** The certificate that the client was told to trust. */
  ca?: Buffer;
}

/** What every request carries, a GET and a DELETE too. */
const HEADERS = {
  'user-agent': 'python-requests/2.31.0',
  'accept-encoding': 'gzip, deflate',
  accept: '*/*',
  connection: 'keep-alive',
  'content-type': 'application/json',
};

interface Listed {
  id: string;
  versions: string[];
}

export class PublicClient {
  readonly #agent: Agent;
  readonly #services = new Map<string, { root: string; definition: Definition }>();
  #listed: Listed[] = [];
  #authorization: string | null = null;
  #cookies: string[] = [];
  /** How often it logged in. */
  logins = 0;
  /** Connections it made. */
  connections = 0;

  constructor(private readonly options: ClientOptions) {
    this.#agent = options.address.startsWith('https:') ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  /** Everything that comes before the first call of its own. */
  async start(): Promise<void> {
    this.#listed = (await this.#expectJson('GET', '/api/common/1.0/services')) as Listed[];
    await this.#bind('common');
    const { supported_methods: methods } = (await this.#expectJson('GET', '/api/common/1.0/auth_info')) as { supported_methods: string[] };
    const wanted = { none: null, cookie: 'COOKIE', basic: 'BASIC', bearer: 'OAUTH2.0' }[this.options.login];
    if (wanted !== null && !methods.includes(wanted)) throw new Error(`the probe does not offer ${wanted}`);
    await this.#logIn();
  }

  /** The call of a link, by the names of service, resource and link. */
  async call(service: string, resource: string, name: string, variables: Variables = {}, body?: object): Promise<Got> {
    const { root, definition } = this.#services.get(service) ?? (await this.#bind(service));
    const { method, request: wanted } = definition.resources[resource]!.links[name]!;
    if (wanted) mustBe(body, wanted, definition);
    const path = expand(templateOf(definition, resource, name), variables).replace(/^\$/, root);
    const got = await this.send(method, path, body === undefined ? undefined : JSON.stringify(body));
    if (got.status >= 400) throw new Error(`${method} ${path}: ${got.status} ${got.body.toString()}`);
    return got;
  }

  /** As `call`; the answer is what the definition says it is. */
  async json<T>(service: string, resource: string, name: string, variables: Variables = {}, body?: object): Promise<T> {
    const got = await this.call(service, resource, name, variables, body);
    const answer = JSON.parse(got.body.toString()) as T;
    const { definition } = this.#services.get(service)!;
    const { response } = definition.resources[resource]!.links[name]!;
    if (response) mustBe(answer, response, definition);
    return answer;
  }

  /** Logs in once more, and once only, where the answer says so. */
  async send(method: string, path: string, body?: string): Promise<Got> {
    const got = await this.#exchange(method, path, body);
    if (got.status !== 401) return got;
    const { error_id: id } = JSON.parse(got.body.toString()) as { error_id: string };
    if (!id.startsWith('AUTH_')) return got;
    await this.#logIn();
    return this.#exchange(method, path, body);
  }

  /** What it was given is worth nothing any more. */
  forgetLogin(): void {
    this.#authorization = this.#authorization && `${this.#authorization.slice(0, 10)}AAAA`;
    this.#cookies = this.#cookies.map((cookie) => `${cookie.slice(0, -4)}AAAA`);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #bind(service: string): Promise<{ root: string; definition: Definition }> {
    const versions = this.#listed.find(({ id }) => id === service)?.versions ?? [];
    // As text: "10.0" is before "2.0".
    const version = [...versions].sort().at(-1);
    if (version === undefined) throw new Error(`the probe has no service ${service}`);
    const root = `/api/${service}/${version}`;
    const bound = { root, definition: (await this.#expectJson('GET', root)) as Definition };
    this.#services.set(service, bound);
    return bound;
  }

  async #logIn(): Promise<void> {
    const { login, account } = this.options;
    if (login === 'none') return;
    this.logins++;
    const { username, password } = account!;
    if (login === 'basic') this.#authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    if (login === 'cookie') {
      const { headers } = await this.call('common', 'session_auth', 'login', {}, { username, password, purpose: 'export' });
      this.#cookies = (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1)[0]!);
    }
    if (login === 'bearer') {
      const wanted = { user_credentials: { username, password }, generate_refresh_token: false, state: 'x 1' };
      this.#authorization = null;
      const token = await this.json<{ access_token: string; token_type: string; state: string }>('mgmt.aaa', 'access_tokens', 'request', {}, wanted);
      if (token.state !== wanted.state || token.token_type !== 'bearer') throw new Error(JSON.stringify(token));
      this.#authorization = `Bearer ${token.access_token}`;
    }
  }

  async #expectJson(method: string, path: string): Promise<unknown> {
    const { status, headers, body } = await this.#exchange(method, path);
    if (status !== 200 || !/^application\/json/.test(headers['content-type'] ?? '')) throw new Error(`${path}: ${status} ${body.toString()}`);
    return JSON.parse(body.toString());
  }

  async #exchange(method: string, path: string, body?: string): Promise<Got> {
    const { address, ca } = this.options;
    const { protocol, hostname, port } = new URL(address);
    const options: RequestOptions & { ca?: Buffer } = {
      ...{ hostname, port, method, path, agent: this.#agent },
      headers: {
        ...HEADERS,
        ...(this.#authorization !== null && { authorization: this.#authorization }),
        ...(this.#cookies.length > 0 && { cookie: this.#cookies.join('; ') }),
        ...(body !== undefined
          ? { 'content-length': Buffer.byteLength(body) }
          : method === 'POST' || method === 'PUT'
            ? { 'content-length': 0 }
            : {}),
      },
      ...(ca && { ca }),
    };
    const asked = (protocol === 'https:' ? requestTls : request)(options);
    asked.on('socket', () => (this.connections += asked.reusedSocket ? 0 : 1));
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    if (!response.complete) throw new Error(`${method} ${path}: the connection broke`);
    return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) };
  }
}

function mustBe(value: unknown, schema: Schema, definition: Definition): void {
  const wrong = faults(value, schema, definition);
  if (wrong.length > 0) throw new Error(`${definition.name}: ${wrong.join('; ')}`);
}
