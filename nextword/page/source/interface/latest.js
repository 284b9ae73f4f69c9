/**
 * Does one piece of work at a time, always for the newest input: inputs that come while it works
 * replace each other, and an answer to any but the newest input is dropped.
 *
 * @template Input, Output
 */
export class Latest {
  /**
   * @param {(input: Input, isLate: () => boolean) => Promise<Output>} work may stop early once its
   *   input is late, that is, no longer the newest
   * @param {(input: Input, output: Output) => void} deliver receives the answer to the newest input
   * @param {(error: Error) => number | null} fail receives an error; returns the milliseconds after
   *   which to try again, or null
   */
  constructor(work, deliver, fail) {
    this.work = work;
    this.deliver = deliver;
    this.fail = fail;
    this.busy = false;
    this.waiting = null;
  }

  /** Answer an input as soon as the work in progress is done. @param {Input} input */
  ask(input) {
    this.waiting = { input };
    if (!this.busy) this.run();
  }

  async run() {
    this.busy = true;
    while (this.waiting) {
      const { input } = this.waiting;
      this.waiting = null;
      try {
        const output = await this.work(input, () => this.waiting !== null);
        if (!this.waiting) this.deliver(input, output);
      } catch (error) {
        await this.afterError(error, input);
      }
    }
    this.busy = false;
  }

  async afterError(error, input) {
    const milliseconds = this.fail(error);
    if (milliseconds === null) return;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.waiting ??= { input };
  }
}
