/** The newest lines of the log, kept for diagnostic packages. */

/** Some minutes of a busy probe, and hours of an ordinary one. */
const LINES = 2000;
/** UTF-16 units, which for most lines are their bytes; one long stack trace after another must not fill the memory. */
const CHARACTERS = 1 << 20;

export class LogRing {
  /** The first `#gone` of them are let go of, together now and then. */
  #lines: string[] = [];
  #gone = 0;
  #characters = 0;

  constructor(
    private readonly maxLines = LINES,
    private readonly maxCharacters = CHARACTERS,
  ) {}

  add(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length;
    while (this.#lines.length - this.#gone > this.maxLines || (this.#characters > this.maxCharacters && this.#gone < this.#lines.length)) {
      this.#characters -= this.#lines[this.#gone]!.length;
      this.#lines[this.#gone] = '';
      this.#gone += 1;
    }
    if (this.#gone < this.maxLines) return;
    this.#lines = this.#lines.slice(this.#gone);
    this.#gone = 0;
  }

  /** The oldest first. */
  lines(): string[] {
    return this.#lines.slice(this.#gone);
  }
}
