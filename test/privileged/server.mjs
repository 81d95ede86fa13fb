/**
 * A probe that can be told to capture: SIGHUP starts the captures of all jobs in the data folder, and each one's outcome is
 * a line on standard output. Ends with its parent, as `spillway serve` does; without one, only when it is killed.
 */
import { Jobs } from '../../dist/buffer/jobs.js';
import { rootParent } from '../../dist/capture/parent.js';
import { probeConfig } from '../../dist/config.js';
import { startProbe } from '../../dist/probe.js';

const dataFolder = process.argv[2];
const parent = rootParent();
const probe = await startProbe(probeConfig({ dataFolder, port: 0, logLevel: 'silent' }), { parent });
const jobs = new Jobs(dataFolder);

process.on('SIGHUP', async () => {
  for (const job of await jobs.list()) {
    const outcome = await probe.startCapture(job).then(
      () => 'captured',
      ({ code, message }) => `${code}: ${message}`,
    );
    console.log(`${job.name} ${outcome}`);
  }
});
console.log(probe.address);
await (parent?.gone ?? new Promise(() => {}));
await probe.close();
process.exit(0);
