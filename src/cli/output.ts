import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Logger } from '../logger.js';
import { describeError } from './error-report.js';

/** A stream that may be a terminal. */
export type TextStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

const CLEAR_LINE = '\r\u001b[2K';
const DEFAULT_COLUMNS = 80;

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
  #hasTransient = false;

  constructor(options: { stdout: TextStream; stderr: TextStream; isJson: boolean }) {
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.isJson = options.isJson;
  }

  /** Whether a line on stderr can be rewritten in place. */
  get canRewrite(): boolean {
    return this.#stderr.isTTY === true && !this.isJson;
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
    const width = (this.#stderr.columns ?? DEFAULT_COLUMNS) - 1;
    this.#stderr.write(CLEAR_LINE + line.slice(0, width));
    this.#hasTransient = true;
  }

  clearTransient(): void {
    if (this.#hasTransient) this.#stderr.write(CLEAR_LINE);
    this.#hasTransient = false;
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
