/** `spillway serve`: starts the probe and ends it when asked. */
import { resolve } from 'node:path';
import { DEFAULT_PORT, LOG_LEVELS, probeConfig, type ProbeConfig } from '../config.js';
import { SpillwayError } from '../errors.js';
import { parseCount } from '../units.js';
import { naming, note } from './fail.js';
import { commandLine, parseCommand, type CommandSpec, type Parsed } from './flags.js';
import { helpText } from './help.js';
import { unlessInterrupted } from './interrupt.js';
import type { Io } from './io.js';

export const SERVE: CommandSpec = {
  name: 'serve',
  operands: null,
  about: `Starts the probe: packet export over REST, with a page about the API at /docs. Beyond loopback it listens only
with a user (spillway users) and with TLS.

Ctrl-C (SIGINT) or SIGTERM ends it: running exports are ended first. A second one ends it at once.`,
  flags: [
    { name: 'data', value: 'DIR', about: "the data folder; default: $SPILLWAY_DATA, else data/ in the program's folder" },
    { name: 'port', value: 'N', about: `the port to listen on; 0: any free one; default: ${DEFAULT_PORT}` },
    { name: 'address', value: 'A', about: 'the address to listen on; default: 127.0.0.1; 0.0.0.0: all' },
    { name: 'tls-cert', value: 'FILE', about: 'serve HTTPS: the certificate (PEM); spillway tls init makes one' },
    { name: 'tls-key', value: 'FILE', about: 'the key of the certificate (PEM)' },
    { name: 'insecure-http', about: 'allow other than loopback without TLS: passwords and packets can be read on the way' },
    { name: 'name', value: 'HOST', many: true, about: 'a host name, besides localhost, that requests may use' },
    { name: 'user', value: 'USER', about: 'whom root lets serve: NAME, UID or UID:GID; see below' },
    { name: 'updates', about: 'let admins replace the program over the API; the server runs below a launcher then' },
    { name: 'log-level', value: 'LEVEL', about: `${LOG_LEVELS.join(', ')}; default: warn; the log goes to stderr` },
  ],
  notes: `Started by root, it serves as another user without any privilege: --user, else the owner of the data folder, else of the
program's folder, else nobody. What stays root does nothing but start captures for it.

Examples:
  spillway serve
  spillway serve --data ./probe --port 0
  spillway serve --address 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --name probe.example

Exit codes:
  0    ended by SIGINT or SIGTERM
  1    the command line is wrong
  2    it could not start`,
};

export async function serveCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(SERVE, args);
  if (parsed.help) {
    io.stdout.write(helpText(SERVE));
    return 0;
  }
  const config = serveArguments(parsed, io);
  if (process.getuid?.() === 0) return serveBelowRoot(config, parsed);
  if (parsed.values.has('user')) throw new SpillwayError('REQUEST_INVALID', '--user: only root can serve as another user');
  const { launched } = await import('../update/launched.js');
  const launcher = launched();
  if (parsed.values.has('updates') && launcher === null) return launchServers(config, parsed);
  if (launcher === null) await noteUpdate(config, io);
  const { startProbe } = await import('../probe.js');
  const { rootParent } = await import('../capture/parent.js');
  const parent = rootParent();
  const signal = io.interrupt();
  const probe = await startProbe(config, { parent, launcher }).catch((error: unknown) => {
    if (error instanceof SpillwayError && error.code === 'DATA_FOLDER_LOCKED') launcher?.isLockedOut();
    throw error;
  });
  const users = probe.access.users.list();
  io.stdout.write(greeting(probe.address, (users.find(({ role }) => role === 'admin') ?? users[0])?.name));
  const asked = new Promise((resolve) => signal.addEventListener('abort', resolve));
  if (!signal.aborted) await Promise.race([asked, ...(parent ? [parent.gone] : []), ...(launcher ? [launcher.gone, launcher.restarting] : [])]);
  await unlessInterrupted(signal, probe.close(), { tidies: true });
  return 0;
}

/** HTTP is never served as root. The user who serves may not be allowed to read the key: it is handed over, open. */
async function serveBelowRoot({ host, dataFolder, tls, insecureHttp }: ProbeConfig, parsed: Parsed): Promise<number> {
  // What the server would refuse is refused before anything is made for it.
  const { listenAddress } = await import('../api/loopback.js');
  listenAddress(host, tls !== null || insecureHttp);
  const { inherited, openTls } = await import('../api/tls.js');
  const files = tls === null ? [] : openTls(tls);
  const { FIRST_FILE, serveAsUser } = await import('../privileged/serve.js');
  const given = inherited(FIRST_FILE);
  const handedOver = tls === null ? {} : { 'tls-cert': [given.cert], 'tls-key': [given.key] };
  const command = (data: string): string[] => commandLine(SERVE, parsed, { data: [data], user: [], ...handedOver });
  return serveAsUser({ user: parsed.values.get('user')?.[0], dataFolder, files, command });
}

/** Who has updated the probe may not expect that it runs what it was installed as. */
async function noteUpdate({ dataFolder }: ProbeConfig, io: Io): Promise<void> {
  const { Slots } = await import('../update/slots.js');
  const { active, slots } = new Slots(dataFolder).read();
  const release = active === 'installed' ? null : slots[active];
  if (release) {
    const { version } = release;
    note(
      io,
      `this is the release that was installed; version ${version}, which an update brought, runs only with --updates, and may have changed the database`,
    );
  }
}

/** The releases that updates brought run below this one. */
async function launchServers({ dataFolder, tls, port }: ProbeConfig, parsed: Parsed): Promise<number> {
  const { launch } = await import('../update/launcher.js');
  const { Slots } = await import('../update/slots.js');
  const { PARENT_FD } = await import('../capture/parent.js');
  const { FIRST_FILE } = await import('../privileged/serve.js');
  const { inherited } = await import('../api/tls.js');
  // What root has handed over goes on to each of them.
  const opened = tls?.cert === inherited(FIRST_FILE).cert ? [FIRST_FILE, FIRST_FILE + 1] : [];
  const files = PARENT_FD in process.env ? [FIRST_FILE - 1, ...opened] : [];
  const paths = { data: [dataFolder], ...(tls && { 'tls-cert': [tls.cert], 'tls-key': [tls.key] }) };
  // The next one listens where the one before did, also where any port would have done.
  const args = (bound: number | null): string[] => commandLine(SERVE, parsed, { ...paths, port: [String(bound ?? port)] }).slice(2);
  return launch({ dataFolder, slots: new Slots(dataFolder), args, files });
}

export function serveArguments({ values }: Parsed, io: Io): ProbeConfig {
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const port = one('port');
  const level = one('log-level');
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (level !== undefined && logLevel === undefined) {
    throw new SpillwayError('REQUEST_INVALID', `--log-level: ${JSON.stringify(level)} is not one of ${LOG_LEVELS.join(', ')}`);
  }
  for (const name of ['data', 'address', 'name', 'tls-cert', 'tls-key']) {
    if (values.get(name)?.some((value) => value === '' || value.includes('\0')))
      throw new SpillwayError('REQUEST_INVALID', `--${name}: the value is empty or holds a NUL character`);
  }
  const dataFolder = one('data');
  const host = one('address');
  const [cert, key] = [one('tls-cert'), one('tls-key')];
  if ((cert === undefined) !== (key === undefined)) {
    throw new SpillwayError('REQUEST_INVALID', `--tls-${cert === undefined ? 'cert' : 'key'} is missing: certificate and key go together`);
  }
  return probeConfig({
    ...(dataFolder !== undefined && { dataFolder: resolve(io.cwd, dataFolder) }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port: Number(naming('--port', () => parseCount(port, 65535n))) }),
    ...(logLevel !== undefined && { logLevel }),
    ...(cert !== undefined && key !== undefined && { tls: { cert: resolve(io.cwd, cert), key: resolve(io.cwd, key) } }),
    insecureHttp: values.has('insecure-http'),
    names: values.get('name') ?? [],
  });
}

/** The address, and one line of sh that makes an export of the sample and fetches its packets. `user`: who has to log in for that. */
export function greeting(address: string, user?: string): string {
  const base = `${address}/api/npm.packet_export/1.3`;
  const body = '{"config":{"path":"fs/admin/sample.pcap"}}';
  // A certificate of our own making is not known to curl. It asks for the password.
  const flags = `${address.startsWith('https:') ? 'k' : ''}${user === undefined ? '' : `u ${user}`}`;
  const options = flags === '' ? '' : ` -${flags}`;
  const create = `B=${base} && J=$(curl${options} -sSf -H 'Content-Type: application/json' -d '${body}' $B/exports)`;
  const fetch = `J=\${J#*'"id":"'} && curl${options} -sf $B/packets/items/\${J%%'"'*}`;
  return `The probe listens on ${address} (its API: ${address}/docs). Ctrl-C ends it.

This line exports packets from the sample capture; paste it into another terminal and end it with
"> sample.pcap" or "| tcpdump -r - -c 5"${user === undefined ? '' : `; it asks for the password of ${user}, twice`}:

${create} && ${fetch}

`;
}
