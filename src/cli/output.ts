import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Logger } from '../logger.js';
import { describeError } from './error-report.js';

/** A stream that may be a terminal. */
export type TextStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

const CLEAR_LINE = '\r\u001b[2K';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/**
 * Everything a command says. Results go to stdout; remarks, progress and log lines to stderr, where a line
 * of progress that is rewritten in place makes way for the others.
 *
 * With `isJson`, stdout carries JSON only, and what stderr carries is JSON lines; remarks for people are dropped.
 */
export class Output {
  readonly isJson: boolean;
  readonly #stdout: TextStream;
  readonly #stderr: TextStream;
  /** Lines that the next thing said replaces. */
  #numTransient = 0;

  constructor(options: { stdout: TextStream; stderr: TextStream; isJson: boolean }) {
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.isJson = options.isJson;
  }

  /** Whether a line on stderr can be rewritten in place. */
  get canRewrite(): boolean {
    return this.#stderr.isTTY === true && !this.isJson;
  }

  /** Whether somebody looks at all that is said, on a terminal on which lines can be rewritten. */
  get isWatched(): boolean {
    return this.canRewrite && this.#stdout.isTTY === true;
  }

  /** Of the terminal; what is usual where there is none. */
  get size(): { readonly columns: number; readonly rows: number } {
    const { columns = DEFAULT_COLUMNS, rows = DEFAULT_ROWS } = this.#stderr;
    return { columns, rows };
  }

  /** A line of the result. Resolves when the reader can take more. */
  async print(line: string): Promise<void> {
    this.clearTransient();
    if (!this.#stdout.write(`${line}\n`)) await once(this.#stdout, 'drain');
  }

  /** The result, or one line of it, as one line of JSON. */
  printJson(value: unknown): Promise<void> {
    return this.print(JSON.stringify(value));
  }

  /** A remark for people. */
  note(line: string): void {
    if (!this.isJson) this.#writeLine(line);
  }

  /** A remark for programs: a JSON line. */
  event(value: object): void {
    if (this.isJson) this.#writeLine(JSON.stringify(value));
  }

  /** Shows one line, cut to the terminal's width, that the next thing said replaces. */
  showTransient(line: string): void {
    this.showTransientLines([line]);
  }

  /** Shows lines, each cut to the terminal's width, that the next thing said replaces; no more than the terminal has. */
  showTransientLines(lines: readonly string[]): void {
    const { columns, rows } = this.size;
    const shown = lines.slice(0, rows).map((line) => line.slice(0, columns - 1));
    this.#stderr.write(this.#clearing() + shown.join('\n'));
    this.#numTransient = shown.length;
  }

  clearTransient(): void {
    if (this.#numTransient > 0) this.#stderr.write(this.#clearing());
    this.#numTransient = 0;
  }

  /** To the beginning of the first transient line, and all from there on cleared. */
  #clearing(): string {
    const above = this.#numTransient - 1;
    return above > 0 ? `\r\u001b[${above}A\u001b[J` : CLEAR_LINE;
  }

  /** What the error says for people; for programs, `{"error":{"code","message",...}}`. */
  error(error: unknown): void {
    const described = describeError(error);
    if (this.isJson) this.event({ error: described });
    else this.#writeLine(`signalbox: ${described.message}`);
  }

  /** Warnings and errors of the library go where the remarks go. */
  get logger(): Logger {
    const write = (level: string) => (fields: object, message: string) => {
      const { err, ...others } = { err: undefined, ...fields };
      const error = err === undefined ? undefined : describeError(err);
      if (this.isJson) this.event({ level, message, ...others, ...(error ? { error } : {}) });
      else this.#writeLine(`${level}: ${message}${error ? `: ${error.message}` : ''}`);
    };
    return { debug: () => {}, info: () => {}, warn: write('warning'), error: write('error') };
  }

  #writeLine(line: string): void {
    this.clearTransient();
    this.#stderr.write(`${line}\n`);
  }
}
