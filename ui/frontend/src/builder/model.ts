/** The builder without its pictures: editing, and all that goes to and comes from elsewhere. */
import { Refused, type Timed, type Weights, type WeightsWanted } from "./api";
import { Editing } from "./editing";
import * as edits from "./edits";
import { pathOf } from "./inside";
import { linked } from "./link";
import { nodeOf, readSpec, Refusal, identity } from "./spec";

/** The largest file that goes through the page [bytes]. */
const MOST_FILE = 40_000_000;

export class Model extends Editing {
  /** Puts another network in the place of this one; a step that can be taken back. */
  load(source: unknown, words: string): boolean {
    const done = this.changeWhole(words, () => readSpec(source), { selection: new Set(), edge: undefined, inside: [] });
    if (done) this.set({ shown: this.state.shown + 1 });
    return done;
  }

  /** Reads a file on the server; what it holds takes the place of the network. */
  async importFile(file: File | undefined): Promise<void> {
    if (!file || this.state.readonly) return;
    if (file.size > MOST_FILE)
      return this.note(`${file.name} has ${Math.ceil(file.size / 1e6)} MB; here files may have 40. “python -m engine import” reads larger ones.`);
    this.set({ importing: file.name, notes: [] });
    const content = await base64(file);
    const { answer, problem } = await this.talk.put((api) => api.bring(file.name, content, this.state.whole, this.dataset));
    this.set({ importing: "" });
    if (!answer) return this.note(problem ?? `${file.name} could not be read.`);
    if (!this.load(answer.spec, `import ${file.name}`)) return;
    if (answer.run) {
      this.weightsOf = { spec: this.history.spec, run: answer.run };
      this.announce();
    }
    this.set({ notes: answer.notes.length ? answer.notes : [`${file.name} was read.`] });
    this.say(this.state.notes.join(" "));
  }

  /** Opens the network that the page's address carries. */
  async openLink(hash: string): Promise<boolean> {
    try {
      const spec = await linked(hash);
      return spec !== undefined && this.load(spec, "open the link");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.note(error.message);
      return true;
    }
  }

  async loadTemplate(name: string, title: string): Promise<void> {
    try {
      this.load(await this.talk.template(name), `open ${title}`);
    } catch (error) {
      this.note(error instanceof Refused || error instanceof Refusal ? error.message : `${title} could not be fetched: the server does not answer.`);
    }
  }

  /** What one batch takes on the server, or why that cannot be said. */
  async timing(batch: number): Promise<{ timed?: Timed; problem?: string }> {
    const { answer, problem } = await this.talk.put((api) => api.timing(this.state.whole, batch));
    return { ...(answer ? { timed: answer } : {}), ...(problem ? { problem } : {}) };
  }

  toggleCode(): void {
    this.set({ codeOpen: !this.state.codeOpen });
    void this.talk.writeCode();
  }

  fetchTemplates(): Promise<void> {
    return this.talk.fetchTemplates();
  }

  /** Makes what a PyTorch source describes the network; gives why not, and in which line. */
  async readCode(source: string): Promise<{ problem?: string; line?: number | null }> {
    this.reading?.abort();
    const reading = new AbortController();
    this.reading = reading;
    const { answer, ...refused } = await this.talk.put((api) => api.read(source, this.state.whole, reading.signal));
    if (reading.signal.aborted) return {};
    if (!answer) return refused;
    return this.changeWhole("edit the code", () => answer, {}, "code") ? {} : { problem: this.state.notice };
  }

  private reading: AbortController | undefined;

  // Weights

  /** The run whose weights belong to the network as it is now. */
  get run(): string | undefined {
    const { weightsRun, whole } = this.state;
    return weightsRun && identity(whole) === weightsRun.of ? weightsRun.id : undefined;
  }

  /** Numbers of a layer on the canvas: trained ones if there are, else its first. */
  weights(id: string, wanted: Pick<WeightsWanted, "name" | "window">, signal: AbortSignal): Promise<{ answer?: Weights; problem?: string }> {
    const node = pathOf(this.state.whole, this.state.inside, id);
    const { run } = this;
    return this.talk.put((api) => api.weights({ spec: this.state.whole, node, ...(run ? { run } : {}), ...wanted }, signal));
  }

  /** Sets one number of a layer: in the trained model where there is one, else as a first value. */
  async setWeight(id: string, name: string, index: readonly number[], value: number): Promise<string | undefined> {
    const { run } = this;
    if (run && !this.state.readonly) {
      const node = pathOf(this.state.whole, this.state.inside, id);
      const { problem } = await this.talk.put((api) => api.editWeight(run, node, name, index, value));
      if (!problem) this.say(`${name} ${index.join(", ")} of ${id} is ${value}`);
      return problem;
    }
    const done = this.change(`set a number of ${id}`, (spec) => edits.setStart(spec, id, index, value, name), {}, `${id}.${name}.${index.join()}`);
    return done ? undefined : this.state.notice;
  }

  /** Cuts a connection within a layer, or joins it again. */
  toggleCut(id: string, index: readonly number[]): void {
    const cut = nodeOf(this.state.spec, id)?.cut?.some((one) => one.join() === index.join());
    this.change(`${cut ? "join" : "cut"} ${index.join(", ")} of ${id}`, (spec) => edits.toggleCut(spec, id, index));
  }
}

/** A file as the letters that JSON can carry. */
async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let letters = "";
  for (let at = 0; at < bytes.length; at += 32_768) letters += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(letters);
}
