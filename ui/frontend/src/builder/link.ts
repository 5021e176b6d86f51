/** A link that carries the whole network: `#net=` with the JSON, packed as `engine.export.link` does. */
import { isRecord, Refusal, readSpec, type Spec } from "./spec";

const NAME = "net";
/** A link that unfolds to more than this is none of ours [bytes]. */
const MOST = 4_000_000;
/** Some programs cut links off that are longer [letters]. */
export const LONG = 8_000;

/** The address of the page with the network in it. */
export async function linkTo(spec: Spec, page: string = location.href): Promise<string> {
  const url = new URL(page);
  url.search = "";
  url.hash = `${NAME}=${await packed(spec)}`;
  return url.href;
}

export async function packed(spec: Spec): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(spec));
  const small = await through(bytes, new CompressionStream("deflate"));
  let letters = "";
  for (const byte of small) letters += String.fromCharCode(byte);
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The network in an address, or in the part behind `#`; `undefined` if it holds none. */
export async function linked(hash: string): Promise<Spec | undefined> {
  const packed = new URLSearchParams(hash.slice(hash.indexOf("#") + 1)).get(NAME);
  if (packed === null) return undefined;
  let spec: unknown;
  try {
    const letters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    spec = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await through(bytes, new DecompressionStream("deflate"))));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("The link is damaged: the network in it cannot be read. Copy all of it and open it again.");
  }
  if (!isRecord(spec)) throw new Refusal("The link holds no network.");
  return readSpec(spec);
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  // What goes wrong is told by the reader below.
  writer.write(bytes as BufferSource).catch(() => undefined);
  writer.close().catch(() => undefined);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > MOST) {
      void reader.cancel();
      throw new Refusal(`The link unfolds to more than ${MOST / 1e6} MB; that is no network of this builder.`);
    }
    chunks.push(next.value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
