/** The command line's front door: finds the command and loads that alone. */
import { SpillwayError } from '../errors.js';
import { packageVersion } from '../root.js';
import { fail } from './fail.js';
import { processIo, type Io } from './io.js';

/** What a command's file exports: runs with the arguments behind its name, resolves to the exit code. */
export type Command = (args: readonly string[], io: Io) => Promise<number>;

interface Entry {
  about: string;
  load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  export: { about: 'write the packets you ask for into a capture file or a pipe', load: async () => (await import('./export.js')).exportCommand },
  merge: { about: 'write several captures into one, in time order', load: async () => (await import('./merge.js')).mergeCommand },
  info: { about: 'tell what a capture file holds', load: async () => (await import('./info.js')).infoCommand },
  capture: {
    about: 'capture packets into a buffer that can be exported from at any time',
    load: async () => (await import('./capture.js')).captureCommand,
  },
  jobs: { about: 'list, end or delete captures', load: async () => (await import('./jobs.js')).jobsCommand },
  clips: { about: 'keep a time range of a capture, whatever its buffer lets go of', load: async () => (await import('./clips.js')).clipsCommand },
  filter: { about: 'check a packet filter and show its program', load: async () => (await import('./filter.js')).filterCommand },
  users: { about: 'list, add, change or remove those who may log in', load: async () => (await import('./users.js')).usersCommand },
  peers: {
    about: 'list, add or remove probes that this one may ask, and credentials for that',
    load: async () => (await import('./peers.js')).peersCommand,
  },
  diag: { about: 'make a diagnostic package of a probe, check or decrypt one', load: async () => (await import('./diag.js')).diagCommand },
  package: {
    about: 'make an update package of this program, look into one or verify it',
    load: async () => (await import('./package.js')).packageCommand,
  },
  update: {
    about: 'tell which release a probe runs; keep update packages and the keys for them; update other probes',
    load: async () => (await import('./update.js')).updateCommand,
  },
  tls: { about: 'make a certificate for the probe', load: async () => (await import('./tls.js')).tlsCommand },
  serve: { about: 'start the probe: packet export over REST', load: async () => (await import('./serve.js')).serveCommand },
};

function overview(): string {
  const commands = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(8)}${about}`);
  return `Usage: spillway COMMAND [arguments]

Spillway hands slices of captured traffic out as PCAP or PCAPNG.

Commands:
${commands.join('\n')}

  spillway COMMAND --help   all about one command
  spillway --version        the version

Examples:
  spillway info capture.pcap
  spillway export capture.pcap -f 'tcp port 443' --from -10m -o last-ten-minutes.pcap
  spillway export capture.pcap.gz -c 5 | tcpdump -r -
  spillway merge east.pcap west.pcap -o both.pcap
  spillway capture -i eth0 --retain-bytes 10GB
  spillway export jobs/eth0 --from -10m -o last-ten-minutes.pcap
`;
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-V') {
    io.stdout.write(`spillway ${packageVersion()}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    io.stdout.write(overview());
    return 0;
  }
  if (name === 'help') return dispatch([rest[0]!, '--help'], io);
  if (name === undefined) throw new SpillwayError('REQUEST_INVALID', 'a command is missing (see spillway --help)');
  if (!Object.hasOwn(COMMANDS, name)) {
    const { suggestion } = await import('./flags.js');
    throw new SpillwayError(
      'REQUEST_INVALID',
      `unknown command ${JSON.stringify(name)}${suggestion(name, Object.keys(COMMANDS), '')} (see spillway --help)`,
    );
  }
  const command = await COMMANDS[name]!.load();
  return command(rest, io);
}

/** Runs one command line; never rejects. Resolves to the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return fail(error, io);
  }
}

/** The whole of a process: what bin/spillway calls. */
export async function runProcess(): Promise<void> {
  const io = processIo();
  io.end(await main(process.argv.slice(2), io));
}
