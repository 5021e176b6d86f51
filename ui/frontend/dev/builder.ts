/** The builder without a server or a page: `?net=lenet|broken|residual|chain300`, `&dark`, `&real`, `&offline`. */
import { mount } from "../src/builder";
import { answer, networks } from "./fakeApi";

const wanted = new URLSearchParams(location.search);
const theme = wanted.has("dark")
  ? { "text-color": "#e4e8ee", "background-color": "#0e1117", "secondary-background-color": "#1a1f29", "primary-color": "#5aaee8", "border-color": "#e4e8ee2a" }
  : { "text-color": "#1d2530", "background-color": "#ffffff", "secondary-background-color": "#f5f6f8", "primary-color": "#0072b2", "border-color": "#1d253024" };
for (const [name, value] of Object.entries(theme)) document.documentElement.style.setProperty(`--st-${name}`, value);

if (!wanted.has("real")) {
  window.fetch = async (input, init) => {
    if (wanted.has("offline")) throw new TypeError("Failed to fetch");
    const path = new URL(String(input), location.href).pathname.replace(/^\/api\//, "");
    await new Promise((resolve) => setTimeout(resolve, 15));
    return Response.json(answer(path, typeof init?.body === "string" ? init.body : undefined));
  };
}

const root = (document.getElementById("host") as HTMLElement).attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
const name = wanted.get("net") ?? "lenet";
const sent: unknown[] = [];
const height = Number(wanted.get("height") ?? 660);
const data = { spec: networks[name]?.() ?? {}, revision: 1, height, readonly: wanted.has("readonly") };
const mounted = mount(root, data, (message) => sent.push(message));
Object.assign(window, { sent, mounted });
