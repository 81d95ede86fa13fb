/** The newest lines of the logs around the probe: its own, the system's and the kernel's. */
import type { Collector, CollectorContext } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS, KEPT } from '../limits.js';
import { pieces } from '../pieces.js';
import { type Places, tailOf } from '../places.js';
import { printed } from '../program.js';

const section = 'system_log';
const FILES = ['var/log/syslog', 'var/log/messages'];
/** Kept while a program prints: less than its file may hold. */
const PRINTED_BYTES = 1 << 20;

export function systemLogs({ live }: ProbeFacts, places: Places): Collector[] {
  return [
    ...(live
      ? [
          {
            name: 'probe-log',
            section,
            file: 'system_log/probe.jsonl',
            about: 'The newest lines of the log of this server, from level info on, whatever goes to stderr',
            ...BOUNDS.probeLog,
            collect: ({ signal }) => pieces(live.log(), signal),
          } satisfies Collector,
        ]
      : []),
    {
      name: 'system-log',
      section,
      file: 'system_log/system.log',
      about: 'The newest lines of the journal, or of the log file where there is no journal',
      ...BOUNDS.systemLog,
      collect: (context) => pieces(systemLog(places, context), context.signal),
    },
    {
      name: 'kernel-log',
      section,
      file: 'system_log/kernel.log',
      about: 'The newest messages of the kernel',
      ...BOUNDS.kernelLog,
      collect: (context) => pieces(kernelLog(places, context), context.signal),
    },
  ];
}

async function* systemLog(places: Places, { verbosity, signal }: CollectorContext): AsyncGenerator<string> {
  const lines = KEPT[verbosity].logLines;
  const journalctl = places.path('usr/bin/journalctl');
  try {
    const { text } = await printed(journalctl, ['--no-pager', '--quiet', '--output=short-iso', `--lines=${lines}`], PRINTED_BYTES, signal);
    // Where nothing is kept, or nothing may be seen, it says nothing.
    if (text.trim() !== '') return yield* [`# ${journalctl}\n`, text];
    yield `# ${journalctl} shows nothing\n`;
  } catch (error) {
    signal.throwIfAborted();
    yield notRead(journalctl, error);
  }
  for (const name of FILES) {
    const path = places.path(name);
    try {
      let isFirst = true;
      for await (const text of tailOf(path, lines, BOUNDS.systemLog.maxBytes / 2)) {
        if (isFirst) yield `# ${path}\n`;
        isFirst = false;
        yield text;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      yield notRead(path, error);
    }
  }
}

async function* kernelLog(places: Places, { signal }: CollectorContext): AsyncGenerator<string> {
  const dmesg = places.path('usr/bin/dmesg');
  try {
    const { text, isCut } = await printed(dmesg, [], PRINTED_BYTES, signal);
    yield `# ${dmesg}${isCut ? ', its end' : ''}\n`;
    yield text;
  } catch (error) {
    signal.throwIfAborted();
    yield notRead(dmesg, error);
  }
}

function notRead(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `# ${path} can not be read: ${code === 'ENOENT' ? 'it is not there' : message.replaceAll('\n', ' ')}\n`;
}
