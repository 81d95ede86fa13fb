/** `spillway info`: what a capture holds. */
import { EXIT_DAMAGED, fail, note } from './fail.js';
import { parseCommand, type CommandSpec } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import { unlessInterrupted } from './interrupt.js';
import type { Io } from './io.js';
import { createProgressBar } from './progress.js';
import { damageSentence } from './receipt.js';
import { sourceNamed } from './sources.js';
import { startThreads } from './threads.js';

export const INFO: CommandSpec = {
  name: 'info',
  operands: { value: 'SOURCE', many: false },
  about: `Tells what a capture holds, walking over all of it.

SOURCE is a capture file (pcap or pcapng, also inside gzip or zstd), or - for standard input. First and last packet
time are the smallest and the largest; data size counts the packets as they were on the wire.`,
  flags: [{ name: 'json', about: 'print one line of JSON instead' }],
  notes: `Examples:
  spillway info capture.pcapng
  spillway info capture.pcap.gz --json

${EXIT_HELP}`,
};

export async function infoCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(INFO, args);
  if (parsed.help) {
    io.stdout.write(helpText(INFO));
    return 0;
  }
  const source = await sourceNamed(parsed.operands[0]!, io);
  const bar = createProgressBar(io);
  const signal = io.interrupt();
  try {
    const pool = await startThreads([source]);
    const { inspect } = await import('../engine/inspect.js');
    const walk = inspect(source, { signal, ...(pool && { pool }), ...(bar && { onProgress: (progress) => bar.show(progress) }) });
    const report = await unlessInterrupted(signal, walk, { tidies: true });
    bar?.clear();
    io.stdout.write(
      parsed.values.has('json') ? `${(await import('./info-json.js')).infoJson(report)}\n` : (await import('./info-text.js')).infoText(report),
    );
    if (report.damage === null) return 0;
    note(io, damageSentence(report.damage));
    return EXIT_DAMAGED;
  } catch (error) {
    bar?.clear();
    return fail(error, io, signal);
  }
}
