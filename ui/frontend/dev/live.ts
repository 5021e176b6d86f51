/** The live view beside a made-up run: `live.html?scene=kinds&theme=dark&present`. */
import { mount } from "../src/live";
import { FakeSocket, SCENES } from "./fake";

const asked = new URLSearchParams(location.search);
const scene = SCENES[asked.get("scene") ?? "kinds"] ?? SCENES.kinds!;
document.documentElement.className = asked.get("theme") ?? "light";

FakeSocket.scene = scene;
FakeSocket.still = asked.has("still");
Object.assign(globalThis, { WebSocket: FakeSocket });

// What one frame of drawing costs: read by the measuring script.
const costs: number[] = [];
const plain = requestAnimationFrame.bind(globalThis);
globalThis.requestAnimationFrame = (callback) => plain((now) => {
  const begin = performance.now();
  callback(now);
  costs.push(performance.now() - begin);
});
Object.assign(globalThis, { costs, sent: FakeSocket.commands });

const root = document.querySelector("#host")!.attachShadow({ mode: "open" });
const inner = document.createElement("div");
root.append(inner);
mount(
  inner,
  { run: "made-up", form: scene.form ?? [], layout: { ...scene.layout, present: asked.has("present") } },
  (message) => console.info("send", JSON.stringify(message)),
);
