/** The steps that can be taken back. */
import type { Inside } from "./inside";
import type { Spec } from "./spec";

interface Step {
  readonly spec: Spec;
  /** What was done to come here, as words: `delete conv2`. */
  readonly words: string;
  /** In which block it was done. */
  readonly inside: Inside;
}

/** Edits of the same thing closer together than this are one step [ms]. */
const TOGETHER = 1000;
const LIMIT = 300;

export class History {
  private past: Step[] = [];
  private future: Step[] = [];
  private present: Step;
  private lastThing: string | undefined;
  private lastTime = 0;

  constructor(spec: Spec) {
    this.present = { spec, words: "", inside: [] };
  }

  get spec(): Spec {
    return this.present.spec;
  }

  /** Where the step was done that led here. */
  get inside(): Inside {
    return this.present.inside;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** What the next undo would take back. */
  get undoWords(): string {
    return this.present.words;
  }

  get redoWords(): string {
    return this.future.at(-1)?.words ?? "";
  }

  /**
   * Takes a step.
   *
   * Args:
   *   thing: what was touched; several quick edits of one thing (typing a number) are one step.
   */
  push(spec: Spec, words: string, thing?: string, now = Date.now(), inside: Inside = []): void {
    const same = thing !== undefined && thing === this.lastThing && now - this.lastTime < TOGETHER && this.canUndo;
    if (!same) {
      this.past.push(this.present);
      if (this.past.length > LIMIT) this.past.shift();
    }
    this.present = { spec, words, inside };
    this.future = [];
    this.lastThing = thing;
    this.lastTime = now;
  }

  /** Steps back; gives the words of what was taken back, or `undefined` if there is nothing. */
  undo(): string | undefined {
    const before = this.past.pop();
    if (!before) return undefined;
    const { words } = this.present;
    this.future.push(this.present);
    this.present = before;
    this.lastThing = undefined;
    return words;
  }

  /** Steps forward again; gives the words of what was done again. */
  redo(): string | undefined {
    const after = this.future.pop();
    if (!after) return undefined;
    this.past.push(this.present);
    this.present = after;
    this.lastThing = undefined;
    return after.words;
  }
}
