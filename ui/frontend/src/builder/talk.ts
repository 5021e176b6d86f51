/** The builder's talk with the server: what it asks after every edit, and what it does when nobody answers. */
import { Api, Refused } from "./api";
import { Refusal, structure, type Spec } from "./spec";
import type { State } from "./state";
import { problemWords } from "./words";

const RETRY_AFTER = 3000; // [ms]

/** What the talk needs of the model. */
interface Heart {
  readonly state: State;
  set(changes: Partial<State>): void;
  say(words: string): void;
}

export class Talk {
  private api: Api;
  private asking: AbortController | undefined;
  private askingCode: AbortController | undefined;
  private described = "";
  private codeOf = "";
  private retry: ReturnType<typeof setTimeout> | undefined;
  private gone = false;

  constructor(private base: string, private readonly model: Heart) {
    this.api = new Api(base);
  }

  /** Turns to another server. */
  moveTo(base: string): void {
    if (base === this.base) return;
    this.base = base;
    this.api = new Api(base);
    this.described = "";
    void this.refresh();
  }

  end(): void {
    this.gone = true;
    clearTimeout(this.retry);
    this.asking?.abort();
    this.askingCode?.abort();
  }

  /** Whether what is known is known of this very network. */
  knows(spec: Spec): boolean {
    return structure(spec) === this.described;
  }

  /** What the server says to a question of the visitor's; its refusal, or that it is silent, as words. */
  async put<Answer>(ask: (api: Api) => Promise<Answer>): Promise<{ answer?: Answer; problem?: string; line?: number | null }> {
    try {
      return { answer: await ask(this.api) };
    } catch (error) {
      if (error instanceof Refused) return { problem: error.message, ...(error.line === undefined ? {} : { line: error.line }) };
      if (error instanceof Refusal) return { problem: error.message };
      return { problem: "The server does not answer; try again in a moment." };
    }
  }

  template(name: string): Promise<Spec> {
    return this.api.template(name);
  }

  async fetchTemplates(): Promise<void> {
    if (this.model.state.templates.length) return;
    await this.asked(async () => this.model.set({ templates: await this.api.templates() }));
  }

  async refresh(): Promise<void> {
    await Promise.all([
      this.describe(),
      this.model.state.layers.length ? undefined : this.asked(async () => this.model.set({ layers: await this.api.layers() })),
    ]);
  }

  async describe(): Promise<void> {
    const spec = this.model.state.whole;
    const wanted = structure(spec);
    // Also what is asked already is no longer wanted, if a step back led to what is known.
    this.asking?.abort();
    if (wanted === this.described) return;
    const asking = new AbortController();
    this.asking = asking;
    await this.asked(async () => {
      try {
        const description = await this.api.describe(spec, asking.signal);
        if (asking.signal.aborted) return;
        this.described = wanted;
        const troubled = problemWords(description);
        const wasTroubled = this.model.state.told && problemWords(this.model.state.told);
        this.model.set({ told: description, refused: "" });
        if (troubled !== wasTroubled && (troubled || wasTroubled)) this.model.say(troubled || "All problems are solved.");
      } catch (error) {
        if (asking.signal.aborted) return;
        if (!(error instanceof Refused)) throw error;
        this.described = wanted;
        this.model.set({ refused: error.message, said: error.message });
      }
    });
    if (wanted === this.described) void this.writeCode();
  }

  async writeCode(): Promise<void> {
    const spec = this.model.state.whole;
    const wanted = structure(spec);
    this.askingCode?.abort();
    if (!this.model.state.codeOpen || wanted === this.codeOf) return;
    const asking = new AbortController();
    this.askingCode = asking;
    await this.asked(async () => {
      try {
        const code = await this.api.code(spec, asking.signal);
        if (asking.signal.aborted) return;
        this.codeOf = wanted;
        this.model.set({ code });
      } catch (error) {
        if (asking.signal.aborted) return;
        if (!(error instanceof Refused)) throw error;
        this.codeOf = wanted;
        this.model.set({ code: `# ${error.message.replaceAll("\n", "\n# ")}\n` });
      }
    });
  }

  /** Notes whether the server answers; if not, tries again in a while. */
  private async asked(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (!this.model.state.online) this.model.set({ online: true, said: "The server answers again." });
    } catch {
      if (this.gone) return;
      if (this.model.state.online) this.model.set({ online: false, said: "The server does not answer; edits are kept." });
      clearTimeout(this.retry);
      this.retry = setTimeout(() => {
        void this.refresh();
        void this.writeCode();
      }, RETRY_AFTER);
    }
  }
}
