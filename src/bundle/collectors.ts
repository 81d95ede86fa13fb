/** All collectors of a probe, in the order in which a package holds what they give. */
import type { Collector } from './collector.js';
import { bufferMap } from './collectors/buffer-map.js';
import { configuration } from './collectors/configuration.js';
import { eventLogs } from './collectors/event-logs.js';
import { interfaces } from './collectors/interfaces.js';
import { lossMap } from './collectors/loss-map.js';
import { processes } from './collectors/processes.js';
import { selfTest } from './collectors/self-test.js';
import { statistics } from './collectors/statistics.js';
import { status } from './collectors/status.js';
import { machine } from './collectors/system.js';
import { systemLogs } from './collectors/system-logs.js';
import { users } from './collectors/users.js';
import { versions } from './collectors/versions.js';
import type { ProbeFacts } from './facts.js';
import { Places } from './places.js';

/** `places`: where the system's own files are. What only a running server knows has collectors only where there is one. */
export function collectorsOf(facts: ProbeFacts, places = new Places()): Collector[] {
  return [
    versions(facts, places),
    ...configuration(facts),
    ...status(facts),
    bufferMap(facts),
    lossMap(facts),
    interfaces(places),
    machine(facts, places),
    ...processes(facts, places),
    selfTest(facts),
    ...(facts.live ? statistics(facts.live) : []),
    ...eventLogs(facts),
    ...systemLogs(facts, places),
    users(facts),
  ];
}
