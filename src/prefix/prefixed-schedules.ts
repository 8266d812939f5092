import type {
  FireReport,
  Schedule,
  ScheduleInput,
  ScheduleStore,
  ScheduleTask,
} from '../store/schedule-store.js';
import type { PrefixNames } from './prefix-names.js';

/** The schedules of a namespace: their names, and all that their tasks name, are within it. */
export class PrefixedSchedules implements ScheduleStore {
  readonly #schedules: ScheduleStore;
  readonly #names: PrefixNames;

  constructor(schedules: ScheduleStore, names: PrefixNames) {
    this.#schedules = schedules;
    this.#names = names;
  }

  put(input: ScheduleInput): Promise<Schedule> {
    return this.#calling(async () => {
      // What is no name, or no object, stays as it is: the store below says what is wrong with it.
      const name = input.name && this.#names.add(input.name);
      const task = input.task && this.#addToTask(input.task);
      return this.#strip(await this.#schedules.put({ ...input, name, task }));
    });
  }

  pause(name: string): Promise<void> {
    return this.#calling(() => this.#schedules.pause(this.#names.add(name)));
  }

  resume(name: string): Promise<void> {
    return this.#calling(() => this.#schedules.resume(this.#names.add(name)));
  }

  runNow(name: string): Promise<string> {
    return this.#calling(async () =>
      this.#names.strip(await this.#schedules.runNow(this.#names.add(name))),
    );
  }

  remove(name: string): Promise<boolean> {
    return this.#calling(() => this.#schedules.remove(this.#names.add(name)));
  }

  get(name: string): Promise<Schedule | null> {
    return this.#calling(async () => {
      const schedule = await this.#schedules.get(this.#names.add(name));
      return schedule && this.#strip(schedule);
    });
  }

  list({ namePrefix = '' }: { namePrefix?: string } = {}): Promise<Schedule[]> {
    return this.#calling(async () => {
      const options = { namePrefix: this.#names.add(namePrefix) };
      return (await this.#schedules.list(options)).map((schedule) => this.#strip(schedule));
    });
  }

  /** Those of this prefix alone. */
  fireDue({ namePrefix = '' }: { namePrefix?: string } = {}): Promise<FireReport> {
    return this.#calling(async () => {
      const options = { namePrefix: this.#names.add(namePrefix) };
      const report = await this.#schedules.fireDue(options);
      return {
        ...report,
        fired: report.fired.map(this.#names.strip),
        failures: report.failures.map(({ name, error }) => ({
          name: this.#names.strip(name),
          error: this.#names.stripError(error),
        })),
      };
    });
  }

  onChange(listener: () => void): () => void {
    return this.#schedules.onChange(listener);
  }

  #addToTask(task: ScheduleTask): ScheduleTask {
    // The id is made of the schedule's name, which has the prefix. One that is given is refused below.
    const { id, ...prefixed } = this.#names.addToTask({ ...task, id: '' });
    return 'id' in task ? { ...prefixed, ...{ id } } : prefixed;
  }

  #strip(schedule: Schedule): Schedule {
    const { name, task, lastTaskId } = schedule;
    return {
      ...schedule,
      name: this.#names.strip(name),
      task: this.#names.stripInput(task),
      lastTaskId: this.#names.stripOptional(lastTaskId),
    };
  }

  async #calling<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.#names.stripError(error);
    }
  }
}
