/** A registry whose names are ours: `spillway_…`. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const PREFIX = 'spillway_';

export class Meters {
  readonly registry = new Registry();

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.registry] });
  }

  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name: PREFIX + name, help, labelNames, registers: [this.registry] });
  }

  histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[], buckets: number[]): Histogram<Label> {
    return new Histogram({ name: PREFIX + name, help, labelNames, buckets, registers: [this.registry] });
  }
}

/** Of a counter that is counted elsewhere. */
export function setTo(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
