/** A server's end of the way to its launcher (launcher.ts). */
import { LAUNCHED, type Told } from './launcher.js';
import { isPlace, type Place } from './slots.js';

export class Launched {
  /** Resolves when the launcher has ended. */
  readonly gone: Promise<void>;
  /** Resolves when this server has asked to be started again: it is to end now. */
  readonly restarting: Promise<void>;
  #restarts: () => void = () => undefined;

  constructor(
    /** Where this release lies. */
    readonly place: Place,
    private readonly send: (told: Told) => void,
  ) {
    this.gone = new Promise((resolve) => process.once('disconnect', resolve));
    this.restarting = new Promise((resolve) => (this.#restarts = resolve));
  }

  /** `port`: for the next server, where any was asked for. */
  listens(port: number): void {
    this.send({ listening: port });
  }

  isHealthy(): void {
    this.send({ healthy: true });
  }

  isLockedOut(): void {
    this.send({ locked: true });
  }

  restart(): void {
    this.send({ restart: true });
    this.#restarts();
  }
}

/** Null where there is no launcher. To be called once: what is found is taken out of the environment. */
export function launched(environment: NodeJS.ProcessEnv = process.env): Launched | null {
  const place = environment[LAUNCHED];
  delete environment[LAUNCHED];
  if (!isPlace(place) || process.send === undefined) return null;
  // A launcher that has gone is told by `gone`.
  return new Launched(place, (told) => process.send?.(told, undefined, undefined, () => undefined));
}
